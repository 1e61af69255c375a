//! What the engine can carry out itself it carries out when the request is accepted, and answers it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Reference, RequestStep};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::rights::{Desk, Error, NotNow, Standing, Step};
use sayso_consent::{Denied, Error as RegisterError, Means};
use sayso_policy::profile::{Refusal, RightKind};
use sayso_policy::{ConsentState, ConsentStatus, Profile, Tongue};
use sayso_types::{Category, RegionClass, SubjectId};

use crate::world::*;

const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

const BEFORE: &str = "a-word-that-is-nowhere-else";

fn facts(value: &str) -> Vec<(String, String)> {
    vec![("word".to_owned(), value.to_owned()), ("pet".to_owned(), "cat".to_owned())]
}

/// Opens a request and has it accepted.
pub(crate) async fn accepted(desk: &Desk, subject: SubjectId, kind: RightKind) -> Reference {
    let case = desk.receive(subject, kind, INTEGRATOR).await.unwrap().id;
    accept(desk, subject, case).await;
    case
}

async fn accept(desk: &Desk, subject: SubjectId, case: Reference) -> Standing {
    desk.step(subject, case, VERIFIED, INTEGRATOR).await.unwrap();
    desk.step(subject, case, Step::Accept, INTEGRATOR).await.unwrap().standing
}

async fn standing(desk: &Desk, subject: SubjectId, case: Reference) -> Standing {
    desk.of(subject).await.unwrap().into_iter().find(|request| request.id == case).unwrap().standing
}

/// Waits until the request `case` is answered.
pub(crate) async fn until_answered(world: &World, case: Reference) {
    world
        .until_told(|event| {
            let Event::Request { request, step, .. } = event else { return false };
            *request == case && *step == RequestStep::Fulfilled
        })
        .await;
}

/// Somebody who agreed, and has something remembered.
async fn remembered(world: &World) -> SubjectId {
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(person, &facts(BEFORE)).await.unwrap());
    person
}

#[tokio::test]
async fn a_withdrawal_that_is_asked_for_at_the_desk_holds_before_it_is_answered() {
    let world = World::impatient().await;
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE, MEMORY]).await;
    let lease = world.listen(person).await.unwrap();
    let case = desk.receive_of(person, RightKind::Withdraw, &[VOICE], INTEGRATOR).await.unwrap().id;
    assert_eq!(accept(&desk, person, case).await, Standing::Accepted, "somebody still holds data");
    assert!(
        lease.permit().pass(frame(&ask(person, world.state(person).await.cv)), drop).is_err(),
        "the gate is closed"
    );
    for step in [Step::Fulfil { is_partial: false }, Step::Reject(Refusal::ProcessExcessive)] {
        let refused = desk.step(person, case, step, INTEGRATOR).await;
        assert!(matches!(refused, Err(Error::NotNow(NotNow::UnderWay))), "{refused:?}");
    }
    drop(lease);
    until_answered(&world, case).await;
    let state = world.state(person).await;
    assert_eq!((state.status(VOICE), state.status(MEMORY)), (ConsentStatus::Withdrawn, ConsentStatus::Given));
    let told = world.told_since(0).await;
    let place = |name| told.iter().rposition(|told| *told == name).unwrap();
    assert!(place("withdraw.effective") < place("dsr.fulfilled"), "{told:?}");
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_objects_to_what_rests_on_consent_has_it_withdrawn_and_others_are_answered_by_people() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE, MEMORY]).await;
    let case = desk.receive_of(person, RightKind::Object, &[MEMORY], INTEGRATOR).await.unwrap().id;
    assert_eq!(accept(&desk, person, case).await, Standing::Fulfilled);
    assert_eq!(world.state(person).await.status(MEMORY), ConsentStatus::Withdrawn);
    let case = accepted(&desk, person, RightKind::Object).await;
    assert_eq!(standing(&desk, person, case).await, Standing::Accepted);
    assert_eq!(world.state(person).await.status(VOICE), ConsentStatus::Given);

    let size = world.size().await;
    let notice = "notice".parse().unwrap();
    let refused = desk.receive_of(person, RightKind::Object, &[notice], INTEGRATOR).await;
    assert!(matches!(refused, Err(Error::Register(RegisterError::UnknownPurpose(_)))), "it rests on no consent");
    let refused = desk.receive_of(person, RightKind::Copy, &[MEMORY], INTEGRATOR).await;
    assert!(matches!(refused, Err(Error::NamesPurposes)));
    assert_eq!(world.size().await, size, "what is refused leaves no trace");
}

