//! Guests at a device: people of their own, of whom nothing stays behind.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Event, Reference};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::visits::{Error, VISITS_PER_HOUR, Visit};
use sayso_consent::{Denied, Error as RegisterError, Means};
use sayso_policy::{ConsentStatus, Profile, Reason, Refused};
use sayso_store::Store;
use sayso_types::{DeviceId, SubjectId, TenantId};

use crate::erasing::{facts, row};
use crate::revising::revised;
use crate::world::*;

/// As long as a visit lasts where the policy does not say.
const LASTS: Duration = Duration::from_secs(4 * 60 * 60);

fn device() -> (TenantId, DeviceId) {
    ("acme".parse().unwrap(), "kitchen".parse().unwrap())
}

/// The owner of the device, who has agreed to everything and has something remembered.
async fn owner(world: &World) -> SubjectId {
    let (tenant, device) = device();
    let owner = world.register.subject_of(&tenant, &device).await.unwrap();
    world.answers(owner, &[VOICE, MEMORY], ConsentStatus::Given).await;
    assert!(world.register.save_facts(owner, &facts()).await.unwrap());
    owner
}

async fn begin(world: &World) -> Visit {
    let (tenant, device) = device();
    world.register.begin_visit(&tenant, &device).await.unwrap()
}

async fn end(world: &World) -> Result<Visit, Error> {
    let (tenant, device) = device();
    world.register.end_visit(&tenant, &device).await
}

async fn speaker(world: &World) -> SubjectId {
    let (tenant, device) = device();
    world.register.speaker_of(&tenant, &device).await.unwrap()
}

/// Waits until the visit to the device is over.
async fn until_over(world: &World) {
    let (tenant, device) = device();
    until(|| world.register.visit(&tenant, &device).is_none()).await;
}

/// What certifies that nothing is left of the guest.
async fn certificate(world: &World, visit: &Visit) -> Certificate {
    Certificate::parse(&world.register.until_certified(visit.subject, visit.id).await.unwrap()).unwrap()
}

#[tokio::test]
async fn what_one_agrees_to_opens_nothing_for_the_other_and_what_one_takes_back_ends_nothing_of_the_others() {
    let world = World::new().await;
    let owner = owner(&world).await;
    let visit = begin(&world).await;
    let guest = visit.subject;
    assert_eq!((speaker(&world).await, guest == owner), (guest, false));
    assert_eq!(begin(&world).await, visit, "who is there is there");
    let (tenant, device) = device();
    assert_eq!(
        world.register.find_subject(&tenant, &device).await.unwrap(),
        Some(owner),
        "the device is still the owner's"
    );
    let denied = world.listen(guest).await.unwrap_err();
    assert!(matches!(denied, Denied::Policy(Reason::NoBasis)), "{denied:?}");
    assert_eq!(world.register.facts(guest).await.unwrap(), [], "nothing that is remembered of the owner");

    world.answers(guest, &[VOICE], ConsentStatus::Given).await;
    let (theirs, owners) = (ask(guest, world.state(guest).await.cv), ask(owner, world.state(owner).await.cv));
    let (lease, other) = (world.listen(guest).await.unwrap(), world.listen(owner).await.unwrap());
    let withdrawn = world.register.withdraw(owner, &[MEMORY], Means::Voice).await.unwrap();
    assert!(withdrawn.ok);
    lease.permit().pass(frame(&theirs), drop).unwrap();
    lease.finish("over");
    let withdrawn = world.register.withdraw(guest, &[], Means::Voice).await.unwrap();
    assert!(withdrawn.ok);
    other.permit().pass(frame(&owners), drop).unwrap();
    other.finish("over");
    assert_eq!(speaker(&world).await, guest, "who takes it back is still there, and is asked again");
    end(&world).await.unwrap();
    assert_eq!(speaker(&world).await, owner);
    certificate(&world, &visit).await;
    assert!(world.ends_spotless().await.is_clean());
}

