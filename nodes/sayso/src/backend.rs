//! [`Backend`]: the store that the configuration chose. Here stores are opened, and nowhere else.

#[cfg(feature = "fdb")]
mod fdb;
mod held;
mod raft;
mod reader;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sayso_consent::tenure::Candidate;
use sayso_consent::{Tenure, format};
use sayso_runtime::tasks::Failure;
use sayso_runtime::{CancellationToken, TaskHandle, TaskKind, Tasks};
use sayso_store::{Cluster, Store};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_store_raft::RaftStore;
use sayso_types::Clock;
use sayso_vault::move_keys;

pub(crate) use self::held::HeldStore;
pub(crate) use self::reader::{Pass, Reader};
use crate::config::{Config, FdbPart, Store as StoreSettings, StoreKind, StoreProblem};

/// Where a replicated store lies in the data directory, apart from a store of one node.
const RAFT_DIR: &str = "raft";
/// What the engine of either has in its directory.
const LOCAL_LOG: &str = "log";
/// How long the store's own tasks may take to end after it was closed.
const END_WITHIN: Duration = Duration::from_secs(2);

/// An open store, and what keeps it this process's to write to.
pub(crate) struct Backend {
    kind: Kind,
    /// The key store, where it is not the store itself.
    keys: Option<Arc<HeldStore>>,
    /// The name under which this process may own the register; none where nobody else could.
    claim: Option<String>,
    clock: Arc<dyn Clock>,
    /// They outlive everything else, so that what ends can still be written.
    tasks: Tasks,
    keeping: Option<Keeping>,
}

enum Kind {
    Local(Arc<HeldStore>),
    Raft(Arc<RaftStore>),
    #[cfg(feature = "fdb")]
    Fdb(Arc<sayso_store_fdb::FdbStore>),
}

struct Keeping {
    stop: CancellationToken,
    task: TaskHandle,
}

