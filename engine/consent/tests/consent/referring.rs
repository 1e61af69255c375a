//! Requests that the policy passes to the tenant first: answered there, or taken back here in time.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Reference, RequestStep};
use sayso_consent::rights::{Desk, Error, NotNow, Request, Standing, Step, TenantAnswer};
use sayso_policy::profile::{Refusal, RightKind};
use sayso_policy::{ConsentStatus, Profile};
use sayso_types::{SubjectId, TenantId};

use crate::revising::revised;
use crate::world::{MEMORY, VERIFIED, VOICE, World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };

/// The test profile has the tenant asked first, for five days, for a copy and to erase.
pub(crate) fn profile(rev: u32) -> Arc<Profile> {
    let first = |right: &'static str| -> (String, String) {
        let before = format!("[rights.offers.{right}]\n");
        (before.clone(), format!("{before}tenant_first = \"P5D\"\n"))
    };
    let changes = [first("copy"), first("erase")];
    let changes: Vec<_> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    revised(rev, &changes)
}

async fn world() -> World {
    let world = World::new().await;
    world.register.publish(profile(2)).await.unwrap();
    world
}

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

/// What the log says of the request `case`, with who did it.
async fn told(world: &World, case: Reference) -> Vec<(RequestStep, String, ActorKind)> {
    let steps = world.leaves().await.into_iter().filter_map(|leaf| match leaf.fact.event {
        Event::Request { request, step, detail, .. } if request == case => {
            Some((step, detail.to_string(), leaf.fact.actor.kind))
        }
        _ => None,
    });
    steps.collect()
}

async fn asked(desk: &Desk, subject: SubjectId, kind: RightKind) -> Request {
    desk.receive(subject, kind, INTEGRATOR).await.unwrap()
}

#[tokio::test]
async fn the_tenant_answers_first_and_nobody_else_until_then() {
    let world = world().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let case = asked(&desk, anna, RightKind::Copy).await;
    assert!(case.is_with_tenant());
    assert_eq!(desk.referred(&acme()).await.unwrap(), core::slice::from_ref(&case));
    assert_eq!(desk.referred(&"other".parse().unwrap()).await.unwrap(), []);
    for step in [VERIFIED, Step::Reject(Refusal::ProcessExcessive)] {
        let early = desk.step(anna, case.id, step, OPERATOR).await;
        assert!(matches!(early, Err(Error::NotNow(NotNow::WithTenant))), "{early:?}");
    }
    let done = desk.answer_referral(anna, case.id, TenantAnswer::Done, INTEGRATOR).await.unwrap();
    assert_eq!(done.standing, Standing::Fulfilled);
    assert_eq!(desk.referred(&acme()).await.unwrap(), []);
    let again = desk.answer_referral(anna, case.id, TenantAnswer::Cannot, INTEGRATOR).await;
    assert!(matches!(again, Err(Error::NotNow(NotNow::NotWithTenant))), "{again:?}");
    let expected = [
        (RequestStep::Received, "copy", ActorKind::Tenant),
        (RequestStep::TaskDone, "sent_to_tenant", ActorKind::System),
        (RequestStep::TaskDone, "tenant_done", ActorKind::Tenant),
        (RequestStep::Fulfilled, "by_tenant", ActorKind::Tenant),
    ];
    assert_eq!(told(&world, case.id).await, expected.map(|(step, detail, who)| (step, detail.to_owned(), who)));
}

