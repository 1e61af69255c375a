//! Which revision of the policy governs whom, as an auditor sees it, and while one comes into force.

use core::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;

use sayso_audit::{Event, Leaf};
use sayso_consent::{Ask, Governing};
use sayso_policy::{ConsentStatus, Gate, Profile};
use sayso_types::{Category, Purpose, SubjectId};

use crate::revising::{LONGER, revised};
use crate::world::*;

fn found(leaves: &[Leaf], profiles: &[&Arc<Profile>]) -> Vec<u64> {
    let mut governing = Governing::new(profiles.iter().copied().cloned());
    (0..).zip(leaves).for_each(|(index, leaf)| governing.leaf(index, leaf));
    governing.finish()
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
