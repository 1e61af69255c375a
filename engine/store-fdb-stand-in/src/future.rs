//! [`Future`]: what will be known, and whom to call when it is.

use core::ffi::{c_int, c_void};
use core::fmt;
use core::ptr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::code::Code;

/// What a future gives.
#[derive(Debug)]
pub(crate) enum Outcome {
    Nothing,
    Number(i64),
    Key(Vec<u8>),
    Value(Option<Arc<[u8]>>),
    Rows(Rows),
}

/// A row as a caller of the C library sees it.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    key: *const u8,
    key_length: c_int,
    value: *const u8,
    value_length: c_int,
}

/// A key and its value.
pub(crate) type Pair = (Box<[u8]>, Arc<[u8]>);

/// Rows of a page, and what they point to.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<Row>,
    _held: Vec<Pair>,
    /// Whether there may be rows after these.
    pub(crate) more: bool,
}

// SAFETY: the pointers are to bytes on the heap that `_held` keeps as long as the rows, and that nobody changes.
unsafe impl Send for Rows {}
// SAFETY: as above.
unsafe impl Sync for Rows {}

impl Rows {
    pub(crate) fn new(held: Vec<Pair>, more: bool) -> Self {
        let row = |(key, value): &Pair| Row {
            key: key.as_ptr(),
            key_length: length(key),
            value: value.as_ptr(),
            value_length: length(value),
        };
        Self { rows: held.iter().map(row).collect(), _held: held, more }
    }

    /// The rows, one after the other.
    pub(crate) fn as_slice(&self) -> &[Row] {
        &self.rows
    }
}

/// The length of `bytes`, of which nothing here has more than a C library can say.
pub(crate) fn length<T>(bytes: &[T]) -> c_int {
    c_int::try_from(bytes.len()).unwrap_or(c_int::MAX)
}

/// What is called when a future is ready.
pub(crate) type Callback = unsafe extern "C" fn(*mut Future, *mut c_void);

/// A callback with what it wants to be called with.
struct Calling(Callback, *mut c_void);

// SAFETY: FoundationDB calls back on its own thread, and who sets a callback knows.
unsafe impl Send for Calling {}

/// What will be known.
pub(crate) struct Future {
    outcome: OnceLock<Result<Outcome, Code>>,
    calling: Mutex<Option<Calling>>,
}

impl Future {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { outcome: OnceLock::new(), calling: Mutex::new(None) })
    }

    /// What became of it, once that is known.
    pub(crate) fn outcome(&self) -> Option<&Result<Outcome, Code>> {
        self.outcome.get()
    }

    /// Makes it known, and says so. Only the first time counts.
    pub(crate) fn settle(self: &Arc<Self>, outcome: Result<Outcome, Code>) {
        let mut calling = self.calling.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.outcome.set(outcome);
        let called = calling.take();
        drop(calling);
        self.call(called);
    }

    /// Has `callback` called with `parameter` when it is known, at once if it is.
    pub(crate) fn on_ready(self: &Arc<Self>, callback: Callback, parameter: *mut c_void) {
        let mut calling = self.calling.lock().unwrap_or_else(PoisonError::into_inner);
        let called = Calling(callback, parameter);
        if self.outcome.get().is_none() {
            *calling = Some(called);
            return;
        }
        drop(calling);
        self.call(Some(called));
    }

    fn call(self: &Arc<Self>, called: Option<Calling>) {
        if let Some(Calling(callback, parameter)) = called {
            // SAFETY: who set the callback promised that it may be called once with its parameter, on any thread.
            unsafe { callback(ptr::from_ref::<Self>(self).cast_mut(), parameter) };
        }
    }
}

impl fmt::Debug for Future {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    unsafe extern "C" fn count(_: *mut Future, parameter: *mut c_void) {
        // SAFETY: the tests below hand over a counter that outlives the call.
        let counter = unsafe { &*parameter.cast::<AtomicU32>() };
        counter.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn a_future_is_settled_once_and_calls_once() {
        let (future, counter) = (Future::new(), AtomicU32::new(0));
        let parameter = ptr::from_ref(&counter).cast_mut().cast();
        future.on_ready(count, parameter);
        assert_eq!(counter.load(Ordering::SeqCst), 0);
        future.settle(Ok(Outcome::Number(1)));
        future.settle(Err(1));
        assert_eq!(counter.load(Ordering::SeqCst), 1);
        assert!(matches!(future.outcome(), Some(Ok(Outcome::Number(1)))));
        future.on_ready(count, parameter);
        assert_eq!(counter.load(Ordering::SeqCst), 2, "it is known already");
    }
}
