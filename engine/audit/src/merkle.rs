//! The tree of RFC 6962, section 2: hashes, the frontier that grows it, and proofs about it.

mod frontier;
mod hash;
mod proof;
mod tree;

pub use frontier::Frontier;
pub use hash::{Hash, leaf_hash, node_hash};
pub use proof::{HashSource, ProofError, consistency, inclusion, verify_consistency, verify_inclusion};
pub use tree::Tree;

#[cfg(test)]
mod tests;
