//! [`Commit`]: a batch that was let in, as it goes to the log, to the index and to the watchers.

use sayso_store::{Change, Token};

/// The first commit of a store. Far from zero because the tree numbers its own reorganisations from zero since it
/// was opened, and a read sees those whose number is less than its snapshot's.
pub(crate) const FIRST_SEQUENCE: u64 = 1 << 32;

/// One commit: what it changes, at most once a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Counts commits, from [`FIRST_SEQUENCE`].
    pub(crate) sequence: u64,
    pub(crate) token: Token,
    pub(crate) changes: Vec<Change>,
}
