//! `kill -9` before each write of ending what is due, of what a law has kept, of anonymising, of the end of the service, and of
//! telling people of an incident.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Anonymised, AnonymisedStep, Event, IncidentStep, NoticeStep};
use sayso_consent::incidents::{Deed, IncidentDesk, Scope};
use sayso_consent::notices::{Audience, Channel, Draft, NoticeKind, Notices, Text};
use sayso_consent::retention::HoldOrder;
use sayso_policy::Profile;
use sayso_types::{Category, Clock, Name, SubjectId, WallTime};

use crate::anonymising::profile_that_anonymises;
use crate::incidents::{notice, profile_with_duties, report};
use crate::killed::{Node, Story, whenever};
use crate::retaining::profile_that_ends;
use crate::world::{MEMORY, VOICE, ask, frame, profile};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };

fn is_executed(event: &Event) -> bool {
    matches!(event, Event::RetentionExecuted { .. })
}

fn is_certified(event: &Event) -> bool {
    matches!(event, Event::EraseCertified { .. })
}

/// Asserts that what was remembered of `people` has ended with its keys, each told once, and is gone.
async fn ended_once(node: &Node, people: usize) {
    node.register.end_what_is_due().await.unwrap();
    node.until(people, is_certified).await;
    assert_eq!(node.register.end_what_is_due().await.unwrap(), 0, "there is no more");
    let steps: [fn(&Event) -> bool; 5] = [
        |event| matches!(event, Event::RetentionDue { .. }),
        is_executed,
        |event| matches!(event, Event::EraseCommitted { .. }),
        |event| matches!(event, Event::KeyDestroyed { .. }),
        is_certified,
    ];
    for (n, step) in steps.into_iter().enumerate() {
        let tally: Vec<_> = node.tally(step).await.into_values().collect();
        assert_eq!(tally, vec![1; people], "step {n} of each is told once");
    }
    for table in ["facts", "erasure"] {
        assert_eq!(node.rows(table).await, 0, "{table}");
    }
}

async fn remembers(node: &Node, device: &str) -> SubjectId {
    let person = node.person(device, &[VOICE, MEMORY]).await;
    assert!(node.register.save_facts(person, &[("tea".into(), "of tea".into())]).await.unwrap());
    person
}

fn kept(subject: SubjectId, until: Option<WallTime>) -> HoldOrder {
    let category = Some(Category::MEMORY_SUMMARY);
    HoldOrder { subject: Some(subject), category, law: "cn-cpl:67".into(), by: "admin:legal".into(), until }
}

/// What is due of two people ends; of one of them when a hold's time is over.
struct Due;

impl Story for Due {
    fn policy(&self) -> Arc<Profile> {
        profile_that_ends(1, "trigger = \"collected\", after = \"P30D\"", "")
    }

    async fn prepare(&self, node: &Node) {
        remembers(node, "anna").await;
        let held = remembers(node, "ben").await;
        let until = WallTime(node.clock.wall().0 + 32 * DAY.as_millis() as u64);
        node.register.set_hold(kept(held, Some(until)), OPERATOR).await.unwrap();
    }

    fn passed(&self) -> [Duration; 2] {
        [DAY, 40 * DAY]
    }

    async fn goes(&self, node: &Node) {
        for days in [30, 5] {
            node.clock.advance(days * DAY);
            node.register.end_what_is_due().await.unwrap();
        }
        node.until(2, is_certified).await;
    }

    async fn ends(&self, node: &Node) -> bool {
        let is_begun = node.count_before(is_executed).await > 0;
        ended_once(node, 2).await;
        assert_eq!(node.count(|event| matches!(event, Event::HoldReleased { .. })).await, 1);
        assert!(node.count(|event| matches!(event, Event::RetentionHeld { .. })).await <= 1, "it is told once");
        assert!(node.register.legal_holds().await.is_empty());
        is_begun
    }
}

#[tokio::test]
async fn what_is_due_ends_once_whenever_the_node_is_killed() {
    whenever("ending_killed::what_is_due_ends_once_whenever_the_node_is_killed", Due).await;
}

/// A hold is set, keeps what is due and what is withdrawn, and is released.
struct Held;

impl Story for Held {
    fn policy(&self) -> Arc<Profile> {
        profile_that_ends(1, "trigger = \"collected\", after = \"P30D\"", "")
    }

    async fn prepare(&self, node: &Node) {
        remembers(node, "anna").await;
    }

    fn passed(&self) -> [Duration; 2] {
        [DAY, 40 * DAY]
    }

    async fn goes(&self, node: &Node) {
        let subject = node.subject("anna").await;
        let hold = node.register.set_hold(kept(subject, None), OPERATOR).await.unwrap();
        node.clock.advance(30 * DAY);
        node.register.end_what_is_due().await.unwrap();
        assert_eq!(node.rows("facts").await, 1, "the law keeps it");
        node.register.release_hold(hold.id, OPERATOR).await.unwrap();
        node.register.end_what_is_due().await.unwrap();
        node.until(1, is_certified).await;
    }

