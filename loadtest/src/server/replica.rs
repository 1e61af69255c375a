//! [`ReplicaServer`]: one node of a replicated store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_store::{Batch, Key, Retryable, Store, Version};
use sayso_store_raft::{NodeId, RaftOptions, RaftStore, Tls};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::Spec;
use crate::lab::Ground;
use crate::lab::authority::CLUSTER;

/// Bytes of a value that it is filled with: random, so that nothing gets smaller on its way.
const VALUE_BYTES: usize = 4_096;
/// Values of a commit that it is filled with: a megabyte.
const VALUES: usize = 256;
/// How long until a cluster that cannot be reached yet is asked again.
const RETRY: Duration = Duration::from_millis(100);

/// Which node it is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Replica {
    pub(crate) node: u64,
    /// Where it listens for its peers.
    pub(crate) listen: SocketAddr,
    /// Who founds the cluster. Any other node joins when it is asked to.
    pub(crate) founders: BTreeMap<u64, SocketAddr>,
    /// Entries that its log keeps, if not as many as by default.
    pub(crate) log_entries: Option<u64>,
}

/// What a node knows of its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplicaStats {
    /// Who leads.
    pub(crate) leader: Option<u64>,
    /// The last entry that it has applied.
    pub(crate) applied: Option<u64>,
}

pub(super) struct ReplicaServer {
    store: Arc<RaftStore>,
    pub(super) addr: SocketAddr,
}

impl ReplicaServer {
    pub(super) async fn start(spec: Spec, replica: Replica) -> Result<Self> {
        let ground = Ground::new();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(spec.authority))?;
        let key = PrivateKeyDer::try_from(spec.key).map_err(anyhow::Error::msg)?;
        let tls = Tls { chain: vec![CertificateDer::from(spec.certificate)], key, roots };
        let founders = replica.founders.into_iter().map(|(node, address)| (NodeId(node), address.into())).collect();
        let node = NodeId(replica.node);
        let mut options = RaftOptions::new(node, CLUSTER, replica.listen, founders, tls, ground.clock);
        options.log_entries = replica.log_entries.unwrap_or(options.log_entries);
        let store = RaftStore::open(&spec.data, options, ground.tasks).await.context("cannot open the store")?;
        Ok(Self { addr: store.local_addr(), store })
    }

    pub(super) fn stats(&self) -> ReplicaStats {
        let status = self.store.status();
        ReplicaStats { leader: status.leader.map(|leader| leader.0), applied: status.applied }
    }

    /// Commits one small batch, sent again until it is answered.
    pub(super) async fn commit(&self) -> Result<()> {
        self.commit_batch(Batch::new().put(Key::from_bytes("recovered"), "yes")).await.map(drop)
    }

    /// Puts so many bytes into the store.
    pub(super) async fn fill(&self, bytes: u64) -> Result<()> {
        let mut random = fastrand::Rng::with_seed(1);
        for batch in 0..bytes.div_ceil((VALUES * VALUE_BYTES) as u64) {
            let filled = (0..VALUES).fold(Batch::new(), |filled, value| {
                let mut bytes = vec![0; VALUE_BYTES];
                random.fill(&mut bytes);
                filled.put(Key::from_bytes(format!("filled {batch:08} {value:04}")), bytes)
            });
            self.commit_batch(filled).await?;
        }
        Ok(())
    }

    /// Joins the cluster of its founders. It has everything when this returns.
    pub(super) async fn join(&self) -> Result<()> {
        loop {
            match self.store.join().await {
                Ok(()) => return Ok(()),
                Err(error) if error.retryable() => sleep(RETRY).await,
                Err(error) => return Err(error).context("cannot join"),
            }
        }
    }

    async fn commit_batch(&self, batch: Batch) -> Result<Version> {
        loop {
            match self.store.commit(batch.clone()).await {
                Ok(version) => return Ok(version),
                Err(error) if error.retryable() => sleep(RETRY).await,
                Err(error) => return Err(error).context("a commit failed"),
            }
        }
    }
}
