//! What witnesses add: how far a log is evidence against its own keeper.

use sayso_audit::tile::WITNESSED_PATH;
use sayso_audit::verify::Error;
use sayso_audit::{Cosigner, NoteError, Trust, verify_log};
use sayso_types::WallTime;

use crate::log::{Log, Story, signer};

/// When the witnesses look at the log.
const NOW: WallTime = WallTime(1_767_225_600_000);

fn cosigner(n: u8) -> Cosigner {
    Cosigner::new(&format!("w{n}.example"), &[100 + n; 32]).unwrap()
}

/// Trust in the log, and in both of two witnesses together.
fn both() -> Trust {
    let (log, one, two) = (signer(), cosigner(1), cosigner(2));
    let text = format!(
        "log {}\nwitness one {}\nwitness two {}\ngroup both all one two\nquorum both\n",
        log.verifier(),
        one.verifier(),
        two.verifier()
    );
    Trust::by(text.parse().unwrap())
}

/// The checkpoint of `log`, cosigned by these witnesses.
fn cosigned(log: &Log, by: &[u8]) -> Vec<u8> {
    let text = log.checkpoint().text();
    let lines: String = by.iter().map(|n| cosigner(*n).cosign(&text, NOW)).collect();
    [log.0["checkpoint"].as_slice(), lines.as_bytes()].concat()
}

/// A log of `size` leaves whose first `old` leaves are witnessed.
fn grown(old: usize, size: usize) -> Log {
    let story = Story::long(size);
    let mut log = story.log();
    log.0.insert(WITNESSED_PATH.into(), cosigned(&Log::of(&story.entries()[..old]), &[1, 2]));
    log
}

#[test]
fn a_log_that_the_quorum_has_cosigned_is_anchored_to_its_end() {
    let mut log = Story::usual().log();
    log.0.insert("checkpoint".into(), cosigned(&log, &[2, 1]));
    let witnessed = verify_log(&log, &both()).unwrap().witnessed.unwrap();
    assert_eq!((witnessed.size, witnessed.unanchored, witnessed.by.len()), (14, 0, 2));
    assert_eq!(witnessed.by[0].at_unix_ms, NOW.0);
    assert_eq!(log.verify().unwrap().witnessed, None, "whoever asks for no witnesses is told nothing of them");
}

#[test]
fn without_the_quorum_nothing_is_evidence() {
    let mut log = Story::usual().log();
    assert!(matches!(verify_log(&log, &both()), Err(Error::Unwitnessed)));
    log.0.insert("checkpoint".into(), cosigned(&log, &[1]));
    assert!(matches!(verify_log(&log, &both()), Err(Error::Unwitnessed)));
    log.0.insert(WITNESSED_PATH.into(), cosigned(&Log::of(&Story::usual().entries()[..9]), &[2]));
    assert!(matches!(verify_log(&log, &both()), Err(Error::Unwitnessed)), "each alone is not both");
}

#[test]
fn what_came_after_the_witnessed_checkpoint_is_told_apart() {
    for (old, size) in [(200, 300), (255, 257), (299, 300)] {
        let witnessed = verify_log(&grown(old, size), &both()).unwrap().witnessed.unwrap();
        assert_eq!((witnessed.size, witnessed.unanchored), (old as u64, (size - old) as u64));
    }
}

#[test]
fn a_log_that_has_not_grown_from_what_was_witnessed_is_refused() {
    let mut rewritten = Story::long(300);
    rewritten.leaves[50].fact.profile_rev += 1;
    let mut log = rewritten.log();
    log.0.insert(WITNESSED_PATH.into(), grown(200, 300).0[WITNESSED_PATH].clone());
    assert!(matches!(verify_log(&log, &both()), Err(Error::Forked { size: 200 })));

    let mut cut_off = Log::of(&Story::long(300).entries()[..190]);
    cut_off.0.insert(WITNESSED_PATH.into(), grown(200, 300).0[WITNESSED_PATH].clone());
    assert!(matches!(verify_log(&cut_off, &both()), Err(Error::Forked { size: 200 })));
}

#[test]
fn every_bit_of_a_witnessed_checkpoint_counts() {
    let log = grown(200, 300);
    for at in 0..log.0[WITNESSED_PATH].len() {
        for bit in 0..8 {
            let mut damaged = log.clone();
            damaged.0.get_mut(WITNESSED_PATH).unwrap()[at] ^= 1 << bit;
            assert!(verify_log(&damaged, &both()).is_err(), "byte {at}, bit {bit}");
        }
    }
    let mut damaged = log;
    damaged.0.insert(WITNESSED_PATH.into(), b"nonsense".to_vec());
    let refused = verify_log(&damaged, &both());
    assert!(matches!(refused, Err(Error::Checkpoint { path: WITNESSED_PATH, source: NoteError::Note })));
}
