//! [`Store`]: which store holds the data, and what it is to be told.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;
use sayso_policy::{Place, Profile};
use sayso_store_raft::NodeId;
use sayso_types::Name;
use serde::{Deserialize, Serialize};

use super::fdb::FdbStore;
use super::place::{Misplaced, require};

/// Where a node listens for its peers when nobody says otherwise.
pub(crate) const PEER_PORT: u16 = 4435;

/// Which store a node has, and the settings of each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Store {
    /// Which.
    pub(crate) kind: StoreKind,
    /// Where it stands: this machine, or the servers of the FoundationDB cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<Place>,
    /// What `raft` needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) raft: Option<RaftStore>,
    /// What `fdb` needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fdb: Option<FdbStore>,
}

/// The stores that there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    /// This machine's disk.
    #[default]
    Local,
    /// A few nodes that replicate each other.
    Raft,
    /// A FoundationDB cluster.
    Fdb,
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Raft => "raft",
            Self::Fdb => "fdb",
        })
    }
}

/// A node of a replicated store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RaftStore {
    /// The cluster's name: a-z, 0-9, `-` and `.`.
    pub(crate) cluster: Name,
    /// This node's number, from 1. A disk that is replaced gets a new one.
    pub(crate) node: u64,
    /// UDP address on which it listens for its peers.
    #[serde(default = "peer_listen")]
    pub(crate) listen: SocketAddr,
    /// Where its peers reach it, HOST:PORT. Default: where it founds the cluster, or else where it listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// Who founds the cluster, the same on each of them. Any other node joins through these.
    pub(crate) founders: Vec<Peer>,
    /// The node's certificate chain for its peers, PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, PEM.
    pub(crate) key: PathBuf,
    /// Who signs nodes' certificates, PEM, and nobody else's.
    pub(crate) authority: PathBuf,
    /// Notes, apart from the store, that this node has begun it: one whose disk was lost must not begin anew.
    #[serde(default = "started")]
    pub(crate) started: PathBuf,
    /// The node in whose place this one comes: it is removed from the cluster once this one belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<u64>,
}

/// Another node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Peer {
    /// Its number.
    pub(crate) node: u64,
    /// Where it is reached by its peers, HOST:PORT.
    pub(crate) address: String,
}

/// What is wrong with the table `store`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreProblem {
    /// The chosen store has no settings.
    #[error(
        "store.kind is {kind:?}, but there is no table [store.{kind}]: add it (`sayso init --help` makes one for raft)"
    )]
    Missing {
        /// The kind and the name of its table.
        kind: &'static str,
    },
    /// The same node twice among the founders.
    #[error("store.raft.founders names node {node} more than once: each node has a number of its own")]
    SameNode {
        /// Which.
        node: u64,
    },
    /// Two places for one store.
    #[error("[store.fdb] has both subspace and directory: write one of them")]
    TwoParts,
    /// No place in the cluster, which then would be the whole of it.
    #[error(
        "[store.fdb] says nothing of where in the cluster the data lies: write subspace = [\"sayso\"], or directory = [\"sayso\"], \
         with words of its own for each store that shares the cluster"
    )]
    NoPart,
    /// Less time than a request needs.
    #[error("store.fdb.request-ms is {ms}, which is less than a request may need: write 1000 or more")]
    #[cfg_attr(not(feature = "fdb"), expect(dead_code, reason = "this program was built without the store"))]
    ShortRequest {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// This program was built without the store.
    #[error(
        "store.kind is \"fdb\", which this program was built without: build it with `--features fdb`, or write one of local, raft"
    )]
    #[cfg_attr(feature = "fdb", expect(dead_code, reason = "this program was built with it"))]
    NotBuilt,
}

fn started() -> PathBuf {
    "peer/started".into()
}

fn peer_listen() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, PEER_PORT).into()
}

impl Store {
    /// The settings of the replicated store.
    pub(crate) fn raft(&self) -> Result<&RaftStore, StoreProblem> {
        let raft = self.raft.as_ref().ok_or(StoreProblem::Missing { kind: "raft" })?;
        let mut seen = BTreeSet::new();
        match raft.founders.iter().find(|founder| !seen.insert(founder.node)) {
            Some(founder) => Err(StoreProblem::SameNode { node: founder.node }),
            None => Ok(raft),
        }
    }

    /// Requires that data may be stored where it stands.
    pub(crate) fn require_place(&self, profile: &Profile) -> Result<(), Misplaced> {
        require(profile, self.region.as_ref(), "store.region")
    }

    /// The paths in it.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let raft = self.raft.iter_mut();
        let raft = raft.flat_map(|raft| [&mut raft.certificate, &mut raft.key, &mut raft.authority, &mut raft.started]);
        raft.chain(self.fdb.iter_mut().flat_map(FdbStore::paths))
    }
}

impl RaftStore {
    /// This node.
    pub(crate) const fn id(&self) -> NodeId {
        NodeId(self.node)
    }

    /// Where its peers reach it.
    pub(crate) fn reached_at(&self) -> String {
        let founder = || self.founders.iter().find(|founder| founder.node == self.node);
        let address = self.address.clone().or_else(|| founder().map(|founder| founder.address.clone()));
        address.unwrap_or_else(|| self.listen.to_string())
    }
}
