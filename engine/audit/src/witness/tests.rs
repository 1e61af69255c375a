//! A witness that is told everything that a log, a thief of its key, or a stranger can say.

use proptest::prelude::*;

use super::*;
use crate::key::Signer;
use crate::merkle::{Tree, consistency, leaf_hash};
use crate::note::NOTE_LEN_MAX;

const LOG: &str = "home.example/sayso";

fn signer() -> Signer {
    Signer::new(LOG, &[7; 32]).unwrap()
}

/// The tree whose leaf `n` is the number `n`, but for those from `other` on.
fn tree(size: u64, other: u64) -> Tree {
    let mut tree = Tree::new();
    (0..size).for_each(|n| tree.append(leaf_hash(&[u8::from(n >= other), n as u8])));
    tree
}

fn honest(size: u64) -> Tree {
    tree(size, u64::MAX)
}

fn request(old: u64, tree: &Tree) -> AddCheckpoint {
    let proof = consistency(tree, old, tree.size()).unwrap().unwrap_or_default();
    AddCheckpoint { old, proof, note: Checkpoint::sign(tree.size(), tree.root(), &signer()) }
}

fn of(tree: &Tree) -> Checkpoint {
    Checkpoint { origin: LOG.to_owned(), size: tree.size(), root: tree.root() }
}

fn ask(request: &AddCheckpoint, last: Option<&Tree>) -> Result<Checkpoint, Refusal> {
    let keys = [signer().verifier().clone()];
    let again = AddCheckpoint::parse(&request.encode()).unwrap();
    assert_eq!(&again, request);
    judge(&again, &keys, |_| last.map(of))
}

#[test]
fn a_log_that_grows_is_cosigned() {
    for (old, new) in [(0, 0), (0, 1), (0, 9), (1, 2), (5, 5), (5, 9), (8, 9), (8, 16), (100, 200)] {
        let last = (old > 0).then(|| honest(old));
        assert_eq!(ask(&request(old, &honest(new)), last.as_ref()), Ok(of(&honest(new))), "{old} to {new}");
    }
}

#[test]
fn every_refusal_has_its_status() {
    let (nine, five) = (honest(9), honest(5));
    let status = |request: &AddCheckpoint, last: Option<&Tree>| ask(request, last).unwrap_err().status();

    let stranger = Signer::new("other.example/sayso", &[7; 32]).unwrap();
    let unknown = AddCheckpoint { note: Checkpoint::sign(9, nine.root(), &stranger), ..request(0, &nine) };
    assert_eq!(status(&unknown, None), 404);
    let stolen_name = Signer::new(LOG, &[8; 32]).unwrap();
    let unsigned = AddCheckpoint { note: Checkpoint::sign(9, nine.root(), &stolen_name), ..request(0, &nine) };
    assert_eq!(status(&unsigned, None), 403);

    assert_eq!(status(&AddCheckpoint { old: 10, ..request(0, &nine) }, None), 400, "an old size beyond the new one");
    assert_eq!(ask(&request(0, &nine), Some(&five)), Err(Refusal::OtherSize { size: 5 }));
    assert_eq!(ask(&request(5, &nine), None), Err(Refusal::OtherSize { size: 0 }));
    assert_eq!(status(&request(5, &nine), Some(&honest(7))), 409);

    let no_proof = AddCheckpoint { proof: Vec::new(), ..request(5, &nine) };
    assert_eq!(ask(&no_proof, Some(&five)), Err(Refusal::Inconsistent { old: 5 }));
    let needless = AddCheckpoint { proof: vec![nine.root()], ..request(0, &nine) };
    assert_eq!(status(&needless, None), 422, "from nothing there is nothing to prove");
}

#[test]
fn another_past_signed_with_the_stolen_key_is_evidence() {
    let seen = honest(9);
    for size in 9..40 {
        let rewritten = tree(size, 3);
        let refused = ask(&request(9, &rewritten), Some(&seen)).unwrap_err();
        assert!(refused.is_evidence(), "{size}: {refused}");
        assert_eq!(refused.status(), if size == 9 { 409 } else { 422 });
    }
    let shorter = ask(&request(5, &tree(5, 3)), Some(&seen)).unwrap_err();
    assert_eq!(shorter, Refusal::OtherSize { size: 9 }, "whoever asks sees that the log was longer");
    let empty = AddCheckpoint { old: 0, proof: Vec::new(), note: Checkpoint::sign(0, Hash([1; 32]), &signer()) };
    assert_eq!(ask(&empty, None), Err(Refusal::Fork { size: 0 }), "there is one empty tree");
}

#[test]
fn requests_have_one_spelling() {
    let body = request(5, &honest(9)).encode();
    assert!(body.starts_with("old 5\n"));
    for (from, to) in [
        ("old 5\n", "old 05\n"),
        ("old 5\n", "old +5\n"),
        ("old 5\n", "old  5\n"),
        ("old 5\n", "old 5 \n"),
        ("old 5\n", "old 5\r\n"),
        ("old 5\n", "5\n"),
        ("old 5\n", "old 18446744073709551616\n"),
        ("old 5\n", "old 5\nAAAA\n"),
        ("old 5\n", "old 5\n \n"),
        ("\n\n", "\n"),
    ] {
        let changed = body.replacen(from, to, 1);
        let read = AddCheckpoint::parse(&changed);
        let judged = read.and_then(|request| judge(&request, &[signer().verifier().clone()], |_| Some(of(&honest(5)))));
        assert!(matches!(judged, Err(Refusal::Malformed(_))), "{to:?}");
    }
    let long = AddCheckpoint { proof: vec![Hash([0; 32]); PROOF_LEN_MAX + 1], ..request(5, &honest(9)) };
    assert!(matches!(AddCheckpoint::parse(&long.encode()), Err(Refusal::Malformed(_))));
    assert!(AddCheckpoint::parse(&"x".repeat(REQUEST_LEN_MAX + 1)).is_err());
    let longest = AddCheckpoint { old: u64::MAX, proof: vec![Hash([0; 32]); 63], note: "x".repeat(NOTE_LEN_MAX) };
    assert!(longest.encode().len() <= REQUEST_LEN_MAX && AddCheckpoint::parse(&longest.encode()).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_a_request_or_a_refusal(text: String, lines in "(old 0\n|\n|AAAA\n|a\n){0,9}") {
        for body in [text, lines] {
            if let Ok(request) = AddCheckpoint::parse(&body) {
                prop_assert_eq!(request.encode(), body);
                prop_assert!(judge(&request, &[signer().verifier().clone()], |_| None).is_err());
            }
        }
    }

    #[test]
    fn nothing_but_growth_is_cosigned(old in 1..60u64, new in 0..90u64, other in 0..90u64, claimed in 0..60u64) {
        let (last, next) = (honest(old), tree(new, other));
        let cosigned = ask(&request(claimed, &next), Some(&last)).is_ok();
        let has_grown = new >= old && other >= old;
        prop_assert_eq!(cosigned, has_grown && claimed == old);
    }
}
