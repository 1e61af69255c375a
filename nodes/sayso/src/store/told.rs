//! What the commands tell: text for people, JSON for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use indicatif::DecimalBytes;
use sayso_store_raft::{Member, Status};
use serde::{Deserialize, Serialize};

use super::contents::{Portion, Summary, Table};
use crate::config::StoreKind;

/// What a store holds.
#[derive(Serialize)]
pub(super) struct Inspected {
    kind: StoreKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    dir: Option<PathBuf>,
    entries: u64,
    bytes: u64,
    tables: BTreeMap<String, Table>,
    /// Whether an import or a migration was begun and not finished.
    unfinished: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ClusterTold>,
}

/// A cluster, as one of its nodes knows it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ClusterTold {
    node: u64,
    leader: Option<u64>,
    term: u64,
    applied: Option<u64>,
    members: Vec<MemberTold>,
}

#[derive(Clone, Serialize, Deserialize)]
struct MemberTold {
    node: u64,
    address: String,
    voter: bool,
}

impl From<Status> for ClusterTold {
    fn from(status: Status) -> Self {
        let Status { node, leader, term, applied, members, .. } = status;
        let member = |Member { node, address, voter }: Member| MemberTold { node: node.0, address: address.0, voter };
        let members = members.into_iter().map(member).collect();
        Self { node: node.0, leader: leader.map(|leader| leader.0), term, applied, members }
    }
}

impl Inspected {
    pub(super) fn new(
        kind: StoreKind,
        dir: Option<PathBuf>,
        tables: BTreeMap<String, Table>,
        unfinished: bool,
        cluster: Option<ClusterTold>,
    ) -> Self {
        let (entries, bytes) = (tables.values().map(|t| t.entries).sum(), tables.values().map(|t| t.bytes).sum());
        Self { kind, dir, entries, bytes, tables, unfinished, cluster }
    }
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dir, entries, bytes, .. } = self;
        let place = dir.as_ref().map_or_else(String::new, |dir| format!(" in {}", dir.display()));
        write!(f, "{entries} entries, {}{place}", DecimalBytes(*bytes))?;
        for (name, table) in &self.tables {
            write!(f, "\n  {name:<12}  {:>9}  {:>10}", table.entries, DecimalBytes(table.bytes).to_string())?;
        }
        if self.unfinished {
            write!(f, "\nan import or a migration is not finished: run it again")?;
        }
        if let Some(cluster) = &self.cluster {
            let leader = cluster.leader.map_or_else(|| "nobody".to_owned(), |leader| format!("node {leader}"));
            write!(f, "\nnode {}; {leader} leads in term {}", cluster.node, cluster.term)?;
            for MemberTold { node, address, voter } in &cluster.members {
                write!(f, "\n  node {node:<4}  {address}{}", if *voter { "" } else { "  follows only" })?;
            }
        }
        Ok(())
    }
}

/// That a store is whole.
#[derive(Serialize)]
pub(super) struct Checked {
    pub(super) all: Summary,
    pub(super) leaves: u64,
    pub(super) root: String,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: sound\naudit log of {} leaves, root {}: sound", self.all, self.leaves, self.root)
    }
}

/// What was written, and where.
#[derive(Serialize)]
pub(super) struct Exported {
    pub(super) place: String,
    pub(super) all: Summary,
    /// Whether it went on where it had been broken off.
    pub(super) is_resumed: bool,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrote {}: {}{}", self.place, self.all, resumed(self.is_resumed))
    }
}

/// What was put into a store, and compared with what it was.
#[derive(Serialize)]
pub(super) struct Loaded {
    pub(super) all: Summary,
    /// Whether it went on where it had been broken off.
    pub(super) is_resumed: bool,
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store holds {}{}", self.all, resumed(self.is_resumed))
    }
}

/// That a data set is in another store now.
#[derive(Serialize)]
pub(super) struct Moved {
    /// Where, for people.
    pub(super) to: String,
    pub(super) all: Summary,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "everything is in {}: {}\nserve that one; nobody serves the old one any more", self.to, self.all)
    }
}

const fn resumed(is_resumed: bool) -> &'static str {
    if is_resumed { " (went on where it was broken off)" } else { "" }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.portion {
            Portion::All => "",
            Portion::Data => " without keys",
            Portion::Keys => " of keys",
        };
        write!(f, "{} entries{what}, {}, SHA-256 {}", self.entries, DecimalBytes(self.bytes), self.sha256)
    }
}
