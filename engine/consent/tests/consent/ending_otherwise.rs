//! Consent that ends otherwise than by withdrawal: gates close as with a withdrawal, what was kept by it goes, and what had
//! rested on it is found.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, ActorTag, ConsentEnding, ControlEvent, Event, Leaf, Reference};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::incidents::{Affected, Deed, IncidentDesk, Person, Scope};
use sayso_consent::{Ending, Error, Means, Replay, Withdrawal};
use sayso_policy::{ConsentStatus, Refused};
use sayso_proto::consent::v1 as proto;
use sayso_store::Store;
use sayso_types::{Name, Purpose, SubjectId};

use crate::erasing::{facts, row};
use crate::incidents::{everything, report};
use crate::keeping;
use crate::keeping_ended;
use crate::world::*;

const BY: Actor = Actor { kind: ActorKind::Operator, tag: Some(ActorTag([7; 16])) };

pub(crate) fn ending(how: ConsentEnding) -> Ending {
    Ending { how, reason: Name::constant("wrong_person"), by: BY }
}

async fn ended(world: &World, subject: SubjectId, purposes: &[Purpose], how: ConsentEnding) -> Withdrawal {
    world.register.end_consent(subject, purposes, ending(how)).await.unwrap()
}

/// Who said that consent ends, and why.
async fn said(world: &World) -> Vec<(&'static str, Actor, Name)> {
    let leaves = world.leaves().await.into_iter();
    let said = leaves.filter_map(|leaf| match leaf.fact.event {
        Event::Control(ref event @ ControlEvent::ConsentEnded { reason, .. }) => {
            Some((event.name(), leaf.fact.actor, reason))
        }
        _ => None,
    });
    said.collect()
}

#[tokio::test]
async fn consent_that_is_revoked_or_invalid_closes_gates_in_mid_word_and_its_record_says_why() {
    let world = World::new().await;
    let ends = [(ConsentEnding::Revoked, ConsentStatus::Revoked, proto::ConsentStatus::Revoked)];
    let ends = ends.into_iter().chain([(
        ConsentEnding::Invalidated,
        ConsentStatus::Invalidated,
        proto::ConsentStatus::Invalidated,
    )]);
    for (how, status, recorded) in ends {
        let anna = world.person(&[VOICE, MEMORY]).await;
        let asked = ask(anna, world.state(anna).await.cv);
        let lease = world.listen(anna).await.unwrap();
        lease.permit().pass(frame(&asked), drop).unwrap();
        let (done, ()) = tokio::join!(ended(&world, anna, &[VOICE], how), async {
            lease.revoked().await;
            assert_eq!(lease.permit().pass(frame(&asked), drop), Err(Refused::Revoked));
            drop(lease);
        });
        assert!(done.ok && done.bytes() == FRAME);
        let state = world.state(anna).await;
        assert_eq!((state.status(VOICE), state.status(MEMORY)), (status, ConsentStatus::Given));
        assert!(world.listen(anna).await.is_err());
        let (_, records) = world.register.records(anna).await.unwrap();
        let of_voice = records.iter().find(|record| record.purpose.as_ref().unwrap().purpose == VOICE.as_str());
        let last = of_voice.unwrap().events.last().unwrap();
        assert_eq!((last.status(), last.actor()), (recorded, proto::ActorKind::Operator));
        assert_eq!(last.reason, "wrong_person");
        let of = world.register.ended_records(anna, &done, &[]).await.unwrap();
        assert_eq!(of, [Reference(of_voice.unwrap().record_id.as_slice().try_into().unwrap())]);

        let again = ended(&world, anna, &[VOICE], how).await;
        assert!(again.ok && again.id == done.id, "asked again, it is the same ending");
        world.answers(anna, &[VOICE], ConsentStatus::Given).await;
        drop(world.listen(anna).await.unwrap());
    }
    let reason = Name::constant("wrong_person");
    assert_eq!(said(&world).await, [("consent.revoked", BY, reason), ("consent.invalidated", BY, reason)]);
    world.ends_spotless().await;
}

