//! A store whose reads can be held up, and can fail.

use std::sync::Arc;

use async_trait::async_trait;
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch};
use sayso_store_local::LocalStore;
use tokio::sync::watch;

/// What becomes of reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    Served,
    Held,
    Failing,
}

#[derive(Debug)]
pub(crate) struct SlowStore {
    store: Arc<LocalStore>,
    reads: watch::Sender<Reads>,
}

impl SlowStore {
    pub(crate) fn new(store: Arc<LocalStore>) -> Arc<Self> {
        Arc::new(Self { store, reads: watch::Sender::new(Reads::Served) })
    }

    pub(crate) fn reads(&self, reads: Reads) {
        self.reads.send_replace(reads);
    }
}

#[async_trait]
impl Store for SlowStore {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let mut reads = self.reads.subscribe();
        let reads = *reads.wait_for(|reads| *reads != Reads::Held).await.expect("self holds the sender");
        match reads {
            Reads::Failing => Err(Error::Unavailable { reason: "on purpose".into() }),
            Reads::Served | Reads::Held => self.store.read(keys).await,
        }
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        self.store.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        self.store.commit(batch).await
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.store.watch(prefix).await
    }
}
