//! A receipt proves what it is of, and nothing else.

use proptest::prelude::*;
use sayso_types::{ConsentVersion, WallTime};

use super::*;
use crate::key::{Cosigner, Signer};
use crate::leaf::{Actor, Fact, HybridClock, Place};
use crate::merkle::{Tree, inclusion};
use crate::{Checkpoint, Event, Reference, Scope, SubjectTag};

const NOW: WallTime = WallTime(1_767_225_600_000);

fn signer() -> Signer {
    Signer::new("home.example/sayso", &[7; 32]).unwrap()
}

fn cosigner() -> Cosigner {
    Cosigner::new("witness.example/w1", &[8; 32]).unwrap()
}

fn policy(quorum: &str) -> TrustPolicy {
    let (log, witness) = (signer(), cosigner());
    format!("log {}\nwitness one {}\nquorum {quorum}\n", log.verifier(), witness.verifier()).parse().unwrap()
}

/// Leaf `n` of the log: a withdrawal in effect.
fn entry(n: u64) -> Vec<u8> {
    let event = Event::WithdrawEffective { withdrawal: Reference([n as u8; 16]), scope: Scope::Everything };
    let (subject, actor, cv) = (Some(SubjectTag([3; 16])), Actor::SYSTEM, ConsentVersion(2));
    let fact = Fact { subject, actor, cv, profile_rev: 1, registry_rev: 0, epoch: 1, event };
    let wall = WallTime(NOW.0 + n);
    fact.at(Place { shard: 0, sequence: n, clock: HybridClock::default().next(wall), wall }).encode()
}

/// The receipt for leaf `index` of a log of `size`, whose checkpoint the witness has cosigned.
fn receipt(index: u64, size: u64) -> Receipt {
    let mut tree = Tree::new();
    (0..size).for_each(|n| tree.append(leaf_hash(&entry(n))));
    let checkpoint = Checkpoint::sign(size, tree.root(), &signer());
    let text = Checkpoint::unverified(&checkpoint).unwrap().text();
    let proof = inclusion(&tree, index, size).unwrap().unwrap();
    Receipt { entry: entry(index), index, proof, checkpoint: checkpoint + &cosigner().cosign(&text, NOW) }
}

#[test]
fn a_receipt_shows_what_is_on_record_and_who_vouches() {
    for (index, size) in [(0, 1), (0, 2), (4, 5), (6, 9), (200, 300)] {
        let text = receipt(index, size).encode();
        let read = Receipt::parse(&text).unwrap();
        assert_eq!(read.encode(), text);
        let (leaf, attested) = read.check(&policy("one")).unwrap();
        assert_eq!((leaf.encode(), leaf.fact.event.name()), (entry(index), "withdraw.effective"));
        assert_eq!((attested.checkpoint.size, attested.witnesses.len()), (size, 1));
    }
}

#[test]
fn a_receipt_stays_as_it_is() {
    assert_eq!(receipt(2, 5).encode(), include_str!("../../tests/golden/receipt.tlog-proof"));
}

#[test]
fn a_receipt_without_the_witness_waits_for_it() {
    let mut receipt = receipt(2, 5);
    let text = Checkpoint::unverified(&receipt.checkpoint).unwrap();
    receipt.checkpoint = Checkpoint::sign(5, text.root, &signer());
    assert_eq!(receipt.check(&policy("one")), Err(ReceiptError::Unwitnessed));
    assert!(receipt.check(&policy("none")).is_ok());
    assert_eq!(receipt.check(&TrustPolicy::logs_alone(vec![])), Err(NoteError::Unsigned.into()));
}

#[test]
fn says_what_is_wrong() {
    let text = receipt(2, 5).encode();
    let form = |from: &str, to: &str| match Receipt::parse(&text.replacen(from, to, 1)) {
        Err(ReceiptError::Form(what)) => what,
        other => panic!("{to:?}: {other:?}"),
    };
    assert!(form("@v1", "@v2").contains("first line"));
    assert!(form("extra ", "index ").contains("second line"));
    assert!(form("extra ", "extra !").contains("second line"));
    assert!(form("index 2", "index 02").contains("third line"));
    assert!(form("\n\nhome", "\nAAAA\n\nhome").contains("line of its proof"));
    assert!(Receipt::parse("").is_err() && Receipt::parse(&"x".repeat(RECEIPT_LEN_MAX + 1)).is_err());

    let elsewhere = Receipt { index: 3, ..receipt(2, 5) };
    assert!(matches!(elsewhere.check(&policy("one")), Err(ReceiptError::Proof(_))));
    let other_leaf = Receipt { entry: entry(1), ..receipt(2, 5) };
    assert!(matches!(other_leaf.check(&policy("one")), Err(ReceiptError::Proof(ProofError::Root))));
}

#[test]
fn every_bit_counts() {
    let text = receipt(2, 5).encode();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let checked = Receipt::parse(&changed).and_then(|receipt| receipt.check(&policy("one")));
            assert!(checked.is_err(), "byte {at}, bit {bit}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_a_receipt_or_an_error(
        text: String,
        lines in "(c2sp.org/tlog-proof@v1\n)?(extra AAAA\n|extra \n|index 0\n|index 1\n|AAAA\n|\n|a){0,9}",
    ) {
        for text in [text, lines] {
            if let Ok(receipt) = Receipt::parse(&text) {
                prop_assert_eq!(receipt.encode(), text);
                prop_assert!(receipt.check(&policy("one")).is_err());
            }
        }
    }
}
