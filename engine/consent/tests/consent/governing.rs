//! Which revision of the policy governs whom, as an auditor sees it, and while one comes into force.

use core::sync::atomic::Ordering::SeqCst;
use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Leaf};
use sayso_consent::rights::{Desk, Step};
use sayso_consent::{Ask, Governed, Governing};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Gate, Profile};
use sayso_types::{Category, Purpose, SubjectId, WallTime};

use crate::revising::{LONGER, revised};
use crate::world::*;

fn found(leaves: &[Leaf], profiles: &[&Arc<Profile>]) -> Vec<u64> {
    governed(leaves, profiles).others
}

/// What these profiles find together.
pub(crate) fn governed(leaves: &[Leaf], profiles: &[&Arc<Profile>]) -> Governed {
    let mut governing = Governing::new(profiles.iter().copied().cloned());
    (0..).zip(leaves).for_each(|(index, leaf)| governing.leaf(index, leaf));
    governing.finish_at(WallTime(0))
}

/// Has something of the subject handed over for `purpose`.
async fn uses(world: &World, subject: SubjectId, purpose: Purpose) {
    let heard = ask(subject, world.state(subject).await.cv);
    let (category, gate, processor) = (Category::MEMORY_SUMMARY, Gate::Dialogue, processor("rules-local"));
    let asked = if purpose == MEMORY { Ask { purpose, category, gate, processor, ..heard } } else { heard };
    let lease = world.register.acquire(asked).await.unwrap();
    lease.permit().pass(frame(&asked), drop).unwrap();
}

/// The leaves that open segments, each with the purpose and the revision that it is under.
fn opened(leaves: &[Leaf]) -> Vec<(u64, Purpose, u32)> {
    let opened = (0..).zip(leaves).filter_map(|(index, leaf)| match &leaf.fact.event {
        Event::SegmentOpened { cell, .. } => Some((index, cell.purpose, leaf.fact.profile_rev)),
        _ => None,
    });
    opened.collect()
}

#[tokio::test]
async fn what_is_under_a_revision_that_does_not_govern_its_person_is_found() {
    let (first, second) = (Arc::new(profile()), revised(2, &[LONGER]));
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    uses(&world, anna, MEMORY).await;
    world.register.publish(second.clone()).await.unwrap();
    // for longer than she agreed to: she is governed by the first there, and by the second elsewhere
    for purpose in [VOICE, MEMORY] {
        uses(&world, anna, purpose).await;
    }
    world.answers(anna, &[MEMORY], ConsentStatus::Refused).await;
    uses(&world, anna, MEMORY).await;
    world.answers(anna, &[MEMORY], ConsentStatus::Given).await;
    uses(&world, anna, MEMORY).await;
    let leaves = world.again_under(second.clone()).await.leaves().await;
    let opened = opened(&leaves);
    let revisions: Vec<_> = opened.iter().map(|(_, purpose, rev)| (*purpose, *rev)).collect();
    assert_eq!(revisions, [(MEMORY, 1), (VOICE, 2), (MEMORY, 1), (MEMORY, 1), (MEMORY, 2)]);
    assert_eq!(found(&leaves, &[&first, &second]), [0; 0]);

    for (at, _, rev) in &opened[1..] {
        let mut forged = leaves.clone();
        forged[*at as usize].fact.profile_rev = 3 - rev;
        assert_eq!(found(&forged, &[&first, &second]), [*at]);
        assert_eq!(found(&forged, &[&first]), [0; 0], "what has changed, both profiles say together");
    }
}

