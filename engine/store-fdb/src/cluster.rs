//! [`Cluster`]: a database, the store's keys in it, and what is done about FoundationDB's errors.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;
use std::sync::Arc;

use foundationdb::options::DatabaseOption;
use foundationdb::{Database, FdbError, Transaction, TransactionCommitError, default_config_path};
use sayso_store::Error;

use crate::layout::{LANES, Layout};
use crate::{FdbNetwork, FdbOptions, fault};

/// Native watches of one store at most: one a lane, and those of the round before while they are given up.
const NATIVE_WATCHES_MAX: i32 = 4 * LANES as i32;

/// A FoundationDB database and where the store is in it.
pub(crate) struct Cluster {
    // dropped before the network, which must outlive it
    database: Database,
    pub(crate) layout: Layout,
    file: PathBuf,
    _network: Arc<FdbNetwork>,
}

impl Cluster {
    /// A handle to the cluster that `options` names. Nothing is sent yet.
    pub(crate) fn new(network: Arc<FdbNetwork>, options: &FdbOptions) -> Result<Self, Error> {
        let from_environment = || std::env::var_os("FDB_CLUSTER_FILE").map(PathBuf::from);
        let file = options.cluster_file.clone().or_else(from_environment);
        let file = file.unwrap_or_else(|| PathBuf::from(default_config_path()));
        let Some(path) = file.to_str().filter(|path| !path.contains('\0')) else {
            return Err(Error::Invalid { what: "the path of a cluster file is text" });
        };
        let open = || {
            let database = Database::from_path(path)?;
            let ms = |duration: Duration| i32::try_from(duration.as_millis()).unwrap_or(i32::MAX);
            let timeout = ms(options.transaction_timeout.max(Duration::from_secs(1)));
            database.set_option(DatabaseOption::TransactionTimeout(timeout))?;
            let retries = i32::try_from(options.retries_max).unwrap_or(i32::MAX);
            database.set_option(DatabaseOption::TransactionRetryLimit(retries))?;
            database.set_option(DatabaseOption::TransactionMaxRetryDelay(ms(options.retry_delay_max)))?;
            database.set_option(DatabaseOption::MaxWatches(NATIVE_WATCHES_MAX))?;
            Ok(database)
        };
        let database = open().map_err(|error| fault::fdb("open the FoundationDB cluster of", &file, error))?;
        Ok(Self { database, layout: Layout::new(Vec::new()), file, _network: network })
    }

    /// A new transaction.
    pub(crate) fn transaction(&self) -> Result<Transaction, Error> {
        self.database.create_trx().map_err(|error| self.failed(error))
    }

    /// What to do after `error`: the transaction, reset, once FoundationDB says that it may be tried again.
    pub(crate) async fn again(&self, transaction: Transaction, error: FdbError) -> Result<Transaction, Error> {
        count_retry(error);
        transaction.on_error(error).await.map_err(|error| self.failed(error))
    }

    /// The same, after its commit failed.
    pub(crate) async fn again_after_commit(&self, error: TransactionCommitError) -> Result<Transaction, Error> {
        count_retry(*error);
        error.on_error().await.map_err(|error| self.failed(error))
    }

    /// `error`, after which nothing more is tried.
    pub(crate) fn failed(&self, error: FdbError) -> Error {
        fault::fdb("use the FoundationDB cluster of", &self.file, error)
    }
}

fn count_retry(error: FdbError) {
    metrics::counter!("sayso_store_fdb_retries_total", "code" => error.code().to_string()).increment(1);
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("file", &self.file).field("layout", &self.layout).finish_non_exhaustive()
    }
}
