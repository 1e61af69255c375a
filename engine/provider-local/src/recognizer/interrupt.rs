//! How an inference in whisper.cpp learns that it shall stop.
//!
//! whisper.cpp asks its abort callback between steps, on the thread that runs the inference. `whisper-rs` never frees a
//! callback that it was given, so there is one for all inferences, and it asks the thread it finds itself on.

use std::cell::RefCell;

type Condition = Box<dyn Fn() -> bool>;

thread_local! {
    static CONDITION: RefCell<Option<Condition>> = const { RefCell::new(None) };
}

/// Runs `work`, during which [`is_requested`] on this thread answers what `condition` does.
pub(super) fn when<R>(condition: impl Fn() -> bool + 'static, work: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            CONDITION.set(None);
        }
    }
    CONDITION.set(Some(Box::new(condition)));
    let _reset = Reset;
    work()
}

/// Whether the inference that runs on this thread shall stop.
pub(super) fn is_requested() -> bool {
    CONDITION.with_borrow(|condition| condition.as_ref().is_some_and(|condition| condition()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_holds_while_the_work_runs_even_if_that_panics() {
        assert!(!is_requested());
        assert!(when(|| true, is_requested));
        assert!(!when(|| false, is_requested));
        assert!(!is_requested());
        std::panic::catch_unwind(|| when(|| true, || panic!("on purpose"))).unwrap_err();
        assert!(!is_requested());
    }
}
