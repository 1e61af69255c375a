//! Incidents: whose data it was, who was told by when, and what stopped it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, IncidentStep, Leaf, Reference};
use sayso_consent::Error as RegisterError;
use sayso_consent::incidents::{Deed, Ending, Error, Incident, IncidentDesk, NotNow, Notice, Report, Scope};
use sayso_consent::notices::{self, NoticeKind, Notices};
use sayso_consent::rights::Desk;
use sayso_consent::switch::{Position, Target, Throw};
use sayso_policy::law::Audience;
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Gate, Profile, Refused};
use sayso_store::{Batch, Range, Store};
use sayso_types::{Category, Clock, Name, SubjectId, TenantId, WallTime};

use crate::answering::accepted;
use crate::keeping::{XIAOZHI, category, certified, json, keep, lawful};
use crate::replaying::replay;
use crate::world::{VOICE, World, answer, ask, frame, processor};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The test profile at revision `rev`, by which an incident is told to the authority within four hours and to people
/// within three days, and whose recogniser somebody looked at on New Year's Day, for `days`.
pub(crate) fn profile_with_duties(rev: u32, days: u32) -> Arc<Profile> {
    profile_looked_at(rev, "2026-01-01", days)
}

/// The same, whose recogniser somebody looked at on another `day`.
pub(crate) fn profile_looked_at(rev: u32, day: &str, days: u32) -> Arc<Profile> {
    let looked = format!(
        "declared_retention = \"PT0S\", due_diligence = {{ at = {day}T00:00:00Z, by = \"us\", valid = \"P{days}D\" }} }},\n  {{ id = \"rules-local\""
    );
    let text = include_str!("../profile.toml").replacen(
        "declared_retention = \"PT0S\" },\n  { id = \"rules-local\"",
        &looked,
        1,
    );
    let text = text.replacen("rev = 1", &format!("rev = {rev}"), 1);
    let duties = "[incident.regulator]\nwithin = \"PT4H\"\n[incident.subjects]\nwithin = \"PT72H\"\n";
    Arc::new(Profile::in_force_before(&format!("{text}\n{duties}")).unwrap())
}

/// A node under such a profile, and its desk.
async fn setting() -> (World, IncidentDesk) {
    let world = World::new().await;
    world.register.publish(profile_with_duties(2, 36_500)).await.unwrap();
    let desk = IncidentDesk::open(world.register.clone());
    (world, desk)
}

pub(crate) fn report(tenant: Option<&str>) -> Report {
    Report { tenant: tenant.map(|id| id.parse().unwrap()), text: "somebody reads along".into(), detected: None }
}

pub(crate) fn everything(world: &World) -> Scope {
    let until = WallTime(world.register_clock().0 + 1);
    let (processors, categories, records) = Default::default();
    Scope { processors, categories, records, from: WallTime(0), until }
}

pub(crate) fn notice() -> BTreeMap<Name, Notice> {
    let notice = Notice {
        spoken: "Somebody read along. Do not repeat code words.".into(),
        situation: "Somebody read along.".into(),
        impact: "They may know what you said.".into(),
        measures: "They are shut out.".into(),
        self_protection: "Do not repeat code words.".into(),
        remedies: String::new(),
        contact: "the shop".into(),
    };
    [("en".parse().unwrap(), notice)].into()
}

async fn person_of(world: &World, tenant: &str) -> SubjectId {
    let (device, tenant) = (SubjectId::random().to_string(), tenant.parse::<TenantId>().unwrap());
    let subject = world.register.subject_of(&tenant, &device.parse().unwrap()).await.unwrap();
    let yes = sayso_consent::Answer { tenant, ..answer(subject, &[VOICE], ConsentStatus::Given) };
    world.register.record(&yes).await.unwrap();
    subject
}

/// Hands something to the recogniser, or what was understood to the dialogue.
async fn hands_over(world: &World, person: SubjectId, to_dialogue: bool, frames: usize) {
    let mut asked = ask(person, world.state(person).await.cv);
    if to_dialogue {
        asked.category = Category::TRANSCRIPT;
        asked.gate = Gate::Dialogue;
        asked.processor = processor("rules-local");
    }
    let lease = world.register.acquire(asked).await.unwrap();
    (0..frames).for_each(|_| lease.permit().pass(frame(&asked), drop).unwrap());
    lease.finish("done");
}

