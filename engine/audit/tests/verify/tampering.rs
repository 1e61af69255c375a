//! Whatever is done to the files of a signed log is found.

use proptest::prelude::*;
use sayso_audit::NoteError;
use sayso_audit::verify::{Error, Rule};
use sayso_audit::{Signer, Trust, verify_log};

use crate::log::{Log, Story, trust};

/// More leaves than a tile holds, so that there are full and partial files and a second row.
const LONG: usize = 300;

#[test]
fn a_sound_log_has_nothing_to_find() {
    let report = Story::usual().log().verify().unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.size, 14);
    assert_eq!((report.bytes, report.uncounted), (4 * 640, 0));
    assert_eq!(report.events["egress.segment_opened"], 4);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["origin"], "home.example/sayso/shard/4");
    assert_eq!(json["root"].as_str().map(str::len), Some(64));

    for size in [255, 256, 257, LONG] {
        assert_eq!(Story::long(size).log().verify().unwrap().findings, [], "{size} leaves");
    }
    assert_eq!(Log::of(&[]).verify().unwrap().size, 0);
}

#[test]
fn every_bit_of_every_file_counts() {
    let log = Story::usual().log();
    for (path, bytes) in &log.0 {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = log.clone();
                damaged.0.get_mut(path).unwrap()[at] ^= 1 << bit;
                assert!(damaged.verify().is_err(), "{path}, byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn every_file_is_needed_whole_and_no_longer() {
    let log = Story::long(LONG).log();
    assert_eq!(log.0.len(), 6, "checkpoint, two bundles, two tiles and the one above");
    for path in log.0.keys() {
        let mut without = log.clone();
        without.0.remove(path);
        assert!(matches!(without.verify(), Err(Error::Missing { path: missing }) if missing == *path));

        let mut short = log.clone();
        short.0.get_mut(path).unwrap().pop();
        assert!(short.verify().is_err(), "{path} cut short");

        let mut long = log.clone();
        long.0.get_mut(path).unwrap().push(0);
        assert!(long.verify().is_err(), "{path} with a byte more");
    }
}

#[test]
fn a_cut_off_tail_is_missed() {
    let (long, short) = (Story::long(LONG), Story::long(LONG - 10));
    let mut cut = short.log();
    cut.0.insert("checkpoint".into(), long.log().0["checkpoint"].clone());
    assert!(matches!(cut.verify(), Err(Error::Missing { .. })));

    // with its own, older checkpoint a shorter log is sound; whoever saw the newer one knows better
    let short = short.log();
    assert!(short.verify().is_ok());
    let trust = Trust { seen: vec![long.log().checkpoint()], ..trust() };
    assert!(matches!(verify_log(&short, &trust), Err(Error::Forked { size: 300 })));
}

#[test]
fn a_past_rewritten_with_the_right_key_differs_from_what_was_seen() {
    let honest = Story::long(LONG);
    let seen = Log::of(&honest.entries()[..200]).checkpoint();
    let trust = Trust { seen: vec![seen], ..trust() };
    assert!(verify_log(&honest.log(), &trust).is_ok());

    let mut rewritten = honest;
    rewritten.leaves[50].fact.profile_rev += 1;
    assert!(rewritten.log().verify().is_ok(), "nobody who has seen nothing can tell");
    assert!(matches!(verify_log(&rewritten.log(), &trust), Err(Error::Forked { size: 200 })));
}

#[test]
fn moved_and_dropped_leaves_do_not_have_the_signed_root() {
    let entries = Story::usual().entries();
    let signed = Log::of(&entries).0["checkpoint"].clone();
    let with_signature_of_the_original = |entries: &[Vec<u8>]| {
        let mut log = Log::of(entries);
        log.0.insert("checkpoint".into(), signed.clone());
        log.verify()
    };
    for at in 0..entries.len() - 1 {
        let mut moved = entries.clone();
        moved.swap(at, at + 1);
        assert!(matches!(with_signature_of_the_original(&moved), Err(Error::Root { .. })), "{at}");

        let mut dropped = entries.clone();
        dropped.remove(at);
        assert!(with_signature_of_the_original(&dropped).is_err(), "{at}");
    }
}

#[test]
fn moved_and_dropped_leaves_show_even_when_signed_anew() {
    let entries = Story::usual().entries();
    for at in 0..entries.len() - 1 {
        let mut moved = entries.clone();
        moved.swap(at, at + 1);
        let report = Log::of(&moved).verify().unwrap();
        assert!(report.violations().any(|f| f.rule == Rule::SequenceBroken && f.leaf == at as u64), "{at}");
        assert!(report.violations().any(|f| f.rule == Rule::ClockWentBack), "{at}");

        let mut dropped = entries.clone();
        dropped.remove(at);
        let report = Log::of(&dropped).verify().unwrap();
        assert!(report.violations().any(|f| f.rule == Rule::SequenceBroken && f.leaf == at as u64), "{at}");
    }
}

#[test]
fn only_the_logs_own_key_counts() {
    let log = Story::usual().log();
    let stranger = Signer::new("home.example/sayso/shard/4", &[8; 32]).unwrap();
    let trust = Trust::new(vec![stranger.verifier().clone()]);
    assert!(matches!(verify_log(&log, &trust), Err(Error::Checkpoint { source: NoteError::Unsigned, .. })));
}

#[test]
fn entries_that_are_no_leaves_are_named() {
    let mut entries = Story::usual().entries();
    entries[3] = b"not a leaf".to_vec();
    assert!(matches!(Log::of(&entries).verify(), Err(Error::Leaf { index: 3, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_bit_of_a_long_log_counts(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let mut log = Story::long(LONG).log();
        let path = log.0.keys().nth(file.index(log.0.len())).unwrap().clone();
        let bytes = log.0.get_mut(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(log.verify().is_err(), "{path}, byte {at}, bit {bit}");
    }
}
