//! [`Part`]: a part of the cluster under a random name, cleared afterwards.

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use foundationdb::directory::{Directory, DirectoryError, DirectoryLayer};
use foundationdb::options::DatabaseOption;
use foundationdb::{Database, FdbResult, Transaction};
use futures::executor::block_on;
use sayso_runtime::Tasks;
use sayso_store::testing::Backend;
use sayso_store::{Error, Store};
use sayso_store_fdb::{FdbNetwork, FdbOptions, FdbStore, NetworkOptions, Space};
use sayso_types::ManualClock;
use tokio::sync::OnceCell;

/// Characters of a part's name.
const NAME_BYTES: usize = 16;
/// Where the cluster is.
const CLUSTER_FILE: &str = "FDB_CLUSTER_FILE";
/// What the names of this run's parts begin with, so that they are found when it is broken off.
const RUN: &str = "SAYSO_FDB_RUN";
/// How long a test waits for the cluster where it does not use a store. One that was never configured does not answer at all.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long a store waits for it: nobody knows how much else the cluster does.
const REQUEST_WITHIN: Duration = Duration::from_secs(60);

/// The client of this process.
pub(crate) fn network() -> Arc<FdbNetwork> {
    static NETWORK: OnceLock<Arc<FdbNetwork>> = OnceLock::new();
    Arc::clone(NETWORK.get_or_init(|| FdbNetwork::boot(&NetworkOptions::default()).expect("starts")))
}

/// Says something once, also when tests are run without showing what they print.
fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "store-fdb: {what}");
}

/// The cluster, whose transactions end with an error when it does not answer.
pub(crate) fn database() -> FdbResult<Database> {
    let _network = network();
    let database = Database::default()?;
    database.set_option(DatabaseOption::TransactionTimeout(ANSWER_WITHIN.as_millis() as i32))?;
    Ok(database)
}

/// Fails where the cluster does not answer: at once in all tests but the first, so that they do not wait one after the other.
async fn require_answer() {
    static ANSWER: OnceCell<Result<(), String>> = OnceCell::const_new();
    let ask = async || {
        let transaction = database()?.create_trx()?;
        transaction.get_read_version().await.map(drop)
    };
    let answer = ANSWER.get_or_init(|| async { ask().await.map_err(|error| error.to_string()) }).await;
    if let Err(error) = answer {
        panic!("the cluster of {CLUSTER_FILE} does not answer: {error}. Is it running, and configured?");
    }
}

/// Says against what the tests run.
async fn announce(store: &FdbStore) {
    static ANNOUNCED: OnceCell<()> = OnceCell::const_new();
    let say = async || {
        let versions = store.server_versions().await.expect("the cluster says what it is").join(", ");
        assert!(!versions.is_empty(), "the cluster says which versions its servers have");
        say(&format!("running against FoundationDB {versions}, {}", std::env::var(CLUSTER_FILE).expect("it is set")));
    };
    ANNOUNCED.get_or_init(say).await;
}

/// One part, and the stores that are open in it.
pub(crate) struct Part {
    name: String,
    tasks: Tasks,
    open: Vec<Arc<FdbStore>>,
    /// Whether anything may have been written.
    is_used: bool,
    directories: Vec<Vec<String>>,
}

impl Part {
    /// `None`, and a word about it, when there is no cluster to test on.
    pub(crate) fn new() -> Option<Self> {
        static SAID: OnceLock<()> = OnceLock::new();
        if std::env::var_os(CLUSTER_FILE).is_none() {
            SAID.get_or_init(|| {
                say(&format!("NOT RUN: set {CLUSTER_FILE} to the cluster file of a FoundationDB cluster"))
            });
            return None;
        }
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
        let run = std::env::var(RUN).unwrap_or_default();
        let mut name = format!("{run}{:016x}", u64::from_be_bytes(bytes));
        // a prefix is not long, and a run's name is as random as the rest
        name.truncate(NAME_BYTES);
        Some(Self { name, tasks: Tasks::new(), open: Vec::new(), is_used: false, directories: Vec::new() })
    }

    pub(crate) fn space(&self) -> Space {
        Space::Subspace(vec!["sayso-tests".into(), self.name.clone()])
    }

    /// The prefix of the space.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        foundationdb::tuple::pack(&("sayso-tests", &self.name))
    }

    pub(crate) async fn try_open(&mut self, space: Space) -> Result<Arc<FdbStore>, Error> {
        require_answer().await;
        self.is_used = true;
        if let Space::Directory(path) = &space {
            self.directories.push(path.clone());
        }
        let options =
            FdbOptions { transaction_timeout: REQUEST_WITHIN, ..FdbOptions::new(Arc::new(ManualClock::new()), space) };
        let store = FdbStore::open(network(), options, &self.tasks).await?;
        self.open.push(Arc::clone(&store));
        announce(&store).await;
        Ok(store)
    }

    pub(crate) async fn open_one(&mut self) -> Arc<FdbStore> {
        self.try_open(self.space()).await.expect("opens")
    }

    /// Does `change`, which may be done twice, in a transaction of its own.
    pub(crate) async fn transact(&mut self, change: impl Fn(&Transaction)) {
        require_answer().await;
        self.is_used = true;
        transact(async |transaction| {
            change(transaction);
            Ok(())
        })
        .await
        .expect("is committed");
    }

    /// Removes what was written.
    async fn clear(&self) -> FdbResult<()> {
        let (begin, mut end) = (self.prefix(), self.prefix());
        end.push(0xff);
        transact(async |transaction| {
            transaction.clear_range(&begin, &end);
            for path in &self.directories {
                remove(transaction, path).await?;
            }
            Ok(())
        })
        .await
    }
}

/// Does `change`, which may be done twice, in a transaction of its own.
async fn transact(change: impl AsyncFn(&Transaction) -> FdbResult<()>) -> FdbResult<()> {
    let mut transaction = database()?.create_trx()?;
    loop {
        if let Err(error) = change(&transaction).await {
            transaction = transaction.on_error(error).await?;
            continue;
        }
        match transaction.commit().await {
            Ok(_) => return Ok(()),
            Err(error) => transaction = error.on_error().await?,
        }
    }
}

/// Removes the directory at `path`, and those above it that have no other.
async fn remove(transaction: &Transaction, mut path: &[String]) -> FdbResult<()> {
    let layer = DirectoryLayer::default();
    let fdb = |error| match error {
        DirectoryError::FdbError(error) => error,
        error => panic!("cannot remove a directory: {error:?}"),
    };
    // the second time, when the outcome of the first is not known, it may be gone
    layer.remove_if_exists(transaction, path).await.map_err(fdb)?;
    while let [above @ .., _] = path
        && !above.is_empty()
    {
        if !layer.exists(transaction, above).await.map_err(fdb)?
            || !layer.list(transaction, above).await.map_err(fdb)?.is_empty()
        {
            break;
        }
        layer.remove_if_exists(transaction, above).await.map_err(fdb)?;
        path = above;
    }
    Ok(())
}

impl Drop for Part {
    fn drop(&mut self) {
        block_on(async {
            for store in self.open.drain(..) {
                store.close().await;
            }
            if !self.is_used {
                return;
            }
            if let Err(error) = self.clear().await {
                say(&format!("cannot clear the part {:?}: {error}", self.space()));
            }
        });
    }
}

#[async_trait]
impl Backend for Part {
    async fn open(&mut self) -> Arc<dyn Store> {
        self.open_one().await
    }

    async fn close(&mut self, _store: Arc<dyn Store>) {
        self.open.pop().expect("the store that was opened last").close().await;
    }
}
