//! Receivers are told to delete what they were given, and certificates say what they answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::{Event, Leaf, Reference};
use sayso_consent::deletion::{DeletionAnswer, DeletionOrder, Why};
use sayso_consent::erasure::{Certificate, Residual};
use sayso_consent::rights::{Desk, Standing};
use sayso_consent::{Ask, Error, Options};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Gate, Profile};
use sayso_types::{Category, SubjectId};

use crate::answering::accepted;
use crate::erasing::profile_with_a_receiver_who;
use crate::keeping::rows;
use crate::set_clock::{HOUR, NOON, SetClock};
use crate::world::*;

const SECOND: u64 = 1_000;
const DAY: u64 = 24 * HOUR;
const ANSWER: DeletionAnswer = DeletionAnswer([7; 32]);

fn options() -> Options {
    Options { deletes: [processor("cloud")].into(), ..Options::default() }
}

fn who_can_be_told(rev: u32) -> Arc<Profile> {
    Arc::new(profile_with_a_receiver_who(rev, ", deletion_api = true"))
}

/// A node that can tell the receiver, and its clock.
async fn setting() -> (World, Arc<SetClock>) {
    let clock = Arc::new(SetClock::at(NOON));
    let world = World::with_clock(clock.clone(), options()).await;
    world.register.publish(who_can_be_told(2)).await.unwrap();
    (world, clock)
}

/// Somebody of whom something is remembered.
async fn remembered(world: &World) -> SubjectId {
    let person = world.person(&[VOICE, MEMORY]).await;
    let facts = [("word".to_owned(), "yes".to_owned())];
    assert!(world.register.save_facts(person, &facts).await.unwrap());
    person
}

/// Hands the receiver something of the person's; in which segment.
async fn give(world: &World, person: SubjectId) -> Reference {
    let asked = ask(person, world.state(person).await.cv);
    let (category, processor) = (Category::MEMORY_SUMMARY, processor("cloud"));
    let asked = Ask { purpose: MEMORY, category, gate: Gate::Dialogue, processor, ..asked };
    let lease = world.register.acquire(asked).await.unwrap();
    lease.permit().pass(frame(&asked), drop).unwrap();
    let given = Reference(lease.segment());
    drop(lease);
    world.until_told(|event| matches!(event, Event::SegmentClosed { segment, .. } if *segment == given)).await;
    given
}

/// Has told what is due, as whoever tells receivers does.
async fn look(world: &World) -> Vec<DeletionOrder> {
    let due = world.register.due_deletions(&BTreeSet::new()).await.unwrap();
    for order in &due {
        world.register.deletion_requested(order).await.unwrap();
    }
    due
}

