//! [`Metered`]: a store that is watched.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch};
use sayso_types::Clock;

use crate::lab::Latencies;

/// Passes everything on to a store, and keeps count of the commits.
pub(crate) struct Metered {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    commits: Mutex<Commits>,
}

/// The commits of some time.
pub(crate) struct Commits {
    pub(crate) count: usize,
    /// What their batches weigh together, as the store's limits count it.
    pub(crate) bytes: usize,
    /// How long they took.
    pub(crate) took: Latencies,
}

impl Commits {
    fn none() -> Self {
        Self { count: 0, bytes: 0, took: Latencies::new() }
    }
}

impl Metered {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { store, clock, commits: Mutex::new(Commits::none()) })
    }

    /// The commits since it was last asked.
    pub(crate) fn take(&self) -> Commits {
        std::mem::replace(&mut *self.commits(), Commits::none())
    }

    fn commits(&self) -> MutexGuard<'_, Commits> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Metered {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.store.read(keys).await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        self.store.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        let (began, bytes) = (self.clock.now(), batch.size());
        let outcome = self.store.commit(batch).await;
        let took = self.clock.now().since(began);
        let mut commits = self.commits();
        commits.count += 1;
        commits.bytes += bytes;
        commits.took.record(took);
        outcome
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.store.watch(prefix).await
    }
}

impl fmt::Debug for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metered").field(&self.store).finish()
    }
}