#[tokio::test]
async fn when_a_guest_leaves_their_gates_close_and_everything_of_theirs_is_erased_and_nothing_of_the_owners() {
    let world = World::new().await;
    let owner = owner(&world).await;
    let visit = begin(&world).await;
    let guest = visit.subject;
    world.answers(guest, &[VOICE, MEMORY], ConsentStatus::Given).await;
    assert!(world.register.save_facts(guest, &facts()).await.unwrap());
    let asked = ask(guest, world.state(guest).await.cv);
    let lease = world.register.acquire(asked).await.unwrap();

    let (tenant, device) = device();
    let looks = async {
        until_over(&world).await;
        world.until(guest, |state| !state.status(VOICE).is_valid()).await;
        lease.revoked().await;
        let refused = lease.permit().pass(frame(&asked), drop).unwrap_err();
        assert!(matches!(refused, Refused::Revoked), "{refused:?}");
        drop(lease);
    };
    let (ended, ()) = tokio::join!(world.register.end_visit(&tenant, &device), looks);
    assert_eq!(ended.unwrap(), visit);

    let certificate = certificate(&world, &visit).await;
    assert_eq!((certificate.grounds[0], certificate.category), (Ground::Visit(visit.id.0), None));
    assert!(certificate.is_purged && certificate.keys.len() == 1, "{certificate:?}");
    assert!(world.local.read(&[row(guest)]).await.unwrap()[0].is_none());
    assert_eq!(world.state(guest).await.status(MEMORY), ConsentStatus::Withdrawn);
    let again = world.register.record(&answer(guest, &[VOICE], ConsentStatus::Given)).await.unwrap_err();
    assert!(matches!(again, RegisterError::Closed), "{again}");
    assert_eq!(world.register.facts(owner).await.unwrap(), facts());
    assert!(matches!(end(&world).await, Err(Error::NotOpen)));
    assert_ne!(begin(&world).await.subject, guest, "the next guest is somebody else");
    assert!(world.ends_spotless().await.is_clean());
}

#[tokio::test]
async fn a_visit_ends_by_itself_also_by_a_shorter_time_that_a_revision_gives_it() {
    let world = World::new().await;
    owner(&world).await;
    let visit = begin(&world).await;
    assert_eq!(visit.ends_at.0 - visit.began_at.0, LASTS.as_millis() as u64);
    world.clock.advance(LASTS);
    until_over(&world).await;
    certificate(&world, &visit).await;

    let visit = begin(&world).await;
    let brief = ("[category.notice_text]", "[visits]\nlasts = \"PT10M\"\n\n[category.notice_text]");
    world.register.publish(revised(2, &[brief])).await.unwrap();
    world.clock.advance(Duration::from_secs(600));
    until_over(&world).await;
    certificate(&world, &visit).await;
}

/// The policy of these tests, where a visit ends with the session.
fn with_session() -> Arc<Profile> {
    Arc::new(Profile::parse(&format!("{}\n[visits]\nend_with_session = true\n", profile_text())).unwrap())
}

#[tokio::test]
async fn a_restart_changes_nothing_of_who_speaks_unless_visits_end_with_the_session() {
    let world = World::new().await;
    let owner = owner(&world).await;
    let visit = begin(&world).await;
    world.answers(visit.subject, &[VOICE], ConsentStatus::Given).await;
    let world = world.again().await;
    assert_eq!(world.register.visits(), std::slice::from_ref(&visit));
    assert_eq!(speaker(&world).await, visit.subject, "the guest is not taken for the owner");
    world.clock.advance(LASTS);
    let world = world.again().await;
    until_over(&world).await;
    assert_eq!(speaker(&world).await, owner);
    certificate(&world, &visit).await;

    let world = World::under(with_session()).await;
    self::owner(&world).await;
    let visit = begin(&world).await;
    let world = world.again_under(with_session()).await;
    until_over(&world).await;
    certificate(&world, &visit).await;
    assert!(world.ends_spotless_under(with_session()).await.is_clean());
}

#[tokio::test]
async fn what_is_not_there_is_not_visited_and_nobody_has_guests_without_end() {
    let world = World::new().await;
    let (tenant, device) = device();
    let unknown = world.register.begin_visit(&tenant, &device).await.unwrap_err();
    assert!(matches!(unknown, Error::UnknownDevice), "{unknown}");
    assert!(matches!(end(&world).await, Err(Error::NotOpen)));
    owner(&world).await;
    for _ in 0..VISITS_PER_HOUR {
        begin(&world).await;
        end(&world).await.unwrap();
    }
    let refused = world.register.begin_visit(&tenant, &device).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "visits to this device in an hour are at their limit of 12; begin the next one later"
    );
    world.clock.advance(Duration::from_secs(3_600));
    begin(&world).await;
}

#[tokio::test]
async fn who_speaks_is_told_to_whoever_listens_once_it_is_durable() {
    let world = World::new().await;
    owner(&world).await;
    let mut speakers = world.register.speakers();
    let visit = begin(&world).await;
    assert_eq!(speakers.recv().await.unwrap(), visit.device);
    end(&world).await.unwrap();
    assert_eq!(speakers.recv().await.unwrap(), visit.device);
    certificate(&world, &visit).await;
    let committed =
        |event: &Event| matches!(event, Event::EraseCommitted { ground, .. } if ground.as_str() == "visit_over");
    world.until_told(committed).await;
    let erased = world.register.certificate(visit.subject, Reference([0; 16])).await.unwrap();
    assert_eq!(erased, None, "it is found by the visit alone");
}