/// What is to be told, once something is.
async fn orders(world: &World) -> Vec<DeletionOrder> {
    let wait = async {
        loop {
            let due = look(world).await;
            if !due.is_empty() {
                return due;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(core::time::Duration::from_secs(30), wait).await.expect("an order")
}

async fn certificate(world: &World, person: SubjectId, case: Reference) -> Certificate {
    // whoever tells receivers looks once in a while
    let looks = async {
        loop {
            look(world).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        json = world.register.until_certified(person, case) => Certificate::parse(&json.unwrap()).unwrap(),
        () = looks => unreachable!(),
    }
}

fn count(told: &[&str], name: &str) -> usize {
    told.iter().filter(|told| **told == name).count()
}

#[tokio::test]
async fn a_receiver_is_told_what_it_was_given_until_it_says_that_it_is_gone() {
    let (world, clock) = setting().await;
    let (anna, ben) = (remembered(&world).await, remembered(&world).await);
    let mut given = [give(&world, anna).await, give(&world, anna).await];
    given.sort_unstable();
    give(&world, ben).await;
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, anna, RightKind::Erase).await;

    let mut first = orders(&world).await;
    let Some(order) = first.pop().filter(|_| first.is_empty()) else { panic!("one order: {first:?}") };
    assert_eq!((order.processor, order.subject, order.why), (processor("cloud"), anna, Why::Erasure));
    assert_eq!(order.segments, given, "what it was given of anna, and nothing of ben");
    assert!(look(&world).await.is_empty(), "it is not told twice at once");
    assert!(world.register.certificate(anna, case).await.unwrap().is_none());
    clock.set(NOON + SECOND);
    let again = orders(&world).await;
    assert_eq!(again, [DeletionOrder { tries: 1, ..order.clone() }], "the same order");

    world.register.deletion_confirmed(&order, ANSWER).await.unwrap();
    world.register.deletion_confirmed(&order, ANSWER).await.unwrap();
    let certificate = certificate(&world, anna, case).await;
    let [deleted] = certificate.deleted.as_slice() else { panic!("one: {:?}", certificate.deleted) };
    assert_eq!((deleted.id, deleted.party.as_str(), deleted.answer), (processor("cloud"), "Somebody Else", ANSWER.0));
    assert!(!certificate.is_partial(), "{:?}", certificate.residuals);
    assert_eq!(desk.of(anna).await.unwrap()[0].standing, Standing::Fulfilled);
    let told = world.told_since(0).await;
    let deletions: Vec<_> = told.iter().filter(|name| name.starts_with("processor.deletion")).copied().collect();
    assert_eq!(deletions, ["processor.deletion_requested", "processor.deletion_confirmed"]);
    let place = |name| told.iter().rposition(|told| *told == name).unwrap();
    assert!(place("processor.deletion_confirmed") < place("erase.certified"));
    clock.set(NOON + DAY);
    assert!(look(&world).await.is_empty());
}

#[tokio::test]
async fn one_that_says_nothing_in_time_is_named_with_the_time_it_was_told() {
    let (world, clock) = setting().await;
    let anna = remembered(&world).await;
    give(&world, anna).await;
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, anna, RightKind::Erase).await;
    let order = orders(&world).await.pop().unwrap();
    clock.set(NOON + DAY);
    let certificate = certificate(&world, anna, case).await;
    assert!(certificate.deleted.is_empty());
    assert!(certificate.is_partial(), "it has not ended: every processor must confirm, as the policy promises");
    let told_at = certificate.residuals.iter().find_map(|residual| match residual {
        Residual::Processor { told_at, .. } => *told_at,
        _ => None,
    });
    assert_eq!(told_at.map(|at| at.0), Some(NOON));
    assert_eq!(desk.of(anna).await.unwrap()[0].standing, Standing::PartlyFulfilled);
    let leaves = world.leaves().await;
    let unconfirmed = leaves.iter().filter_map(|leaf| match &leaf.fact.event {
        Event::DeletionUnconfirmed { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    assert_eq!(unconfirmed.collect::<Vec<_>>(), ["no_answer"]);
    // what it says later changes nothing
    world.register.deletion_confirmed(&order, ANSWER).await.unwrap();
    assert_eq!(count(&world.told_since(0).await, "processor.deletion_confirmed"), 0);
}

#[tokio::test]
async fn one_that_was_given_nothing_or_has_it_no_more_is_told_nothing() {
    let (world, clock) = setting().await;
    let (anna, ben) = (remembered(&world).await, remembered(&world).await);
    give(&world, ben).await;
    clock.set(NOON + 31 * DAY);
    let desk = Desk::open(world.register.clone());
    for person in [anna, ben] {
        let case = accepted(&desk, person, RightKind::Erase).await;
        let certificate = certificate(&world, person, case).await;
        assert!(!certificate.is_partial() && certificate.deleted.is_empty(), "{:?}", certificate.residuals);
    }
    let told = world.told_since(0).await;
    assert_eq!((count(&told, "processor.deletion_requested"), count(&told, "processor.deletion_unconfirmed")), (0, 0));
}

#[tokio::test]
async fn the_next_process_goes_on_where_one_ended() {
    let (world, clock) = setting().await;
    let anna = remembered(&world).await;
    let given = give(&world, anna).await;
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, anna, RightKind::Erase).await;
    let first = orders(&world).await;
    clock.set(NOON + SECOND);
    drop(desk);
    let world = world.restarted(who_can_be_told(2), options()).await;
    let order = orders(&world).await.pop().unwrap();
    assert_eq!((order.of, order.tries, order.segments.as_slice()), (first[0].of, 1, [given].as_slice()));
    world.register.deletion_confirmed(&order, ANSWER).await.unwrap();
    assert_eq!(certificate(&world, anna, case).await.deleted.len(), 1);
    assert_eq!(count(&world.told_since(0).await, "processor.deletion_requested"), 1);
}

#[tokio::test]
async fn what_is_put_right_is_told_receivers_and_the_answer_does_not_wait_for_them() {
    let (world, clock) = setting().await;
    let (anna, ben) = (remembered(&world).await, remembered(&world).await);
    for person in [anna, ben] {
        give(&world, person).await;
        correct(&world, person).await;
    }
    let mut due = Vec::new();
    while due.len() < 2 {
        due.extend(orders(&world).await);
    }
    assert!(due.iter().all(|order| order.why == Why::Rectification));
    world.register.deletion_confirmed(&due[0], ANSWER).await.unwrap();
    clock.set(NOON + DAY);
    assert!(look(&world).await.is_empty());
    let told = world.told_since(0).await;
    for name in ["rectify.propagated", "processor.deletion_unconfirmed"] {
        assert_eq!(count(&told, name), 1, "{name}");
    }
}

/// Waits until it is due that the receiver is told, which nobody has been yet.
async fn until_due(world: &World) {
    let wait = async {
        while rows(world, "deletion").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(core::time::Duration::from_secs(30), wait).await.expect("that it is due");
}

fn told_at(certificate: &Certificate) -> Option<u64> {
    let told = certificate.residuals.iter().find_map(|residual| match residual {
        Residual::Processor { told_at, .. } => *told_at,
        _ => None,
    });
    told.map(|at| at.0)
}

async fn why_unconfirmed(world: &World) -> Vec<String> {
    let leaves = world.leaves().await.into_iter();
    let why = leaves.filter_map(|leaf| match leaf.fact.event {
        Event::DeletionUnconfirmed { reason, .. } => Some(reason.to_string()),
        _ => None,
    });
    why.collect()
}

#[tokio::test]
async fn one_that_nobody_could_tell_in_time_is_told_late_before_it_is_given_up_on() {
    let (world, clock) = setting().await;
    let anna = remembered(&world).await;
    give(&world, anna).await;
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, anna, RightKind::Erase).await;
    until_due(&world).await;
    // nobody was there to tell it
    clock.set(NOON + 2 * DAY);
    assert_eq!(orders(&world).await.len(), 1);
    clock.set(NOON + 2 * DAY + SECOND);
    assert_eq!(told_at(&certificate(&world, anna, case).await), Some(NOON));
    assert_eq!(why_unconfirmed(&world).await, ["no_answer"]);
}

#[tokio::test]
async fn where_nobody_can_be_told_any_more_nothing_waits_for_them_and_the_certificate_says_so() {
    let (world, _) = setting().await;
    let (anna, ben) = (remembered(&world).await, remembered(&world).await);
    for person in [anna, ben] {
        give(&world, person).await;
    }
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, anna, RightKind::Erase).await;
    until_due(&world).await;
    correct(&world, ben).await;
    drop(desk);
    let world = world.restarted(who_can_be_told(2), Options::default()).await;
    assert_eq!(world.register.due_deletions(&BTreeSet::new()).await.unwrap(), [], "there is nobody who would tell it");
    assert_eq!(count(&world.told_since(0).await, "processor.deletion_requested"), 0);
    world.clock.advance(core::time::Duration::from_millis(DAY));
    assert_eq!(told_at(&certificate(&world, anna, case).await), None);
    assert_eq!(why_unconfirmed(&world).await, ["not_told"; 2]);
    assert_eq!(rows(&world, "deletion").await, 0);
}

#[tokio::test]
async fn an_order_is_the_same_each_time_whatever_is_given_and_ends_meanwhile() {
    let (world, clock) = setting().await;
    let anna = remembered(&world).await;
    let given = give(&world, anna).await;
    // by its own word it has that for 30 days
    clock.set(NOON + 30 * DAY - SECOND / 2);
    let case = accepted(&Desk::open(world.register.clone()), anna, RightKind::Erase).await;
    let first = orders(&world).await.pop().unwrap();
    assert_eq!(first.segments, [given]);
    world.answers(anna, &[VOICE, MEMORY], ConsentStatus::Given).await;
    give(&world, anna).await;
    clock.set(NOON + 30 * DAY + SECOND);
    let again = orders(&world).await;
    assert_eq!(again, [DeletionOrder { tries: 1, ..first.clone() }], "what came later was never erased");
    world.register.deletion_confirmed(&first, ANSWER).await.unwrap();
    assert_eq!(certificate(&world, anna, case).await.deleted.len(), 1);
}

#[tokio::test]
async fn an_account_is_closed_before_receivers_have_answered() {
    let (world, _) = setting().await;
    let (tenant, device) = ("acme".parse().unwrap(), "a-device".parse().unwrap());
    let anna = world.register.subject_of(&tenant, &device).await.unwrap();
    world.answers(anna, &[VOICE, MEMORY], ConsentStatus::Given).await;
    assert!(world.register.save_facts(anna, &[("word".to_owned(), "yes".to_owned())]).await.unwrap());
    give(&world, anna).await;
    let case = accepted(&Desk::open(world.register.clone()), anna, RightKind::Cancel).await;
    let order = orders(&world).await.pop().unwrap();
    assert!(world.register.certificate(anna, case).await.unwrap().is_none());
    let refused = world.register.record(&answer(anna, &[VOICE], ConsentStatus::Given)).await;
    assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
    assert_ne!(world.register.subject_of(&tenant, &device).await.unwrap(), anna, "whoever speaks now is somebody new");
    world.register.deletion_confirmed(&order, ANSWER).await.unwrap();
    assert_eq!(certificate(&world, anna, case).await.deleted.len(), 1);
    assert_eq!(count(&world.told_since(0).await, "account.cancelled"), 1);
}

/// Has what is remembered of `person` put right, and waits for the answer.
async fn correct(world: &World, person: SubjectId) {
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, person, RightKind::Rectify).await;
    let changes = [("word".to_owned(), "no".to_owned())];
    desk.correct(person, case, &changes, sayso_audit::Actor::SYSTEM).await.unwrap();
    world
        .until_told(|event| {
            let Event::Request { request, step, .. } = event else { return false };
            *request == case && *step == sayso_audit::RequestStep::Fulfilled
        })
        .await;
}

/// What is told where a receiver deletes, and where it is told of what was put right.
pub(crate) async fn told_of_deletions() -> Vec<Leaf> {
    let (world, _) = setting().await;
    let (anna, ben) = (remembered(&world).await, remembered(&world).await);
    give(&world, anna).await;
    give(&world, ben).await;
    accepted(&Desk::open(world.register.clone()), anna, RightKind::Erase).await;
    correct(&world, ben).await;
    for _ in 0..2 {
        for order in orders(&world).await {
            world.register.deletion_confirmed(&order, ANSWER).await.unwrap();
        }
        if count(&world.told_since(0).await, "rectify.propagated")
            + count(&world.told_since(0).await, "processor.deletion_confirmed")
            == 2
        {
            break;
        }
    }
    world.leaves().await
}
