//! [`Frontier`]: what must be remembered of a tree to go on growing it.

use super::{Hash, node_hash};

/// The roots of the full subtrees that a tree of some size falls into, largest first: one for each bit of the size.
/// Appending and the root cost a logarithm of the size; the leaves need not be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// A frontier as it was stored; [`None`] when the number of peaks does not fit the size.
    #[must_use]
    pub fn restore(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the full subtrees, largest first: with the size, all there is to store.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // every trailing one bit of the size is a full subtree that the new leaf completes to a larger one
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("there is a peak for each one bit");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the tree. The empty tree's is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let smallest_first = self.peaks.iter().rev().copied();
        smallest_first.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(|| Hash::of(b""))
    }
}
