//! The encoding: what is written is read back, nothing else is read, and it never changes.

mod strategies;

use proptest::prelude::*;
use sayso_types::{Category, Cell, ProcessorKind, Purpose, RegionClass, TurnId};

use self::strategies::leaves;
use super::*;
use crate::Reference;

proptest! {
    #[test]
    fn what_is_written_is_read_back(leaf in leaves()) {
        let bytes = leaf.encode();
        prop_assert!(bytes.len() <= LEN_MAX);
        prop_assert_eq!(Leaf::decode(&bytes), Ok(leaf));
    }

    #[test]
    fn there_is_one_encoding_only(leaf in leaves(), at in any::<prop::sample::Index>(), with: u8) {
        let mut bytes = leaf.encode();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != with);
        bytes[at] = with;
        if let Ok(other) = Leaf::decode(&bytes) {
            prop_assert_ne!(&other, &leaf);
            prop_assert_eq!(other.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_a_leaf_or_an_error(bytes: Vec<u8>) {
        if let Ok(leaf) = Leaf::decode(&bytes) {
            prop_assert_eq!(leaf.encode(), bytes);
        }
    }

    #[test]
    fn the_hybrid_clock_never_goes_back(walls in prop::collection::vec(any::<u64>(), 1..50)) {
        let mut clock = HybridClock::default();
        for wall in walls {
            let next = clock.next(WallTime(wall >> 16));
            prop_assert!(next > clock || clock.0 == u64::MAX);
            prop_assert!(next.0 >> 16 >= wall >> 16);
            clock = next;
        }
    }
}

fn opened() -> Leaf {
    let cell = Cell {
        purpose: Purpose::VOICE_INTERACTION,
        category: Category::VOICE_AUDIO,
        kind: ProcessorKind::Asr,
        region: RegionClass::Local,
    };
    let processor = "whisper-local".parse().unwrap();
    Fact {
        subject: Some(SubjectTag([0xaa; 16])),
        actor: Actor::SYSTEM,
        cv: ConsentVersion(2),
        profile_rev: 1,
        registry_rev: 0,
        epoch: 5,
        event: Event::SegmentOpened { segment: Reference([0xbb; 16]), cell, processor, turn: TurnId(3) },
    }
    .at(Place { shard: 4, sequence: 9, clock: HybridClock(0x10_0000), wall: WallTime(16) })
}

/// Leaves outlive releases: these bytes must stay what they are.
#[test]
fn version_1_stays_as_it_is() {
    let hex = hex::encode(opened().encode());
    let golden = [
        "0801",                                                                           // version
        "12156567726573732e7365676d656e745f6f70656e6564",                                 // event
        "1a10aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",                                           // subject tag
        "20042809308080403810", // shard, sequence, hybrid clock, wall time
        "4006",                 // actor
        "500258016805",         // consent version, profile revision, epoch
        "7801",                 // verdict
        "8a01240a11766f6963655f696e746572616374696f6e120b766f6963655f617564696f18022001", // cell
        "92010d776869737065722d6c6f63616c", // processor
        "980103",               // turn
        "ba0110bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", // reference
    ];
    assert_eq!(hex, golden.concat());
}

#[test]
fn says_what_is_wrong() {
    let change = |change: fn(&mut AuditLeaf)| {
        let mut wire = wire::write(&opened());
        change(&mut wire);
        Leaf::decode(&wire.encode_to_vec()).unwrap_err()
    };
    assert_eq!(change(|w| w.version = 2), LeafError::Version(2));
    assert_eq!(change(|w| w.event = "egress.opened".into()), LeafError::Event("egress.opened".into()));
    assert_eq!(change(|w| w.cell = None), LeafError::Field("cell"));
    assert_eq!(change(|w| w.reference.push(1)), LeafError::Field("reference"));
    assert_eq!(change(|w| w.processor_id = "Whisper".into()), LeafError::Field("processor_id"));
    assert_eq!(change(|w| w.actor = 99), LeafError::Field("actor"));
    assert_eq!(change(|w| w.bytes = 1), LeafError::NotCanonical, "a field that this event does not have");
    assert_eq!(change(|w| w.verdict = 2), LeafError::NotCanonical);

    let mut unknown = opened().encode();
    unknown.extend([0xfa, 0x7f, 0x00]);
    assert_eq!(Leaf::decode(&unknown), Err(LeafError::NotCanonical), "a field that nobody knows");
}
