//! [`struct@Hash`], and how leaves and nodes get theirs.

use sha2::{Digest, Sha256};

use crate::tag::bytes_id;

bytes_id! {
    /// A SHA-256 hash: of a node of the tree, or of a document.
    Hash, 32
}

impl Hash {
    /// The hash of `bytes` as they are.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// The hash of a leaf: SHA-256 over a zero byte and the entry. The byte keeps leaves and nodes apart, so that no
/// entry can pass for a subtree.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

/// The hash of an inner node: SHA-256 over a one byte and both children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}
