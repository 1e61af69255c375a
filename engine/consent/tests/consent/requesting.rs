//! People's requests: on record, answered by a day, noticed when that has passed.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, RequestStep};
use sayso_consent::rights::{Desk, Error, NotNow, Particulars, Request, Step};
use sayso_policy::profile::{ErasureGround, Refusal, RightKind};
use sayso_policy::{ConsentStatus, Profile};

use crate::revising::revised;
use crate::world::*;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
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
    for step in [VERIFIED, Step::Accept] {
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
        (RequestStep::IdentityVerified, "in_person"),
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
    for step in [VERIFIED, Step::Accept, Step::Fulfil { is_partial: false }] {
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
    assert!(desk.step(anna, late.id, VERIFIED, INTEGRATOR).await.is_ok(), "late is better than never");
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
    assert!(matches!(desk.step(anna, nobody, VERIFIED, INTEGRATOR).await, Err(Error::Unknown)));
}

#[tokio::test]
async fn of_two_steps_at_once_one_comes_first() {
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let request = desk.receive(anna, RightKind::Copy, INTEGRATOR).await.unwrap();
    let verify = || desk.step(anna, request.id, VERIFIED, INTEGRATOR);
    let outcomes = tokio::join!(verify(), verify());
    match outcomes {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => assert!(matches!(error, Error::NotNow(NotNow::Done)), "{error}"),
        both => panic!("one of two: {both:?}"),
    }
    assert_eq!(told(&world).await.len(), 2);
}

#[tokio::test]
async fn how_somebody_proved_who_they_are_stays_with_the_request_and_what_shows_it_is_bound_in_the_log() {
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let request = desk.receive(anna, RightKind::Copy, INTEGRATOR).await.unwrap();
    desk.step(anna, request.id, VERIFIED, INTEGRATOR).await.unwrap();
    let Step::Verify(identity) = VERIFIED else { unreachable!() };
    assert_eq!(desk.of(anna).await.unwrap()[0].identity, Some(identity));
    let bound = world.leaves().await.into_iter().find_map(|leaf| match leaf.fact.event {
        Event::Request { step: RequestStep::IdentityVerified, detail, evidence, .. } => {
            Some((detail, evidence.unwrap()))
        }
        _ => None,
    });
    let (method, evidence) = bound.unwrap();
    assert_eq!(method.as_str(), "in_person");
    assert_ne!(evidence.0, [7; 32], "it leads to nobody who has not what was shown");
}

#[tokio::test]
async fn who_asks_is_found_out_by_a_day_or_that_is_on_record_once_and_the_answer_keeps_its_own() {
    let soon = revised(2, &[("respond_within = \"P15D\"", "respond_within = \"P15D\"\nidentity_within = \"P5D\"")]);
    let world = World::new().await;
    world.register.publish(soon.clone()).await.unwrap();
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let request = desk.receive(anna, RightKind::Copy, INTEGRATOR).await.unwrap();
    assert_eq!(request.identity_due.as_ref().unwrap().by, "rights.identity_within");
    world.clock.advance(5 * DAY);
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "it is the day itself");
    drop(desk);
    world.clock.advance(core::time::Duration::from_millis(1));

    let world = world.again_under(soon).await;
    let desk = Desk::open(world.register.clone());
    desk.note_overdue().await.unwrap();
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "once");
    let overdue = async || told(&world).await.into_iter().filter(|(step, _)| *step == RequestStep::Overdue);
    assert_eq!(overdue().await.map(|(_, what)| what).collect::<Vec<_>>(), ["identity"]);
    desk.step(anna, request.id, VERIFIED, INTEGRATOR).await.unwrap();
    world.clock.advance(11 * DAY);
    desk.note_overdue().await.unwrap();
    assert_eq!(overdue().await.map(|(_, what)| what).collect::<Vec<_>>(), ["identity", "copy"]);
}

