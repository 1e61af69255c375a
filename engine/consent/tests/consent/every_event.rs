//! The closed list of audit events, walked: each that the code names is told by something that happens here.

mod told;

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::Leaf;
use sayso_audit::{
    Actor, ActorKind, ActorTag, ConsentEnding, ControlEvent, Event, FlowEvent, Hash, MinorEvent, Reference, Signer,
};
use sayso_consent::complaints::{ComplaintDesk, Outcome};
use sayso_consent::disclosure::DisclosureDesk;
use sayso_consent::incidents::{Deed, Ending, IncidentDesk};
use sayso_consent::notices::{self, Channel, Draft, Notices};
use sayso_consent::retention::HoldOrder;
use sayso_consent::rights::{Delay, Desk, Step, TenantAnswer};
use sayso_consent::switch::{Position, Target, Throw};
use sayso_consent::tenants::{Order, Why};
use sayso_consent::{Means, Options, Question, guardian};
use sayso_policy::profile::{Refusal, RightKind};
use sayso_policy::{AgeBand, ConsentStatus};
use sayso_types::{Category, ConsentVersion, Name, Part, TenantId, WallTime};

use self::told::is_told;
use crate::anonymising::profile_that_anonymises;
use crate::answering::accepted;
use crate::complaining;
use crate::deleting::told_of_deletions;
use crate::ending_otherwise::ending;
use crate::erasing::profile_with_a_receiver;
use crate::exempting::{KEPT, granted};
use crate::expiring::LASTS;
use crate::exporting::told_at_the_limit;
use crate::guarding::{guarded, said};
use crate::incidents::{self, everything, profile_with_duties, report};
use crate::instructing;
use crate::keeping;
use crate::noticing::draft;
use crate::noting;
use crate::referring;
use crate::retaining::profile_that_ends;
use crate::revising::revised;
use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::{MEMORY, TTL, VERIFIED, VOICE, World, answer, ask, asking, processor};

const DAY: u64 = 24 * HOUR;

/// What the walk tells.
const TOLD: &[&str] = &[
    "policy.effective",
    "notice.served",
    "consent.requested",
    "consent.given",
    "consent.refused",
    "consent.deferred",
    "consent.part_given",
    "consent.revoked",
    "consent.invalidated",
    "withdraw.requested",
    "withdraw.effective",
    "gate.denied",
    "egress.segment_opened",
    "egress.segment_closed",
    "audit.selfcheck_passed",
    "log.key_rotated",
    "clock.anomaly",
    "operator.access",
    "dsr.received",
    "dsr.identity_verified",
    "dsr.accepted",
    "dsr.rejected",
    "dsr.delayed",
    "dsr.fulfilled",
    "dsr.overdue",
    "export.created",
    "export.downloaded",
    "processor.registered",
    "permit.expired",
    "permit.revoke_acked",
    "erase.committed",
    "key.destroyed",
    "erase.node_acked",
    "processor.deletion_unconfirmed",
    "erase.certified",
    "processor.activated",
    "processor.suspended",
    "processor.terminated",
    "processor.due_diligence_expired",
    "category.switched_off",
    "category.switched_on",
    "tenant.switched_off",
    "tenant.switched_on",
    "tenant.instructed",
    "tenant.attested",
    "tenant.evidence_demanded",
    "tenant.evidence_accepted",
    "tenant.purpose_instructed",
    "tenant.category_instructed",
    "tenant.person_served",
    "tenant.erasing",
    "tenant.erased",
    "incident.opened",
    "incident.assessed",
    "incident.contained",
    "incident.regulator_notified",
    "incident.subjects_notified",
    "incident.closed",
    "incident.overdue",
    "exemption.granted",
    "exemption.used",
    "exemption.expired",
    "exemption.revoked",
    "gate.permitted_by_exemption",
    "retention.due",
    "retention.executed",
    "retention.held",
    "legal_hold.set",
    "legal_hold.released",
    "store.restricted",
    "rectify.applied",
    "account.cancelled",
    "notice.sent",
    "notice.delivered",
    "notice.failed",
    "policy.published",
    "controller.changed",
    "service.shutdown_started",
    "service.shutdown_completed",
    "policy.superseded",
    "consent.renewed",
    "consent.expired",
    "withdraw.pending_timeout",
    "guardian.requested",
    "guardian.verified",
    "guardian.failed",
    "minor.detected",
    "minor.cleared",
    "minor.data_erased",
    "store.anonymised",
    "store.erased",
    "operator.denied",
    "complaint.received",
    "complaint.answered",
    "complaint.overdue",
    "dsr.task_done",
    "store.written",
    "derive.created",
    "transfer.cross_border",
    "processor.deletion_requested",
    "processor.deletion_confirmed",
    "rectify.propagated",
    "processor.transfer_limit_reached",
    "config.changed",
    "key.created",
    "key.rotated",
    "erase.residual_approved",
];

