//! [`Cluster`]: the nodes that replicate a store, for whoever looks after them.

use async_trait::async_trait;

/// The nodes of a store that some replicate. What it is asked is done by whoever leads, wherever that is.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// The number of this node.
    fn node(&self) -> u64;

    /// Who belongs to it, by number.
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`].
    async fn members(&self) -> Result<Vec<Member>, ClusterError>;

    /// Removes a node, dead or alive, for good: it stops, and its number is not given again.
    ///
    /// # Errors
    /// [`ClusterError`].
    async fn remove(&self, node: u64) -> Result<(), ClusterError>;

    /// Has `node` lead. Commits that come meanwhile wait.
    ///
    /// # Errors
    /// [`ClusterError`].
    async fn lead(&self, node: u64) -> Result<(), ClusterError>;
}

/// A node of a cluster, as whoever leads sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub node: u64,
    /// Where its peers reach it.
    pub address: String,
    /// What it does.
    pub role: Role,
    /// Entries of the log that it is not known to have; none while nothing is known of it.
    pub behind: Option<u64>,
    /// Whether it answers.
    pub is_there: bool,
}

/// What a node of a cluster does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is committed goes through it.
    Leader,
    /// What is answered is on the disks of a majority of these.
    Voter,
    /// It follows and does not vote yet.
    Learner,
}

/// Why a cluster does not change as it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such node in it.
    Unknown,
    /// The node follows and does not vote.
    NoVoter,
    /// The node is the only one that votes.
    LastVoter,
    /// Too few of those who vote can be reached for a majority, before or afterwards.
    NoMajority,
    /// The node cannot be reached.
    NotThere,
    /// The node was removed, and its number is not given again.
    Removed,
    /// There is another node of that number.
    Taken,
    /// For a reason that only its text tells.
    Other,
}

/// Why a cluster did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClusterError {
    /// It does not change that way.
    #[error("{reason}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// Why, for people, and what to do.
        reason: String,
    },
    /// Nobody who leads answered. What was asked may have been done; asking again does no harm.
    #[error("{reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
}
