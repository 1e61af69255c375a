//! [`Tasks`]: the only place that spawns. It names, counts and ends what it starts.
//!
//! ```text
//!   spawn(kind, name, future) ──▶ TaskHandle     dropped: aborted    detach(): ends with Tasks
//!                 │
//!                 ├─ returns an error or panics ──▶ logged and counted; by kind, failure() resolves
//!                 └─ shutdown(deadline): stop token, wait, kill what is left
//! ```

mod handle;
mod kind;

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::handle::{Exit, TaskHandle};
pub use self::kind::{OnCancel, OnFailure, TaskKind};

/// How long killed tasks have to be dropped. A task that is killed is gone at its next await point; one that never
/// reaches it cannot be ended at all, and shutdown does not wait for it for ever.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// Starts tasks and ends them. Clones share the same set.
#[derive(Clone, Debug)]
pub struct Tasks {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tracker: TaskTracker,
    /// Asks every task to end.
    stop: CancellationToken,
    /// Ends every task at its next await point.
    kill: CancellationToken,
    failure: watch::Sender<Option<Failure>>,
}

/// What a task may return: nothing, or a result whose error is handled as its kind says.
pub trait Outcome: Send + 'static {
    /// The error's text, when it failed.
    fn error(self) -> Option<String>;
}

impl Outcome for () {
    fn error(self) -> Option<String> {
        None
    }
}

impl<E: Display + Send + 'static> Outcome for Result<(), E> {
    fn error(self) -> Option<String> {
        self.err().map(|e| e.to_string())
    }
}

/// A task failed whose kind says that the process cannot go on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("task {name} ({kind}) failed, and the process cannot go on without it; the log above says why")]
pub struct Failure {
    /// What sort of task it was.
    pub kind: TaskKind,
    /// Its name.
    pub name: &'static str,
}

/// Blocking work ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("blocking work {name} panicked or was cut off by the end of the process")]
pub struct BlockingLost {
    /// What the work was called.
    pub name: &'static str,
}

impl Tasks {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inner: Arc::new(Inner {
                tracker: TaskTracker::new(),
                stop: CancellationToken::new(),
                kill: CancellationToken::new(),
                failure: watch::Sender::new(None),
            }),
        }
    }

    /// Starts `future`. The name says in logs what it is, never whose.
    ///
    /// Dropping the handle aborts the task. Must be called within a tokio runtime.
    #[must_use = "dropping the handle aborts the task; detach() leaves it to Tasks"]
    pub fn spawn<F>(&self, kind: TaskKind, name: &'static str, future: F) -> TaskHandle
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let running = Running::new(kind);
        // one copy on the heap: inline, the block below would hold the future twice, as captured and as polled
        let future = Box::pin(AssertUnwindSafe(future).catch_unwind());
        let inner = self.inner.clone();
        TaskHandle::new(self.inner.tracker.spawn(async move {
            let _running = running;
            let end = match kind.on_cancel() {
                OnCancel::Wait => &inner.kill,
                OnCancel::Abort => &inner.stop,
            };
            tokio::select! {
                biased;
                () = end.cancelled() => Exit::Cancelled,
                outcome = future => inner.ended(kind, name, outcome),
            }
        }))
    }

    /// Runs `work`, which blocks, on a thread kept for that. Not for inference, which has its own pool.
    ///
    /// # Errors
    /// [`BlockingLost`] when the work panicked or the runtime ended first.
    pub async fn blocking<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BlockingLost> {
        self.inner.tracker.spawn_blocking(work).await.map_err(|_| BlockingLost { name })
    }

    /// A token that is cancelled when these tasks should end; cancelling it ends nobody else. Tasks of a kind with
    /// [`OnCancel::Wait`] must watch one.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.inner.stop.child_token()
    }

    /// Waits until a task fails whose kind has [`OnFailure::Shutdown`]; the first such failure, for ever.
    pub async fn failure(&self) -> Failure {
        let mut failure = self.inner.failure.subscribe();
        let seen = failure.wait_for(Option::is_some).await.expect("self holds the sender");
        seen.expect("waited for a failure")
    }

    /// How many tasks run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.tracker.len()
    }

    /// Whether no task runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.tracker.is_empty()
    }

    /// Asks all tasks to end, waits for at most `deadline`, then kills what is left; returns how many that were.
    /// Tasks started afterwards are ended the same way.
    pub async fn shutdown(&self, deadline: Duration) -> usize {
        self.inner.stop.cancel();
        self.inner.tracker.close();
        if tokio::time::timeout(deadline, self.inner.tracker.wait()).await.is_ok() {
            return 0;
        }
        let overdue = self.inner.tracker.len();
        self.inner.kill.cancel();
        if tokio::time::timeout(KILL_GRACE, self.inner.tracker.wait()).await.is_err() {
            tracing::error!(tasks = self.inner.tracker.len(), "tasks do not yield; the process leaves without them");
        }
        overdue
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn ended<T: Outcome>(&self, kind: TaskKind, name: &'static str, outcome: std::thread::Result<T>) -> Exit {
        let exit = match outcome.map(Outcome::error) {
            Ok(None) => return Exit::Done,
            Ok(Some(error)) => {
                counter!("sayso_runtime_task_failures_total", "kind" => kind.as_str()).increment(1);
                tracing::error!(%kind, name, error, "task failed");
                Exit::Failed
            }
            Err(_payload) => {
                // the payload may hold anything, personal data included; the panic hook logged where it happened
                counter!("sayso_runtime_task_panics_total", "kind" => kind.as_str()).increment(1);
                tracing::error!(%kind, name, "task panicked");
                Exit::Panicked
            }
        };
        if kind.on_failure() == OnFailure::Shutdown {
            self.failure.send_if_modified(|first| {
                let is_first = first.is_none();
                first.get_or_insert(Failure { kind, name });
                is_first
            });
        }
        exit
    }
}

