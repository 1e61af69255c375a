//! [`Writes`]: what a session has the consent register write, in the order in which the person said it.

use sayso_runtime::{TaskKind, Tasks};
use tokio::sync::oneshot;

/// Starts each write when the one before it has ended: whoever agrees and withdraws at once has withdrawn.
#[derive(Default)]
pub(super) struct Writes {
    /// Closed when the latest write has ended.
    latest: Option<oneshot::Receiver<()>>,
}

impl Writes {
    /// Writes in a task that goes on when the session ends: what the person decided is written even if the device
    /// goes away.
    pub(super) fn start(
        &mut self,
        tasks: &Tasks,
        name: &'static str,
        write: impl Future<Output = ()> + Send + 'static,
    ) {
        let (ended, end) = oneshot::channel::<()>();
        let before = self.latest.replace(end);
        let in_order = async move {
            // Nothing is ever sent: it is closed, also if the write before panicked.
            if let Some(before) = before {
                let _ = before.await;
            }
            write.await;
            drop(ended);
        };
        tasks.spawn(TaskKind::Call, name, in_order).detach();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn one_after_another_whatever_becomes_of_them() {
        let (tasks, mut writes, log) = (Tasks::new(), Writes::default(), Arc::new(Mutex::new(Vec::new())));
        let (go, gate) = oneshot::channel();
        let note = |n: u32| {
            let log = Arc::clone(&log);
            move || log.lock().unwrap().push(n)
        };
        let first = note(1);
        writes.start(&tasks, "first", async move {
            gate.await.unwrap();
            first();
        });
        writes.start(&tasks, "broken", async { panic!("on purpose") });
        let (last, (done, all)) = (note(3), oneshot::channel());
        writes.start(&tasks, "last", async move {
            last();
            done.send(()).unwrap();
        });
        drop(writes);
        assert_eq!(*log.lock().unwrap(), [0; 0]);
        go.send(()).unwrap();
        all.await.unwrap();
        assert_eq!(*log.lock().unwrap(), [1, 3]);
    }
}
