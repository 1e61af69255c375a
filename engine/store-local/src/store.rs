//! [`LocalStore`]: the contract, on one directory.

use core::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch, Watchers, limits};

use crate::index::Index;
use crate::queue::Queue;
use crate::writer::Shared;
use crate::{LocalOptions, fault, recovery};

/// A store in a directory of this machine. The directory has one user at a time.
///
/// Reads run on the caller's thread: they come from memory or from one block of a table each.
pub struct LocalStore {
    dir: PathBuf,
    shared: Arc<Shared>,
    /// Taken when the store is closed.
    open: RwLock<Option<Open>>,
}

/// What there is while the store is open.
struct Open {
    index: Arc<Index>,
    writer: JoinHandle<()>,
    /// Holds the directory.
    lock: File,
}

impl LocalStore {
    /// Opens the store in `dir`, which is made if there is none, and reads back what the log holds. All of it is
    /// checked: this takes as long as reading every file once.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process, or another store of this one, has it open; [`Error::Corrupt`] names a file
    /// that is not what was written; [`Error::Schema`] when a newer program wrote it; otherwise what the system says.
    pub fn open(dir: &Path, options: LocalOptions) -> Result<Arc<Self>, Error> {
        fault::create_dir(dir)?;
        let lock = lock(dir)?;
        let writer = recovery::recover(dir, &options)?;
        let index = Arc::clone(&writer.index);
        let queue = Queue::new(options.queue_bytes);
        let shared = Arc::new(Shared { queue, watchers: Watchers::default(), clock: options.clock });
        let thread = thread::Builder::new().name("sayso-store-write".into()).spawn({
            let shared = Arc::clone(&shared);
            move || writer.run(&shared)
        });
        let thread = thread.map_err(|e| fault::io("start a thread for", dir, e))?;
        let open = Open { index, writer: thread, lock };
        Ok(Arc::new(Self { dir: dir.to_owned(), shared, open: RwLock::new(Some(open)) }))
    }

    /// Answers the commits that are queued, ends the store's threads and lets go of the directory. Every use after this
    /// is answered [`Error::Closed`]. Blocks for as long as a table takes to write; closing again does nothing.
    pub fn close(&self) {
        self.shared.queue.close();
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Open { index, writer, lock }) = open {
            // A panic in it was reported by its hook.
            let _ = writer.join();
            self.shared.watchers.close();
            drop(index);
            // Last, so that whoever opens the directory next finds it at rest.
            drop(lock);
        }
    }

    fn index(&self) -> Result<Arc<Index>, Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(|open| Arc::clone(&open.index)).ok_or(Error::Closed)
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        limits::check_read(keys)?;
        self.index()?.read(keys.iter())
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        limits::check_scan(&range, limit)?;
        self.index()?.scan(range, limit)
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        batch.check()?;
        let outcome = self.shared.queue.push(batch, self.shared.clock.now()).await?;
        outcome.await.map_err(|_| Error::Closed)?
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.shared.watchers.watch(prefix)
    }
}

impl Drop for LocalStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for LocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalStore").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Takes the directory for this store alone, until the file is dropped. The system does that at the latest when the
/// process ends, however it does.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|e| fault::io("create", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(fault::io("lock", &path, error)),
    }
}
