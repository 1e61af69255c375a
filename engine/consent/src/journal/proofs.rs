//! [`Proofs`]: proofs about the log, made from its leaves.

use core::cell::RefCell;
use core::convert::Infallible;
use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::merkle::{self, HashSource, Tree, leaf_hash};
use sayso_audit::{Frontier, Hash, tile};
use sayso_store::Store;
use tokio::sync::Mutex;

use super::log;
use crate::Error;

/// Leaves below one hash that is kept.
const BLOCK: u64 = 1 << tile::HEIGHT;

/// Full subtrees, by level and index.
type Subtrees = BTreeSet<(u32, u64)>;

/// What proofs are made of. Below the level of tiles, a proof takes 256 leaves from the store and hashes them; the levels
/// above are kept in memory, a quarter of a byte for a leaf, and are read once.
#[derive(Default)]
pub(super) struct Proofs {
    /// The tree whose leaves are the roots over each full [`BLOCK`] of the log.
    blocks: Mutex<Tree>,
}

impl Proofs {
    /// That leaf `index` is in the tree of the first `size`; [`None`] when it is not. `size` leaves are durable.
    pub(super) async fn inclusion(
        &self,
        store: &dyn Store,
        shard: u32,
        (index, size): (u64, u64),
    ) -> Result<Option<Vec<Hash>>, Error> {
        let found = self.hashes(store, shard, size, asked_for(|source| merkle::inclusion(source, index, size))).await?;
        Ok(made(merkle::inclusion(&found, index, size)))
    }

    /// That the tree of the first `old` leaves is the beginning of that of the first `new`; [`None`] when it is not. `new`
    /// leaves are durable.
    pub(super) async fn consistency(
        &self,
        store: &dyn Store,
        shard: u32,
        (old, new): (u64, u64),
    ) -> Result<Option<Vec<Hash>>, Error> {
        let found = self.hashes(store, shard, new, asked_for(|source| merkle::consistency(source, old, new))).await?;
        Ok(made(merkle::consistency(&found, old, new)))
    }

    async fn hashes(&self, store: &dyn Store, shard: u32, size: u64, wanted: Subtrees) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut blocks = self.blocks.lock().await;
        while blocks.size() < size / BLOCK {
            let first = blocks.size() * BLOCK;
            blocks.append(root_of(store, shard, first, BLOCK).await?);
        }
        for (level, index) in wanted {
            let hash = match level.checked_sub(tile::HEIGHT) {
                Some(above) => made(blocks.node(above, index)),
                None => root_of(store, shard, index << level, 1 << level).await?,
            };
            found.0.insert((level, index), hash);
        }
        Ok(found)
    }
}

/// The root over `count` leaves from `first` on.
async fn root_of(store: &dyn Store, shard: u32, first: u64, count: u64) -> Result<Hash, Error> {
    let mut frontier = Frontier::new();
    while frontier.size() < count {
        let left = usize::try_from(count - frontier.size()).unwrap_or(usize::MAX);
        let leaves = log::read(store, shard, first + frontier.size(), left).await?;
        if leaves.is_empty() {
            return Err(Error::Log(format!("leaf {} is missing", first + frontier.size())));
        }
        leaves.iter().for_each(|leaf| frontier.append(leaf_hash(leaf)));
    }
    Ok(frontier.root())
}

/// Hashes that were looked up.
#[derive(Default)]
struct Found(BTreeMap<(u32, u64), Hash>);

impl HashSource for Found {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(*self.0.get(&(level, index)).expect("the proof was made once before, to see what it asks for"))
    }
}

/// Notes what a proof asks for.
#[derive(Default)]
struct Asked(RefCell<Subtrees>);

impl HashSource for Asked {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        self.0.borrow_mut().insert((level, index));
        Ok(Hash([0; 32]))
    }
}

/// The subtrees whose roots `proof` is made of.
fn asked_for<T>(proof: impl FnOnce(&Asked) -> Result<T, Infallible>) -> Subtrees {
    let asked = Asked::default();
    let _ = made(proof(&asked));
    asked.0.into_inner()
}

fn made<T>(Ok(made): Result<T, Infallible>) -> T {
    made
}