#[tokio::test]
async fn whoever_wants_no_more_advertising_need_not_know_what_the_policy_calls_it() {
    let offers = "  { id = \"offers\", dpv = \"DirectMarketing\", basis = \"Consent\" },\n  { id = \"memory\"";
    let text = profile_text().replacen("  { id = \"memory\"", offers, 1);
    let text = format!("{text}\n[rights.offers.marketing_opt_out]\nchannel = [\"console\"]\n");
    let world = World::under(Arc::new(Profile::in_force_before(&text).unwrap())).await;
    let (desk, offers) = (Desk::open(world.register.clone()), "offers".parse().unwrap());
    let person = world.person(&[VOICE, MEMORY, offers]).await;
    let request = desk.receive(person, RightKind::MarketingOptOut, INTEGRATOR).await.unwrap();
    assert_eq!(request.purposes, [offers]);
    assert_eq!(accept(&desk, person, request.id).await, Standing::Fulfilled);
    let state = world.state(person).await;
    assert_eq!(state.status(offers), ConsentStatus::Withdrawn);
    assert_eq!((state.status(VOICE), state.status(MEMORY)), (ConsentStatus::Given, ConsentStatus::Given));
    // who had agreed to none of it is answered, too
    let other = world.person(&[VOICE]).await;
    let case = accepted(&desk, other, RightKind::MarketingOptOut).await;
    assert_eq!(standing(&desk, other, case).await, Standing::Fulfilled);
}

/// The profile to test with, with a recogniser overseas that the policy lets data go to.
fn profile_with_a_recogniser_overseas() -> Profile {
    let far = "  { id = \"whisper-far\", kind = \"asr\", party = \"Somebody Else\", region = \"SG\", region_class = \"overseas\", \
               mechanism = \"standard_contract\", accepts = [\"voice_audio\"], purposes = [\"voice_interaction\"], \
               state = \"active\", contract = \"No. 7\", trains_on_data = false, declared_retention = \"PT0S\" },\n]\n\n[profile]";
    let text = include_str!("../profile.toml").replacen("]\n\n[profile]", far, 1);
    let text = text.replacen("rev = 1", "rev = 2", 1);
    let rights = "[transfers]\noverseas = true\n[rights.offers.refuse_overseas]\nchannel = [\"console\"]\n";
    Profile::in_force_before(&format!("{text}\n{rights}")).unwrap()
}

#[tokio::test]
async fn whoever_refuses_overseas_is_served_nearer_until_they_agree_anew() {
    let world = World::new().await;
    world.register.publish(Arc::new(profile_with_a_recogniser_overseas())).await.unwrap();
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE]).await;
    let far = |cv| sayso_consent::Ask { processor: processor("whisper-far"), ..ask(person, cv) };
    let lease = world.register.acquire(far(world.state(person).await.cv)).await.unwrap();
    let near = world.listen(person).await.unwrap();

    let case = accepted(&desk, person, RightKind::RefuseOverseas).await;
    let asked = far(world.state(person).await.cv);
    assert!(lease.permit().pass(frame(&asked), drop).is_err(), "the gate overseas is closed");
    assert_eq!(standing(&desk, person, case).await, Standing::Accepted, "somebody overseas has not let go yet");
    drop(lease);
    until_answered(&world, case).await;
    assert_eq!(standing(&desk, person, case).await, Standing::Fulfilled);
    assert_eq!(world.state(person).await.farthest, RegionClass::Domestic);
    assert!(matches!(world.register.acquire(asked).await, Err(Denied::Policy(sayso_policy::Reason::Region))));
    assert!(!near.revocation().is_cancelled(), "what stays near goes on");
    drop(near);

    world.answers(person, &[VOICE], ConsentStatus::Given).await;
    assert_eq!(
        world.state(person).await.farthest,
        RegionClass::Overseas,
        "a consent to what goes there is the way back"
    );
    drop(world.register.acquire(far(world.state(person).await.cv)).await.unwrap());
    world.ends_spotless_under(Arc::new(profile_with_a_recogniser_overseas())).await;
}

