//! People's requests: on record, answered by a day, noticed when that has passed.

use sayso_audit::{Actor, ActorKind, Event, RequestStep};
use sayso_consent::rights::{Desk, Error, NotNow, Step};
use sayso_policy::profile::RightKind;

use crate::world::*;

const DAY: core::time::Duration = core::time::Duration::from_secs(24 * 60 * 60);

const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

/// The steps in the log, with what is said of each.
async fn told(world: &World) -> Vec<(RequestStep, String)> {
    let steps = world.leaves().await.into_iter().filter_map(|leaf| match leaf.fact.event {
        Event::Request { step, detail, .. } => {
            assert!(leaf.fact.subject.is_some(), "a leaf that its person can be told of");
            Some((step, detail.to_string()))
        }
        _ => None,
    });
    steps.collect()
}

#[tokio::test]
async fn a_copy_holds_everything_and_only_what_is_the_persons_own() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE, MEMORY]).await);
    for (subject, name) in [(anna, "Anna"), (ben, "Ben")] {
        world.register.save_facts(subject, &[("name".into(), name.into())]).await.unwrap();
        let heard = ask(subject, world.state(subject).await.cv);
        let lease = world.register.acquire(heard).await.unwrap();
        lease.permit().pass(frame(&heard), drop).unwrap();
        lease.finish("done");
    }
    // when it is in effect, what she had said is on record as handed over
    world.register.withdraw(anna, &[VOICE], sayso_consent::Means::Button).await.unwrap();

    let request = desk.receive(anna, RightKind::Copy, INTEGRATOR).await.unwrap();
    let refused = desk.copy(anna, request.id, INTEGRATOR).await;
    assert!(matches!(refused, Err(Error::NotNow(NotNow::NotAccepted))));
    for step in [Step::Verify, Step::Accept] {
        desk.step(anna, request.id, step, INTEGRATOR).await.unwrap();
    }
    assert!(matches!(desk.copy(ben, request.id, INTEGRATOR).await, Err(Error::Unknown)), "somebody else's request");
    let copy = desk.copy(anna, request.id, INTEGRATOR).await.unwrap();
    assert_eq!(copy.remembered, [("name".to_owned(), "Anna".to_owned())]);
    assert_eq!(copy.consents.len(), 2);
    assert_eq!(copy.receipts.len(), 2);
    assert_eq!(copy.withdrawals.len(), 1);
    assert_eq!(copy.requests.len(), 1);
    let received: Vec<_> = copy.received.iter().map(|r| (r.processor.to_string(), r.segments, r.bytes)).collect();
    assert_eq!(received, [("whisper-local".to_owned(), 1, FRAME)]);
    let json = serde_json::to_string(&copy).unwrap();
    assert!(!json.contains("Ben") && !json.contains(&ben.to_string()));

    desk.step(anna, request.id, Step::Fulfil { is_partial: false }, INTEGRATOR).await.unwrap();
    let steps: Vec<_> = told(&world).await;
    let expected = [
        (RequestStep::Received, "copy"),
        (RequestStep::IdentityVerified, "copy"),
        (RequestStep::Accepted, "copy"),
        (RequestStep::Fulfilled, "whole"),
    ];
    assert_eq!(steps, expected.map(|(step, detail)| (step, detail.to_owned())));
    assert!(world.told_since(0).await.contains(&"export.created"));
}

#[tokio::test]
async fn what_is_not_answered_by_its_day_is_on_record_once_also_after_a_restart() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let desk = Desk::open(world.register.clone());
    let late = desk.receive(anna, RightKind::Copy, INTEGRATOR).await.unwrap();
    world.clock.advance(core::time::Duration::from_secs(1));
    let answered = desk.receive(anna, RightKind::Access, INTEGRATOR).await.unwrap();
    for step in [Step::Verify, Step::Accept, Step::Fulfil { is_partial: false }] {
        desk.step(anna, answered.id, step, INTEGRATOR).await.unwrap();
    }
    world.clock.advance(15 * DAY - core::time::Duration::from_secs(1));
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "it is the day itself");
    drop(desk);
    world.clock.advance(DAY);

    let world = world.again().await;
    let desk = Desk::open(world.register.clone());
    desk.note_overdue().await.unwrap();
    assert_eq!(desk.note_overdue().await.unwrap(), 0);
    let overdue: Vec<_> = told(&world).await.into_iter().filter(|(step, _)| *step == RequestStep::Overdue).collect();
    assert_eq!(overdue, [(RequestStep::Overdue, "copy".to_owned())]);
    let requests = desk.of(anna).await.unwrap();
    assert_eq!(
        requests.iter().map(|r| (r.id, r.is_overdue)).collect::<Vec<_>>(),
        [(late.id, true), (answered.id, false)]
    );
    assert!(desk.step(anna, late.id, Step::Verify, INTEGRATOR).await.is_ok(), "late is better than never");
}

#[tokio::test]
async fn what_the_policy_does_not_offer_and_what_is_too_much_is_refused_and_leaves_no_trace() {
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let size = world.size().await;
    assert!(matches!(desk.receive(anna, RightKind::ShutdownNotice, INTEGRATOR).await, Err(Error::NotOffered)));
    assert_eq!(world.size().await, size);
    for _ in 0..sayso_consent::rights::desk::OPEN_MAX {
        desk.receive(anna, RightKind::Copy, INTEGRATOR).await.unwrap();
    }
    assert!(matches!(desk.receive(anna, RightKind::Copy, INTEGRATOR).await, Err(Error::TooMany)));
    let nobody = sayso_audit::Reference([9; 16]);
    assert!(matches!(desk.step(anna, nobody, Step::Verify, INTEGRATOR).await, Err(Error::Unknown)));
}

#[tokio::test]
async fn of_two_steps_at_once_one_comes_first() {
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let request = desk.receive(anna, RightKind::Copy, INTEGRATOR).await.unwrap();
    let verify = || desk.step(anna, request.id, Step::Verify, INTEGRATOR);
    let outcomes = tokio::join!(verify(), verify());
    match outcomes {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => assert!(matches!(error, Error::NotNow(NotNow::Done)), "{error}"),
        both => panic!("one of two: {both:?}"),
    }
    assert_eq!(told(&world).await.len(), 2);
}
