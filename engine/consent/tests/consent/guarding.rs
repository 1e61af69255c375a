//! Children: what their age closes, what a guardian opens, and what ends when they are old enough.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Leaf, MinorEvent, Reference};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::guardian::{Error, NotNow, Said, Standing, Step};
use sayso_consent::rights::{self, Desk};
use sayso_consent::{Answer, Ask, Denied, Error as RegisterError, Means, Replay, Replayed};
use sayso_policy::profile::{Draft, RightKind};
use sayso_policy::{AgeBand, ConsentState, ConsentStatus, Gate, Profile, Reason, Refused};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Category, Clock, Name, Purpose, SubjectId, WallTime};

use crate::keeping::{XIAOZHI, bytes, keep, purpose, rows};
use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::*;

const BY: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const IN_PERSON: Name = Name::constant("in_person");
const DAY: u64 = 24 * HOUR;
/// The end of the month of [`NOON`].
const FEBRUARY: u64 = NOON - HOUR * 12 + 31 * DAY;

/// What is said of somebody who grows out of `band` in this month, such as 2026-01.
pub(crate) fn said(band: AgeBand, until: Option<&str>) -> Said {
    Said { band, until: until.map(|month| month.parse().unwrap()), evidence_sha256: [9; 32] }
}

async fn is_of(world: &World, subject: SubjectId, band: AgeBand) {
    world.register.set_age(subject, said(band, None), BY).await.unwrap();
}

async fn step(world: &World, subject: SubjectId, step: Step) -> Result<Standing, Error> {
    let stands = world.register.guardian_step(subject, step, BY).await?;
    Ok(stands.guardian.unwrap().standing)
}

/// Asks for a guardian and verifies them.
pub(crate) async fn guarded(world: &World, subject: SubjectId) {
    guarded_by(world, subject, IN_PERSON).await;
}

/// The same by a method that the policy has.
pub(crate) async fn guarded_by(world: &World, subject: SubjectId, method: Name) {
    for taken in [Step::Request(method), Step::Verify([7; 32])] {
        step(world, subject, taken).await.unwrap();
    }
}

async fn is_closed(world: &World, subject: SubjectId) -> bool {
    matches!(world.listen(subject).await, Err(Denied::Policy(Reason::MinorNoGuardian)))
}

/// A yes of the guardian's.
async fn agrees(world: &World, subject: SubjectId, to: &[Purpose]) -> Result<ConsentState, RegisterError> {
    let evidence_sha256 = core::array::from_fn(|at| subject.0[at % 16]);
    let yes = Answer { means: Means::Guardian, evidence_sha256, ..answer(subject, to, ConsentStatus::Given) };
    world.register.record(&yes).await
}

fn detections(leaves: &[Leaf]) -> Vec<Reference> {
    let found = leaves.iter().filter_map(|leaf| match leaf.fact.event {
        Event::Minor(MinorEvent::Detected { detected, .. }) => Some(detected),
        _ => None,
    });
    found.collect()
}

#[tokio::test]
async fn a_child_that_is_found_is_not_heard_any_more_and_their_data_is_erased() {
    let world = World::new().await;
    let anna = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(anna, &[("name".into(), "Anna".into())]).await.unwrap());
    let (cv, lease) = (world.state(anna).await.cv, world.listen(anna).await.unwrap());
    let began = world.clock.wall();
    let finding = world.register.set_age(anna, said(AgeBand::Under13, None), BY);
    let held = async {
        lease.revoked().await;
        assert_eq!(lease.permit().pass(frame(&ask(anna, cv)), drop), Err(Refused::Revoked));
        drop(lease);
    };
    let stands = tokio::join!(finding, held).0.unwrap();
    assert!(stands.is_alone && stands.needs_guardian);
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Withdrawn);
    assert!(is_closed(&world, anna).await);

    let detected = detections(&world.leaves().await)[0];
    let json = world.register.until_certified(anna, detected).await.unwrap();
    let certificate = Certificate::parse(&json).unwrap();
    assert!(certificate.grounds.contains(&Ground::Minor(detected.0)), "{certificate:?}");
    assert_eq!((certificate.category, certificate.keys.len()), (None, 1));
    let within = world.register.profile().minors().erase_on_discovery.clone().unwrap().period().unwrap();
    let took = Duration::from_millis(certificate.certified_at.0 - began.0);
    assert!(took <= within.shortest(), "within the time that the policy promises");
    world.register.save_facts(anna, &[("name".into(), "Anna".into())]).await.unwrap();
    assert_eq!(world.register.facts(anna).await.unwrap(), []);
    let told = world.told_since(0).await;
    let place = |name| told.iter().position(|told| *told == name).unwrap_or_else(|| panic!("{name}: {told:?}"));
    assert!(place("minor.detected") < place("withdraw.requested"));
    assert!(place("withdraw.effective") < place("erase.certified"));
    assert_eq!(place("erase.certified") + 1, place("minor.data_erased"));
    world.ends_spotless().await;
}