#[tokio::test]
async fn every_event_of_the_closed_list_is_told_by_what_happens_and_no_other() {
    let clock = Arc::new(SetClock::at(NOON));
    let options = Options { withdraw_wait: Duration::from_secs(30), ..Options::default() };
    let world = World::with_clock(clock.clone(), options).await;
    for seed in [7, 8] {
        let signer = Signer::new("home.example/sayso", &[seed; 32]).unwrap();
        world.journal().sign_with(signer.verifier()).await.unwrap();
    }
    talk(&world).await;
    requests(&world, &clock).await;
    clock.set(NOON);
    erasure(&world).await;
    exemptions(&world, &clock).await;
    endings(&world).await;
    retention(&world, &clock).await;
    anonymised(&world, &clock).await;
    rights(&world).await;
    notice(&world).await;
    desks(&world, &clock).await;
    incident(&world, &clock).await;
    world.journal().operator(Actor::SYSTEM, Name::constant("look"), 1).await.unwrap();
    takeover(&world, &clock).await;
    clock.set(NOON);
    minors(&world, &clock).await;
    instructions(&world).await;
    shutdown(&world, &clock).await;

    let mut leaves = world.leaves().await;
    leaves.extend(pending().await);
    leaves.extend(lent().await);
    leaves.extend(lineage().await);
    leaves.extend(node().await);
    leaves.extend(told_at_the_limit().await);
    leaves.extend(told_of_deletions().await);
    assert!(leaves.iter().all(|leaf| is_told(&leaf.fact.event)));
    let told: BTreeSet<_> = leaves.iter().map(|leaf| leaf.fact.event.name()).collect();
    assert_eq!(told, TOLD.iter().copied().collect::<BTreeSet<_>>());
}

/// A node starts, and starts again with another setting and another key; what the log of it says.
async fn node() -> Vec<Leaf> {
    let world = World::new().await;
    for max in ["1", "2"] {
        world.register.note_config(0, &noting::configured(&[("sessions.max", max)])).await.unwrap();
        world.register.note_keys(Actor::SYSTEM).await.unwrap();
        sayso_vault::testing::vault(world.local.clone()).await.unwrap().rotate().await.unwrap();
    }
    world.register.note_keys(Actor::SYSTEM).await.unwrap();
    world.leaves().await
}

