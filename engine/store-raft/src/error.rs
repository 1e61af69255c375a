//! What can be wrong with a node and its cluster.

use std::io;
use std::net::SocketAddr;

use sayso_store::Retryable;
use sayso_store::cluster::Refusal;

use crate::NodeId;

/// Why a node did not open, or a cluster did not change. What goes wrong with reads and commits is a
/// [`sayso_store::Error`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The disk, as the engine under it says.
    #[error(transparent)]
    Store(#[from] sayso_store::Error),
    /// The configuration makes no sense.
    #[error("{key}: {what}")]
    Options {
        /// The field.
        key: &'static str,
        /// What is wrong with it, and what to write.
        what: String,
    },
    /// The disk belongs to another node or cluster.
    #[error(
        "this disk is that of node {node} of cluster {cluster:?}: give each node the disk that it was started with"
    )]
    ForeignDisk {
        /// Whose it is.
        node: NodeId,
        /// And of which cluster.
        cluster: String,
    },
    /// The address cannot be taken.
    #[error("cannot listen for peers on {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: std::sync::Arc<io::Error>,
    },
    /// Certificates or keys cannot be used.
    #[error("the node's certificate, key or authority cannot be used: {reason}")]
    Certificate {
        /// Why.
        reason: String,
    },
    /// A peer belongs to another cluster, although it may have the same name.
    #[error("node {node} belongs to another cluster: check its address and the cluster's name")]
    ForeignCluster {
        /// Which.
        node: NodeId,
    },
    /// A peer's certificate is not that of the node it should be, or ours is not to it.
    #[error(
        "node {node} and this one do not trust each other's certificates ({reason}): both need one that the cluster's authority \
         vouches for, and clocks by which it is valid"
    )]
    ForeignCertificate {
        /// Which.
        node: NodeId,
        /// What the handshake said.
        reason: String,
        /// Whether it is another authority's or another node's, which no clock that is set right mends.
        for_good: bool,
    },
    /// A peer speaks no protocol that this one does.
    #[error("node {node} speaks another version of the peer protocol: upgrade one step at a time")]
    Version {
        /// Which.
        node: NodeId,
    },
    /// A peer, the leader or a majority cannot be reached. What was asked may have been done; asking again does no harm.
    #[error("cannot reach {whom}: {reason}; try again")]
    Unreachable {
        /// Whom.
        whom: String,
        /// Why.
        reason: String,
    },
    /// The cluster cannot change that way.
    #[error("the cluster cannot change so: {reason}")]
    Membership {
        /// Why.
        refusal: Refusal,
        /// Why, for people, and what to do.
        reason: String,
    },
    /// This node was removed from its cluster.
    #[error(
        "node {node} was removed from cluster {cluster:?}, for good: keep nothing of it, or let its machine join as a new node, \
         with a new directory (sayso store invite)"
    )]
    Removed {
        /// Its number.
        node: NodeId,
        /// The cluster's name.
        cluster: String,
    },
    /// This node's Raft ended. What it had acknowledged is on its disk, and on those of a majority.
    #[error("the Raft of node {node} ended, as the log says: {reason}; see to its disk, and start it again")]
    Ended {
        /// Its number.
        node: NodeId,
        /// Why, as far as it said.
        reason: String,
    },
}

impl Retryable for Error {
    fn retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.retryable(),
            // others may be back by then
            Self::Unreachable { .. } | Self::Membership { refusal: Refusal::NoMajority | Refusal::NotThere, .. } => {
                true
            }
            Self::Options { .. }
            | Self::ForeignDisk { .. }
            | Self::Bind { .. }
            | Self::Certificate { .. }
            | Self::ForeignCluster { .. }
            | Self::ForeignCertificate { .. }
            | Self::Version { .. }
            | Self::Membership { .. }
            | Self::Removed { .. }
            | Self::Ended { .. } => false,
        }
    }
}

impl Error {
    /// Whether a peer that says so will say it as long as neither of the two is configured anew.
    pub(crate) const fn is_for_good(&self) -> bool {
        matches!(self, Self::ForeignCluster { .. } | Self::ForeignCertificate { for_good: true, .. })
    }

    pub(crate) fn unreachable(node: NodeId, reason: impl ToString) -> Self {
        Self::Unreachable { whom: format!("node {node}"), reason: reason.to_string() }
    }
}