/// Counts a task for as long as it lives, however it ends.
struct Running(TaskKind);

impl Running {
    fn new(kind: TaskKind) -> Self {
        gauge!("sayso_runtime_tasks", "kind" => kind.as_str()).increment(1);
        Self(kind)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!("sayso_runtime_tasks", "kind" => self.0.as_str()).decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::task::Poll;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_panic_ends_its_task_only() {
        let tasks = Tasks::new();
        let bad = tasks.spawn(TaskKind::Call, "bad", poll_fn(|_| -> Poll<()> { panic!("on purpose") }));
        let good = tasks.spawn(TaskKind::Call, "good", async {});
        assert_eq!(bad.join().await, Exit::Panicked);
        assert_eq!(good.join().await, Exit::Done);
        assert!(tasks.failure().now_or_never().is_none(), "a failed call does not end the process");
    }

    #[tokio::test]
    async fn the_first_failure_that_matters_is_reported() {
        let tasks = Tasks::new();
        let fail = || async { Err::<(), _>("no more files") };
        assert_eq!(tasks.spawn(TaskKind::Connection, "one", fail()).join().await, Exit::Failed);
        assert_eq!(tasks.spawn(TaskKind::Listener, "two", fail()).join().await, Exit::Failed);
        assert_eq!(tasks.spawn(TaskKind::Storage, "three", fail()).join().await, Exit::Failed);
        assert_eq!(tasks.failure().await, Failure { kind: TaskKind::Listener, name: "two" });
    }

    #[tokio::test]
    async fn a_dropped_handle_ends_its_task_and_a_detached_one_does_not() {
        let tasks = Tasks::new();
        let (alive, mut dropped) = tokio::sync::oneshot::channel::<()>();
        let task = tasks.spawn(TaskKind::Call, "kept", async move {
            let _alive = alive;
            pending::<()>().await;
        });
        tasks.spawn(TaskKind::Connection, "detached", pending::<()>()).detach();
        tokio::task::yield_now().await;
        assert!(dropped.try_recv().is_err_and(|e| e == tokio::sync::oneshot::error::TryRecvError::Empty));
        drop(task);
        assert!(dropped.await.is_err(), "the task was dropped");
        assert_eq!(tasks.len(), 1);
    }

    #[tokio::test]
    async fn shutdown_lets_those_finish_that_may() {
        let tasks = Tasks::new();
        let stopping = tasks.stopping();
        let polite = tasks.spawn(TaskKind::Connection, "polite", async move { stopping.cancelled().await });
        let call = tasks.spawn(TaskKind::Call, "call", pending::<()>());
        assert_eq!(tasks.shutdown(SOON).await, 0);
        assert_eq!(polite.join().await, Exit::Done);
        assert_eq!(call.join().await, Exit::Cancelled);
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_kills_what_is_overdue() {
        let tasks = Tasks::new();
        let stubborn = tasks.spawn(TaskKind::Connection, "stubborn", pending::<()>());
        assert_eq!(tasks.shutdown(SOON).await, 1);
        assert_eq!(stubborn.join().await, Exit::Cancelled);
        assert!(tasks.is_empty());
    }

    #[tokio::test]
    async fn blocking_work_returns_its_result() {
        let tasks = Tasks::new();
        assert_eq!(tasks.blocking("sum", || 2 + 2).await, Ok(4));
        let lost = tasks.blocking("bad", || -> u8 { panic!("on purpose") }).await;
        assert_eq!(lost, Err(BlockingLost { name: "bad" }));
    }
}