/// Somebody is asked, answers in each way, speaks, and takes it back.
async fn talk(world: &World) {
    let (anna, question) = (world.stranger().await, Question::of(&[VOICE]));
    assert!(world.register.acquire(ask(anna, ConsentVersion(1))).await.is_err(), "nobody was asked");
    world.register.asked(&asking(anna, &question)).await.unwrap();
    for (purpose, status) in
        [(VOICE, ConsentStatus::Given), (MEMORY, ConsentStatus::Refused), (MEMORY, ConsentStatus::Deferred)]
    {
        world.answers(anna, &[purpose], status).await;
    }
    drop(world.listen(anna).await.unwrap());
    let part = Part { processor: Some(processor("whisper-local")), ..Part::default() };
    assert!(world.register.withdraw_parts(anna, &[part], Means::Voice).await.unwrap().ok);
    world.register.record_with(&answer(anna, &[VOICE], ConsentStatus::Given), &[part]).await.unwrap();
    assert!(world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
}

/// Of two who have a permit outside of the node, one lets go when it is taken back, and nothing is heard of the other; what the
/// log of it says.
async fn lent() -> Vec<Leaf> {
    let world = World::impatient().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    let (heard, _silent) = (world.lend(anna).await.unwrap(), world.lend(ben).await.unwrap());
    for person in [anna, ben] {
        assert!(!world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);
    }
    heard.let_go(None).await.unwrap();
    world.clock.advance(2 * TTL);
    world.until_told(|event| matches!(event, Event::Flow(FlowEvent::PermitExpired { .. }))).await;
    world.leaves().await
}

/// Somebody takes back their consent while whoever has their data does not let go; what the log of it says.
async fn pending() -> Vec<Leaf> {
    let world = World::impatient().await;
    let anna = world.person(&[VOICE]).await;
    let lease = world.listen(anna).await.unwrap();
    assert!(!world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
    assert!(!world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok);
    drop(lease);
    let leaves = world.leaves().await;
    let told = leaves.iter().filter(|leaf| matches!(leaf.fact.event, Event::WithdrawPending { .. }));
    assert_eq!(told.count(), 1, "asking again is no other withdrawal");
    leaves
}

/// Something is kept of somebody, and something else is made from it; what the log of it says.
async fn lineage() -> Vec<Leaf> {
    let world = World::under(keeping::lawful(keeping::AIWELLFLOW)).await;
    let anna = world.stranger().await;
    let settings = || keeping::json("agent_config", "agent_building", r#"{"prompt":"x"}"#);
    let first = keeping::keep(&world, anna, settings()).await.unwrap();
    keeping::keep(&world, anna, settings().made_from(&[first])).await.unwrap();
    world.leaves().await
}

/// Somebody asks for copies: one is handed out late, one refused, one forgotten.
async fn requests(world: &World, clock: &SetClock) {
    let by = Actor { kind: ActorKind::Tenant, tag: None };
    let (ben, desk) = (world.person(&[VOICE]).await, Desk::open(world.register.clone()));
    let copy = desk.receive(ben, RightKind::Copy, by).await.unwrap();
    let until = WallTime(copy.due.as_ref().unwrap().at.0 + DAY);
    for step in [Step::Delay { why: Delay::Complex, until }, VERIFIED, Step::Accept] {
        desk.step(ben, copy.id, step, by).await.unwrap();
    }
    desk.copy(ben, copy.id, by).await.unwrap();
    desk.handed_out(ben, copy.id, (b"a copy", 6), by).await.unwrap();
    desk.step(ben, copy.id, Step::Fulfil { is_partial: false }, by).await.unwrap();
    let refused = desk.receive(ben, RightKind::Copy, by).await.unwrap();
    desk.step(ben, refused.id, Step::Reject(Refusal::ProcessExcessive), by).await.unwrap();
    desk.receive(ben, RightKind::Copy, by).await.unwrap();
    clock.set(NOON + 30 * DAY);
    desk.note_overdue().await.unwrap();
}

/// Somebody takes back what was remembered, when somebody else may have it, too.
async fn erasure(world: &World) {
    let carl = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(carl, &[("name".into(), "Carl".into())]).await.unwrap());
    world.register.publish(Arc::new(profile_with_a_receiver(2))).await.unwrap();
    let withdrawn = Reference(world.register.withdraw(carl, &[], Means::Voice).await.unwrap().id);
    world.register.until_certified(carl, withdrawn).await.unwrap();
    let what = (Name::constant("cloud"), Name::constant("it_says_nothing"));
    let by = ("admin:dpo".to_owned(), Actor { kind: ActorKind::Operator, tag: None });
    world.register.approve_residual(carl, withdrawn, what, by).await.unwrap();
}

/// Everything is turned off and on again; an incident is reported, told to people too late, and closed; and a recogniser is
/// not looked at again in time.
async fn incident(world: &World, clock: &SetClock) {
    let by = Actor { kind: ActorKind::Operator, tag: None };
    world.register.publish(profile_with_duties(7, 30)).await.unwrap();
    let desk = IncidentDesk::open(world.register.clone());
    let incident = desk.report(report(None), by).await.unwrap();
    for target in [
        Target::Processor(processor("rules-local")),
        Target::Category(Category::VOICE_AUDIO),
        Target::Tenant("acme".parse().unwrap()),
    ] {
        for to in [Position::Off, Position::On] {
            let throw = Throw { target: target.clone(), to, reason: Name::constant("leak"), incident: None };
            desk.throw(incident.id, throw, by).await.unwrap();
        }
    }
    let (target, reason) = (Target::Processor(processor("voice-local")), Name::constant("ended"));
    world.register.throw(Throw { target, to: Position::Terminated, reason, incident: None }, by).await.unwrap();
    for deed in [Deed::Assess(everything(world)), Deed::Contain, Deed::TellRegulator("file 7".into())] {
        desk.step(incident.id, deed, by).await.unwrap();
    }
    clock.set(NOON + 30 * DAY);
    desk.note_overdue().await.unwrap();
    for deed in [Deed::TellSubjects(incidents::notice()), Deed::Close(Ending::Handled)] {
        desk.step(incident.id, deed, by).await.unwrap();
    }
    world.register.note_due_diligence().await.unwrap();
    clock.set(NOON);
}

/// Somebody's consent is revoked, another's was not valid.
async fn endings(world: &World) {
    for how in ConsentEnding::ALL {
        let somebody = world.person(&[VOICE]).await;
        assert!(world.register.end_consent(somebody, &[], ending(how)).await.unwrap().ok);
    }
}

/// Two exemptions: one is used and taken back, the other one's time ends. So does what somebody agreed to, and again.
async fn exemptions(world: &World, clock: &SetClock) {
    world.register.publish(revised(3, &[KEPT, LASTS])).await.unwrap();
    let dora = world.stranger().await;
    let (used, forgotten) = (granted(world, None).await, granted(world, None).await);
    drop(world.listen(dora).await.unwrap());
    world.register.revoke_exemption(used.id, ActorTag([1; 16])).await.unwrap();
    let emma = world.person(&[MEMORY]).await;
    world.answers(emma, &[MEMORY], ConsentStatus::Given).await;
    clock.set(NOON + DAY);
    world.register.expire_consents().await.unwrap();
    world.until_told(|event| *event == Event::ExemptionExpired { grant: forgotten.id }).await;
    clock.set(NOON);
}

/// Something is held when its time is over, and ends when the hold does.
async fn retention(world: &World, clock: &SetClock) {
    let policy = profile_that_ends(4, "trigger = \"collected\", after = \"P1D\"", "");
    world.register.publish(policy).await.unwrap();
    let dora = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(dora, &[("name".into(), "Dora".into())]).await.unwrap();
    let (by, law) = (Actor { kind: ActorKind::Operator, tag: None }, "cn-cpl:67".to_owned());
    let order = HoldOrder { subject: Some(dora), category: None, law, by: "admin:legal".into(), until: None };
    let hold = world.register.set_hold(order, by).await.unwrap();
    clock.set(NOON + DAY);
    world.register.end_what_is_due().await.unwrap();
    world.register.release_hold(hold.id, by).await.unwrap();
    world.register.end_what_is_due().await.unwrap();
    clock.set(NOON);
}

/// What somebody had remembered ends by being counted, and they are the only one.
async fn anonymised(world: &World, clock: &SetClock) {
    world.register.publish(profile_that_anonymises(5, 10)).await.unwrap();
    let dora = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(dora, &[("name".into(), "Dora".into())]).await.unwrap();
    for day in [10, 40] {
        clock.set(NOON + day * DAY);
        world.register.end_what_is_due().await.unwrap();
    }
    clock.set(NOON);
}

/// Somebody has what is remembered put right, then restricted, and then closes their account.
async fn rights(world: &World) {
    let (dora, desk) = (world.person(&[VOICE, MEMORY]).await, Desk::open(world.register.clone()));
    assert!(world.register.save_facts(dora, &[("name".into(), "Dora".into())]).await.unwrap());
    let case = accepted(&desk, dora, RightKind::Rectify).await;
    desk.correct(dora, case, &[("name".into(), "Theodora".into())], Actor::SYSTEM).await.unwrap();
    accepted(&desk, dora, RightKind::Restrict).await;
    let case = accepted(&desk, dora, RightKind::Cancel).await;
    world.register.until_certified(dora, case).await.unwrap();
}

/// Everybody is told something: one hears it, another cannot be reached.
async fn notice(world: &World) {
    let (dora, emil, notices) = (world.stranger().await, world.stranger().await, Notices::new(world.register.clone()));
    let by = WallTime(NOON + 10 * DAY);
    let notice = notices.send(Draft { by: Some(by), ..draft(world) }, None).await.unwrap();
    notices.look().await.unwrap();
    notices.heard(dora, notice.id).await.unwrap();
    notices.step(emil, notice.id, notices::Step::Failed(Channel::Device), Actor::SYSTEM).await.unwrap();
}

/// Somebody asks for a disclosure that nobody granted; two complain, of whom one is answered late; and a request goes to the
/// tenant first, who cannot answer it.
async fn desks(world: &World, clock: &SetClock) {
    let by = Actor { kind: ActorKind::Operator, tag: None };
    let desk = DisclosureDesk::open(world.register.clone());
    desk.make(Name::constant("x08-00"), None, by).await.unwrap_err();
    let complaints = ComplaintDesk::open(world.register.clone());
    let late = complaints.file(complaining::filing(None), by).await.unwrap();
    clock.set(NOON + 30 * DAY);
    complaints.note_overdue().await.unwrap();
    let tenant = late.filing.tenant;
    complaints.answer(&tenant, late.id, (Outcome::Upheld, [3; 32]), by).await.unwrap();
    clock.set(NOON);
    world.register.publish(referring::profile(6)).await.unwrap();
    let (emil, rights) = (world.stranger().await, Desk::open(world.register.clone()));
    let case = rights.receive(emil, RightKind::Copy, by).await.unwrap();
    rights.answer_referral(emil, case.id, TenantAnswer::Cannot, by).await.unwrap();
}

/// Somebody else is going to answer for the data, and does.
async fn takeover(world: &World, clock: &SetClock) {
    let other = [("id = \"operator\"", "id = \"another\""), ("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z")];
    let next = revised(8, &other);
    world.register.announce(next.clone()).await.unwrap();
    clock.set(NOON + 9 * DAY);
    world.until_told(|event| matches!(event, Event::ControllerChanged { .. })).await;
}

/// Of two children one turns out to be none; the other's guardian is another than was asked for, and agrees until the child is
/// old enough.
async fn minors(world: &World, clock: &SetClock) {
    let (dora, emil, by) = (world.stranger().await, world.stranger().await, Actor::SYSTEM);
    for band in [AgeBand::Under13, AgeBand::Adult] {
        world.register.set_age(emil, said(band, None), by).await.unwrap();
    }
    world.register.set_age(dora, said(AgeBand::Under14, Some("2026-01")), by).await.unwrap();
    world.until_told(|event| matches!(event, Event::Minor(MinorEvent::DataErased { .. }))).await;
    for step in [guardian::Step::Request(Name::constant("in_person")), guardian::Step::Fail] {
        world.register.guardian_step(dora, step, by).await.unwrap();
    }
    guarded(world, dora).await;
    world.answers(dora, &[VOICE], ConsentStatus::Given).await;
    clock.set(NOON + 31 * DAY);
    world.until_told(|event| matches!(event, Event::ConsentExpired { .. })).await;
    clock.set(NOON);
}

/// A tenant gives instructions and its word, serves somebody, shows what it has to, and is served no more.
async fn instructions(world: &World) {
    let acme: TenantId = "acme".parse().unwrap();
    let attested = Order { attestation: Some("statement 3, version 2".into()), ..instructing::order("acme") };
    world.register.instruct(attested, Actor::SYSTEM).await.unwrap();
    world.person(&[VOICE]).await;
    let (what, due) = ("where the recordings come from".to_owned(), Some(WallTime(u64::MAX)));
    world.register.demand_evidence(acme.clone(), what, due, Actor::SYSTEM).await.unwrap();
    world.register.accept_evidence(acme.clone(), Hash([5; 32]), Actor::SYSTEM).await.unwrap();
    world.register.end_tenant(acme, Why::Instructed, Actor::SYSTEM).await.unwrap();
    world.until_told(|event| matches!(event, Event::Control(ControlEvent::TenantErased { .. }))).await;
}

/// The service ends, and everybody's data is erased.
async fn shutdown(world: &World, clock: &SetClock) {
    let by = WallTime(NOON + 20 * DAY);
    let announced = world.register.announce_shutdown(Draft { by: Some(by), ..draft(world) }).await.unwrap();
    clock.set(by.0);
    world.register.start_shutdown(announced.id, Actor::SYSTEM).await.unwrap();
    world.until_told(|event| matches!(event, Event::ShutdownCompleted { .. })).await;
}
