//! A policy is revised while people talk.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_audit::Event;
use sayso_consent::{Answer, Denied, Error, Means, Options, Register};
use sayso_policy::profile::Draft;
use sayso_policy::{ConsentStatus, Profile, ProfileHash, Reason, Refused, RevisionError};
use sayso_proto::consent::v1 as proto;
use sayso_runtime::Tasks;
use sayso_types::Name;
use sayso_vault::testing::vault;

use crate::world::{FRAME, MEMORY, VOICE, World, answer, ask, frame, profile};

/// The test profile at revision `rev`, with these changes to its text.
pub(crate) fn revised(rev: u32, changes: &[(&str, &str)]) -> Arc<Profile> {
    let mut text = profile().text().replacen("rev = 1", &format!("rev = {rev}"), 1);
    for (from, to) in changes {
        assert!(text.contains(from), "the profile has no {from:?} any more:\n{text}");
        text = text.replacen(from, to, 1);
    }
    Arc::new(Profile::parse(&text).unwrap())
}

/// Nothing that matters.
const EDITORIAL: (&str, &str) = ("Whoever set up this device", "Somebody else");
/// Memories are kept for longer: people agreed to something else.
pub(crate) const LONGER: (&str, &str) =
    ("action = \"erase\"\nafter = \"PT0S\"", "action = \"erase\"\nafter = \"P30D\"");
/// The recogniser may have nothing any more.
const SUSPENDED: (&str, &str) = ("id = \"whisper-local\"", "id = \"whisper-gone\"");

async fn refused(world: &World, profile: Arc<Profile>) -> RevisionError {
    match world.register.publish(profile).await {
        Err(Error::Revision(error)) => error,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_a_revision_no_longer_allows_stops_at_once_for_those_who_talk() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let cv = world.state(anna).await.cv;
    let lease = world.listen(anna).await.unwrap();
    lease.permit().pass(frame(&ask(anna, cv)), drop).unwrap();

    world.register.publish(revised(2, &[SUSPENDED])).await.unwrap();
    lease.revoked().await;
    assert_eq!(lease.permit().pass(frame(&ask(anna, cv)), drop), Err(Refused::Revoked));
    drop(lease);
    assert!(matches!(world.listen(anna).await, Err(Denied::Policy(Reason::ProcessorState))));
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Given, "nobody took consent back");

    let policy = Name::constant("policy");
    world
        .until_told(|e| matches!(e, Event::SegmentClosed { reason, bytes, .. } if *reason == policy && *bytes == FRAME))
        .await;
    world.register.publish(revised(3, &[])).await.unwrap();
    drop(world.listen(anna).await.unwrap());
}

/// XZ-9.1: what a verdict on record was made by can be had, by the hash that the log has of it.
#[tokio::test]
async fn every_revision_that_anything_was_decided_by_is_found_by_its_hash_also_after_a_restart() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let editions = [revised(1, &[]), revised(2, &[EDITORIAL]), revised(3, &[EDITORIAL, LONGER])];
    for edition in &editions {
        world.register.publish(edition.clone()).await.unwrap();
        drop(world.listen(anna).await.unwrap());
    }
    let world = world.again_under(editions[2].clone()).await;
    let (leaves, revisions) = (world.leaves().await, world.register.revisions());
    let in_force = leaves.iter().filter_map(|leaf| match leaf.fact.event {
        Event::PolicyEffective { profile } => Some(revisions.find(ProfileHash(profile.0)).expect("it is kept")),
        _ => None,
    });
    let found: BTreeMap<_, _> = in_force.map(|found| (found.rev(), found.text())).collect();
    assert_eq!(found, editions.iter().map(|edition| (edition.rev(), edition.text())).collect());
    let opened = leaves.iter().filter(|leaf| matches!(leaf.fact.event, Event::SegmentOpened { .. }));
    assert!(opened.map(|leaf| leaf.fact.profile_rev).eq([1, 2, 3]), "each by the revision of its time");
}