#[tokio::test]
async fn nobody_agrees_for_a_child_but_their_verified_guardian_and_that_is_on_record() {
    let world = World::new().await;
    let anna = world.stranger().await;
    is_of(&world, anna, AgeBand::Under13).await;
    for means in [Means::Voice, Means::Button, Means::Integrator, Means::Guardian] {
        let yes = Answer { means, ..answer(anna, &[VOICE], ConsentStatus::Given) };
        let refused = world.register.record(&yes).await;
        assert!(matches!(refused, Err(RegisterError::NoGuardian)), "{means:?}: {refused:?}");
    }
    let early = step(&world, anna, Step::Verify([7; 32])).await;
    assert!(matches!(early, Err(Error::NotNow(NotNow::NotAsked))), "{early:?}");
    guarded(&world, anna).await;
    agrees(&world, anna, &[VOICE]).await.unwrap();
    drop(world.listen(anna).await.unwrap());

    let (_, records) = world.register.records(anna).await.unwrap();
    let given = &records[0].events[0];
    assert_eq!(given.actor(), proto::ActorKind::Guardian);
    let evidence = given.guardian.as_ref().unwrap();
    assert_eq!((evidence.method.as_str(), evidence.evidence_sha256.as_slice()), ("in_person", &[7; 32][..]));
    let leaves = world.leaves().await;
    let given = leaves.iter().find(|leaf| leaf.fact.event.name() == "consent.given").unwrap();
    assert_eq!(given.fact.actor.kind, ActorKind::Guardian);
    let adult = world.stranger().await;
    guarded(&world, adult).await;
    let refused = agrees(&world, adult, &[VOICE]).await;
    assert!(matches!(refused, Err(RegisterError::NoGuardian)), "nobody agrees for an adult");
    let world = world.again().await;
    let stands = world.register.guardianship(anna).await.unwrap();
    assert!(matches!(stands.guardian.unwrap().standing, Standing::Verified { evidence_sha256: [7, ..], .. }));
    assert!(!stands.is_alone);
    drop(world.listen(anna).await.unwrap());
    world.ends_spotless().await;
}

#[tokio::test]
async fn without_their_guardian_a_child_is_not_heard_any_more() {
    let world = World::new().await;
    let anna = world.stranger().await;
    is_of(&world, anna, AgeBand::Under13).await;
    guarded(&world, anna).await;
    agrees(&world, anna, &[VOICE]).await.unwrap();
    let lease = world.listen(anna).await.unwrap();
    let held = async {
        lease.revoked().await;
        drop(lease);
    };
    let failed = tokio::join!(world.register.guardian_step(anna, Step::Fail, BY), held).0;
    assert!(failed.unwrap().is_alone);
    assert!(is_closed(&world, anna).await);
    let detected = detections(&world.leaves().await);
    assert_eq!(detected.len(), 2, "when it was said how old they are, and now");
    world.register.until_certified(anna, detected[1]).await.unwrap();
}