    async fn ends(&self, node: &Node) -> bool {
        let set = node.count(|event| matches!(event, Event::HoldSet { .. })).await;
        let is_released = async || node.count(|event| matches!(event, Event::HoldReleased { .. })).await;
        let holds = node.register.legal_holds().await;
        assert_eq!(holds.len() + is_released().await, set, "what is on record of it is so");
        if let [hold] = holds.as_slice() {
            assert_eq!(node.register.end_what_is_due().await.unwrap(), 0);
            assert_eq!((node.rows("facts").await, node.count(is_executed).await), (1, 0), "the law keeps it");
            node.register.release_hold(hold.id, OPERATOR).await.unwrap();
        }
        ended_once(node, 1).await;
        assert_eq!(is_released().await, set);
        assert!(node.count(|event| matches!(event, Event::RetentionHeld { .. })).await <= 1, "it is told once");
        set > 0
    }
}

#[tokio::test]
async fn what_a_law_keeps_is_kept_and_ends_once_whenever_the_node_is_killed() {
    whenever("ending_killed::what_a_law_keeps_is_kept_and_ends_once_whenever_the_node_is_killed", Held).await;
}

/// The last of twelve people is counted, and when the month is over the count is released.
struct Counted;

/// How many people have been counted, and how often a count was released.
async fn counted(node: &Node) -> [usize; 2] {
    let of =
        |step| move |event: &Event| matches!(event, Event::Anonymised(Anonymised { step: one, .. }) if *one == step);
    [node.count(of(AnonymisedStep::HandedOn)).await, node.count(of(AnonymisedStep::Released)).await]
}

impl Story for Counted {
    fn policy(&self) -> Arc<Profile> {
        profile_that_anonymises(1, 12)
    }

    async fn prepare(&self, node: &Node) {
        for n in 0..11 {
            remembers(node, &format!("device-{n}")).await;
        }
        node.clock.advance(5 * DAY);
        remembers(node, "anna").await;
        node.clock.advance(5 * DAY);
        node.register.end_what_is_due().await.unwrap();
        node.until(11, is_certified).await;
    }

    fn passed(&self) -> [Duration; 2] {
        [11 * DAY, 50 * DAY]
    }

    async fn goes(&self, node: &Node) {
        node.clock.advance(5 * DAY);
        node.register.end_what_is_due().await.unwrap();
        node.until(12, is_certified).await;
        node.clock.advance(31 * DAY);
        node.register.end_what_is_due().await.unwrap();
        assert_eq!(counted(node).await, [12, 1]);
    }

    async fn ends(&self, node: &Node) -> bool {
        // whoever is counted in the month in which the next process starts is released in the one after it
        ended_once(node, 12).await;
        node.clock.advance(31 * DAY);
        node.register.end_what_is_due().await.unwrap();
        assert_eq!(node.rows("anonymised_count").await, 0);
        let released = node.register.anonymised().await.unwrap();
        let sum: u64 = released.iter().flat_map(|month| month.classes()).map(|class| class.people).sum();
        let is_begun = node.count_before(is_executed).await == 12;
        // eleven and one, in two months, are too few
        let expected = if is_begun { ([12, 1], 12) } else { ([12, 0], 0) };
        assert_eq!((counted(node).await, sum), expected);
        is_begun
    }
}

#[tokio::test]
async fn everybody_is_counted_once_whenever_the_node_is_killed() {
    whenever("ending_killed::everybody_is_counted_once_whenever_the_node_is_killed", Counted).await;
}

/// The service ends.
struct Shut;

const NOTICE_TIME: Duration = DAY.saturating_mul(10);

impl Story for Shut {
    fn policy(&self) -> Arc<Profile> {
        Arc::new(profile())
    }

    async fn prepare(&self, node: &Node) {
        remembers(node, "anna").await;
        node.person("ben", &[VOICE]).await;
        let text = Text { spoken: "The service ends.".to_owned(), written: String::new() };
        let draft = Draft {
            kind: NoticeKind::Shutdown,
            texts: [(Name::constant("en"), text)].into(),
            by: Some(WallTime(node.clock.wall().0 + NOTICE_TIME.as_millis() as u64)),
            channels: vec![Channel::Device, Channel::Tenant],
        };
        node.register.announce_shutdown(draft).await.unwrap();
        Notices::new(node.register.clone()).look().await.unwrap();
    }

    fn passed(&self) -> [Duration; 2] {
        [NOTICE_TIME, NOTICE_TIME + DAY]
    }

    async fn goes(&self, node: &Node) {
        let announced = node.register.shutdown().await.unwrap().unwrap().shutdown.id;
        node.register.start_shutdown(announced, OPERATOR).await.unwrap();
        node.until(1, |event| matches!(event, Event::ShutdownCompleted { .. })).await;
    }

