//! [`HeldStore`]: a store of one node whose commits can be held for good, so that what is in it is all that was ever
//! acknowledged.

use std::sync::Arc;

use async_trait::async_trait;
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch};
use sayso_store_local::LocalStore;
use tokio::sync::RwLock;

/// A store of one node that may be left behind one day.
#[derive(Debug)]
pub(crate) struct HeldStore {
    store: Arc<LocalStore>,
    /// Whether commits are held. Every commit has it for as long as it is on its way.
    is_held: RwLock<bool>,
}

impl HeldStore {
    pub(super) fn new(store: Arc<LocalStore>) -> Arc<Self> {
        Arc::new(Self { store, is_held: RwLock::new(false) })
    }

    /// The same store, whose commits are not held.
    pub(crate) fn beneath(&self) -> Arc<LocalStore> {
        Arc::clone(&self.store)
    }

    /// Answers once nobody waits for a commit any more, and nobody will but through [`beneath`](Self::beneath).
    pub(crate) async fn hold(&self) {
        *self.is_held.write().await = true;
    }
}

#[async_trait]
impl Store for HeldStore {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.store.read(keys).await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        self.store.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        let is_held = self.is_held.read().await;
        if *is_held { Err(Error::Closed) } else { self.store.commit(batch).await }
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.store.watch(prefix).await
    }

    async fn purge(&self) -> Result<Vec<u64>, Error> {
        self.store.purge().await
    }
}

#[cfg(test)]
mod tests {
    use sayso_store_local::LocalOptions;
    use sayso_types::ManualClock;

    use super::*;

    #[tokio::test]
    async fn what_is_held_takes_nothing_more_and_shows_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let options = LocalOptions::new(Arc::new(ManualClock::new()));
        let held = HeldStore::new(LocalStore::open(dir.path(), options).unwrap());
        let (key, late) = (Key::from_bytes("a"), Key::from_bytes("b"));
        held.commit(Batch::new().put(key.clone(), "1")).await.unwrap();
        held.hold().await;
        assert!(matches!(held.commit(Batch::new().put(late.clone(), "2")).await, Err(Error::Closed)));
        held.beneath().commit(Batch::new().put(key.clone(), "3")).await.unwrap();
        let found = held.read(&[key, late]).await.unwrap();
        assert_eq!(found[0].as_ref().map(|found| found.value.clone()), Some("3".into()));
        assert!(found[1].is_none());
    }
}