#[tokio::test]
async fn nothing_is_ended_that_nobody_agreed_to() {
    let world = World::new().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    for (who, purposes) in [(anna, [MEMORY]), (world.stranger().await, [VOICE])] {
        let refused = world.register.end_consent(who, &purposes, ending(ConsentEnding::Revoked)).await;
        assert!(matches!(refused, Err(Error::NothingToEnd)), "{refused:?}");
    }
    assert!(world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
    let refused = world.register.end_consent(anna, &[], ending(ConsentEnding::Invalidated)).await;
    assert!(matches!(refused, Err(Error::NothingToEnd)), "they took it back themselves: {refused:?}");
    assert_eq!(said(&world).await, []);
    drop(world.listen(ben).await.unwrap());
}

/// The certificate of the erasure that ending `purpose` of somebody led to, if it did.
async fn erased_with(how: ConsentEnding, purpose: Purpose) -> Option<Vec<Ground>> {
    let world = World::new().await;
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    for person in [anna, ben] {
        assert!(world.register.save_facts(person, &facts()).await.unwrap());
    }
    let done = ended(&world, anna, &[purpose], how).await;
    assert!(world.local.read(&[row(ben)]).await.unwrap()[0].is_some(), "nobody else's");
    if world.local.read(&[row(anna)]).await.unwrap()[0].is_some() {
        return None;
    }
    let certificate = world.register.until_certified(anna, Reference(done.id)).await.unwrap();
    let grounds = Certificate::parse(&certificate).unwrap().grounds;
    let ground = match how {
        ConsentEnding::Revoked => Ground::Revocation(done.id),
        ConsentEnding::Invalidated => Ground::Invalidation(done.id),
    };
    assert_eq!(grounds, [ground]);
    Some(grounds)
}

#[tokio::test]
async fn what_was_kept_by_it_is_erased_and_of_invalid_consent_what_was_derived_as_well() {
    assert!(erased_with(ConsentEnding::Revoked, MEMORY).await.is_some());
    assert!(erased_with(ConsentEnding::Invalidated, MEMORY).await.is_some());
    assert!(erased_with(ConsentEnding::Revoked, VOICE).await.is_none(), "they agreed to what is remembered");
    assert!(erased_with(ConsentEnding::Invalidated, VOICE).await.is_some(), "it comes from what was never to be heard");
}

#[tokio::test]
async fn what_was_revoked_can_turn_out_to_have_been_invalid_and_nothing_else_is_ended_twice() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(anna, &facts()).await.unwrap());
    let revoked = ended(&world, anna, &[VOICE], ConsentEnding::Revoked).await;
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_some(), "they agreed to what is remembered");
    let invalid = ended(&world, anna, &[VOICE], ConsentEnding::Invalidated).await;
    assert!(invalid.ok && invalid.id != revoked.id);
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Invalidated);
    assert!(world.local.read(&[row(anna)]).await.unwrap()[0].is_none(), "it comes from what was never to be heard");
    let names: Vec<_> = said(&world).await.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["consent.revoked", "consent.invalidated"]);
    let of = world.register.ended_records(anna, &invalid, &[VOICE]).await.unwrap();
    assert_eq!(of.len(), 1);
    let refused = world.register.end_consent(anna, &[VOICE], ending(ConsentEnding::Revoked)).await;
    assert!(matches!(refused, Err(Error::NothingToEnd)), "{refused:?}");
    world.ends_spotless().await;
}

