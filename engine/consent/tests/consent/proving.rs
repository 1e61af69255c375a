//! Proofs and receipts that the journal makes of its leaves.

use sayso_audit::merkle::{Tree, leaf_hash, verify_consistency, verify_inclusion};
use sayso_audit::{Event, Hash, Reference, Signer, TrustPolicy};
use sayso_consent::Means;
use sayso_types::Name;

use crate::world::{VOICE, World};

fn signer() -> Signer {
    Signer::new("home.example/sayso", &[7; 32]).unwrap()
}

/// More leaves than two blocks of hashes.
async fn grown() -> World {
    let world = World::new().await;
    let appends = (0..600).map(|_| world.journal().operator(sayso_audit::Actor::SYSTEM, Name::constant("look"), 1));
    assert!(futures::future::join_all(appends).await.iter().all(Result::is_ok));
    world
}

#[tokio::test]
async fn every_proof_is_that_of_the_whole_tree() {
    let world = grown().await;
    let leaves = world.leaves().await;
    let mut tree = Tree::new();
    let mut roots = vec![tree.root()];
    for leaf in &leaves {
        tree.append(leaf_hash(&leaf.encode()));
        roots.push(tree.root());
    }
    let size = tree.size();
    for (index, size) in
        [(0, 1), (0, size), (255, 256), (256, 257), (300, 511), (511, 512), (600, size), (size - 1, size)]
    {
        let proof = world.journal().prove_inclusion(index, size).await.unwrap().unwrap();
        let leaf = leaf_hash(&leaves[index as usize].encode());
        assert_eq!(verify_inclusion(leaf, index, size, &roots[size as usize], &proof), Ok(()), "{index} of {size}");
    }
    for (old, new) in [(0, size), (1, 2), (256, 257), (255, 600), (512, size), (600, size), (size, size)] {
        let proof = world.journal().prove_consistency(old, new).await.unwrap().unwrap();
        let of = |size: u64| &roots[size as usize];
        assert_eq!(verify_consistency(old, of(old), new, of(new), &proof), Ok(()), "{old} to {new}");
    }
    assert_eq!(world.journal().prove_inclusion(size, size).await.unwrap(), None);
    assert_eq!(world.journal().prove_consistency(2, 1).await.unwrap(), None);
    assert!(world.journal().prove_consistency(1, size + 1).await.is_err(), "there are not as many leaves");
}

#[tokio::test]
async fn a_withdrawal_has_a_receipt_as_soon_as_it_is_in_effect() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let policy = TrustPolicy::logs_alone(vec![signer().verifier().clone()]);
    let withdrawn = world.register.withdraw(person, &[], Means::Voice).await.unwrap();
    let receipt = world.journal().receipt(Reference(withdrawn.id), &signer()).await.unwrap();
    let (receipt, is_witnessed) = receipt.unwrap();
    assert!(!is_witnessed);
    let (leaf, attested) = receipt.check(&policy).unwrap();
    assert!(matches!(leaf.fact.event, Event::WithdrawEffective { withdrawal, .. } if withdrawal.0 == withdrawn.id));
    assert_eq!(attested.checkpoint.size, world.size().await);

    let (_, records) = world.register.records(person).await.unwrap();
    let record = Reference(records[0].record_id.as_slice().try_into().unwrap());
    let (receipt, _) = world.journal().receipt(record, &signer()).await.unwrap().unwrap();
    assert_eq!(receipt.check(&policy).unwrap().0.fact.event.name(), "consent.given");
    assert_eq!(world.journal().receipt(Reference([9; 16]), &signer()).await.unwrap(), None);

    let listed = world.register.withdrawals(person).await.unwrap();
    assert_eq!(listed[0].withdrawal_id, withdrawn.id);
}

#[tokio::test]
async fn a_receipt_is_of_the_witnessed_checkpoint_where_that_covers_it() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let withdrawn = Reference(world.register.withdraw(person, &[], Means::Voice).await.unwrap().id);
    let (size, root) = world.journal().head().await.unwrap();
    let receipt = async || world.journal().receipt(withdrawn, &signer()).await.unwrap().unwrap();
    let keep = async |size: u64, root: Hash| {
        world.journal().keep_witnessed(&sayso_audit::Checkpoint::sign(size, root, &signer())).await.unwrap();
    };
    keep(1, leaf_hash(&world.leaves().await[0].encode())).await;
    assert!(!receipt().await.1, "it came later");
    keep(size, root).await;
    let _ = world.person(&[VOICE]).await;
    let (receipt, is_witnessed) = receipt().await;
    assert!(is_witnessed && world.size().await > size);
    let policy = TrustPolicy::logs_alone(vec![signer().verifier().clone()]);
    assert_eq!(receipt.check(&policy).unwrap().1.checkpoint.size, size);
}

#[tokio::test]
async fn another_signing_key_is_put_on_record() {
    let world = World::new().await;
    let next = Signer::new("home.example/sayso", &[8; 32]).unwrap();
    let rotations = async || {
        let leaves = world.leaves().await;
        leaves.iter().filter(|leaf| matches!(leaf.fact.event, Event::LogKeyRotated { .. })).count()
    };
    for (key, expected) in [(signer(), 0), (signer(), 0), (next, 1)] {
        world.journal().sign_with(key.verifier()).await.unwrap();
        assert_eq!(world.journal().signing_key().await.unwrap(), Some(key.verifier().to_string()));
        assert_eq!(rotations().await, expected);
    }
}
