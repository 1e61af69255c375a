//! [`Queue`]: commits on their way to the writer, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use sayso_store::limits::BATCH_BYTES_MAX;
use sayso_store::room::Taken;
use sayso_store::{Batch, Error, Room, Version};
use sayso_types::Mono;
use tokio::sync::oneshot;

/// Bytes that a waiting commit counts beyond its batch's size, so that the queue is bounded in number, too.
const REQUEST_BYTES: usize = 512;

/// Commits in one group: enough to make an fsync cheap, few enough to keep the first one's wait short.
const GROUP_COMMITS_MAX: usize = 1_024;

/// Bytes in one group, above which no further commit joins it.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// When a commit is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it would survive the loss of power.
    Synced,
    /// When it is seen. It survives the end of the process, and the loss of power as soon as a later commit does: what
    /// a loss of power leaves is always all commits up to some moment.
    Ordered,
}

/// A commit that waits.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) batch: Batch,
    pub(crate) durability: Durability,
    pub(crate) caller: Caller,
}

/// Who waits for it.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) since: Mono,
    pub(crate) answer: oneshot::Sender<Result<Version, Error>>,
    /// Its share of the queue, given back when it is answered.
    _room: Taken,
}

/// Where it is told that a purge is done.
pub(crate) type Purged = oneshot::Sender<Result<(), Error>>;

/// What the writer does next.
#[derive(Debug)]
pub(crate) enum Work {
    /// Commits, oldest first.
    Group(Vec<Request>),
    /// One purge for everybody who asked for one.
    Purge(Vec<Purged>),
}

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<Request>,
    purges: Vec<Purged>,
    closed: bool,
}

impl Request {
    /// What to do, and whom to answer.
    pub(crate) fn split(self) -> ((Batch, Durability), Caller) {
        ((self.batch, self.durability), self.caller)
    }
}

/// Many callers, one writer.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    room: Room,
}

impl Queue {
    /// A queue for batches of `bytes` in total, or of one batch of the greatest size.
    pub(crate) fn new(bytes: usize) -> Self {
        let bytes = bytes.clamp(BATCH_BYTES_MAX + REQUEST_BYTES, u32::MAX as usize);
        Self { waiting: Mutex::default(), filled: Condvar::new(), room: Room::new("local_commit_bytes", bytes) }
    }

    /// Queues `batch`, once there is room for it, and gives back where its outcome will be.
    pub(crate) async fn push(
        &self,
        batch: Batch,
        durability: Durability,
        since: Mono,
    ) -> Result<oneshot::Receiver<Result<Version, Error>>, Error> {
        let bytes = u32::try_from(batch.size() + REQUEST_BYTES).expect("a batch is within BATCH_BYTES_MAX");
        let room = self.room.take(bytes).await?;
        let (answer, outcome) = oneshot::channel();
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(Error::Closed);
        }
        waiting.requests.push_back(Request { batch, durability, caller: Caller { since, answer, _room: room } });
        metrics::gauge!("sayso_store_local_queue_commits").set(waiting.requests.len() as f64);
        self.filled.notify_one();
        Ok(outcome)
    }

    /// Asks for a purge, and gives back where its outcome will be. It covers every commit that was answered before.
    pub(crate) fn push_purge(&self) -> Result<oneshot::Receiver<Result<(), Error>>, Error> {
        let (purged, outcome) = oneshot::channel();
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(Error::Closed);
        }
        waiting.purges.push(purged);
        self.filled.notify_one();
        Ok(outcome)
    }

    /// The next purge or group of commits; waits for one. `None` when the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<Work> {
        let mut waiting = self.waiting();
        while waiting.requests.is_empty() && waiting.purges.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.purges.is_empty() {
            return Some(Work::Purge(core::mem::take(&mut waiting.purges)));
        }
        let mut bytes = 0;
        let joins = |request: &&Request| {
            let fits = bytes < GROUP_BYTES_MAX;
            bytes += request.batch.size();
            fits
        };
        let count = waiting.requests.iter().take(GROUP_COMMITS_MAX).take_while(joins).count();
        let group = waiting.requests.drain(..count).collect();
        metrics::gauge!("sayso_store_local_queue_commits").set(waiting.requests.len() as f64);
        Some(Work::Group(group))
    }

    /// Refuses what comes from now on, and what waits for room. What is queued stays.
    pub(crate) fn close(&self) {
        self.waiting().closed = true;
        self.room.close();
        self.filled.notify_all();
    }

    /// Closes the queue and forgets what is in it: whoever waits is told that the store is closed.
    pub(crate) fn abandon(&self) {
        self.close();
        let mut waiting = self.waiting();
        waiting.requests.clear();
        waiting.purges.clear();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // nothing panics while it is held
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