#[tokio::test]
async fn what_goes_overseas_after_somebody_refused_that_is_found_by_a_replay() {
    let world = World::new().await;
    world.register.publish(Arc::new(profile_with_a_recogniser_overseas())).await.unwrap();
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE]).await;
    let far = sayso_consent::Ask { processor: processor("whisper-far"), ..ask(person, world.state(person).await.cv) };
    world.register.acquire(far).await.unwrap().finish("done");
    accepted(&desk, person, RightKind::RefuseOverseas).await;
    let leaves = world.leaves().await;
    let position = |name| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap();
    // what went there before has its leaves after the refusal
    let (mut late, opening) = (leaves.clone(), position("egress.segment_opened"));
    let moved: Vec<_> = late.drain(opening..opening + 2).collect();
    late.extend(moved);
    let replayed = |leaves: &[sayso_audit::Leaf]| {
        let mut replay = sayso_consent::Replay::new(Arc::new(profile_with_a_recogniser_overseas()));
        (0..).zip(leaves).for_each(|(index, leaf)| replay.leaf(index, leaf));
        replay.finish().denied
    };
    assert_eq!((replayed(&leaves), replayed(&late)), (vec![], vec![leaves.len() as u64 - 2]));
}

#[tokio::test]
async fn what_is_restricted_is_kept_and_used_for_nothing_until_the_person_lifts_it() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let person = remembered(&world).await;
    let remembers = sayso_consent::Ask {
        purpose: MEMORY,
        category: Category::MEMORY_SUMMARY,
        gate: sayso_policy::Gate::Dialogue,
        processor: processor("rules-local"),
        ..ask(person, world.state(person).await.cv)
    };
    let lease = world.register.acquire(remembers).await.unwrap();
    let read_at = world.state(person).await.cv;
    let case = accepted(&desk, person, RightKind::Restrict).await;
    assert_eq!(standing(&desk, person, case).await, Standing::Accepted, "somebody is using it");
    assert!(lease.revocation().is_cancelled(), "its gates are closed");
    drop(lease);
    until_answered(&world, case).await;
    assert_eq!(standing(&desk, person, case).await, Standing::Fulfilled);
    assert!(matches!(world.register.acquire(remembers).await, Err(Denied::Policy(sayso_policy::Reason::Restricted))));
    assert_eq!(world.register.facts(person).await.unwrap(), []);
    assert!(!world.register.save_facts(person, &[]).await.unwrap(), "nor is it overwritten");
    let copy = accepted(&desk, person, RightKind::Copy).await;
    let copy = desk.copy(person, copy, INTEGRATOR).await.unwrap();
    assert_eq!((copy.remembered, copy.restricted), (facts(BEFORE), vec![Category::MEMORY_SUMMARY]), "it is theirs");
    drop(world.listen(person).await.unwrap());

    let world = world.again().await;
    let desk = Desk::open(world.register.clone());
    assert_eq!(world.register.facts(person).await.unwrap(), []);
    desk.lift(person, case, INTEGRATOR).await.unwrap();
    assert!(matches!(desk.lift(person, case, INTEGRATOR).await, Err(Error::NotRestricted)));
    assert_eq!(world.register.facts(person).await.unwrap(), facts(BEFORE));
    let stale = world.register.remember(person, read_at, Vec::new()).await.unwrap();
    assert!(!stale, "a conversation that knows nothing of it does not overwrite it");
    world.ends_spotless().await;
}

/// Whether a file below `dir` holds `what`.
pub(crate) fn shows(dir: &Path, what: &[u8]) -> bool {
    let holds = |path: &Path| fs::read(path).unwrap().windows(what.len()).any(|bytes| bytes == what);
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { shows(&path, what) } else { holds(&path) }
    })
}

