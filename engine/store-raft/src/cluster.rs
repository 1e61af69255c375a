//! [`Cluster`]: which node of which cluster this is, as its disk remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use sayso_proto::peer::v1 as wire;
use sayso_store::Batch;
use sayso_store_local::Durability;
use sayso_types::Name;
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_128;

use crate::disk::{self, Disk, IDENTITY};
use crate::{Address, Error, NodeId, RaftOptions};

/// What tells clusters of one name apart.
pub(crate) type ClusterId = [u8; 16];

/// Which node this is. A node that is to join learns its cluster's id from the first member that it talks to.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) node: NodeId,
    pub(crate) name: Name,
    /// Of this start of the node.
    pub(crate) incarnation: u64,
    id: OnceLock<ClusterId>,
    disk: Arc<Disk>,
    /// Who was removed from it, as far as this node has applied its log.
    removed: watch::Receiver<BTreeSet<NodeId>>,
    /// Whether this node was, as its log or a member says.
    parted: watch::Sender<bool>,
}

impl Cluster {
    /// Checks whose disk it is, and makes a new one this node's. Its log says who was `removed`.
    pub(crate) async fn open(
        options: &RaftOptions,
        disk: Arc<Disk>,
        removed: watch::Receiver<BTreeSet<NodeId>>,
    ) -> Result<Self, Error> {
        let mut incarnation = [0; 8];
        getrandom::fill(&mut incarnation).expect("the operating system provides random bytes");
        let (node, name) = (options.node, options.cluster);
        let incarnation = u64::from_ne_bytes(incarnation);
        let (id, parted) = (OnceLock::new(), watch::Sender::new(removed.borrow().contains(&node)));
        let cluster = Self { node, name, incarnation, id, disk, removed, parted };
        let founded = options.founders.contains_key(&node).then(|| founded_id(&name, &options.founders));
        match cluster.disk.record::<wire::Identity>(IDENTITY)? {
            Some(found) => {
                if found.node != node.0 || found.cluster != name.as_str() {
                    return Err(Error::ForeignDisk { node: NodeId(found.node), cluster: found.cluster });
                }
                if found.removed || *cluster.parted.borrow() {
                    return Err(cluster.goodbye());
                }
                if let Ok(id) = found.cluster_id[..].try_into() {
                    cluster.id.get_or_init(|| id);
                }
            }
            None => cluster.remember(founded).await?,
        }
        Ok(cluster)
    }

    /// The cluster's id, once it is known.
    pub(crate) fn id(&self) -> Option<&ClusterId> {
        self.id.get()
    }

    /// Takes a peer's word for the id if it is not known; `false` when it is another.
    pub(crate) async fn agrees(&self, id: ClusterId) -> Result<bool, Error> {
        if self.id.get().is_none() {
            self.remember(Some(id)).await?;
        }
        Ok(self.id.get() == Some(&id))
    }

    /// Who was removed, now and later.
    pub(crate) fn removed(&self) -> watch::Receiver<BTreeSet<NodeId>> {
        self.removed.clone()
    }

    /// Whether this node was removed, now and later.
    pub(crate) fn parted(&self) -> watch::Receiver<bool> {
        self.parted.subscribe()
    }

    /// This node was removed from its cluster, which its disk remembers from here on.
    pub(crate) async fn part(&self) {
        if self.parted.send_replace(true) {
            return;
        }
        tracing::error!(error = %self.goodbye(), "this node ends");
        if let Err(error) = self.write_identity(self.id.get().copied(), true).await {
            // whoever removed it says so again
            tracing::warn!(%error, "this node could not note that it was removed");
        }
    }

    /// What a node is told that was removed.
    pub(crate) fn goodbye(&self) -> Error {
        Error::Removed { node: self.node, cluster: self.name.as_str().to_owned() }
    }

    async fn remember(&self, id: Option<ClusterId>) -> Result<(), Error> {
        self.write_identity(id, false).await?;
        if let Some(id) = id {
            self.id.get_or_init(|| id);
        }
        Ok(())
    }

    async fn write_identity(&self, id: Option<ClusterId>, removed: bool) -> Result<(), Error> {
        let cluster_id = id.map(|id| id.to_vec()).unwrap_or_default().into();
        let cluster = self.name.as_str().to_owned();
        let identity = wire::Identity { cluster, cluster_id, node: self.node.0, removed };
        self.disk.write(disk::put_record(Batch::new(), IDENTITY, &identity), Durability::Synced).await?;
        Ok(())
    }
}

/// The name that the certificate of a node is valid for.
#[must_use]
pub fn peer_name(cluster: &Name, node: NodeId) -> String {
    format!("node-{node}.{cluster}.sayso.internal")
}

/// Founders of one name at the same places are one cluster.
fn founded_id(name: &Name, founders: &BTreeMap<NodeId, Address>) -> ClusterId {
    let founders = founders.iter().map(|(node, address)| format!("{node}={address}\n"));
    let text: String = core::iter::once(format!("{name}\n")).chain(founders).collect();
    xxh3_128(text.as_bytes()).to_be_bytes()
}
