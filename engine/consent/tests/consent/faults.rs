//! A store that can be told to fail.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rustix::process::{Signal, getpid, kill_process};
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Store, Version, Versioned, Watch};
use sayso_types::ManualClock;
use tokio::sync::RwLock;

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The disk is full.
    Full,
    /// The next commit is lost on its way there.
    LostBefore,
    /// The next commit is made, and its answer lost on its way back.
    LostAfter,
    /// The process dies before the next commit gets anywhere.
    DieBefore,
    /// The process dies when the next commit is made, before anybody is told.
    DieAfter,
}

/// As `kill -9` ends a process.
pub(crate) fn die() -> ! {
    kill_process(getpid(), Signal::KILL).unwrap();
    loop {
        std::thread::park();
    }
}

/// Passes everything on to a real store, unless told otherwise.
#[derive(Debug)]
pub(crate) struct Faulty<S: ?Sized> {
    fault: Mutex<Fault>,
    /// Commits that came, whether they go through or not.
    pub(crate) came: AtomicU64,
    /// Commits that went through.
    pub(crate) commits: AtomicU64,
    /// Nothing can be read meanwhile.
    pub(crate) is_unread: AtomicBool,
    /// Commits wait while somebody has it for writing; reads go on.
    pub(crate) stall: RwLock<()>,
    /// How long the next commit takes, by this clock.
    slow: Mutex<Option<(ManualClock, Duration)>>,
    /// What purges are answered, instead of by the real store.
    purged: Mutex<Option<Result<Vec<u64>, Error>>>,
    /// Purges that came.
    pub(crate) purges: AtomicU64,
    inner: Arc<S>,
}

impl<S: Store + ?Sized> Faulty<S> {
    pub(crate) fn new(inner: Arc<S>) -> Arc<Self> {
        Arc::new(Self {
            fault: Mutex::new(Fault::None),
            came: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            is_unread: AtomicBool::new(false),
            stall: RwLock::new(()),
            slow: Mutex::default(),
            purged: Mutex::default(),
            purges: AtomicU64::new(0),
            inner,
        })
    }

    pub(crate) fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    pub(crate) fn slow(&self, clock: &ManualClock, takes: Duration) {
        *self.slow.lock().unwrap() = Some((clock.clone(), takes));
    }

    /// Answers purges as a store would whose replicas say so.
    pub(crate) fn purge_as(&self, answer: Result<Vec<u64>, Error>) {
        *self.purged.lock().unwrap() = Some(answer);
    }

    fn fault(&self) -> Fault {
        let mut fault = self.fault.lock().unwrap();
        match *fault {
            now @ (Fault::LostBefore | Fault::LostAfter) => {
                *fault = Fault::None;
                now
            }
            now => now,
        }
    }
}

fn lost() -> Error {
    Error::Unavailable { reason: "the test says so".into() }
}

#[async_trait]
impl<S: Store + ?Sized> Store for Faulty<S> {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        if self.is_unread.load(SeqCst) {
            return Err(lost());
        }
        self.inner.read(keys).await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        self.inner.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        self.came.fetch_add(1, SeqCst);
        let _goes_on = self.stall.read().await;
        if let Some((clock, takes)) = self.slow.lock().unwrap().take() {
            clock.advance(takes);
        }
        match self.fault() {
            Fault::Full => Err(Error::Full { file: "a full disk".into() }),
            Fault::LostBefore => Err(lost()),
            Fault::LostAfter => {
                self.inner.commit(batch).await?;
                Err(lost())
            }
            Fault::DieBefore => die(),
            Fault::DieAfter => {
                self.inner.commit(batch).await?;
                die()
            }
            Fault::None => {
                let version = self.inner.commit(batch).await?;
                self.commits.fetch_add(1, SeqCst);
                Ok(version)
            }
        }
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.inner.watch(prefix).await
    }

    async fn purge(&self) -> Result<Vec<u64>, Error> {
        self.purges.fetch_add(1, SeqCst);
        let scripted = self.purged.lock().unwrap().clone();
        match scripted {
            Some(answer) => answer,
            None => self.inner.purge().await,
        }
    }
}