    async fn ends(&self, node: &Node) -> bool {
        let shutdown = node.register.shutdown().await.unwrap().unwrap().shutdown;
        let started = node.count(|event| matches!(event, Event::ShutdownStarted { .. })).await;
        assert_eq!(usize::from(shutdown.started_at.is_some()), started);
        if started == 0 {
            assert_eq!(node.rows("certificate").await, 0, "nobody was erased");
            node.register.start_shutdown(shutdown.id, OPERATOR).await.unwrap();
        }
        node.until(1, |event| matches!(event, Event::ShutdownCompleted { people: 2, .. })).await;
        let tally: Vec<_> = node.tally(is_certified).await.into_values().collect();
        assert_eq!((tally, node.rows("certificate").await), (vec![1, 1], 2), "each is erased once");
        let withdrawn = node.tally(|event| matches!(event, Event::WithdrawEffective { .. })).await;
        assert!(withdrawn.into_values().all(|count| count == 1));
        let counts = [
            node.count(|event| matches!(event, Event::ShutdownStarted { .. })).await,
            node.count(|event| matches!(event, Event::ShutdownCompleted { .. })).await,
        ];
        assert_eq!(counts, [1, 1]);
        assert_eq!((node.rows("facts").await, node.rows("erasure").await), (0, 0));
        started > 0
    }
}

#[tokio::test]
async fn the_service_ends_once_whenever_the_node_is_killed() {
    whenever("ending_killed::the_service_ends_once_whenever_the_node_is_killed", Shut).await;
}

/// Those whom an incident concerns are told of it: more than are told in one batch.
struct Mailed;

const CONCERNED: usize = 258;

impl Story for Mailed {
    fn policy(&self) -> Arc<Profile> {
        profile_with_duties(1, 36_500)
    }

    async fn prepare(&self, node: &Node) {
        for n in 0..CONCERNED {
            let person = node.person(&format!("device-{n}"), &[VOICE]).await;
            let asked = ask(person, node.register.state(person).await.unwrap().cv);
            let lease = node.register.acquire(asked).await.unwrap();
            lease.permit().pass(frame(&asked), drop).unwrap();
            lease.finish("done");
        }
        let desk = IncidentDesk::open(node.register.clone());
        let incident = desk.report(report(None), OPERATOR).await.unwrap();
        let until = WallTime(node.clock.wall().0 + 1);
        let scope =
            Scope { processors: [].into(), categories: [].into(), from: WallTime(0), until, records: [].into() };
        let assessed = desk.step(incident.id, Deed::Assess(scope), OPERATOR).await.unwrap();
        assert_eq!(assessed.assessment.unwrap().people, CONCERNED as u64);
    }

    fn passed(&self) -> [Duration; 2] {
        [DAY / 24, DAY / 12]
    }

    async fn goes(&self, node: &Node) {
        let desk = IncidentDesk::open(node.register.clone());
        let [incident] = desk.list(None).await.unwrap().try_into().unwrap();
        desk.step(incident.id, Deed::TellSubjects(notice()), OPERATOR).await.unwrap();
        Notices::new(node.register.clone()).look().await.unwrap();
    }

    async fn ends(&self, node: &Node) -> bool {
        let desk = IncidentDesk::open(node.register.clone());
        let [incident] = desk.list(None).await.unwrap().try_into().unwrap();
        let is_told = |event: &Event| matches!(event, Event::Incident { step: IncidentStep::SubjectsNotified, .. });
        let is_begun = incident.notice.is_some();
        assert_eq!(usize::from(is_begun), node.count(is_told).await);
        if !is_begun {
            assert_eq!(node.rows("notice_to").await, 0, "nobody was told");
            desk.step(incident.id, Deed::TellSubjects(notice()), OPERATOR).await.unwrap();
        }
        let notices = Notices::new(node.register.clone());
        notices.look().await.unwrap();
        let [sent] = notices.all().await.unwrap().try_into().unwrap();
        assert_eq!(sent.audience, Audience::People { count: CONCERNED as u64 });
        let tally = notices.tally(&sent).await.unwrap();
        assert_eq!((tally.people, tally.is_spreading), (CONCERNED as u64, false));
        let begun = node.tally(|event| matches!(event, Event::Notice { step: NoticeStep::Sent, .. })).await;
        assert_eq!(begun.into_values().collect::<Vec<_>>(), vec![1; CONCERNED], "each is told once");
        assert_eq!((node.count(is_told).await, node.rows("notice_page").await), (1, 0));
        is_begun
    }
}

#[tokio::test]
async fn people_are_told_of_an_incident_once_whenever_the_node_is_killed() {
    whenever("ending_killed::people_are_told_of_an_incident_once_whenever_the_node_is_killed", Mailed).await;
}
