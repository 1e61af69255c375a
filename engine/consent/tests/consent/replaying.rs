//! What an auditor finds who has the profile: verdicts are recomputed from what people had agreed to.

use std::sync::Arc;

use sayso_audit::{Event, Leaf, Reference};
use sayso_consent::{Means, Replay, Replayed};
use sayso_policy::Profile;
use sayso_types::{ProcessorId, Purpose};

use crate::world::{MEMORY, VOICE, World, profile};

fn replay(leaves: &[Leaf], profile: Profile) -> Replayed {
    let mut replay = Replay::new(Arc::new(profile));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    replay.finish()
}

/// A person who agreed, spoke, and withdrew: all that there is on record.
async fn story() -> Vec<Leaf> {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    drop(world.listen(person).await.unwrap());
    drop(world.listen(person).await.unwrap());
    assert!(world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);
    assert!(world.listen(person).await.is_err());
    world.again().await.leaves().await
}

fn position(leaves: &[Leaf], name: &str) -> usize {
    leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap()
}

/// A copy of the first segment, opened again where leaf `at` is.
fn late(leaves: &[Leaf], at: usize) -> Vec<Leaf> {
    let mut forged = leaves[position(leaves, "egress.segment_opened")].clone();
    forged.fact.cv = leaves[at - 1].fact.cv;
    if let Event::SegmentOpened { segment, .. } = &mut forged.fact.event {
        *segment = Reference([9; 16]);
    }
    let mut leaves = leaves.to_vec();
    forged.place = leaves[at].place;
    leaves.insert(at, forged);
    leaves
}

#[tokio::test]
async fn every_verdict_of_the_engine_is_what_the_profile_says() {
    let leaves = story().await;
    assert_eq!(replay(&leaves, profile()), Replayed { checked: 2, others: 0, denied: vec![] });
}

/// W8 of the design: whoever has stolen the log's key adds one late segment, and signs the log anew.
#[tokio::test]
async fn a_forged_late_segment_is_found() {
    let leaves = story().await;
    for after in ["withdraw.requested", "withdraw.effective"] {
        let at = position(&leaves, after) + 1;
        let found = replay(&late(&leaves, at), profile());
        assert_eq!((found.checked, found.denied), (3, vec![at as u64]), "after {after}");
    }
    let at = position(&leaves, "withdraw.requested");
    assert_eq!(replay(&late(&leaves, at), profile()).denied, [0; 0], "before it, it was allowed");
}

#[tokio::test]
async fn a_segment_to_somebody_else_or_for_something_else_is_found() {
    let leaves = story().await;
    let opened = position(&leaves, "egress.segment_opened");
    let changes: [fn(&mut Event); 3] = [
        |event| {
            let Event::SegmentOpened { processor, .. } = event else { unreachable!() };
            *processor = "somebody-else".parse::<ProcessorId>().unwrap();
        },
        |event| {
            let Event::SegmentOpened { cell, .. } = event else { unreachable!() };
            cell.purpose = "marketing".parse::<Purpose>().unwrap();
        },
        |event| {
            let Event::SegmentOpened { cell, .. } = event else { unreachable!() };
            cell.region = sayso_types::RegionClass::Overseas;
        },
    ];
    for change in changes {
        let mut forged = leaves.clone();
        change(&mut forged[opened].fact.event);
        assert_eq!(replay(&forged, profile()).denied, [opened as u64]);
    }
}

#[tokio::test]
async fn one_persons_consent_is_not_anothers() {
    let mut leaves = story().await;
    let opened = position(&leaves, "egress.segment_opened");
    leaves[opened].fact.subject = Some(sayso_audit::SubjectTag([9; 16]));
    assert_eq!(replay(&leaves, profile()).denied, [opened as u64]);
    leaves[opened].fact.subject = None;
    assert_eq!(replay(&leaves, profile()).denied, [opened as u64]);
}

#[tokio::test]
async fn what_was_done_under_another_profile_is_counted_and_not_judged() {
    let leaves = story().await;
    let text = include_str!("../profile.toml");
    assert_eq!(replay(&leaves, Profile::parse(text).unwrap()), Replayed { checked: 0, others: 2, denied: vec![] });
}
