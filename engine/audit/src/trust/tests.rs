//! Policies are read as the specification says, and quorums counted as they are written.

use proptest::prelude::*;

use super::*;
use crate::key::{Cosigner, KeyError, Signer};
use crate::merkle::Hash;

const LOG: &str = "home.example/sayso";
const NOW: WallTime = WallTime(1_767_225_600_000);

fn log() -> Signer {
    Signer::new(LOG, &[7; 32]).unwrap()
}

fn witness(n: u8) -> Cosigner {
    Cosigner::new(&format!("w{n}.example"), &[100 + n; 32]).unwrap()
}

/// A policy of the log and six witnesses, as the example of the specification has it, and these lines.
fn policy(lines: &str) -> Result<TrustPolicy, TrustError> {
    let mut text = format!("# whom we trust\nlog {}\n\n", log().verifier());
    for n in 1..=6 {
        text += &format!("  witness\tW{n}  {} http://w{n}.example/\n", witness(n).verifier());
    }
    (text + lines).parse()
}

fn problem(lines: &str) -> Problem {
    policy(lines).unwrap_err().problem
}

/// A checkpoint cosigned by these.
fn note(by: &[u8]) -> String {
    let text = Checkpoint { origin: LOG.to_owned(), size: 9, root: Hash([9; 32]) }.text();
    let cosignatures: String = by.iter().map(|n| witness(*n).cosign(&text, NOW)).collect();
    Checkpoint::sign(9, Hash([9; 32]), &log()) + &cosignatures
}

#[test]
fn the_example_of_the_specification() {
    let policy = policy("group X 2 W1 W2 W3\ngroup Y any W4 W5 W6\ngroup X-and-Y all X Y\nquorum X-and-Y\n").unwrap();
    assert!(policy.needs_witnesses());
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 6));
    assert_eq!(policy.witnesses()[1].url.as_deref(), Some("http://w2.example/"));
    let witnessed = |by: &[u8]| policy.open(&note(by)).unwrap().is_witnessed;
    assert!(witnessed(&[1, 2, 4]) && witnessed(&[3, 2, 6, 5]) && witnessed(&[1, 2, 3, 4, 5, 6]));
    assert!(!witnessed(&[]) && !witnessed(&[1, 4, 5, 6]) && !witnessed(&[1, 2, 3]));
    let attested = policy.open(&note(&[4, 1])).unwrap();
    let named: Vec<_> = attested.witnesses.iter().map(|w| (w.witness.as_str(), w.at_unix_ms)).collect();
    assert_eq!(named, [("W1", NOW.0), ("W4", NOW.0)]);
    assert_eq!(attested.checkpoint.size, 9);
}

#[test]
fn one_witness_and_none() {
    assert!(policy("quorum W3").unwrap().open(&note(&[3])).unwrap().is_witnessed);
    assert!(!policy("quorum W3").unwrap().open(&note(&[2])).unwrap().is_witnessed);
    let none = policy("quorum none").unwrap();
    assert!(!none.needs_witnesses() && none.open(&note(&[])).unwrap().is_witnessed);
}

#[test]
fn the_same_witness_twice_counts_once_and_with_its_last_word() {
    let policy = policy("group both all W1 W2\nquorum both").unwrap();
    let text = Checkpoint { origin: LOG.to_owned(), size: 9, root: Hash([9; 32]) }.text();
    let later = WallTime(NOW.0 + 5_000);
    let attested = policy.open(&(note(&[1]) + &witness(1).cosign(&text, later))).unwrap();
    assert!(!attested.is_witnessed);
    assert_eq!(attested.witnesses, [Attestation { witness: "W1".to_owned(), at_unix_ms: later.0 }]);
}