#[tokio::test]
async fn erasure_is_asked_for_on_the_grounds_of_the_policy_and_no_other() {
    let few = "[rights.offers.erase]\ngrounds = [\"unlawful\", \"without_consent\"]\n";
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let on = |ground| Particulars { ground: Some(ground), ..Particulars::default() };
    let any = desk.receive_with(anna, RightKind::Erase, on(ErasureGround::OtherLaw), INTEGRATOR).await.unwrap();
    assert_eq!(any.ground, Some(ErasureGround::OtherLaw), "a policy that lists none erases on any");
    world.register.publish(revised(2, &[("[rights.offers.erase]\n", few)])).await.unwrap();
    // who agreed to any ground has any until they answer
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    let size = world.size().await;
    let refused = desk.receive_with(anna, RightKind::Erase, on(ErasureGround::OtherLaw), INTEGRATOR).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the policy erases on no such ground as other_law; it names unlawful, without_consent"
    );
    let misplaced = desk.receive_with(anna, RightKind::Copy, on(ErasureGround::Unlawful), INTEGRATOR).await;
    assert!(matches!(misplaced, Err(Error::NamesGround)), "{misplaced:?}");
    assert_eq!(world.size().await, size);
    desk.receive_with(anna, RightKind::Erase, on(ErasureGround::Unlawful), INTEGRATOR).await.unwrap();
    let grounds: Vec<_> = desk.of(anna).await.unwrap().into_iter().filter_map(|request| request.ground).collect();
    assert!(grounds.contains(&ErasureGround::Unlawful) && grounds.len() == 2, "{grounds:?}");
}

#[tokio::test]
async fn only_what_is_asked_for_again_may_cost_something_and_only_where_the_policy_says_so() {
    let fee = revised(2, &[("[rights]\n", "[rights]\nfee_when_repeated = true\n")]);
    let world = World::new().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let may_cost = async |kind| desk.receive(anna, kind, INTEGRATOR).await.unwrap().may_cost;
    assert!(!may_cost(RightKind::Copy).await && !may_cost(RightKind::Copy).await, "the policy takes nothing");
    world.register.publish(fee).await.unwrap();
    assert!(!may_cost(RightKind::Copy).await, "what she agreed to takes nothing, until she answers");
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    assert!(may_cost(RightKind::Copy).await && !may_cost(RightKind::Access).await, "the first is free");
    assert!(!may_cost(RightKind::Erase).await && !may_cost(RightKind::Erase).await, "to decide is free, however often");
    world.clock.advance(366 * DAY);
    assert!(!may_cost(RightKind::Copy).await, "after a year it repeats nothing");
}

/// Until they answer: then they have what they agreed to anew.
#[tokio::test]
async fn what_a_revision_takes_away_is_still_had_by_whoever_agreed_to_more() {
    let (copy, refusals) = ("[rights.offers.copy]\nchannel = [\"console\"]\n", "refusals = [\"ProcessExcessive\"]");
    let revision = |rev: u32, within: &str, changes: &[(&str, &str)]| {
        let text = profile_text().replacen("rev = 1", &format!("rev = {rev}"), 1);
        let text = text.replacen("respond_within = \"P15D\"", &format!("respond_within = \"{within}\""), 1);
        let text = changes.iter().fold(text, |text, (from, to)| text.replacen(from, to, 1));
        Arc::new(Profile::parse(&text).unwrap())
    };
    let more = "refusals = [\"ProcessExcessive\", \"ProcessFrivolous\"]";
    let world = World::under(revision(1, "P10D", &[])).await;
    let desk = Desk::open(world.register.clone());
    let anna = world.person(&[VOICE]).await;
    world.register.publish(revision(2, "P15D", &[(copy, ""), (refusals, more)])).await.unwrap();
    let ben = world.person(&[VOICE]).await;
    let receive = async |who, right| desk.receive(who, right, INTEGRATOR).await;
    let days = |request: &Request| (request.due.as_ref().unwrap().at.0 - request.clocks.received.0) / DAY_MS;

    assert_eq!(days(&receive(anna, RightKind::Copy).await.unwrap()), 10);
    assert!(matches!(receive(ben, RightKind::Copy).await, Err(Error::NotOffered)));
    let (hers, his) = (receive(anna, RightKind::Access).await.unwrap(), receive(ben, RightKind::Access).await.unwrap());
    assert_eq!((days(&hers), days(&his)), (10, 15));
    let refuse = Step::Reject(Refusal::ProcessFrivolous);
    let refused = desk.step(anna, hers.id, refuse, INTEGRATOR).await;
    assert!(matches!(refused, Err(Error::NotNow(NotNow::Refusal))));
    desk.step(ben, his.id, refuse, INTEGRATOR).await.unwrap();

    world.register.publish(revision(3, "P5D", &[(copy, "")])).await.unwrap();
    for who in [anna, ben] {
        assert_eq!(days(&receive(who, RightKind::Access).await.unwrap()), 5, "what is better is everybody's");
    }
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    assert!(matches!(receive(anna, RightKind::Copy).await, Err(Error::NotOffered)));
}
