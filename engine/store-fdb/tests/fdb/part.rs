//! [`Part`]: a part of the cluster under a random name, cleared afterwards.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use foundationdb::{Database, FdbResult, Transaction};
use futures::executor::block_on;
use sayso_runtime::Tasks;
use sayso_store::testing::Backend;
use sayso_store::{Error, Store};
use sayso_store_fdb::{FdbNetwork, FdbOptions, FdbStore, NetworkOptions, Space};
use sayso_types::ManualClock;
use tokio::sync::OnceCell;

/// Where the cluster is.
const CLUSTER_FILE: &str = "FDB_CLUSTER_FILE";

/// The client of this process.
pub(crate) fn network() -> Arc<FdbNetwork> {
    static NETWORK: OnceLock<Arc<FdbNetwork>> = OnceLock::new();
    Arc::clone(NETWORK.get_or_init(|| FdbNetwork::boot(&NetworkOptions::default()).expect("starts")))
}

/// Says something once, also when tests are run without showing what they print.
fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "store-fdb: {what}");
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
        let name = format!("{:016x}", u64::from_be_bytes(bytes));
        Some(Self { name, tasks: Tasks::new(), open: Vec::new() })
    }

    pub(crate) fn space(&self) -> Space {
        Space::Subspace(vec!["sayso-tests".into(), self.name.clone()])
    }

    /// The prefix of the space.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        foundationdb::tuple::pack(&("sayso-tests", &self.name))
    }

    pub(crate) async fn try_open(&mut self, space: Space) -> Result<Arc<FdbStore>, Error> {
        let options = FdbOptions::new(Arc::new(ManualClock::new()), space);
        let store = FdbStore::open(network(), options, &self.tasks).await?;
        announce(&store).await;
        self.open.push(Arc::clone(&store));
        Ok(store)
    }

    pub(crate) async fn open_one(&mut self) -> Arc<FdbStore> {
        self.try_open(self.space()).await.expect("opens")
    }
}

/// Does `change`, which may be done twice, in a transaction of its own.
pub(crate) async fn transact(change: impl Fn(&Transaction)) -> FdbResult<()> {
    let _network = network();
    let database = Database::default()?;
    let mut transaction = database.create_trx()?;
    loop {
        change(&transaction);
        match transaction.commit().await {
            Ok(_) => return Ok(()),
            Err(error) => transaction = error.on_error().await?,
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        block_on(async {
            for store in self.open.drain(..) {
                store.close().await;
            }
            let (begin, mut end) = (self.prefix(), self.prefix());
            end.push(0xff);
            if let Err(error) = transact(|transaction| transaction.clear_range(&begin, &end)).await {
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