impl Backend {
    /// Opens the store that `config` names. A replicated one has joined its cluster when this returns.
    pub(crate) async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let tasks = Tasks::new();
        let (kind, claim) = match config.store.kind {
            StoreKind::Local => {
                let store = open_local(&config.data_dir, &clock, &tasks).await?;
                (Kind::Local(HeldStore::new(store)), None)
            }
            StoreKind::Raft => {
                let settings = config.store.raft()?;
                let claim = format!("{}/{}", settings.cluster, settings.node);
                // boxed: founding and joining make a large future, which every node would carry
                let opening = Box::pin(raft::open(settings, &config.data_dir, &clock, &tasks));
                (Kind::Raft(opening.await?), Some(claim))
            }
            StoreKind::Fdb => open_fdb(config, &clock, &tasks).await?,
        };
        Ok(Self { kind, keys: None, claim, clock, tasks, keeping: None })
    }

    /// Opens the store of one node that lies in `dir`, the data directory of a node that does not run.
    ///
    /// # Errors
    /// Also when there is none: nothing is begun there.
    pub(crate) async fn open_dir(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        let tasks = Tasks::new();
        require_local(dir)?;
        require_log(dir, dir, StoreKind::Local)?;
        let kind = Kind::Local(HeldStore::new(open_local(dir, &clock, &tasks).await?));
        Ok(Self { kind, keys: None, claim: None, clock, tasks, keeping: None })
    }

    /// The store as everybody else knows it.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match &self.kind {
            Kind::Local(store) => store.clone(),
            Kind::Raft(store) => store.clone(),
            #[cfg(feature = "fdb")]
            Kind::Fdb(store) => store.clone(),
        }
    }

    /// The key store: of one node in `dir`, apart from its data. Nodes that share a store have their keys in it, too: whoever
    /// takes over needs them. Where the data came from the other kind, the keys follow it here.
    pub(crate) async fn open_keys(&mut self, dir: &Path) -> Result<Arc<dyn Store>> {
        let store = self.store();
        if let Kind::Local(_) = self.kind {
            let keys = HeldStore::new(open_local(dir, &self.clock, &self.tasks).await?);
            self.keys = Some(Arc::clone(&keys));
            move_keys(store.as_ref(), keys.as_ref()).await?;
            return Ok(keys);
        }
        if dir.join(LOCAL_LOG).exists() {
            let keys = open_local(dir, &self.clock, &self.tasks).await?;
            let moved = move_keys(keys.as_ref(), store.as_ref()).await;
            close_local(keys, &self.tasks).await;
            moved?;
        }
        Ok(store)
    }

    /// The store and its keys, where they are of one node and can be left for another store while that node serves.
    pub(crate) fn held(&self) -> Option<(Arc<HeldStore>, Arc<HeldStore>)> {
        match (&self.kind, &self.keys) {
            (Kind::Local(store), Some(keys)) => Some((Arc::clone(store), Arc::clone(keys))),
            _ => None,
        }
    }

    /// What reads the store as it is at one moment, where that can be done.
    pub(crate) fn reader(&self) -> Option<Reader> {
        match &self.kind {
            Kind::Local(store) => Some(Reader::Local(store.beneath())),
            Kind::Raft(store) => Some(Reader::Raft(Arc::clone(store))),
            #[cfg(feature = "fdb")]
            Kind::Fdb(_) => None,
        }
    }

    /// The nodes that replicate the store, if some do.
    pub(crate) fn cluster(&self) -> Option<Arc<dyn Cluster>> {
        match &self.kind {
            Kind::Raft(store) => Some(store.clone()),
            _ => None,
        }
    }

    /// Waits until this node can replicate the store no more, because it was removed from those that do or because that part of
    /// it ended; what to tell whoever runs it.
    pub(crate) fn ended(&self) -> impl Future<Output = anyhow::Error> + use<> {
        let raft = match &self.kind {
            Kind::Raft(store) => Some(Arc::clone(store)),
            _ => None,
        };
        async move {
            match raft {
                Some(raft) => raft.ended().await.into(),
                None => std::future::pending().await,
            }
        }
    }

    /// Waits until this process owns what is in the store, where several could: one serves, the others stand by.
    /// `standing_by` is told who does meanwhile. Fails before anything is written where a newer program has used the store, and
    /// when the node can replicate it no more.
    pub(crate) async fn own(&mut self, standing_by: impl FnMut(&str)) -> Result<Tenure> {
        let Some(name) = self.claim.clone() else {
            format::require_known(self.store().as_ref()).await?;
            return Ok(Tenure::sole());
        };
        let (store, clock) = (self.store(), Arc::clone(&self.clock));
        metrics::gauge!("sayso_node_serving").set(0);
        let stood = tokio::select! {
            biased;
            ended = self.ended() => return Err(ended),
            stood = Candidate { store, name, clock }.stand(standing_by) => stood,
        };
        let owner = stood.context("cannot own the register in the store")?;
        metrics::gauge!("sayso_node_serving").set(1);
        let (tenure, stop) = (owner.tenure(), CancellationToken::new());
        let task = self.tasks.spawn(TaskKind::Storage, "tenure", owner.keep(stop.clone()));
        self.keeping = Some(Keeping { stop, task });
        Ok(tenure)
    }

    /// Whether other nodes may have the same store.
    pub(crate) const fn is_shared(&self) -> bool {
        self.claim.is_some()
    }

    /// Gives back what this process owns.
    pub(crate) async fn disown(&mut self) {
        if let Some(Keeping { stop, task }) = self.keeping.take() {
            stop.cancel();
            task.join().await;
            metrics::gauge!("sayso_node_serving").set(0);
        }
    }

    /// Resolves when a task fails without which the store cannot go on, or when another process owns the register.
    pub(crate) async fn failure(&self) -> Failure {
        self.tasks.failure().await
    }

    /// Gives the register back to whoever stands by, and closes the store.
    pub(crate) async fn close(mut self) {
        self.disown().await;
        if let Some(keys) = self.keys {
            close_local(keys.beneath(), &self.tasks).await;
        }
        match self.kind {
            Kind::Local(store) => close_local(store.beneath(), &self.tasks).await,
            Kind::Raft(store) => store.close().await,
            #[cfg(feature = "fdb")]
            Kind::Fdb(store) => store.close().await,
        }
        self.tasks.shutdown(END_WITHIN).await;
    }
}