#[tokio::test]
async fn a_tenant_refuses_for_a_reason_of_the_policy_or_hands_back_what_it_cannot_do() {
    let world = world().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let refused = asked(&desk, anna, RightKind::Copy).await;
    let unkept = TenantAnswer::Refused(Refusal::ThirdPartyRightsImpaired);
    let why = desk.answer_referral(anna, refused.id, unkept, INTEGRATOR).await;
    assert!(matches!(why, Err(Error::NotNow(NotNow::Refusal))), "{why:?}");
    let answer = TenantAnswer::Refused(Refusal::ProcessExcessive);
    let refused = desk.answer_referral(anna, refused.id, answer, INTEGRATOR).await.unwrap();
    assert_eq!(refused.standing, Standing::Rejected(Refusal::ProcessExcessive));

    let back = asked(&desk, anna, RightKind::Copy).await;
    let cannot = desk.answer_referral(anna, back.id, TenantAnswer::Cannot, INTEGRATOR).await.unwrap();
    assert_eq!((cannot.standing, &cannot.due), (Standing::Unverified, &back.due));
    for step in [VERIFIED, Step::Accept, Step::Fulfil { is_partial: false }] {
        desk.step(anna, back.id, step, OPERATOR).await.unwrap();
    }
    let told = told(&world, back.id).await;
    let details: Vec<_> = told.iter().map(|(_, detail, _)| detail.as_str()).collect();
    assert_eq!(details, ["copy", "sent_to_tenant", "tenant_cannot", "in_person", "copy", "whole"]);
}

/// What the engine stores is not erased by a tenant's word: it tells the engine to do it.
#[tokio::test]
async fn what_the_engine_carries_out_begins_when_the_tenant_has_done_its_part() {
    let world = world().await;
    let (anna, desk) = (world.person(&[VOICE, MEMORY]).await, Desk::open(world.register.clone()));
    assert!(world.register.save_facts(anna, &[("name".into(), "Anna".into())]).await.unwrap());
    let case = asked(&desk, anna, RightKind::Erase).await;
    desk.answer_referral(anna, case.id, TenantAnswer::Done, INTEGRATOR).await.unwrap();
    world.register.until_certified(anna, case.id).await.unwrap();
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Withdrawn);
    let told = told(&world, case.id).await;
    let steps: Vec<_> = told.iter().map(|(step, ..)| *step).collect();
    use RequestStep::{Accepted, Fulfilled, IdentityVerified, Received, TaskDone};
    assert_eq!(steps, [Received, TaskDone, TaskDone, IdentityVerified, Accepted, Fulfilled]);
}

#[tokio::test]
async fn what_a_silent_tenant_does_not_answer_comes_back_by_itself_also_after_a_restart() {
    let world = world().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let case = asked(&desk, anna, RightKind::Copy).await;
    world.clock.advance(5 * DAY - Duration::from_millis(1));
    assert_eq!(desk.take_back().await.unwrap(), 0, "the tenant has a moment left");
    drop(desk);
    world.clock.advance(Duration::from_millis(1));

    let world = world.again_under(profile(2)).await;
    let desk = Desk::open(world.register.clone());
    let late = desk.answer_referral(anna, case.id, TenantAnswer::Done, INTEGRATOR).await;
    assert!(matches!(late, Err(Error::NotNow(NotNow::NotWithTenant))), "whether or not it is on record yet: {late:?}");
    desk.take_back().await.unwrap();
    assert_eq!(desk.take_back().await.unwrap(), 0, "once");
    let back = desk.of(anna).await.unwrap().remove(0);
    assert_eq!((back.standing, back.is_with_tenant(), &back.due), (Standing::Unverified, false, &case.due));
    assert_eq!(back.due.as_ref().unwrap().at.0 - back.clocks.received.0, 15 * DAY.as_millis() as u64);
    let silent = told(&world, case.id).await.into_iter().filter(|(_, detail, _)| detail == "tenant_silent");
    let silent: Vec<_> = silent.collect();
    assert_eq!(silent, [(RequestStep::TaskDone, "tenant_silent".to_owned(), ActorKind::System)]);
    for step in [VERIFIED, Step::Accept] {
        desk.step(anna, case.id, step, OPERATOR).await.unwrap();
    }
    world.clock.advance(11 * DAY);
    desk.note_overdue().await.unwrap();
    let told = told(&world, case.id).await;
    assert_eq!(told.iter().filter(|(step, ..)| *step == RequestStep::Overdue).count(), 1, "the day was the same");
}

#[tokio::test]
async fn a_right_that_the_policy_does_not_pass_on_is_answered_here_at_once() {
    let world = world().await;
    let (anna, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let case = asked(&desk, anna, RightKind::Access).await;
    assert!(!case.is_with_tenant());
    desk.step(anna, case.id, VERIFIED, OPERATOR).await.unwrap();
    assert_eq!(told(&world, case.id).await.len(), 2);
}
