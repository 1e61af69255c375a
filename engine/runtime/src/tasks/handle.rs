//! [`TaskHandle`]: holds a task alive.

use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It returned.
    Done,
    /// It returned an error, which was logged.
    Failed,
    /// It panicked, which was logged.
    Panicked,
    /// It was aborted or killed.
    Cancelled,
}

/// A running task. Dropping this aborts it.
#[derive(Debug)]
pub struct TaskHandle {
    task: AbortOnDropHandle<Exit>,
}

impl TaskHandle {
    pub(super) fn new(task: JoinHandle<Exit>) -> Self {
        Self { task: AbortOnDropHandle::new(task) }
    }

    /// Leaves the task to its [`Tasks`](super::Tasks): it runs until it ends or the process does.
    pub fn detach(self) {
        drop(self.task.detach());
    }

    /// Drops the task at its next await point.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until the task has ended. Dropping the returned future aborts the task.
    pub async fn join(self) -> Exit {
        // panics are caught inside, so all that is left is an abort
        self.task.await.unwrap_or(Exit::Cancelled)
    }
}