#[tokio::test]
async fn what_does_not_matter_disturbs_nobody() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let cv = world.state(anna).await.cv;
    let lease = world.listen(anna).await.unwrap();
    let changes = world.register.publish(revised(2, &[EDITORIAL])).await.unwrap();
    assert!(!changes.is_material());
    lease.permit().pass(frame(&ask(anna, cv)), drop).unwrap();
    drop((lease, world.listen(anna).await.unwrap()));
    let size = world.size().await;
    world.register.publish(revised(2, &[EDITORIAL])).await.unwrap();
    assert_eq!(world.size().await, size, "the same again changes nothing");
}

#[tokio::test]
async fn whoever_agreed_to_something_else_stays_governed_by_that() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    let changes = world.register.publish(revised(2, &[LONGER])).await.unwrap();
    let state = world.state(anna).await;
    assert_eq!(changes.asks(&state).into_iter().collect::<Vec<_>>(), [MEMORY]);
    let revisions = world.register.revisions();
    assert_eq!(revisions.governing(MEMORY, &state).rev(), 1);
    assert_eq!(revisions.governing(VOICE, &state).rev(), 2);

    let ben = world.person(&[MEMORY]).await;
    assert_eq!(revisions.governing(MEMORY, &world.state(ben).await).rev(), 2);
    world.answers(anna, &[MEMORY], ConsentStatus::Given).await;
    assert_eq!(revisions.governing(MEMORY, &world.state(anna).await).rev(), 2);
    assert!(revisions.asks(&world.state(anna).await).is_empty());
}

/// What is said of a change, and what it leads to: a yes renews, a no keeps what was agreed to and is not asked for again
/// until there is another revision, and anything else leaves the question open.
#[tokio::test]
async fn whoever_does_not_agree_to_a_change_keeps_what_they_agreed_to() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(anna, &[("name".into(), "Anna".into())]).await.unwrap();
    world.register.publish(revised(2, &[LONGER])).await.unwrap();
    let asks = async |world: &World| world.register.revisions().asks(&world.state(anna).await);
    let governing = async |world: &World| world.register.revisions().governing(MEMORY, &world.state(anna).await).rev();

    world.answers(anna, &[MEMORY], ConsentStatus::Deferred).await;
    assert_eq!((asks(&world).await, governing(&world).await), (vec![MEMORY], 1));
    world.answers(anna, &[MEMORY], ConsentStatus::Refused).await;
    assert_eq!((asks(&world).await, governing(&world).await), (vec![], 1));
    assert_eq!(world.state(anna).await.status(MEMORY), ConsentStatus::Given);
    assert_eq!(world.register.facts(anna).await.unwrap().len(), 1, "nothing was taken back");
    let told = world.told_since(0).await;
    assert!(told.contains(&"consent.refused") && told.contains(&"consent.deferred"), "every answer is on record");
    assert_eq!(world.state(anna).await.declined, [(MEMORY, 2)].into(), "as it is stored");

    let shorter = ("action = \"erase\"\nafter = \"PT0S\"", "action = \"erase\"\nafter = \"P20D\"");
    world.register.publish(revised(3, &[shorter])).await.unwrap();
    assert_eq!(asks(&world).await, [MEMORY], "that is another change");
    world.answers(anna, &[MEMORY], ConsentStatus::Given).await;
    assert_eq!((asks(&world).await, governing(&world).await), (vec![], 3));
    assert_eq!(world.state(anna).await.status(MEMORY), ConsentStatus::Renewed);
    assert!(world.state(anna).await.declined.is_empty());
}

