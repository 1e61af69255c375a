//! Our tree against an independent implementation of the same, and proofs against every way of bending them.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

/// Both trees over the same `size` entries.
fn trees(size: u64) -> (Tree, MemoryBackedTree<Sha256, Vec<u8>>) {
    let mut ours = Tree::new();
    let mut theirs = MemoryBackedTree::new();
    for i in 0..size {
        let entry = i.to_be_bytes().to_vec();
        ours.append(leaf_hash(&entry));
        theirs.push(entry);
    }
    (ours, theirs)
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

fn hashes(proof: &[u8]) -> Vec<Hash> {
    proof.as_chunks().0.iter().copied().map(Hash).collect()
}

fn prove_inclusion(tree: &Tree, index: u64) -> Vec<Hash> {
    inclusion(tree, index, tree.size()).unwrap().unwrap()
}

fn prove_consistency(tree: &Tree, old: u64) -> Vec<Hash> {
    consistency(tree, old, tree.size()).unwrap().unwrap()
}

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

/// The test vectors of Certificate Transparency's own code, for the roots of RFC 6962.
#[test]
fn roots_of_the_certificate_transparency_test_vectors() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    frontier.append(leaf_hash(entries[0]));
    assert_eq!(frontier.root().to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    frontier.append(leaf_hash(entries[1]));
    assert_eq!(frontier.root().to_string(), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    entries[2..].iter().for_each(|entry| frontier.append(leaf_hash(entry)));
    assert_eq!(frontier.root().to_string(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

#[test]
fn agrees_with_an_independent_implementation_at_every_size() {
    for size in 0..=70 {
        let (ours, theirs) = trees(size);
        assert_eq!(ours.root().0, <[u8; 32]>::from(*theirs.root().as_bytes()), "size {size}");
        for index in 0..size {
            let theirs = theirs.prove_inclusion(index as usize);
            assert_eq!(bytes(&prove_inclusion(&ours, index)), theirs.as_bytes(), "leaf {index} of {size}");
        }
        for old in 1..size {
            let theirs = theirs.prove_consistency((size - old) as usize);
            assert_eq!(bytes(&prove_consistency(&ours, old)), theirs.as_bytes(), "from {old} to {size}");
        }
    }
}

#[test]
fn every_proof_holds_and_for_nothing_else() {
    for size in 1..=40 {
        let (tree, _) = trees(size);
        let root = tree.root();
        for index in 0..size {
            let proof = prove_inclusion(&tree, index);
            assert_eq!(verify_inclusion(leaf(index), index, size, &root, &proof), Ok(()));
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(verify_inclusion(leaf(index), other, size, &root, &proof).is_err(), "{index} as {other}");
                assert!(verify_inclusion(leaf(other), index, size, &root, &proof).is_err(), "{other} at {index}");
            }
        }
        for old in 0..=size {
            let before = trees(old).0.root();
            let proof = prove_consistency(&tree, old);
            assert_eq!(verify_consistency(old, &before, size, &root, &proof), Ok(()), "{old} to {size}");
            for other in (1..=size).filter(|other| *other != old) {
                let claimed = verify_consistency(other, &before, size, &root, &proof);
                assert!(claimed.is_err(), "{old} as {other} of {size}");
            }
        }
        assert_eq!(inclusion(&tree, size, size), Ok(None));
        assert_eq!(consistency(&tree, size + 1, size), Ok(None));
        assert_eq!(verify_consistency(size + 1, &root, size, &root, &[]), Err(ProofError::Range));
    }
}

#[test]
fn a_frontier_is_restored_from_its_peaks() {
    let (tree, _) = trees(21);
    let mut frontier = Frontier::new();
    (0..21).for_each(|i| frontier.append(leaf(i)));
    let mut restored = Frontier::restore(frontier.size(), frontier.peaks().to_vec()).unwrap();
    assert_eq!((restored.root(), &restored), (tree.root(), &frontier));
    restored.append(leaf(21));
    assert_eq!(restored.root(), trees(22).0.root());
    assert_eq!(Frontier::restore(20, frontier.peaks().to_vec()), None);
}

proptest! {
    #[test]
    fn large_trees_agree_too(size in 1..3000u64, at in any::<prop::sample::Index>()) {
        let (ours, theirs) = trees(size);
        let index = at.index(size as usize) as u64;
        let root = ours.root();
        prop_assert_eq!(root.0, <[u8; 32]>::from(*theirs.root().as_bytes()));

        let proof = prove_inclusion(&ours, index);
        prop_assert_eq!(verify_inclusion(leaf(index), index, size, &root, &proof), Ok(()));
        let checked = theirs.root().verify_inclusion(
            &index.to_be_bytes().to_vec(),
            index,
            &InclusionProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap(),
        );
        prop_assert!(checked.is_ok());

        let old = index + 1;
        let before = trees(old).0.root();
        let proof = prove_consistency(&ours, old);
        prop_assert_eq!(verify_consistency(old, &before, size, &root, &proof), Ok(()));
        // and theirs by ours
        let theirs_of_leaf = hashes(theirs.prove_inclusion(index as usize).as_bytes());
        prop_assert_eq!(verify_inclusion(leaf(index), index, size, &root, &theirs_of_leaf), Ok(()));
        if old < size {
            let theirs_of_growth = hashes(theirs.prove_consistency((size - old) as usize).as_bytes());
            prop_assert_eq!(verify_consistency(old, &before, size, &root, &theirs_of_growth), Ok(()));
            let checked = theirs.root().verify_consistency(
                &RootHash::new(before.0.into(), old),
                &ConsistencyProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap(),
            );
            prop_assert!(checked.is_ok());
        }
    }

    #[test]
    fn no_hash_of_a_proof_can_be_changed(size in 2..300u64, at in any::<prop::sample::Index>(), bit in 0..256usize) {
        let (tree, _) = trees(size);
        let root = tree.root();
        let index = at.index(size as usize) as u64;
        let proof = prove_inclusion(&tree, index);
        for changed in 0..proof.len() {
            let mut forged = proof.clone();
            forged[changed].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_inclusion(leaf(index), index, size, &root, &forged).is_err());
        }
        prop_assert!(verify_inclusion(leaf(index), index, size, &root, &proof[1..]).is_err());
        let longer = [proof.as_slice(), &[root]].concat();
        prop_assert!(verify_inclusion(leaf(index), index, size, &root, &longer).is_err());
    }

    #[test]
    fn arbitrary_proofs_prove_nothing(
        (a, b) in any::<(u64, u64)>(),
        hashes in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70),
        root in any::<[u8; 32]>().prop_map(Hash),
    ) {
        prop_assert!(verify_inclusion(root, a, b, &Hash([0; 32]), &hashes).is_err());
        prop_assert!(verify_consistency(a, &root, b, &Hash([0; 32]), &hashes).is_err());
    }
}