/// Whoever is governed by an older revision is answered by its day, too, where that is earlier.
#[tokio::test]
async fn a_request_that_was_not_answered_by_the_day_of_the_revision_that_governs_its_person_is_found() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let by = Actor { kind: ActorKind::Tenant, tag: None };
    let soon = ("respond_within = \"P15D\"", "respond_within = \"P5D\"");
    let (second, third) = (revised(2, &[soon]), revised(3, &[LONGER]));
    // a log in which somebody asks for a copy who agreed to the second, and then perhaps to the third
    let asked = async |agrees_anew: bool, after: Duration| {
        let world = World::new().await;
        world.register.publish(second.clone()).await.unwrap();
        let anna = world.person(&[VOICE, MEMORY]).await;
        world.register.publish(third.clone()).await.unwrap();
        if agrees_anew {
            world.answers(anna, &[VOICE, MEMORY], ConsentStatus::Given).await;
        }
        let desk = Desk::open(world.register.clone());
        let request = desk.receive(anna, RightKind::Copy, by).await.unwrap();
        world.clock.advance(after);
        for step in [VERIFIED, Step::Accept, Step::Fulfil { is_partial: false }] {
            desk.step(anna, request.id, step, by).await.unwrap();
        }
        drop(desk);
        // what the node itself says of its being late is left out
        let leaves = world.again_under(third.clone()).await.leaves().await;
        leaves.into_iter().filter(|leaf| leaf.fact.event.name() != "dsr.overdue").collect::<Vec<_>>()
    };
    let late = |leaves: &[Leaf], profiles: &[&Arc<Profile>]| {
        let found = governed(leaves, profiles).late.into_iter();
        found.map(|leaf| leaves[leaf as usize].fact.event.name()).collect::<Vec<_>>()
    };
    assert_eq!(late(&asked(false, 5 * DAY).await, &[&second, &third]), [""; 0]);
    let leaves = asked(false, 6 * DAY).await;
    assert_eq!(late(&leaves, &[&second, &third]), ["dsr.fulfilled"], "the third alone gives fifteen days");
    assert_eq!(late(&leaves, &[&third]), [""; 0], "what she agreed to, the second alone says");
    assert_eq!(
        late(&asked(true, 6 * DAY).await, &[&second, &third]),
        [""; 0],
        "the second has nothing to say any more"
    );
    assert_eq!(late(&asked(true, 16 * DAY).await, &[&second, &third]), ["dsr.fulfilled"]);
}

/// A consent is on record under the revision whose question was heard, though another one is in force by then.
#[tokio::test]
async fn an_answer_is_under_the_revision_that_it_is_to() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.publish(revised(2, &[LONGER])).await.unwrap();
    let from = world.size().await;
    for status in [ConsentStatus::Deferred, ConsentStatus::Given, ConsentStatus::Refused] {
        world.answers(anna, &[MEMORY], status).await;
    }
    let answers = world.leaves().await.into_iter().skip(from as usize);
    let answers = answers.map(|leaf| (leaf.fact.event.name(), leaf.fact.profile_rev));
    let answers: Vec<_> = answers.filter(|(name, _)| name.starts_with("consent.")).collect();
    let told = [("consent.deferred", 1), ("consent.renewed", 2), ("consent.refused", 2)];
    assert_eq!(answers, told, "a no leaves her with the first until she has agreed to the second");
}

/// Whoever begins to talk in the moment in which a revision comes into force is heard under that.
#[tokio::test]
async fn nothing_passes_under_the_revision_before_while_another_comes_into_force() {
    let (first, second) = (Arc::new(profile()), revised(2, &[]));
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let asked = ask(anna, world.state(anna).await.cv);
    let stall = world.store.stall.write().await;
    let came = world.store.came.load(SeqCst);
    let listening = async {
        until(|| world.store.came.load(SeqCst) > came).await;
        world.register.acquire(asked).await
    };
    let released = async {
        until(|| world.store.came.load(SeqCst) > came).await;
        // it is decided meanwhile, and waits for its turn to be written
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        drop(stall);
    };
    let (published, lease, ()) = tokio::join!(world.register.publish(second.clone()), listening, released);
    published.unwrap();
    let lease = lease.unwrap();
    lease.permit().pass(frame(&asked), drop).unwrap();
    drop(lease);
    let world = world.again_under(second.clone()).await;
    let leaves = world.leaves().await;
    assert_eq!(found(&leaves, &[&first, &second]), [0; 0], "{:?}", opened(&leaves));
    world.ends_spotless_under(second).await;
}