/// Opens the store of one node in `dir`, or begins one.
async fn open_local(dir: &Path, clock: &Arc<dyn Clock>, tasks: &Tasks) -> Result<Arc<LocalStore>> {
    require_local(dir)?;
    let (place, options) = (dir.to_owned(), LocalOptions::new(Arc::clone(clock)));
    Ok(tasks.blocking("open store", move || LocalStore::open(&place, options)).await??)
}

async fn close_local(store: Arc<LocalStore>, tasks: &Tasks) {
    if let Err(lost) = tasks.blocking("close store", move || store.close()).await {
        tracing::warn!(%lost, "the store was not closed in order");
    }
}

/// Fails when `dir` holds a store of another kind than that of one node.
fn require_local(dir: &Path) -> Result<()> {
    if dir.join(RAFT_DIR).exists() {
        bail!(
            "{} holds a replicated store: write store.kind = \"raft\", or give another data-dir (sayso store migrate \
             moves data from one to the other)",
            dir.display()
        );
    }
    Ok(())
}

/// Fails when the store of `config` would be on this machine and was not begun there: opening begins one, and founds a cluster.
pub(crate) fn require_begun(config: &Config) -> Result<()> {
    let Some(store) = dir(config) else { return Ok(()) };
    match config.store.kind {
        StoreKind::Raft => raft::require_kept(config.store.raft()?, &config.data_dir)?,
        StoreKind::Local | StoreKind::Fdb => require_local(&config.data_dir)?,
    }
    require_log(&store, &config.data_dir, config.store.kind)
}

/// Fails when there is no store in `store`, where one of that `kind` lies in a node's directory `data`.
fn require_log(store: &Path, data: &Path, kind: StoreKind) -> Result<()> {
    if !store.join(LOCAL_LOG).exists() {
        bail!("there is no store in {}: give the data-dir of a node whose store is {kind}", data.display());
    }
    Ok(())
}

#[cfg(feature = "fdb")]
async fn open_fdb(config: &Config, clock: &Arc<dyn Clock>, tasks: &Tasks) -> Result<(Kind, Option<String>)> {
    use sayso_store_fdb::{FdbNetwork, FdbStore};

    let settings = config.store.fdb.as_ref().ok_or(StoreProblem::Missing { kind: "fdb" })?;
    let options = fdb::options(settings, clock)?;
    let network = FdbNetwork::boot(&fdb::network(settings))?;
    let store = FdbStore::open(network, options, tasks).await.context("cannot open the store of [store.fdb]")?;
    // No disk of its own tells this process from another, so no two may have the same name.
    let claim = format!("{}", sayso_types::SubjectId::random());
    Ok((Kind::Fdb(store), Some(claim)))
}

#[cfg(not(feature = "fdb"))]
#[expect(clippy::unused_async, reason = "it opens a store where the feature is on")]
async fn open_fdb(_: &Config, _: &Arc<dyn Clock>, _: &Tasks) -> Result<(Kind, Option<String>)> {
    Err(StoreProblem::NotBuilt.into())
}

/// What the store of `config` is, for people, and to tell it from others.
pub(crate) fn name(config: &Config) -> String {
    let StoreSettings { raft, fdb, .. } = &config.store;
    match (config.store.kind, raft, fdb) {
        (StoreKind::Raft, Some(raft), _) => format!("the cluster {}", raft.cluster),
        (StoreKind::Fdb, _, Some(fdb)) => match fdb.part() {
            Ok(FdbPart::Directory(path)) => format!("FoundationDB, in the directory {path:?}"),
            Ok(FdbPart::Subspace(_)) | Err(_) => format!("FoundationDB, under {:?}", fdb.subspace),
        },
        _ => config.data_dir.display().to_string(),
    }
}

/// Where the store of `config` lies on this machine, if it does.
pub(crate) fn dir(config: &Config) -> Option<PathBuf> {
    match config.store.kind {
        StoreKind::Local => Some(config.data_dir.clone()),
        StoreKind::Raft => Some(config.data_dir.join(RAFT_DIR)),
        StoreKind::Fdb => None,
    }
}