#[tokio::test]
async fn what_somebody_is_taking_back_themselves_is_not_said_to_have_ended_otherwise() {
    let world = World::impatient().await;
    let anna = world.person(&[VOICE]).await;
    let lease = world.listen(anna).await.unwrap();
    assert!(!world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
    for how in [ConsentEnding::Revoked, ConsentEnding::Invalidated] {
        let refused = world.register.end_consent(anna, &[], ending(how)).await;
        assert!(matches!(refused, Err(Error::NothingToEnd)), "{refused:?}");
    }
    drop(lease);
    world.until(anna, |state| state.status(VOICE) == ConsentStatus::Withdrawn).await;
    assert_eq!(said(&world).await, []);
}

#[tokio::test]
async fn what_had_rested_on_invalid_consent_is_what_an_incident_finds() {
    let world = World::new().await;
    let (anna, ben, carl) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    for person in [anna, ben] {
        let lease = world.listen(person).await.unwrap();
        lease.permit().pass(frame(&ask(person, world.state(person).await.cv)), drop).unwrap();
        lease.finish("done");
    }
    let mut records = std::collections::BTreeSet::new();
    for person in [anna, carl] {
        let done = ended(&world, person, &[], ConsentEnding::Invalidated).await;
        records.extend(world.register.ended_records(person, &done, &[]).await.unwrap());
    }
    // what goes by the next consent does not rest on that one
    world.answers(carl, &[VOICE], ConsentStatus::Given).await;
    let lease = world.listen(carl).await.unwrap();
    lease.permit().pass(frame(&ask(carl, world.state(carl).await.cv)), drop).unwrap();
    lease.finish("done");

    let desk = IncidentDesk::open(world.register.clone());
    let incident = desk.report(report(None), BY).await.unwrap();
    let scope = Scope { records, ..everything(&world) };
    let assessed = desk.step(incident.id, Deed::Assess(scope), BY).await.unwrap();
    assert_eq!(assessed.assessment.as_ref().unwrap().people, 1);
    let found = desk.affected(&assessed).await.unwrap();
    let expected = Person { subject: anna, tenant: "acme".parse().unwrap() };
    assert_eq!(found, Affected { people: [expected].into(), unnamed: 0 });
    let world = world.again().await;
    let kept = IncidentDesk::open(world.register.clone()).find(incident.id, None).await.unwrap();
    assert_eq!(kept.assessment, assessed.assessment, "also after a restart");
}

#[tokio::test]
async fn while_a_holder_does_not_let_go_it_is_pending_and_a_restart_completes_it_as_what_it_is() {
    let world = World::impatient().await;
    let anna = world.person(&[VOICE]).await;
    let lease = world.listen(anna).await.unwrap();
    let done = ended(&world, anna, &[], ConsentEnding::Invalidated).await;
    assert!(!done.ok && !lease.permit().is_open());
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Withdrawing);
    core::mem::forget(lease);
    let found = world.reopened().await.unwrap();
    assert_eq!(found.state(anna).await.unwrap().status(VOICE), ConsentStatus::Invalidated);
}

#[tokio::test]
async fn a_replay_finds_what_is_opened_after_it() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    drop(world.listen(anna).await.unwrap());
    assert!(ended(&world, anna, &[], ConsentEnding::Revoked).await.ok);
    let mut leaves = world.again().await.leaves().await;
    let denied = |leaves: &[Leaf]| {
        let mut replay = Replay::new(Arc::new(profile()));
        (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
        replay.finish().denied
    };
    assert_eq!(denied(&leaves), [0_u64; 0]);
    let is_opened = |leaf: &&Leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. });
    let mut late = leaves.iter().find(is_opened).unwrap().clone();
    let last = leaves.last().unwrap();
    (late.place, late.fact.cv) = (last.place, last.fact.cv);
    leaves.push(late);
    assert_eq!(denied(&leaves), [leaves.len() as u64 - 1]);
}

#[tokio::test]
async fn what_is_kept_and_comes_of_what_invalid_consent_let_in_goes_with_it() {
    let history: Purpose = "history".parse().unwrap();
    for (how, stays) in [(ConsentEnding::Invalidated, false), (ConsentEnding::Revoked, true)] {
        let world = World::under(keeping_ended::that_keeps_history()).await;
        let anna = world.stranger().await;
        let item = |of| keeping::bytes(of, "history", b"words");
        world.answers(anna, &[history], ConsentStatus::Given).await;
        let earlier = keeping::keep(&world, anna, item("said")).await.unwrap();
        world.answers(anna, &[VOICE], ConsentStatus::Given).await;
        let said = keeping::keep(&world, anna, item("said")).await.unwrap();
        let liked = keeping::keep(&world, anna, item("liked")).await.unwrap();
        let made = keeping::keep(&world, anna, item("liked").made_from(&[said])).await.unwrap();
        let done = ended(&world, anna, &[VOICE], how).await;
        assert!(done.ok);
        let mut left = if stays { vec![earlier, said, liked, made] } else { vec![earlier, liked] };
        let mut listed = keeping::listed(&world, anna).await;
        left.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, left, "{how:?}");
        if !stays {
            let certificate = keeping::certified(&world, anna, Reference(done.id)).await;
            assert_eq!(certificate.grounds, [Ground::Invalidation(done.id)]);
        }
        assert_eq!(world.state(anna).await.status(history), ConsentStatus::Given);
        world.ends_spotless_under(keeping_ended::that_keeps_history()).await;
    }
}
