//! Proofs that a leaf is in a tree, and that one tree is the beginning of another.
//!
//! Made as RFC 6962 section 2.1 defines them, verified as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say. Verification
//! takes whatever an opponent sends and neither panics nor runs long.

use super::{Hash, node_hash};

/// Where the hashes of full subtrees are kept: memory, or tiles in a directory.
pub trait HashSource {
    /// Why a hash could not be had.
    type Error;

    /// The root of the full subtree over leaves `index << level` to `(index + 1) << level`. Asked only for subtrees
    /// that lie within the tree that a proof is about.
    ///
    /// # Errors
    /// The hash cannot be had.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index or size is outside of the tree.
    #[error("the index or the old size lies outside of the tree")]
    Range,
    /// Too few or too many hashes.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Proves that leaf `index` is in the tree of the first `size` leaves; [`None`] when it cannot be.
///
/// # Errors
/// The source has not got a hash.
pub fn inclusion<S: HashSource>(source: &S, index: u64, size: u64) -> Result<Option<Vec<Hash>>, S::Error> {
    if index >= size {
        return Ok(None);
    }
    let mut path = Vec::new();
    let (mut lo, mut hi) = (0, size);
    while hi - lo > 1 {
        let middle = lo + split(hi - lo);
        if index < middle {
            path.push(subtree(source, middle, hi)?);
            hi = middle;
        } else {
            path.push(subtree(source, lo, middle)?);
            lo = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// Proves that the tree of the first `old` leaves is the beginning of the tree of the first `new`; [`None`] when it
/// cannot be. Between equal sizes, and from the empty tree, there is nothing to prove and the proof is empty.
///
/// # Errors
/// The source has not got a hash.
pub fn consistency<S: HashSource>(source: &S, old: u64, new: u64) -> Result<Option<Vec<Hash>>, S::Error> {
    if old > new {
        return Ok(None);
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(Some(path));
    }
    let (mut lo, mut hi) = (0, new);
    // down to the subtree that ends where the old tree ends
    while hi != old {
        let middle = lo + split(hi - lo);
        if old <= middle {
            path.push(subtree(source, middle, hi)?);
            hi = middle;
        } else {
            path.push(subtree(source, lo, middle)?);
            lo = middle;
        }
    }
    // it is the old tree itself when nothing lies to its left: the verifier has that root
    if lo != 0 {
        path.push(subtree(source, lo, hi)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Checks that `leaf` is number `index` in the tree of `size` leaves with this `root`.
///
/// # Errors
/// [`ProofError`]: it is not proved.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // a right edge without siblings of its own joins further up
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Checks that the tree of `old` leaves with `old_root` is the beginning of that of `new` leaves with `new_root`.
///
/// # Errors
/// [`ProofError`]: it is not proved.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Range);
    }
    if old == new || old == 0 {
        let same = old == 0 && *old_root == Hash::of(b"") || old == new && old_root == new_root;
        return match (proof.is_empty(), same) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    let up = node.trailing_ones();
    node >>= up;
    last >>= up;
    // an old tree that is one full subtree is where the proof starts; the verifier has its root
    let (start, rest) =
        if old.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(ProofError::Length)? };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node % 2 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, old_hash == *old_root && new_hash == *new_root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Where a tree of `n` leaves splits: the largest power of two below `n`. `n` is at least 2.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The root over leaves `lo` to `hi`, of which `lo` begins a subtree.
fn subtree<S: HashSource>(source: &S, lo: u64, hi: u64) -> Result<Hash, S::Error> {
    let n = hi - lo;
    if n.is_power_of_two() {
        let level = n.ilog2();
        return source.node(level, lo >> level);
    }
    let middle = lo + split(n);
    Ok(node_hash(&subtree(source, lo, middle)?, &subtree(source, middle, hi)?))
}