/// What was put down wrongly is put right: then the person is asked themselves, also for what was agreed to for them.
#[tokio::test]
async fn who_turns_out_to_be_older_is_asked_themselves() {
    let world = World::new().await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    is_of(&world, anna, AgeBand::Under13).await;
    guarded(&world, anna).await;
    agrees(&world, anna, &[VOICE]).await.unwrap();
    let lease = world.listen(anna).await.unwrap();
    is_of(&world, anna, AgeBand::Adult).await;
    assert!(!lease.permit().is_open());
    drop(lease);
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Expired);
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    drop(world.listen(anna).await.unwrap());

    is_of(&world, ben, AgeBand::Under13).await;
    is_of(&world, ben, AgeBand::Under14).await;
    is_of(&world, ben, AgeBand::Adult).await;
    world.answers(ben, &[VOICE], ConsentStatus::Given).await;
    drop(world.listen(ben).await.unwrap());
    let told = world.told_since(0).await;
    let count = |name: &str| told.iter().filter(|told| **told == name).count();
    assert_eq!((count("minor.detected"), count("minor.cleared")), (2, 1), "a child stays the child that was found");
    let nobody = world.register.set_age(ben, said(AgeBand::Unknown, None), BY).await;
    assert!(matches!(nobody, Err(Error::Age(_))), "{nobody:?}");
    world.ends_spotless().await;
}

/// Turning 14: what was agreed to for a child ends by itself, to the moment, and the person is asked themselves.
#[tokio::test]
async fn who_is_old_enough_is_asked_themselves() {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), sayso_consent::Options::default()).await;
    let anna = world.stranger().await;
    let child = said(AgeBand::Under14, Some("2026-01"));
    let stands = world.register.set_age(anna, child, BY).await.unwrap();
    assert_eq!(stands.age_ends, Some(WallTime(FEBRUARY)), "no day is kept");
    guarded(&world, anna).await;
    // the child presses the button, with their guardian beside them
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    clock.set(FEBRUARY - 1);
    drop(world.listen(anna).await.unwrap());
    clock.set(FEBRUARY);
    assert!(matches!(world.listen(anna).await, Err(Denied::Policy(Reason::NoBasis))), "before anybody has looked");
    world.until(anna, |state| state.age == AgeBand::Under16).await;
    let (state, records) = world.register.records(anna).await.unwrap();
    assert_eq!(state.status(VOICE), ConsentStatus::Expired);
    assert_eq!(records[0].events.last().unwrap().status(), proto::ConsentStatus::Expired);
    let stands = world.register.guardianship(anna).await.unwrap();
    assert_eq!((stands.needs_guardian, stands.is_alone), (false, false));
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    drop(world.listen(anna).await.unwrap());
    // and stays when they turn 16, which asks nobody anything
    clock.set(FEBRUARY + 2 * 366 * DAY);
    world.until(anna, |state| state.age == AgeBand::Under18).await;
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Given);
    world.ends_spotless().await;
}

/// What the policy keeps for a year, whatever is withdrawn, is not kept by a consent that has ended with childhood.
#[tokio::test]
async fn what_was_kept_of_a_child_goes_with_the_consent_that_ends_when_they_grow_up() {
    let (written, lawful) = XIAOZHI;
    let with_consent = "trigger = \"withdraw|feature.disabled|user.deleted_item\", after = \"PT0S\"";
    let for_a_year = "trigger = \"collected\", after = \"P1Y\"";
    assert!(lawful.contains(with_consent));
    let lawful = lawful.replace(with_consent, for_a_year);
    let profile = Draft::parse(&lawful, Some(written)).unwrap().accept().unwrap();
    let world = World::under(Arc::new(profile)).await;
    let (anna, knowledge) = (world.stranger().await, purpose("knowledge"));
    world.register.set_age(anna, said(AgeBand::Under18, Some("2026-01")), BY).await.unwrap();
    for taken in [Step::Request(Name::constant("guardian_phone_code")), Step::Verify([7; 32])] {
        step(&world, anna, taken).await.unwrap();
    }
    agrees(&world, anna, &[knowledge, MEMORY]).await.unwrap();
    keep(&world, anna, bytes("knowledge_base", "knowledge", b"a")).await.unwrap();
    assert!(world.register.save_facts(anna, &[("name".into(), "Anna".into())]).await.unwrap());
    world.clock.advance(Duration::from_millis(40 * DAY));
    world.register.grow_up().await.unwrap();
    world.until(anna, |state| state.status(knowledge) == ConsentStatus::Expired).await;
    assert_eq!((rows(&world, "kept").await, rows(&world, "facts").await), (0, 0));
    let destroyed = |of: Category| {
        world.until_told(move |event| matches!(event, Event::KeyDestroyed { category, .. } if *category == of))
    };
    destroyed("knowledge_base".parse().unwrap()).await;
    destroyed(Category::MEMORY_SUMMARY).await;
}

