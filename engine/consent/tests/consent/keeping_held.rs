//! What keeps an item, what stops its use, what is not kept at all, and what the log says of it.

use sayso_audit::{Actor, Event, Hash, Leaf, LineageEvent, Reference};
use sayso_consent::keep::item::ITEM_BYTES_MAX;
use sayso_consent::keep::{NewItem, NotKept};
use sayso_consent::retention::HoldOrder;
use sayso_consent::rights::Desk;
use sayso_consent::{Means, Replay};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Reason};
use sayso_types::WallTime;

use crate::answering::accepted;
use crate::governing::governed;
use crate::keeping::*;
use crate::world::*;

#[tokio::test]
async fn a_legal_hold_keeps_it_unread_until_it_is_released() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    world.answers(person, &[purpose("knowledge")], ConsentStatus::Given).await;
    let id = keep(&world, person, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    let other = keep(&world, person, bytes("knowledge_base", "knowledge", b"b")).await.unwrap();
    let order =
        HoldOrder { subject: Some(person), category: None, law: "an order".into(), by: "a court".into(), until: None };
    let hold = world.register.set_hold(order, Actor::SYSTEM).await.unwrap();
    assert!(world.register.drop_kept(person, other).await.unwrap());
    assert!(world.register.withdraw(person, &[purpose("knowledge")], Means::Voice).await.unwrap().ok);
    assert_eq!((listed(&world, person).await, rows(&world, "kept").await), (Vec::new(), 2), "there, and not shown");
    world.answers(person, &[purpose("knowledge")], ConsentStatus::Given).await;
    assert!(kept(&world, person, id).await.unwrap().is_none());
    let more = keep(&world, person, bytes("knowledge_base", "knowledge", b"c")).await;
    assert!(matches!(more, Err(NotKept::Held)), "{more:?}");
    world.register.release_hold(hold.id, Actor::SYSTEM).await.unwrap();
    world.until_told(|event| matches!(event, Event::EraseCertified { .. })).await;
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (0, 0));
    keep(&world, person, bytes("knowledge_base", "knowledge", b"c")).await.unwrap();

    // on a hold that nobody set, or that is released, nothing is kept
    let (leaves, profile) = (world.leaves().await, world.register.profile());
    let unheld = |leaves: &[Leaf]| governed(leaves, &[&profile]).unheld;
    assert_eq!(unheld(&leaves), [0; 0]);
    let at = |leaves: &[Leaf], name: &str| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap();
    let (mut unset, mut released) = (leaves.clone(), leaves.clone());
    unset.remove(at(&leaves, "legal_hold.set"));
    assert!(unheld(&unset).contains(&(at(&unset, "retention.held") as u64)));
    let release = released.remove(at(&leaves, "legal_hold.released"));
    released.insert(at(&leaves, "retention.held"), release);
    assert!(unheld(&released).contains(&(at(&released, "retention.held") as u64)));
}

#[tokio::test]
async fn what_is_restricted_is_listed_and_used_for_nothing() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (person, desk) = (world.stranger().await, Desk::open(world.register.clone()));
    world.answers(person, &[purpose("knowledge")], ConsentStatus::Given).await;
    let id = keep(&world, person, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    let case = accepted(&desk, person, RightKind::Restrict).await;
    let refused = kept(&world, person, id).await;
    assert!(matches!(refused, Err(NotKept::Policy(Reason::Restricted))), "{refused:?}");
    assert_eq!(listed(&world, person).await, [id]);
    assert!(is_denied(&keep(&world, person, bytes("knowledge_base", "knowledge", b"b")).await, Reason::Restricted));
    desk.lift(person, case, Actor::SYSTEM).await.unwrap();
    assert_eq!(content(&world, person, id).await, b"a");
}

#[tokio::test]
async fn what_may_not_be_stored_is_refused_and_so_is_too_much() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.person(&[VOICE]).await;
    let speech = bytes("voice_audio", "voice_interaction", &[1; 320]).of(person);
    assert!(is_denied(&keep(&world, person, speech).await, Reason::Prohibited), "speech is never stored");
    let fact = bytes("memory_summary", "memory", b"x");
    assert!(matches!(keep(&world, person, fact).await, Err(NotKept::Remembered)));
    let long = bytes("knowledge_base", "knowledge", &vec![0; ITEM_BYTES_MAX + 1]);
    assert!(matches!(keep(&world, person, long).await, Err(NotKept::TooLarge)));
    let late = NewItem { collected_at: Some(WallTime(u64::MAX)), ..bytes("knowledge_base", "knowledge", b"x") };
    assert!(matches!(keep(&world, person, late).await, Err(NotKept::Future)));
    world.answers(person, &[purpose("knowledge")], ConsentStatus::Given).await;
    let old = NewItem { collected_at: Some(WallTime(0)), ..bytes("knowledge_base", "knowledge", b"x") };
    assert!(matches!(keep(&world, person, old).await, Err(NotKept::Over(_))), "of so long ago");
    let whole = vec![3; ITEM_BYTES_MAX];
    let id = keep(&world, person, bytes("knowledge_base", "knowledge", &whole)).await.unwrap();
    assert_eq!(content(&world, person, id).await, whole);
}

#[tokio::test]
async fn what_is_kept_is_on_record_and_an_auditor_finds_what_had_no_right_to_be() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    world.answers(person, &[purpose("knowledge")], ConsentStatus::Given).await;
    let source = keep(&world, person, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    let made = bytes("knowledge_base", "knowledge", b"chunk").made_from(&[source]);
    let made = keep(&world, person, made).await.unwrap();
    let leaves = world.leaves().await;
    let lineage: Vec<_> = leaves
        .iter()
        .filter_map(|leaf| match &leaf.fact.event {
            Event::Lineage(event) => Some(event.clone()),
            _ => None,
        })
        .collect();
    let [
        LineageEvent::Written { item: first, .. },
        LineageEvent::Written { item: second, bytes, processor, .. },
        LineageEvent::Derived { item, from },
    ] = lineage.as_slice()
    else {
        panic!("{lineage:?}")
    };
    assert_eq!((*first, *second, *item, *bytes), (source, made, made, 5));
    assert_eq!((*from, processor.as_str()), (Hash::of(&source.0), "store-local"));
    assert_eq!(replayed(&world).await, (2, Vec::new()));

    let mut replay = Replay::new(world.register.profile());
    for (index, mut leaf) in (0..).zip(leaves) {
        if matches!(leaf.fact.event, Event::ConsentGiven { .. }) {
            leaf.fact.event = Event::WithdrawPending { withdrawal: Reference([0; 16]) };
        }
        replay.leaf(index, &leaf);
    }
    assert_eq!(replay.finish().denied.len(), 2, "nobody had agreed");
    assert!(world.register.drop_kept(person, source).await.unwrap());
    assert!(kept(&world, person, made).await.unwrap().is_none(), "what was made from it ends with it");
}
