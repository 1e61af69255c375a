//! [`LocalStore`]: the contract, on one directory.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch, limits};

use crate::{Durability, Engine, LocalOptions, Sweep};

/// A store in a directory of this machine.
#[derive(Debug)]
pub struct LocalStore(Engine);

impl LocalStore {
    /// Opens the store in `dir`, as [`Engine::open`] does.
    ///
    /// # Errors
    /// Those of [`Engine::open`].
    pub fn open(dir: &Path, options: LocalOptions) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self(Engine::open(dir, options)?)))
    }

    /// Two passes over all that is in it, both of this moment, as of [`Engine::sweep_twice`].
    ///
    /// # Errors
    /// Those of [`Engine::sweep_twice`].
    pub fn sweep_twice(&self) -> Result<[Sweep; 2], Error> {
        self.0.sweep_twice(&Range::all())
    }

    /// Closes it, as [`Engine::close`] does.
    pub fn close(&self) {
        self.0.close();
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        limits::check_read(keys)?;
        self.0.read(keys)
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        limits::check_scan(&range, limit)?;
        self.0.scan(range, limit)
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        batch.check()?;
        self.0.commit(batch, Durability::Synced).await
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.0.watch(prefix)
    }

    async fn purge(&self) -> Result<Vec<u64>, Error> {
        self.0.purge().await?;
        Ok(Vec::new())
    }
}