#[tokio::test]
async fn what_is_put_right_replaces_what_was_there_in_every_file() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let person = remembered(&world).await;
    let row = crate::erasing::row(person);
    let sealed = sayso_store::Store::read(&*world.local, core::slice::from_ref(&row)).await.unwrap();
    let sealed = sealed[0].as_ref().unwrap().value[2..].to_vec();
    assert!(shows(world.dir.path(), &sealed));

    let case = accepted(&desk, person, RightKind::Rectify).await;
    let read_at = world.state(person).await.cv;
    let unknown = desk.correct(person, case, &[("colour".into(), "blue".into())], INTEGRATOR).await;
    assert!(matches!(unknown, Err(Error::NotPutRight(_))), "there is nothing to put right");
    desk.correct(person, case, &[("word".into(), "another".into())], INTEGRATOR).await.unwrap();
    assert_eq!(world.register.facts(person).await.unwrap(), facts("another"));
    assert!(!world.register.remember(person, read_at, Vec::new()).await.unwrap(), "a conversation of before");
    until_answered(&world, case).await;
    assert!(!shows(world.dir.path(), &sealed), "what was there before is in no file");
    assert!(matches!(
        desk.correct(person, case, &facts("again"), INTEGRATOR).await,
        Err(Error::NotNow(NotNow::NotAccepted))
    ));

    let case = accepted(&desk, person, RightKind::Supplement).await;
    desk.correct(person, case, &[("colour".into(), "blue".into())], INTEGRATOR).await.unwrap();
    assert_eq!(world.register.facts(person).await.unwrap().len(), 3);
    until_answered(&world, case).await;
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_closes_their_account_is_erased_and_comes_back_as_somebody_else() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let (tenant, device) = ("acme".parse().unwrap(), "kitchen".parse().unwrap());
    let person = world.register.subject_of(&tenant, &device).await.unwrap();
    let ben = world.register.subject_of(&tenant, &"bedroom".parse().unwrap()).await.unwrap();
    world.answers(person, &[VOICE, MEMORY], ConsentStatus::Given).await;
    assert!(world.register.save_facts(person, &facts(BEFORE)).await.unwrap());

    let case = accepted(&desk, person, RightKind::Cancel).await;
    let json = world.register.until_certified(person, case).await.unwrap();
    let certificate = Certificate::parse(&json).unwrap();
    assert_eq!((certificate.grounds[0], certificate.category), (Ground::Request(case.0), None));
    assert_eq!(standing(&desk, person, case).await, Standing::Fulfilled);
    let told = world.told_since(0).await;
    let place = |name| told.iter().rposition(|told| *told == name).unwrap();
    assert!(place("withdraw.effective") < place("account.cancelled"), "{told:?}");

    let late = world.register.record(&answer(person, &[VOICE], ConsentStatus::Given)).await;
    assert!(matches!(late, Err(RegisterError::Closed)), "a conversation of before agrees to nothing");
    assert_eq!(world.register.find_subject(&tenant, &device).await.unwrap(), None);
    let anew = world.register.subject_of(&tenant, &device).await.unwrap();
    assert_ne!(anew, person);
    let stranger = ConsentState { tenant: Some(tenant.clone()), ..ConsentState::new() };
    assert_eq!(world.state(anew).await, stranger);
    let other = world.register.find_subject(&tenant, &"bedroom".parse().unwrap()).await.unwrap();
    assert_eq!(other, Some(ben), "nobody else is unbound");
    assert_eq!(world.register.tenant_of(person).await.unwrap(), Some(tenant), "what is on record of them is found");
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_person_is_told_why_by_purpose_in_their_language() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE]).await;
    let case = accepted(&desk, person, RightKind::Explain).await;
    let explained = desk.explain(person, case, Tongue::English).await.unwrap();
    let of = |purpose, category: &str| {
        explained.iter().find(|one| one.purpose == purpose && one.category.as_str() == category).unwrap()
    };
    let heard = &of(VOICE, "voice_audio").told;
    assert!(heard.permit && heard.verdict.starts_with("Yes, by Consent"), "{heard}");
    let kept = &of(MEMORY, "memory_summary").told;
    assert!(!kept.permit && kept.reason == Some("no_basis"), "{kept}");
    let chinese = desk.explain(person, case, Tongue::Chinese).await.unwrap();
    assert!(chinese.iter().any(|one| one.told.verdict.starts_with("可以，依据你的同意")), "{chinese:?}");
    world.register.withdraw(person, &[], Means::Voice).await.unwrap();
    let after = desk.explain(person, case, Tongue::English).await.unwrap();
    assert!(
        after
            .iter()
            .filter(|one| one.purpose == VOICE && one.category != Category::NOTICE_TEXT)
            .all(|one| !one.told.permit)
    );
}
