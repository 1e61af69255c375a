//! A store that is replicated, with this node a member of its cluster.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sayso_runtime::Tasks;
use sayso_store::Retryable;
use sayso_store_raft::{Error, Member, NodeId, RaftOptions, RaftStore};
use sayso_types::Clock;

use super::{LOCAL_LOG, RAFT_DIR};
use crate::certs::{self, Identity};
use crate::config;

/// How long until a cluster that could not be reached is asked again.
const CHANGE_RETRY: Duration = Duration::from_secs(1);

/// Opens the store of `settings` in the data directory `data`, or begins one; has the node join its cluster, and the one
/// that it replaces leave it.
pub(super) async fn open(
    settings: &config::RaftStore,
    data: &Path,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
) -> Result<Arc<RaftStore>> {
    require_kept(settings, data)?;
    let identity = Identity::read(&settings.certificate, &settings.key)?;
    let tls = identity.peer_tls(certs::read_roots(&settings.authority)?);
    let founders = settings.founders.iter().map(|peer| (NodeId(peer.node), peer.address.clone().into())).collect();
    let (clock, listen) = (Arc::clone(clock), settings.listen);
    let mut options = RaftOptions::new(settings.id(), settings.cluster, listen, founders, tls, clock);
    options.address = settings.reached_at().into();
    let is_founder = options.founders.contains_key(&settings.id());
    let opened = RaftStore::open(&data.join(RAFT_DIR), options, tasks.clone()).await;
    let store = opened.context("cannot open the replicated store of [store.raft]")?;
    note_start(&settings.started)?;
    tracing::info!(node = settings.node, cluster = %settings.cluster, listen = %store.local_addr(), "replicating");
    let me = settings.id();
    let is_new = !is_founder && !is_member(&store, |member| member.node == me && member.voter);
    if is_new {
        insist("join the cluster", async || store.join().await).await?;
        tracing::info!("joined the cluster");
    }
    // who has just come may not have heard yet who else there is; whoever leads knows
    if let Some(gone) = settings.replaces.map(NodeId)
        && (is_new || is_member(&store, |member| member.node == gone))
    {
        insist("remove the node that this one replaces", async || store.remove(gone).await).await?;
        tracing::info!(node = gone.0, "removed the node in whose place this one is");
    }
    Ok(store)
}

/// Fails when `data` holds a store of one node, or has lost what this node had.
pub(super) fn require_kept(settings: &config::RaftStore, data: &Path) -> Result<()> {
    require_raft(data)?;
    if settings.started.exists() && !data.join(RAFT_DIR).join(LOCAL_LOG).exists() {
        bail!(
            "node {node} has begun its store, and nothing of it is in {}: put that disk back. In place of one that is lost, \
             let a new node join (sayso store invite --replaces {node}); if every node has lost its own, remove {} and \
             restore a backup",
            data.display(),
            settings.started.display(),
            node = settings.node,
        );
    }
    Ok(())
}

/// Fails when `data` holds a store of one node.
fn require_raft(data: &Path) -> Result<()> {
    if data.join(LOCAL_LOG).exists() {
        bail!(
            "{} holds a store of one node: write store.kind = \"local\", or give another data-dir (sayso store migrate \
             moves data from one to the other)",
            data.display()
        );
    }
    Ok(())
}

/// Notes that the store was begun. From here on this node promises others to remember what it told them, and one that
/// began anew under its number would break that: what a majority had acknowledged could be lost.
fn note_start(file: &Path) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    let noted = File::create(file).and_then(|note| note.sync_all());
    noted.with_context(|| format!("cannot note in {} that the store was begun", file.display()))
}

/// Whether the cluster, as this node knows it, has such a member.
fn is_member(store: &RaftStore, is_it: impl Fn(&Member) -> bool) -> bool {
    store.status().members.iter().any(is_it)
}

/// Has the cluster changed. One that cannot be reached yet is waited for.
async fn insist(what: &str, change: impl AsyncFn() -> Result<(), Error>) -> Result<()> {
    loop {
        match change().await {
            Ok(()) => return Ok(()),
            Err(error) if error.retryable() => {
                tracing::warn!(%error, "cannot {what} yet, trying again");
                tokio::time::sleep(CHANGE_RETRY).await;
            }
            Err(error) => return Err(error).with_context(|| format!("cannot {what}")),
        }
    }
}