#[tokio::test]
async fn a_withdrawal_ends_the_yes_that_stood_and_not_the_no_to_a_change() {
    let world = World::new().await;
    let anna = world.person(&[MEMORY]).await;
    world.register.publish(revised(2, &[LONGER])).await.unwrap();
    world.answers(anna, &[MEMORY], ConsentStatus::Refused).await;
    assert!(world.register.withdraw(anna, &[MEMORY], Means::Voice).await.unwrap().ok);
    let (_, records) = world.register.records(anna).await.unwrap();
    let ended: Vec<_> = records.iter().map(|record| record.events.last().unwrap().status()).collect();
    assert_eq!(ended, [proto::ConsentStatus::Withdrawn, proto::ConsentStatus::Refused]);
}

#[tokio::test]
async fn what_an_integrator_reports_counts_as_it_is() {
    let world = World::new().await;
    let anna = world.person(&[MEMORY]).await;
    world.register.publish(revised(2, &[LONGER])).await.unwrap();
    let refused = Answer { means: Means::Integrator, ..answer(anna, &[MEMORY], ConsentStatus::Refused) };
    let state = world.register.record(&refused).await.unwrap();
    assert_eq!(state.status(MEMORY), ConsentStatus::Refused);
}

#[tokio::test]
async fn a_restart_forgets_no_revision() {
    let world = World::new().await;
    let anna = world.person(&[MEMORY]).await;
    let two = revised(2, &[LONGER]);
    world.register.publish(Arc::clone(&two)).await.unwrap();
    assert_eq!(world.tasks.shutdown(core::time::Duration::from_secs(30)).await, 0);

    let (store, clock) = (world.store.clone(), Arc::new(world.clock.clone()));
    let vault = vault(store.clone()).await.unwrap();
    let open = |profile| {
        Register::open(store.clone(), vault.clone(), profile, clock.clone(), Tasks::new(), Options::default())
    };
    let back = open(Arc::new(profile())).await.unwrap_err();
    assert!(matches!(back, Error::Revision(RevisionError::RolledBack { newest: 2, found: 1 })), "{back}");
    let register = open(two).await.unwrap();
    let state = register.state(anna).await.unwrap();
    assert_eq!(register.revisions().governing(MEMORY, &state).rev(), 1);
}

#[tokio::test]
async fn a_restart_counts_working_days_as_before() {
    const OWN: &str = "name = \"ours\"\ntime_zone = \"CST-8\"\nvalid_from = 2026-01-01\nvalid_through = 2026-12-31\n\
        rest_days = [\"monday\", \"tuesday\"]\nsrc = \"the house\"\n";
    let text = profile().text().replacen("[profile]", "[profile]\nworking_days = \"ours\"", 1);
    let under = || Arc::new(Draft::parse(&text, None).unwrap().with_calendar(OWN).unwrap().accept().unwrap());
    let world = World::under(under()).await;
    let week = |register: &Register, from| register.profile().end_of("P5WD".parse().unwrap(), from, String::new());
    let now = world.register_clock();
    let before = week(&world.register, now);
    assert!(before.is_exact);
    let world = world.again_under(under()).await;
    assert_eq!(week(&world.register, now), before);
}

#[tokio::test]
async fn what_is_not_the_next_revision_changes_nothing() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    world.register.publish(revised(3, &[])).await.unwrap();
    let size = world.size().await;
    assert_eq!(refused(&world, revised(2, &[SUSPENDED])).await, RevisionError::RolledBack { newest: 3, found: 2 });
    assert_eq!(refused(&world, revised(3, &[SUSPENDED])).await, RevisionError::SameRevision(3));
    let other = refused(&world, revised(4, &[("id = \"test\"", "id = \"other\"")])).await;
    assert!(matches!(other, RevisionError::OtherProfile { .. }));
    let later = refused(&world, revised(4, &[("2026-01-01", "2036-01-01")])).await;
    assert!(matches!(later, RevisionError::NotYet { rev: 4, .. }));
    assert_eq!((world.register.profile().rev(), world.size().await), (3, size));
    drop(world.listen(anna).await.unwrap());
}