/// Turning 14 without a guardian: whoever was found is a child no longer, and is asked.
#[tokio::test]
async fn who_was_found_alone_grows_up_too() {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), sayso_consent::Options::default()).await;
    let anna = world.stranger().await;
    world.register.set_age(anna, said(AgeBand::Under14, Some("2026-01")), BY).await.unwrap();
    assert!(is_closed(&world, anna).await);
    clock.set(FEBRUARY);
    world.until_told(|event| matches!(event, Event::Minor(MinorEvent::Cleared { .. }))).await;
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    drop(world.listen(anna).await.unwrap());
}

#[tokio::test]
async fn a_guardian_has_a_childs_data_erased() {
    let text = format!("{}[rights.offers.guardian_erase]\nchannel = [\"console\"]\n", profile_text());
    let text = text.replace("rev = 1\n", "rev = 2\n");
    let world = World::new().await;
    world.register.publish(Arc::new(Profile::parse(&text).unwrap())).await.unwrap();
    let (anna, desk) = (world.stranger().await, Desk::open(world.register.clone()));
    is_of(&world, anna, AgeBand::Under13).await;
    let case = desk.receive(anna, RightKind::GuardianErase, BY).await.unwrap().id;
    desk.step(anna, case, VERIFIED, BY).await.unwrap();
    let early = desk.step(anna, case, rights::Step::Accept, BY).await;
    assert!(matches!(early, Err(rights::Error::Register(RegisterError::NoGuardian))), "{early:?}");
    guarded(&world, anna).await;
    agrees(&world, anna, &[VOICE, MEMORY]).await.unwrap();
    assert!(world.register.save_facts(anna, &[("name".into(), "Anna".into())]).await.unwrap());
    desk.step(anna, case, rights::Step::Accept, BY).await.unwrap();
    let json = world.register.until_certified(anna, case).await.unwrap();
    let certificate = Certificate::parse(&json).unwrap();
    assert!(certificate.grounds.contains(&Ground::Request(case.0)) && certificate.keys.len() == 1, "{certificate:?}");
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Withdrawn);
}

/// What is heard of an answer to the consent question, which rests on no consent.
async fn answers_aloud(world: &World, subject: SubjectId) -> Result<sayso_consent::Lease, Denied> {
    let (purpose, category) = ("consent_answer".parse().unwrap(), Category::VOICE_AUDIO);
    let cv = world.state(subject).await.cv;
    let ask = Ask { purpose, category, gate: Gate::Recognition, ..ask(subject, cv) };
    world.register.acquire(ask).await
}

fn replay(leaves: &[Leaf]) -> Replayed {
    let mut replay = Replay::new(Arc::new(profile()));
    (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
    // how many refusals there were is nothing that these stories tell
    Replayed { refusals: 0, ..replay.finish() }
}

#[tokio::test]
async fn an_auditor_finds_what_was_heard_of_a_child_and_what_was_erased_late() {
    let world = World::new().await;
    let anna = world.stranger().await;
    drop(answers_aloud(&world, anna).await.unwrap());
    is_of(&world, anna, AgeBand::Under13).await;
    let detected = detections(&world.leaves().await)[0];
    world.register.until_certified(anna, detected).await.unwrap();
    assert!(answers_aloud(&world, anna).await.is_err(), "not even their answer is heard");
    guarded(&world, anna).await;
    drop(answers_aloud(&world, anna).await.unwrap());
    let leaves = world.again().await.leaves().await;
    assert_eq!(replay(&leaves), Replayed { checked: 2, ..Replayed::default() });

    let position = |name: &str| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap();
    let (found, erased) = (position("minor.detected"), position("minor.data_erased"));
    let mut forged = leaves.clone();
    let mut late = leaves[position("egress.segment_opened")].clone();
    late.place = leaves[found].place;
    forged.insert(found + 1, late);
    assert_eq!(replay(&forged).denied, [found as u64 + 1]);

    let mut slow = leaves.clone();
    let leaf = |leaf: &mut Leaf| leaf.place.wall = WallTime(leaf.place.wall.0 + 2 * DAY);
    slow[erased..].iter_mut().for_each(leaf);
    assert_eq!(replay(&slow).overstayed, [erased as u64], "the policy gives it a day");
    slow.remove(erased);
    assert_eq!(replay(&slow).overstayed, [found as u64], "it never was");
}