/// The rows of the register.
async fn rows(world: &World) -> BTreeSet<sayso_store::Key> {
    let page = world.local.scan(Range::all(), 1_000).await.unwrap();
    page.entries.into_iter().map(|entry| entry.key).filter(|key| key.table() == Some("register")).collect()
}

async fn steps(world: &World) -> Vec<(IncidentStep, String, u64)> {
    let steps = world.leaves().await.into_iter().filter_map(|leaf| match leaf.fact.event {
        Event::Incident { step, detail, people, .. } => Some((step, detail.to_string(), people)),
        _ => None,
    });
    steps.collect()
}

#[tokio::test]
async fn an_incident_from_its_report_to_its_end() {
    let (world, desk) = setting().await;
    let (anna, ben) = (person_of(&world, "acme").await, person_of(&world, "other").await);
    let before = rows(&world).await;
    let carl = person_of(&world, "acme").await;
    let of_carl = rows(&world).await.difference(&before).next().unwrap().clone();
    hands_over(&world, anna, false, 2).await;
    hands_over(&world, ben, true, 1).await;
    hands_over(&world, carl, false, 1).await;
    let talking = ask(anna, world.state(anna).await.cv);
    let lease = world.register.acquire(talking).await.unwrap();
    lease.permit().pass(frame(&talking), drop).unwrap();

    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    let whisper = Target::Processor(processor("whisper-local"));
    let reason = Name::constant("leak");
    let throw = Throw { target: whisper.clone(), to: Position::Off, reason, incident: None };
    let (held, thrown) = desk.throw(incident.id, throw, OPERATOR).await.unwrap();
    assert_eq!((thrown.ended, held.switches.len(), &held.switches[0].target), (1, 1, &whisper));
    assert_eq!(lease.permit().pass(frame(&talking), drop), Err(Refused::Revoked));
    assert_eq!(thrown.switch.incident, Some(incident.id));
    drop(lease);
    world.local.commit(Batch::new().delete(of_carl)).await.unwrap();

    let scope = Scope { processors: [processor("whisper-local")].into(), ..everything(&world) };
    let assessed = desk.step(incident.id, Deed::Assess(scope), OPERATOR).await.unwrap();
    assert_eq!(assessed.assessment.as_ref().unwrap().people, 2);
    let affected = desk.affected(&assessed).await.unwrap();
    assert_eq!(affected.people.iter().map(|person| person.subject).collect::<Vec<_>>(), [anna]);
    assert_eq!((affected.unnamed, affected.count()), (1, 2), "whoever is forgotten has no name");
    for deed in [
        Deed::Contain,
        Deed::TellRegulator("file 7".into()),
        Deed::TellSubjects(notice()),
        Deed::Close(Ending::Handled),
    ] {
        desk.step(incident.id, deed, OPERATOR).await.unwrap();
    }
    let [closed] = desk.list(None).await.unwrap().try_into().unwrap();
    let notices = Notices::new(world.register.clone());
    notices.look().await.unwrap();
    let [sent] = notices.to_tell(anna).await.unwrap().try_into().unwrap();
    assert_eq!((Some(sent.id), sent.kind), (closed.notice, NoticeKind::Incident));
    assert_eq!(sent.by, closed.tellings[&Audience::Subjects].due.as_ref().unwrap().at, "people are told by its day");
    let text = sent.text(Name::constant("en"));
    assert_eq!(text.spoken, "Somebody read along. Do not repeat code words.");
    let written = "Somebody read along.\n\nThey may know what you said.\n\nThey are shut out.\n\n\
                   Do not repeat code words.\n\nthe shop";
    assert_eq!(text.written, written);
    assert_eq!(notices.to_tell(ben).await.unwrap(), [], "it is nothing of theirs");
    assert_eq!(notices.tally(&sent).await.unwrap().people, 1);
    notices.heard(anna, sent.id).await.unwrap();
    assert_eq!(notices.to_tell(anna).await.unwrap(), []);
    let told = steps(&world).await;
    let expected = [
        (IncidentStep::Opened, "operator", 0),
        (IncidentStep::Assessed, "scope", 2),
        (IncidentStep::Contained, "switched_off", 2),
        (IncidentStep::RegulatorNotified, "regulator", 2),
        (IncidentStep::SubjectsNotified, "subjects", 2),
        (IncidentStep::Closed, "handled", 2),
    ];
    assert_eq!(told, expected.map(|(step, detail, people)| (step, detail.to_owned(), people)));
    let log = world.leaves().await.iter().flat_map(Leaf::encode).collect::<Vec<_>>();
    for text in ["somebody reads along", "file 7", "They are shut out."] {
        assert!(!log.windows(text.len()).any(|bytes| bytes == text.as_bytes()), "{text:?} is in the log");
    }
    drop(desk);
    let world = world.reopened_as(profile_with_duties(2, 36_500)).await;
    let desk = IncidentDesk::open(world);
    let [kept] = desk.list(None).await.unwrap().try_into().unwrap();
    assert_eq!((kept.closed.unwrap().1, kept.notices, kept.switches), (Ending::Handled, notice(), held.switches));
}

