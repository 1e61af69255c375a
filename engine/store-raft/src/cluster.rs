//! [`Cluster`]: which node of which cluster this is, as its disk remembers.
//!
//! The first founder draws half of the cluster's id when it begins its disk, and the other founders have it from nobody else. So
//! a cluster that is founded anew, of the same name, in the same place and under the same authority, is another one, and who
//! still has a disk of the old one is a stranger: were they told by any member, a disk of the old one could take the new one
//! over. The other half is what the founders are configured with, so that founders who disagree do not found anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sayso_proto::peer::v1 as wire;
use sayso_proto::peer::v1::Refusal;
use sayso_store::Batch;
use sayso_store_local::Durability;
use sayso_types::Name;
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_64;

use crate::disk::{self, Disk, IDENTITY};
use crate::{Address, Error, NodeId, RaftOptions};

/// What tells clusters of one name apart.
pub(crate) type ClusterId = [u8; 16];

/// Which node this is. A node that is to join learns its cluster's id from the first member that it talks to; a founder, from
/// the first founder.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) node: NodeId,
    pub(crate) name: Name,
    /// Of this start of the node.
    pub(crate) incarnation: u64,
    id: OnceLock<ClusterId>,
    /// Whose word alone it takes for the id, and what that has to end with, where it is a founder itself.
    founded: Option<(NodeId, [u8; 8])>,
    disk: Arc<Disk>,
    /// Who was removed from it, as far as this node has applied its log.
    removed: watch::Receiver<BTreeSet<NodeId>>,
    /// Whether this node was, as its log or a member says.
    parted: watch::Sender<bool>,
    /// Who was refused the last time that they said hello, and why.
    refused: Mutex<BTreeMap<NodeId, Refusal>>,
}

/// Peers of which it is remembered why they were refused: more than a cluster has nodes.
const REFUSED_MAX: usize = 64;

impl Cluster {
    /// Checks whose disk it is, and makes a new one this node's. Its log says who was `removed`.
    pub(crate) async fn open(
        options: &RaftOptions,
        disk: Arc<Disk>,
        removed: watch::Receiver<BTreeSet<NodeId>>,
    ) -> Result<Self, Error> {
        let (node, name, incarnation) = (options.node, options.cluster, u64::from_ne_bytes(random()));
        let first = options.founders.keys().next().copied().filter(|_| options.founders.contains_key(&node));
        let founded = first.map(|first| (first, founders_hash(&name, &options.founders)));
        let (id, parted) = (OnceLock::new(), watch::Sender::new(removed.borrow().contains(&node)));
        let cluster = Self { node, name, incarnation, id, founded, disk, removed, parted, refused: Mutex::default() };
        let drawn = founded.filter(|(first, _)| *first == node).map(|(_, founders)| drawn_id(founders));
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
            None => cluster.remember(drawn).await?,
        }
        Ok(cluster)
    }

    /// The cluster's id, once it is known.
    pub(crate) fn id(&self) -> Option<&ClusterId> {
        self.id.get()
    }

    /// Whether this node can be told nothing by `peer` yet: a founder that waits for the first one's word.
    pub(crate) fn waits_for_another(&self, peer: NodeId) -> bool {
        self.id.get().is_none() && self.founded.is_some_and(|(first, _)| first != peer)
    }

    /// Takes a peer's word for the id if it is not known; `false` when it is another.
    pub(crate) async fn agrees(&self, id: ClusterId) -> Result<bool, Error> {
        if self.id.get().is_none() {
            if self.founded.is_some_and(|(_, founders)| !id.ends_with(&founders)) {
                return Ok(false);
            }
            self.remember(Some(id)).await?;
        }
        Ok(self.id.get() == Some(&id))
    }

    /// Notes how a peer's hello was answered; whether it was answered otherwise the time before. Peers try again and again.
    pub(crate) fn is_news(&self, peer: NodeId, refusal: Option<Refusal>) -> bool {
        // nothing panics while it is held
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(refusal) = refusal else { return refused.remove(&peer).is_some() };
        if refused.len() >= REFUSED_MAX {
            refused.clear();
        }
        refused.insert(peer, refusal) != Some(refusal)
    }

    /// Who was removed, now and later.
    pub(crate) fn removed(&self) -> watch::Receiver<BTreeSet<NodeId>> {
        self.removed.clone()
    }

    /// Waits until this node is removed.
    pub(crate) async fn until_parted(&self) {
        // the sender lives as long as this
        let _ = self.parted.subscribe().wait_for(|parted| *parted).await;
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

fn drawn_id(founders: [u8; 8]) -> ClusterId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&random());
    id[8..].copy_from_slice(&founders);
    id
}

/// What founders have to agree on.
fn founders_hash(name: &Name, founders: &BTreeMap<NodeId, Address>) -> [u8; 8] {
    let founders = founders.iter().map(|(node, address)| format!("{node}={address}\n"));
    let text: String = core::iter::once(format!("{name}\n")).chain(founders).collect();
    xxh3_64(text.as_bytes()).to_be_bytes()
}

fn random() -> [u8; 8] {
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("the operating system provides random bytes");
    random
}
