//! What openraft is told about this cluster's nodes, log and state.

use core::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use bytes::Bytes;
use sayso_store::{Key, Version};

use crate::machine::SnapshotData;

openraft::declare_raft_types!(
    /// The types of this cluster.
    pub(crate) Types:
        D = Proposal,
        R = Vec<Outcome>,
        NodeId = NodeId,
        Node = Address,
        SnapshotData = SnapshotData,
);

pub(crate) type Entry = openraft::Entry<Types>;
pub(crate) type LogId = openraft::LogId<NodeId>;
pub(crate) type Membership = openraft::Membership<NodeId, Address>;
pub(crate) type Raft = openraft::Raft<Types>;
pub(crate) type Snapshot = openraft::Snapshot<Types>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<NodeId, Address>;
pub(crate) type StorageError = openraft::StorageError<NodeId>;
pub(crate) type StorageIoError = openraft::StorageIOError<NodeId>;
pub(crate) type StoredMembership = openraft::StoredMembership<NodeId, Address>;
pub(crate) type Vote = openraft::Vote<NodeId>;

/// Names a node of a cluster, for as long as its disk lives: a disk that is replaced gets a new one. From 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl From<u64> for NodeId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for NodeId {
    type Err = core::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Where a node is reached by its peers: a host name or IP address, and a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub String);

impl From<String> for Address {
    fn from(address: String) -> Self {
        Self(address)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self(address.to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the log replicates: encoded batches that are agreed on together. Its `Debug` shows the length only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proposal(pub(crate) Bytes);

impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proposal({} bytes)", self.0.len())
    }
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was let in.
    Committed(Version),
    /// The condition on this key does not hold.
    Conflict(Key),
    /// It was proposed in another term than it was taken in, and so is not decided at all.
    Void,
}