#[tokio::test]
async fn what_was_kept_of_somebody_in_the_span_counts_and_what_was_erased_before_does_not() {
    let world = World::under(lawful(XIAOZHI)).await;
    let desk = IncidentDesk::open(world.register.clone());
    let (anna, ben, carl) = (world.stranger().await, world.stranger().await, world.stranger().await);
    for person in [anna, ben] {
        keep(&world, person, json("account", "provide_service", r#"{"phone":"138"}"#)).await.unwrap();
    }
    let case = accepted(&Desk::open(world.register.clone()), ben, RightKind::Cancel).await;
    certified(&world, ben, case).await;
    world.clock.advance(HOUR);
    let stolen = world.register_clock();
    keep(&world, carl, json("account", "provide_service", r#"{"phone":"139"}"#)).await.unwrap();
    let people = async |scope: Scope| {
        let incident = desk.report(report(None), OPERATOR).await.unwrap();
        let assessed = desk.step(incident.id, Deed::Assess(scope), OPERATOR).await.unwrap();
        let affected = desk.affected(&assessed).await.unwrap();
        affected.people.into_iter().map(|person| person.subject).collect::<BTreeSet<_>>()
    };
    let of = |categories: &[Category]| Scope { categories: categories.iter().copied().collect(), ..everything(&world) };
    let account = of(&[category("account")]);
    assert_eq!(people(Scope { from: stolen, ..account.clone() }).await, [anna, carl].into(), "ben was erased by then");
    assert_eq!(people(Scope { until: stolen, ..account.clone() }).await, [anna, ben].into(), "carl was not there yet");
    assert_eq!(people(of(&[Category::VOICE_AUDIO])).await, [].into());
    assert_eq!(people(Scope { processors: [processor("rules-local")].into(), ..account }).await, [].into());
}

/// People of two tenants hand over by chance; whoever is found is compared with what was handed over.
#[tokio::test]
async fn whose_data_it_was_is_found_exactly() {
    for seed in 0..5 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (world, desk) = setting().await;
        let mut people = Vec::new();
        for n in 0..8 {
            people.push((person_of(&world, if n % 2 == 0 { "acme" } else { "other" }).await, n % 2 == 0));
        }
        let (from, mut heard) = (world.clock.wall(), BTreeMap::<SubjectId, bool>::new());
        let mut until = from;
        for round in 0..30 {
            world.clock.advance(Duration::from_millis(1));
            if round == 20 {
                until = world.clock.wall();
            }
            let (person, is_acme) = people[random.usize(..people.len())];
            let (to_dialogue, frames) = (random.bool(), random.usize(..2));
            hands_over(&world, person, to_dialogue, frames).await;
            if round < 20 && frames > 0 && !to_dialogue {
                heard.insert(person, is_acme);
            }
        }
        // what is closed is noted when the next leaf is written
        world.clock.advance(Duration::from_secs(1));
        for (tenant, all) in [(None, true), (Some("acme"), false)] {
            let incident = desk.report(report(tenant), OPERATOR).await.unwrap();
            let categories = [Category::VOICE_AUDIO].into();
            let scope = Scope { processors: BTreeSet::new(), categories, records: BTreeSet::new(), from, until };
            let assessed = desk.step(incident.id, Deed::Assess(scope), OPERATOR).await.unwrap();
            let affected = desk.affected(&assessed).await.unwrap();
            let found: Vec<_> = affected.people.iter().map(|person| person.subject).collect();
            let expected: Vec<_> =
                heard.iter().filter(|(_, is_acme)| all || **is_acme).map(|(person, _)| *person).collect();
            assert_eq!((found, affected.unnamed), (expected, 0), "seed {seed}, {tenant:?}");
        }
    }
}

#[tokio::test]
async fn who_was_not_told_in_time_is_on_record_once_also_after_a_restart() {
    let (world, desk) = setting().await;
    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    let due = |incident: &Incident, tell| incident.tellings[&tell].due.as_ref().unwrap().at.0 - incident.detected.0;
    let hours = |hours: u32| u64::try_from((hours * HOUR).as_millis()).unwrap();
    assert_eq!((due(&incident, Audience::Regulator), due(&incident, Audience::Subjects)), (hours(4), hours(72)));
    world.clock.advance(4 * HOUR);
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "that is its moment");
    let told = desk.step(incident.id, Deed::TellRegulator("file 8".into()), OPERATOR).await.unwrap();
    assert!(told.is_told(Audience::Regulator));
    world.clock.advance(68 * HOUR + Duration::from_millis(1));
    desk.note_overdue().await.unwrap();
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "once");
    drop(desk);
    let desk = IncidentDesk::open(world.reopened_as(profile_with_duties(2, 36_500)).await);
    assert_eq!(desk.note_overdue().await.unwrap(), 0, "nor by the next process");
    let late: Vec<_> = steps(&world).await.into_iter().filter(|(step, ..)| *step == IncidentStep::Overdue).collect();
    assert_eq!(late, [(IncidentStep::Overdue, "subjects".to_owned(), 0)]);
}

#[tokio::test]
async fn an_integrator_reports_and_sees_its_own_alone() {
    let (world, desk) = setting().await;
    let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
    let incident = desk.report(report(Some("acme")), INTEGRATOR).await.unwrap();
    desk.report(report(None), OPERATOR).await.unwrap();
    assert_eq!(desk.list(Some(&acme)).await.unwrap(), std::slice::from_ref(&incident));
    assert_eq!(desk.list(Some(&other)).await.unwrap(), []);
    assert_eq!(desk.list(None).await.unwrap().len(), 2);
    assert!(matches!(desk.find(incident.id, Some(&other)).await, Err(Error::Unknown)));
    assert_eq!(desk.find(incident.id, Some(&acme)).await.unwrap(), incident);
    assert_eq!(steps(&world).await[0], (IncidentStep::Opened, "tenant".to_owned(), 0));
}

#[tokio::test]
async fn what_says_nothing_or_comes_too_often_is_refused_and_leaves_no_trace() {
    let (world, desk) = setting().await;
    let size = world.size().await;
    let text = |text: String| desk.report(Report { text, ..report(None) }, OPERATOR);
    assert!(matches!(text(" ".into()).await, Err(Error::Report)));
    assert!(matches!(text("x".repeat(4_001)).await, Err(Error::Report)));
    let later = Some(WallTime(world.register_clock().0 + 1));
    let early = desk.report(Report { detected: later, ..report(None) }, OPERATOR).await;
    assert!(matches!(early, Err(Error::Detected)));
    let nobody = Reference([9; 16]);
    assert!(matches!(desk.step(nobody, Deed::Contain, OPERATOR).await, Err(Error::Unknown)));
    assert_eq!(world.size().await, size);
    for _ in 0..sayso_consent::incidents::desk::OPEN_MAX {
        desk.report(report(Some("acme")), INTEGRATOR).await.unwrap();
    }
    assert!(matches!(desk.report(report(Some("acme")), INTEGRATOR).await, Err(Error::TooMany)));
    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    let untold = desk.step(incident.id, Deed::TellSubjects(BTreeMap::new()), OPERATOR).await;
    assert!(matches!(untold, Err(Error::NotNow(NotNow::NotAssessed))));
}

#[tokio::test]
async fn of_two_steps_at_once_one_comes_first() {
    let (world, desk) = setting().await;
    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    let contain = || desk.step(incident.id, Deed::Contain, OPERATOR);
    match tokio::join!(contain(), contain()) {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => assert!(matches!(error, Error::NotNow(NotNow::Done)), "{error}"),
        both => panic!("one of two: {both:?}"),
    }
    assert_eq!(steps(&world).await.len(), 2);
}

#[tokio::test]
async fn a_scope_of_misspelled_names_is_refused_rather_than_nobodys_data() {
    let (world, desk) = setting().await;
    let anna = person_of(&world, "acme").await;
    hands_over(&world, anna, false, 1).await;
    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    let scopes = [
        Scope { processors: [processor("whisper-locale")].into(), ..everything(&world) },
        Scope { categories: [category("voice_odio")].into(), ..everything(&world) },
        Scope { records: [Reference([9; 16])].into(), ..everything(&world) },
    ];
    for scope in scopes {
        let (before, size) = (desk.find(incident.id, None).await.unwrap(), world.size().await);
        let refused = desk.step(incident.id, Deed::Assess(scope), OPERATOR).await.unwrap_err();
        let is_known = matches!(refused, Error::Register(RegisterError::UnknownPart { .. }) | Error::UnknownRecord(_));
        assert!(is_known, "{refused}");
        assert_eq!((desk.find(incident.id, None).await.unwrap(), world.size().await), (before, size));
    }
}

#[tokio::test]
async fn what_devices_cannot_say_is_refused_and_nobody_is_told() {
    let (world, desk) = setting().await;
    let anna = person_of(&world, "acme").await;
    hands_over(&world, anna, false, 1).await;
    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    desk.step(incident.id, Deed::Assess(everything(&world)), OPERATOR).await.unwrap();
    let before = desk.find(incident.id, None).await.unwrap();
    let size = world.size().await;
    let mut long = notice();
    long.get_mut(&Name::constant("en")).unwrap().spoken = "and so on ".repeat(20);
    let refused = desk.step(incident.id, Deed::TellSubjects(long), OPERATOR).await;
    assert!(matches!(refused, Err(Error::Notice(notices::Error::Refused(notices::Refused::TooLong { .. })))));
    assert_eq!((desk.find(incident.id, None).await.unwrap(), world.size().await), (before, size));
    // three days after it was found people are told all the same
    world.clock.advance(80 * HOUR);
    let told = desk.step(incident.id, Deed::TellSubjects(notice()), OPERATOR).await.unwrap();
    let sent = Notices::new(world.register.clone()).get(told.notice.unwrap()).await.unwrap();
    assert_eq!(sent.by.0, world.clock.wall().0 + u64::try_from((72 * HOUR).as_millis()).unwrap());
}

#[tokio::test]
async fn nobody_is_left_to_be_told_of_what_was_nobodys() {
    let (world, desk) = setting().await;
    let incident = desk.report(report(None), OPERATOR).await.unwrap();
    desk.step(incident.id, Deed::Assess(everything(&world)), OPERATOR).await.unwrap();
    let told = desk.step(incident.id, Deed::TellSubjects(notice()), OPERATOR).await.unwrap();
    assert_eq!(told.notice, None);
    assert_eq!(Notices::new(world.register.clone()).all().await.unwrap(), []);
}

#[tokio::test]
async fn who_was_told_late_of_an_incident_is_found_though_the_log_keeps_it_quiet() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    // found two hours before it was opened: that is when the clocks began
    let told = async |after: Option<Duration>| {
        let (world, desk) = setting().await;
        let detected = Some(WallTime(world.register_clock().0));
        world.clock.advance(2 * HOUR);
        let incident = desk.report(Report { detected, ..report(None) }, OPERATOR).await.unwrap();
        world.clock.advance(after.unwrap_or(3 * HOUR));
        if after.is_some() {
            desk.step(incident.id, Deed::TellRegulator("file 7".into()), OPERATOR).await.unwrap();
        }
        desk.step(incident.id, Deed::Contain, OPERATOR).await.unwrap();
        drop(desk);
        let leaves = world.again_under(profile_with_duties(2, 36_500)).await.leaves().await;
        leaves.into_iter().filter(|leaf| leaf.fact.event.name() != "incident.overdue").collect::<Vec<_>>()
    };
    let at = |leaves: &[Leaf], name| leaves.iter().position(|leaf| leaf.fact.event.name() == name).unwrap() as u64;
    let found = |leaves: &[Leaf]| replay(leaves, Arc::unwrap_or_clone(profile_with_duties(2, 36_500))).late_incidents;
    assert_eq!(found(&told(Some(2 * HOUR)).await), [0; 0], "four hours after it was found");
    let late = told(Some(2 * HOUR + Duration::from_millis(1))).await;
    assert_eq!(found(&late), [at(&late, "incident.regulator_notified")]);
    let untold = told(None).await;
    assert_eq!(found(&untold), [at(&untold, "incident.opened")]);
}
