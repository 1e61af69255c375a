//! [`Tree`]: every hash of a tree, in memory.

use core::convert::Infallible;

use super::{Frontier, Hash, HashSource, node_hash};

/// Every full subtree's root, by level: about 64 bytes a leaf. For making proofs; a log that only grows needs no
/// more than a [`Frontier`].
#[derive(Clone, Debug, Default)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
    frontier: Frontier,
}

impl Tree {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { levels: Vec::new(), frontier: Frontier::new() }
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: Hash) {
        self.frontier.append(leaf);
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            let [.., left, right] = row.as_slice() else {
                return;
            };
            if row.len() % 2 == 1 {
                return;
            }
            hash = node_hash(left, right);
        }
    }
}

impl HashSource for Tree {
    type Error = Infallible;

    /// # Panics
    /// When the subtree is not full: proofs ask for full ones only.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let row = &self.levels[level as usize];
        Ok(row[usize::try_from(index).expect("held in memory")])
    }
}
