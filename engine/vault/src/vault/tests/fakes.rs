//! Stores that a vault may come to, each a real one behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sayso_store::{Batch, Error as StoreError, Key, Page, Prefix, Range, Store, Version, Versioned, Watch};
use sayso_store_local::LocalStore;
use tokio::sync::Notify;

/// Passes on to a real store, and answers no commit once it is told to: what was committed stands.
#[derive(Debug)]
pub(super) struct FakeSilence {
    pub(super) store: Arc<LocalStore>,
    pub(super) is_silent: AtomicBool,
    pub(super) committed: Notify,
}

#[async_trait]
impl Store for FakeSilence {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.store.read(keys).await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, StoreError> {
        self.store.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, StoreError> {
        let version = Store::commit(self.store.as_ref(), batch).await;
        if self.is_silent.load(Ordering::SeqCst) {
            self.committed.notify_one();
            core::future::pending::<()>().await;
        }
        version
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, StoreError> {
        Store::watch(self.store.as_ref(), prefix).await
    }

    async fn purge(&self) -> Result<Vec<u64>, StoreError> {
        Store::purge(self.store.as_ref()).await
    }
}

/// Passes on to a real store, but keeps the next commit for itself until it is let through, once it is told to.
#[derive(Debug)]
pub(super) struct FakeDelay {
    pub(super) store: Arc<LocalStore>,
    pub(super) keeps_next: AtomicBool,
    pub(super) came: Notify,
    pub(super) goes_on: Notify,
}

#[async_trait]
impl Store for FakeDelay {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.store.read(keys).await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, StoreError> {
        self.store.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, StoreError> {
        if self.keeps_next.swap(false, Ordering::SeqCst) {
            self.came.notify_one();
            self.goes_on.notified().await;
        }
        Store::commit(self.store.as_ref(), batch).await
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, StoreError> {
        Store::watch(self.store.as_ref(), prefix).await
    }

    async fn purge(&self) -> Result<Vec<u64>, StoreError> {
        Store::purge(self.store.as_ref()).await
    }
}
