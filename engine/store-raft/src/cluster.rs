//! [`Cluster`]: which node of which cluster this is, as its disk remembers.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use sayso_proto::peer::v1 as wire;
use sayso_store::Batch;
use sayso_store_local::Durability;
use sayso_types::Name;
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
}

impl Cluster {
    /// Checks whose disk it is, and makes a new one this node's.
    pub(crate) async fn open(options: &RaftOptions, disk: Arc<Disk>) -> Result<Self, Error> {
        let mut incarnation = [0; 8];
        getrandom::fill(&mut incarnation).expect("the operating system provides random bytes");
        let (node, name) = (options.node, options.cluster);
        let incarnation = u64::from_ne_bytes(incarnation);
        let cluster = Self { node, name, incarnation, id: OnceLock::new(), disk };
        let founded = options.founders.contains_key(&node).then(|| founded_id(&name, &options.founders));
        match cluster.disk.record::<wire::Identity>(IDENTITY)? {
            Some(found) => {
                if found.node != node.0 || found.cluster != name.as_str() {
                    return Err(Error::ForeignDisk { node: NodeId(found.node), cluster: found.cluster });
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

    async fn remember(&self, id: Option<ClusterId>) -> Result<(), Error> {
        let cluster_id = id.map(|id| id.to_vec()).unwrap_or_default().into();
        let identity = wire::Identity { cluster: self.name.as_str().to_owned(), cluster_id, node: self.node.0 };
        self.disk.write(disk::put_record(Batch::new(), IDENTITY, &identity), Durability::Synced).await?;
        if let Some(id) = id {
            self.id.get_or_init(|| id);
        }
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
