//! [`RaftOptions`]: who a node is, whom it founds a cluster with, and what it may take up.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_types::{Clock, Name};

use crate::{Address, NodeId};

/// How a node proves to its peers who it is, and they to it.
pub struct Tls {
    /// The node's certificate, then those up to its authority. It must be valid for the name that
    /// [`peer_name`](crate::peer_name) gives, both for servers and for clients.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// Who vouches for nodes. It must vouch for nobody else: whoever has a certificate of it for a node's name is one.
    pub roots: RootCertStore,
}

impl Clone for Tls {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key(), roots: self.roots.clone() }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("chain", &self.chain.len())
            .field("roots", &self.roots.len())
            .finish_non_exhaustive()
    }
}

/// What a [`RaftStore`](crate::RaftStore) needs to be told.
#[derive(Clone)]
pub struct RaftOptions {
    /// This node. Its disk remembers it.
    pub node: NodeId,
    /// The cluster's name: as a certificate spells it, so without `_`.
    pub cluster: Name,
    /// UDP address on which it listens for its peers.
    pub listen: SocketAddr,
    /// Where its peers reach it.
    pub address: Address,
    /// The nodes that found the cluster, the same on each of them. A node that is not among them has to
    /// [join](crate::RaftStore::join) through one of these.
    pub founders: BTreeMap<NodeId, Address>,
    /// How nodes know each other.
    pub tls: Tls,
    /// How often a leader is heard of.
    pub timers: Timers,
    /// How long a call tries to reach the leader and a majority before it is answered that they cannot be reached.
    pub answer_within: Duration,
    /// Entries of the log after which those that are applied may be deleted. A node that lacks deleted ones is sent a
    /// snapshot.
    pub log_entries: u64,
    /// As in [`LocalOptions`](sayso_store_local::LocalOptions).
    pub memtable_bytes: u64,
    /// As in [`LocalOptions`](sayso_store_local::LocalOptions).
    pub cache_bytes: u64,
    /// Measures how long commits take, and says which certificates are valid by now.
    pub clock: Arc<dyn Clock>,
}

/// How soon a leader that is gone is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// How often the leader says that it lives.
    pub heartbeat: Duration,
    /// How long a leader that says nothing is still followed. It is then replaced within as long again, by whoever waits
    /// least, which is at least half of it.
    pub election: Duration,
}

impl Default for Timers {
    /// For nodes within a few milliseconds of each other: a leader that is killed is replaced in about a second.
    fn default() -> Self {
        Self { heartbeat: Duration::from_millis(100), election: Duration::from_millis(500) }
    }
}

impl RaftOptions {
    /// A node with the usual limits.
    #[must_use]
    pub fn new(
        node: NodeId,
        cluster: Name,
        listen: SocketAddr,
        founders: BTreeMap<NodeId, Address>,
        tls: Tls,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let address = founders.get(&node).cloned().unwrap_or_else(|| listen.into());
        Self {
            node,
            cluster,
            listen,
            address,
            founders,
            tls,
            timers: Timers::default(),
            answer_within: Duration::from_secs(10),
            log_entries: 5_000,
            memtable_bytes: 16 << 20,
            cache_bytes: 32 << 20,
            clock,
        }
    }
}

impl fmt::Debug for RaftOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RaftOptions")
            .field("node", &self.node)
            .field("cluster", &self.cluster)
            .field("listen", &self.listen)
            .field("founders", &self.founders)
            .finish_non_exhaustive()
    }
}