#[test]
fn a_cosignature_of_something_else_spoils_the_note() {
    let policy = policy("quorum W1").unwrap();
    let foreign = witness(1).cosign("home.example/sayso\n10\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n", NOW);
    assert_eq!(policy.open(&(note(&[]) + &foreign)), Err(NoteError::Signature));
    let stranger = Cosigner::new("w1.example", &[9; 32]).unwrap();
    assert!(!policy.open(&(note(&[]) + &stranger.cosign("x\n", NOW))).unwrap().is_witnessed, "it is nobody's word");
    let unsigned = note(&[1]).replace(LOG, "other.example/sayso");
    assert_eq!(policy.open(&unsigned), Err(NoteError::Unsigned), "witnesses do not stand in for the log");
}

#[test]
fn says_what_is_wrong_with_a_line() {
    let at = |lines: &str| policy(lines).unwrap_err().line;
    assert_eq!(at("quorum W1\nquorum W2"), 11);
    assert_eq!(at("quorum W9"), 10);
    assert_eq!(problem(""), Problem::Quorum);
    assert_eq!(problem("quorum W1\nquorum none"), Problem::Quorum);
    assert_eq!(problem("trust me"), Problem::Keyword("trust".to_owned()));
    assert_eq!(problem("quorum"), Problem::Form("quorum NAME|none"));
    assert_eq!(problem("group g all"), Problem::Form("group NAME all|any|NUMBER MEMBER…"));
    assert_eq!(problem("witness W7"), Problem::Form("witness NAME VKEY [URL]"));
    assert_eq!(problem("log"), Problem::Form("log VKEY [URL]"));
    assert_eq!(problem("log x"), Problem::Key(KeyError::Format));
    assert_eq!(problem(&format!("log {}", witness(7).verifier())), Problem::Key(KeyError::Key));
    assert_eq!(problem(&format!("witness W7 {}", log().verifier())), Problem::Key(KeyError::Key));
    assert_eq!(problem(&format!("log {}", log().verifier())), Problem::KeyTwice);
    let renamed = Cosigner::new("another.example", &[101; 32]).unwrap();
    assert_eq!(problem(&format!("witness W7 {}", renamed.verifier())), Problem::KeyTwice);
    assert_eq!(problem(&format!("witness W1 {}", witness(7).verifier())), Problem::NameTwice("W1".to_owned()));
    assert_eq!(problem("group none any W1"), Problem::NameTwice("none".to_owned()));
    assert_eq!(problem("group W1 any W2"), Problem::NameTwice("W1".to_owned()));
    assert_eq!(problem("group g any none"), Problem::Unknown("none".to_owned()));
    assert_eq!(problem("group g any g"), Problem::Unknown("g".to_owned()));
    assert_eq!(problem("group g any W1\ngroup h any W1"), Problem::MemberTwice("W1".to_owned()));
    for threshold in ["0", "3", "+1", "-1", "two", "99999999999999999999"] {
        let wrong = problem(&format!("group g {threshold} W1 W2"));
        assert_eq!(wrong, Problem::Threshold(threshold.to_owned()));
    }
    assert_eq!(problem("quorum\rW1"), Problem::Control);
    let many: String = (10..40).map(|n| format!("witness W{n} {}\n", witness(n).verifier())).collect();
    assert_eq!(problem(&many), Problem::TooMany("the witnesses"));
}

proptest! {
    #[test]
    fn any_text_is_a_policy_or_an_error(text: String, lines in "(log a\n|quorum none\n|group a all a\n|# a\n|\n| ){0,9}") {
        let _ = text.parse::<TrustPolicy>();
        let _ = lines.parse::<TrustPolicy>();
    }

    #[test]
    fn more_cosignatures_never_make_it_less(
        needed in 1..=6usize,
        mut by in prop::collection::btree_set(1..=6u8, 0..=6),
        one in 1..=6u8,
    ) {
        let policy = policy(&format!("group g {needed} W1 W2 W3 W4 W5 W6\nquorum g")).unwrap();
        let witnessed = |by: &std::collections::BTreeSet<u8>| {
            policy.open(&note(&by.iter().copied().collect::<Vec<_>>())).unwrap().is_witnessed
        };
        let before = witnessed(&by);
        prop_assert_eq!(before, by.len() >= needed);
        by.insert(one);
        prop_assert!(witnessed(&by) || !before);
    }
}
