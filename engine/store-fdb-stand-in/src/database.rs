//! [`Database`]: a caller's handle to a [`Cluster`], which all with the same cluster file share.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::code::{Code, INVALID_OPTION, INVALID_OPTION_VALUE, NO_CLUSTER_FILE_FOUND, TOO_MANY_WATCHES};
use crate::faults::Faults;
use crate::future::{Future, Outcome};
use crate::keyspace::{Commit, Held, Keyspace, Stamp};
use crate::network::now;

/// Names the cluster file where the caller does not.
const CLUSTER_FILE: &str = "FDB_CLUSTER_FILE";

/// Where it is when the environment does not name it either.
const CLUSTER_FILE_DEFAULT: &str = "/etc/foundationdb/fdb.cluster";

/// The version that a cluster begins at: as if it had run for a quarter of an hour.
const VERSION_BEGIN: i64 = 900_000_000;

/// Watches of one database, unless it is told otherwise.
const WATCHES_MAX: usize = 10_000;

/// Keys, and who watches them.
#[derive(Debug)]
pub(crate) struct Cluster {
    since: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keyspace: Keyspace,
    watches: Vec<Watch>,
}

/// A key that is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) key: Vec<u8>,
    /// What it held when it was looked at.
    pub(crate) seen: Held,
    pub(crate) fires: Arc<Future>,
}

impl Cluster {
    /// The one whose cluster file is `path`. Everybody in this process gets the same.
    fn of(path: &Path) -> Arc<Self> {
        static CLUSTERS: LazyLock<Mutex<BTreeMap<PathBuf, Arc<Cluster>>>> = LazyLock::new(Mutex::default);
        let mut clusters = CLUSTERS.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Self { since: now(), state: Mutex::default() });
        Arc::clone(clusters.entry(path.to_owned()).or_insert_with(new))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A million a second.
    pub(crate) fn clock(&self) -> i64 {
        VERSION_BEGIN + i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX - VERSION_BEGIN)
    }

    pub(crate) fn read_version(&self) -> i64 {
        let clock = self.clock();
        self.state().keyspace.read_version(clock)
    }

    /// Reads what is in the keyspace.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Keyspace) -> T) -> T {
        read(&self.state().keyspace)
    }

    /// Lets `commit` in, if nothing speaks against it, and has the watches fire that see a difference.
    pub(crate) fn commit(&self, commit: Commit) -> Result<Stamp, Code> {
        let mut state = self.state();
        let stamp = state.keyspace.commit(commit, self.clock(), Faults::of_environment().shares_version())?;
        let fired = state.fired();
        drop(state);
        for watch in fired {
            watch.fires.settle(Ok(Outcome::Nothing));
        }
        Ok(stamp)
    }

    /// Watches from now on. One that sees a difference at once fires at once.
    fn watch(&self, watches: Vec<Watch>) {
        let mut state = self.state();
        state.watches.extend(watches);
        let fired = state.fired();
        drop(state);
        for watch in fired {
            watch.fires.settle(Ok(Outcome::Nothing));
        }
    }
}

impl State {
    /// Takes out the watches that see a difference, and those that nobody waits for any more.
    fn fired(&mut self) -> Vec<Watch> {
        let Self { keyspace, watches } = self;
        watches.retain(|watch| watch.fires.outcome().is_none());
        watches.extract_if(.., |watch| keyspace.get(&watch.key, i64::MAX) != watch.seen).collect()
    }
}

/// What a database tells its transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How long a transaction may last, with all its retries.
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries_max: Option<u32>,
    pub(crate) retry_delay_max: Duration,
    watches_max: usize,
}

/// A caller's handle.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) cluster: Arc<Cluster>,
    settings: Mutex<Settings>,
    /// Its watches; those that ended are taken off when there are more.
    watching: Mutex<Vec<Arc<Future>>>,
}

impl Database {
    /// The database whose cluster file is `path`, or the one that the environment names.
    pub(crate) fn new(path: Option<PathBuf>) -> Result<Self, Code> {
        let path = path.or_else(|| std::env::var_os(CLUSTER_FILE).map(PathBuf::from));
        let path = path.unwrap_or_else(|| PathBuf::from(CLUSTER_FILE_DEFAULT));
        let path = path.canonicalize().map_err(|_| NO_CLUSTER_FILE_FOUND)?;
        let settings = Settings {
            timeout: None,
            retries_max: None,
            retry_delay_max: Duration::from_secs(1),
            watches_max: WATCHES_MAX,
        };
        Ok(Self { cluster: Cluster::of(&path), settings: Mutex::new(settings), watching: Mutex::default() })
    }

    pub(crate) fn settings(&self) -> Settings {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets one of the options that `store-fdb` sets, by its number.
    pub(crate) fn set_option(&self, option: u32, value: &[u8]) -> Result<(), Code> {
        let number = || value.try_into().map(i64::from_le_bytes).map_err(|_| INVALID_OPTION_VALUE);
        let unsigned = || u32::try_from(number()?).map_err(|_| INVALID_OPTION_VALUE);
        let ms = || Ok::<_, Code>(Duration::from_millis(unsigned()?.into()));
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        match option {
            20 => settings.watches_max = unsigned()? as usize,
            500 => settings.timeout = Some(ms()?).filter(|timeout| !timeout.is_zero()),
            501 => settings.retries_max = u32::try_from(number()?).ok(),
            502 => settings.retry_delay_max = ms()?,
            _ => return Err(INVALID_OPTION),
        }
        Ok(())
    }

    /// Has `watches` fire when what they saw is no more.
    pub(crate) fn watch(&self, watches: Vec<Watch>) {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        watching.retain(|watch| watch.outcome().is_none());
        let room = self.settings().watches_max.saturating_sub(watching.len());
        let (mut within, mut beyond) = (watches, Vec::new());
        if within.len() > room {
            beyond = within.split_off(room);
        }
        watching.extend(within.iter().map(|watch| Arc::clone(&watch.fires)));
        drop(watching);
        self.cluster.watch(within);
        for watch in beyond {
            watch.fires.settle(Err(TOO_MANY_WATCHES));
        }
    }
}
