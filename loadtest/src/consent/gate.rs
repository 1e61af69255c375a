//! What a gate costs a frame: the check, the count and the hash, against the hash alone.

use std::hint::black_box;
use std::time::Duration;

use sayso_audio::FRAME_SAMPLES;
use sayso_policy::{Labelled, Terms, permit};
use sayso_types::{
    Category, Cell, ConsentVersion, Label, Name, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TurnId,
};
use sha2::{Digest, Sha256};

use crate::figure::Figure;
use crate::lab::{Ground, usage};

/// Longer than the measurement.
const TTL: Duration = Duration::from_secs(600);
/// Passes of a round.
const PASSES: u32 = 20_000;
/// Rounds: the least of them is what it takes when nothing disturbs.
const ROUNDS: usize = 20;

pub(super) fn measure(ground: &Ground) -> [Figure; 2] {
    let label = Label {
        subject: SubjectId([1; 16]),
        category: Category::VOICE_AUDIO,
        purpose: Purpose::VOICE_INTERACTION,
        turn: TurnId(1),
        cv: ConsentVersion(1),
    };
    let (category, purpose) = (label.category, label.purpose);
    let terms = Terms {
        subject: label.subject,
        cell: Cell { purpose, category, kind: ProcessorKind::Asr, region: RegionClass::Local },
        processor: ProcessorId(Name::constant("whisper-local")),
        cv: label.cv,
        bytes_max: None,
    };
    let (permit, _revoker) = permit::issue(terms, ground.clock.clone(), ground.clock.now(), TTL);
    let check = least(|| permit.guard(|| black_box(())).is_ok());
    // allocated for both: a frame is given away
    let pass = least(|| permit.pass(Labelled::new(label, vec![0_i16; FRAME_SAMPLES]), black_box).is_ok());
    let hash = least(|| {
        let frame = black_box(vec![0_i16; FRAME_SAMPLES]);
        let bytes: Vec<u8> = frame.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        black_box(Sha256::digest(&bytes));
        true
    });
    [
        Figure::new("gate, the check", "ns", check),
        Figure::new("gate, a frame counted and hashed", "ns", pass).above(hash),
    ]
}

/// Nanoseconds of CPU time that `work` takes at least.
fn least(mut work: impl FnMut() -> bool) -> f64 {
    let round = |_| {
        let before = usage::thread_cpu();
        let done = (0..PASSES).filter(|_| work()).count();
        let took = usage::thread_cpu().saturating_sub(before);
        assert_eq!(done, PASSES as usize, "the permit outlives the measurement");
        took.as_nanos() as f64 / f64::from(PASSES)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
