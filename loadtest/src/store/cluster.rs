//! [`Cluster`]: three nodes on this machine, over real QUIC on loopback, on one disk.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use anyhow::{Context, Result};
use sayso_store_raft::{Address, NodeId, RaftOptions, RaftStore, Tls};
use sayso_types::Clock;
use tokio::time::{Duration, sleep};

use crate::lab::authority::CLUSTER;
use crate::lab::{Authority, Ground, Lab};

const NODES: u64 = 3;
/// How often it is looked whether there is a leader.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long there may be none.
const LEADER_WITHIN: Duration = Duration::from_secs(30);

/// Three nodes that replicate each other.
pub(crate) struct Cluster {
    nodes: Vec<Arc<RaftStore>>,
    leader: Arc<RaftStore>,
}

impl Cluster {
    /// Founds it, and waits for its leader.
    pub(crate) async fn start(lab: &Lab, ground: &Ground) -> Result<Self> {
        let authority = Authority::new()?;
        let addresses: Vec<SocketAddr> = (0..NODES).map(|_| free_address()).collect::<Result<_>>()?;
        let founders: BTreeMap<NodeId, Address> =
            (1..=NODES).map(NodeId).zip(addresses.iter().map(|address| (*address).into())).collect();
        let mut nodes = Vec::new();
        for (node, listen) in (1..=NODES).map(NodeId).zip(addresses) {
            let credential = authority.peer(node)?;
            let tls = Tls { chain: vec![credential.certificate], key: credential.key, roots: authority.roots()? };
            let clock: Arc<dyn Clock> = Arc::clone(&ground.clock);
            let options = RaftOptions::new(node, CLUSTER, listen, founders.clone(), tls, clock);
            let opened = RaftStore::open(&lab.dir(&format!("node-{node}")), options, ground.tasks.clone()).await;
            nodes.push(opened.with_context(|| format!("cannot open node {node}"))?);
        }
        let looking = async {
            loop {
                let led = nodes.iter().find(|node| node.status().leader == Some(node.status().node));
                match led {
                    Some(leader) => return Arc::clone(leader),
                    None => sleep(LOOK_EVERY).await,
                }
            }
        };
        let leader = tokio::time::timeout(LEADER_WITHIN, looking).await.context("the nodes elect no leader")?;
        Ok(Self { nodes, leader })
    }

    /// The node that leads.
    pub(crate) fn leader(&self) -> Arc<RaftStore> {
        Arc::clone(&self.leader)
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        for node in self.nodes {
            node.close().await;
        }
    }
}

/// An address that nobody listens on.
pub(super) fn free_address() -> Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no UDP port is free")?;
    Ok(socket.local_addr()?)
}
