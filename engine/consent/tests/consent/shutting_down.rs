//! The end of the service: announced in time, then nothing is collected any more, and everybody is erased.

use core::time::Duration;

use sayso_audit::{Actor, ActorKind, Event, Reference};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::notices::Notices;
use sayso_consent::shutdown::Error;
use sayso_consent::{Denied, Error as RegisterError};
use sayso_policy::ConsentStatus;
use sayso_types::SubjectId;

use crate::noticing::draft;
use crate::world::*;

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };

/// As long as the notice of these tests gives people.
const TIME: Duration = Duration::from_secs(10 * 24 * 60 * 60);

/// Announces the end, and lets the time pass that people are given; its id.
async fn announced(world: &World) -> [u8; 16] {
    let announced = world.register.announce_shutdown(draft(world)).await.unwrap();
    world.clock.advance(TIME);
    announced.id
}

async fn until_completed(world: &World) {
    world.until_told(|event| matches!(event, Event::ShutdownCompleted { .. })).await;
}

async fn certificate(world: &World, subject: SubjectId, id: [u8; 16]) -> Certificate {
    let json = world.register.certificate(subject, Reference(id)).await.unwrap().expect("it is issued");
    Certificate::parse(&json).unwrap()
}

#[tokio::test]
async fn nothing_is_collected_from_anybody_and_everybody_is_erased() {
    let world = World::new().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE, MEMORY]).await);
    world.register.save_facts(ben, &[("name".into(), "Ben".into())]).await.unwrap();
    let id = announced(&world).await;
    let cv = world.state(anna).await.cv;
    let lease = world.listen(anna).await.unwrap();

    let started = world.register.start_shutdown(id, OPERATOR).await.unwrap();
    assert!(started.is_erasing());
    let heard = ask(anna, cv);
    assert!(lease.permit().pass(frame(&heard), drop).is_err(), "her gate is closed when it answers");
    let denied = world.register.acquire(heard).await;
    assert!(matches!(denied, Err(Denied::Register(RegisterError::Ended))), "{denied:?}");
    let recorded = world.register.record(&answer(ben, &[VOICE], ConsentStatus::Given)).await;
    assert!(matches!(recorded, Err(RegisterError::Ended)), "{recorded:?}");
    assert!(!world.register.save_facts(ben, &[]).await.unwrap());
    let progress = world.register.shutdown().await.unwrap().unwrap();
    assert!(progress.shutdown.completed_at.is_none(), "somebody still has what Anna said");
    drop(lease);

    until_completed(&world).await;
    for subject in [anna, ben] {
        let certificate = certificate(&world, subject, id).await;
        assert_eq!((certificate.grounds[0], certificate.category), (Ground::Shutdown(id), None));
        let state = world.state(subject).await;
        assert!(!state.status(VOICE).is_valid() && !state.status(MEMORY).is_valid());
    }
    assert_eq!(certificate(&world, ben, id).await.keys.len(), 1);
    let progress = world.register.shutdown().await.unwrap().unwrap();
    assert_eq!((progress.shutdown.people, progress.pending), (2, 0));
    let leaves = world.leaves().await;
    let closed = |event: &Event| matches!(event, Event::SegmentClosed { reason, .. } if reason.as_str() == "shutdown");
    assert!(leaves.iter().any(|leaf| closed(&leaf.fact.event)));
    let started = leaves.iter().find(|leaf| matches!(leaf.fact.event, Event::ShutdownStarted { .. })).unwrap();
    assert_eq!(started.fact.actor.kind, ActorKind::Operator);
    let last = leaves.iter().rposition(|leaf| matches!(leaf.fact.event, Event::EraseCertified { .. })).unwrap();
    let completed =
        leaves.iter().position(|leaf| matches!(leaf.fact.event, Event::ShutdownCompleted { people: 2, .. }));
    assert!(completed.is_some_and(|completed| last < completed));
    world.ends_spotless().await;
}

#[tokio::test]
async fn the_next_process_goes_on_with_it() {
    let world = World::new().await;
    let mut people = vec![world.person(&[VOICE, MEMORY]).await];
    for _ in 0..300 {
        people.push(world.stranger().await);
    }
    let id = announced(&world).await;
    world.register.start_shutdown(id, OPERATOR).await.unwrap();
    let world = world.again().await;
    let denied = world.listen(people[0]).await;
    assert!(matches!(denied, Err(Denied::Register(RegisterError::Ended))), "{denied:?}");
    until_completed(&world).await;
    for subject in people {
        certificate(&world, subject, id).await;
    }
    let told = world.leaves().await.into_iter().filter(|leaf| matches!(leaf.fact.event, Event::EraseCertified { .. }));
    assert_eq!(told.count(), 301, "each is erased once");
    world.ends_spotless().await;
}

#[tokio::test]
async fn it_does_not_start_before_people_were_given_their_time_or_by_mistake() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let none = world.register.start_shutdown([1; 16], OPERATOR).await;
    assert!(matches!(none, Err(Error::NotAnnounced)), "{none:?}");
    assert_eq!(world.register.shutdown().await.unwrap(), None);
    let shutdown = world.register.announce_shutdown(draft(&world)).await.unwrap();
    let notices = Notices::new(world.register.clone());
    notices.look().await.unwrap();
    assert_eq!(notices.to_tell(anna).await.unwrap()[0].id, shutdown.notice, "people are told");
    let again = world.register.announce_shutdown(draft(&world)).await;
    assert!(matches!(again, Err(Error::Announced)), "{again:?}");
    world.clock.advance(TIME - Duration::from_secs(1));
    let early = world.register.start_shutdown(shutdown.id, OPERATOR).await;
    assert!(matches!(early, Err(Error::TooSoon { .. })), "{early:?}");
    let other = world.register.start_shutdown([1; 16], OPERATOR).await;
    assert!(matches!(other, Err(Error::NotAnnounced)), "{other:?}");
    drop(world.listen(anna).await.expect("the service goes on"));
    world.clock.advance(Duration::from_secs(1));
    world.register.start_shutdown(shutdown.id, OPERATOR).await.unwrap();
    let twice = world.register.start_shutdown(shutdown.id, OPERATOR).await;
    assert!(matches!(twice, Err(Error::Started)), "{twice:?}");
}
