//! [`Replica`]: one of the places in which a store is.

/// A replica of a store that is on several nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    /// The number of its node, from 1.
    pub node: u64,
    /// How many replicas there are.
    pub of: u64,
}
