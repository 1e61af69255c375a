//! [`Engine`]: the disk under a store, for backends that keep more on it than what callers put.

use core::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use sayso_store::{Batch, Entry, Error, Key, Page, Prefix, Range, Version, Versioned, Watch, Watchers};
use tokio::sync::watch;

use crate::index::{self, Index};
use crate::queue::{Durability, Queue};
use crate::writer::Shared;
use crate::{LocalOptions, fault, recovery};

/// An ordered keyspace with mini-transactions in a directory of this machine, without the contract's limits: keys may
/// have up to 65,535 bytes, values and batches whatever fits [`LocalOptions::queue_bytes`]. The directory has one user
/// at a time.
///
/// Reads run on the caller's thread: they come from memory or from one block of a table each.
pub struct Engine {
    dir: PathBuf,
    shared: Arc<Shared>,
    /// Taken when the store is closed.
    open: RwLock<Option<Open>>,
    /// How many moments are being passed over.
    sweeps: watch::Sender<usize>,
}

/// What there is while the store is open.
struct Open {
    index: Arc<Index>,
    writer: JoinHandle<()>,
    /// Holds the directory.
    lock: File,
}

impl Engine {
    /// Opens the store in `dir`, which is made if there is none, and reads back what the log holds. All of it is
    /// checked: this takes as long as reading every file once.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process, or another store of this one, has it open; [`Error::Corrupt`] names a file
    /// that is not what was written; [`Error::Schema`] when a newer program wrote it; otherwise what the system says.
    pub fn open(dir: &Path, options: LocalOptions) -> Result<Self, Error> {
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
        Ok(Self { dir: dir.to_owned(), shared, open: RwLock::new(Some(open)), sweeps: watch::Sender::default() })
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

    /// What `keys` hold, at one moment, in the order asked.
    ///
    /// # Errors
    /// The state of the store.
    pub fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.index()?.read(keys.iter())
    }

    /// The first entries of `range`, at one moment: at most `limit`, and no more than fit
    /// [`SCAN_BYTES_MAX`](sayso_store::limits::SCAN_BYTES_MAX), but at least one.
    ///
    /// # Errors
    /// The state of the store.
    pub fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        self.index()?.scan(range, limit)
    }

    /// The entry of `range` with the greatest key.
    ///
    /// # Errors
    /// The state of the store.
    pub fn last(&self, range: &Range) -> Result<Option<Entry>, Error> {
        self.index()?.last(range)
    }

    /// One pass over `range` as it is now, for as long as it takes.
    ///
    /// # Errors
    /// The state of the store.
    pub fn sweep(&self, range: &Range) -> Result<Sweep, Error> {
        let [sweep] = self.sweeps(range)?;
        Ok(sweep)
    }

    /// Two passes over `range`, both of it as it is now: the one to say what there is, the other to take it.
    ///
    /// # Errors
    /// The state of the store.
    pub fn sweep_twice(&self, range: &Range) -> Result<[Sweep; 2], Error> {
        self.sweeps(range)
    }

    fn sweeps<const N: usize>(&self, range: &Range) -> Result<[Sweep; N], Error> {
        // counted before they are there, so that no purge overlooks them
        self.sweeps.send_modify(|under_way| *under_way += 1);
        let counted = Arc::new(Counted(self.sweeps.clone()));
        Ok(self.index()?.sweeps(range).map(|sweep| Sweep { sweep, _counted: Arc::clone(&counted) }))
    }

    /// Applies `batch` if all it requires holds. It is in its place among all commits once this is first polled to its
    /// wait, so that calls made one after another commit in that order.
    ///
    /// # Errors
    /// As [`Store::commit`](sayso_store::Store::commit) says, but for the limits.
    pub async fn commit(&self, batch: Batch, durability: Durability) -> Result<Version, Error> {
        let outcome = self.shared.queue.push(batch, durability, self.shared.clock.now()).await?;
        outcome.await.map_err(|_| Error::Closed)?
    }

    /// Rewrites the store without what was deleted or replaced before this call, and deletes the files that held it.
    /// Waits until no [`Sweep`] is under way, because each keeps files of its moment.
    ///
    /// # Errors
    /// The state of the store: what was deleted may then still be in a file.
    pub async fn purge(&self) -> Result<(), Error> {
        self.shared.queue.push_purge()?.await.map_err(|_| Error::Closed)??;
        // the sender lives as long as this
        let _ = self.sweeps.subscribe().wait_for(|under_way| *under_way == 0).await;
        Ok(())
    }

    /// Every change under `prefix` from now on.
    ///
    /// # Errors
    /// As [`Store::watch`](sayso_store::Store::watch) says.
    pub fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.shared.watchers.watch(prefix)
    }

    fn index(&self) -> Result<Arc<Index>, Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(|open| Arc::clone(&open.index)).ok_or(Error::Closed)
    }
}

/// One pass over a range as it was at one moment, whatever is committed meanwhile. It keeps the memory and the files of
/// that moment: a [purge](Engine::purge) waits until it is dropped.
pub struct Sweep {
    sweep: index::Sweep,
    // after what it counts, which is let go of first
    _counted: Arc<Counted>,
}

/// Passes that are under way, of one moment.
struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|under_way| *under_way -= 1);
    }
}

impl Sweep {
    /// The next entries, of about [`SCAN_BYTES_MAX`](sayso_store::limits::SCAN_BYTES_MAX); none at the end of the range.
    ///
    /// # Errors
    /// What the disk says.
    pub fn next_page(&mut self) -> Result<Vec<Entry>, Error> {
        self.sweep.next_page()
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sweep")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("dir", &self.dir).finish_non_exhaustive()
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
