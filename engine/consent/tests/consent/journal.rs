//! The journal under load, among entries that fail, and on a disk that is full.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use sayso_audit::Event;
use sayso_consent::{Denied, Entry, Error, Journal, Means, Options};
use sayso_policy::{ConsentStatus, InForce, Revisions};
use sayso_runtime::Tasks;
use sayso_store::{Condition, Error as StoreError, Key, Op, Store, limits::VALUE_BYTES_MAX};
use sayso_types::Name;

use crate::faults::Fault;
use crate::world::{VOICE, World, profile, until};

fn key(n: usize) -> Key {
    Key::from_bytes(format!("test{n}").into_bytes())
}

fn put(n: usize) -> Entry {
    Entry { ops: vec![Op::Put(key(n), "something".into())], ..Entry::default() }
}

#[tokio::test]
async fn who_waits_together_is_written_together() {
    let world = World::new().await;
    let (before, size) = (world.store.commits.load(SeqCst), world.size().await);
    let stalled = world.store.stall.write().await;
    let operator = sayso_audit::Actor::SYSTEM;
    let appends = (0..1_000).map(|_| world.journal().operator(operator, Name::constant("consent.get"), 1));
    let disk = async {
        // the first batch is under way while the others come
        tokio::task::yield_now().await;
        drop(stalled);
    };
    let (outcomes, ()) = tokio::join!(futures::future::join_all(appends), disk);
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(world.size().await, size + 1_000);
    let batches = world.store.commits.load(SeqCst) - before;
    assert!(batches <= 4, "1,000 changes took {batches} commits");
}

#[tokio::test]
async fn a_queue_that_is_full_says_so() {
    let world = World::with(Options { journal_queue: 4, ..Options::default() }).await;
    let appends = (0..20).map(|n| world.journal().append(put(n)));
    let outcomes = futures::future::join_all(appends).await;
    let busy = outcomes.iter().filter(|o| matches!(o, Err(Error::Busy { limit: 4 }))).count();
    assert_eq!((busy, outcomes.iter().filter(|o| o.is_ok()).count()), (16, 4));
}

#[tokio::test]
async fn one_that_conflicts_is_told_and_the_others_go_on() {
    let world = World::new().await;
    let person = world.stranger().await;
    // a denial, which nobody waits for, and which must survive the conflict
    assert!(matches!(world.listen(person).await, Err(Denied::Policy(_))));
    let from = world.size().await;
    let entries = (0..10).map(|n| {
        let condition = if n == 3 { Condition::Value("never".into()) } else { Condition::Absent };
        world.journal().append(Entry { require: vec![(key(n), condition)], ..put(n) })
    });
    let outcomes = futures::future::join_all(entries).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Ok(_) => assert_ne!(n, 3),
            Err(Error::Store(StoreError::Conflict { key: found })) => assert_eq!((n, found), (3, &key(3))),
            Err(other) => panic!("{n}: {other}"),
        }
    }
    let keys: Vec<_> = (0..10).map(key).collect();
    let found = world.store.read(&keys).await.unwrap();
    assert!(found.iter().enumerate().all(|(n, found)| found.is_some() == (n != 3)), "nothing of it was applied");
    world.until_told(|event| matches!(event, Event::GateDenied { .. })).await;
    assert!(world.size().await <= from + 1);
    world.ends_spotless().await;
}

#[tokio::test]
async fn of_two_that_change_the_same_at_once_one_is_refused() {
    let world = World::new().await;
    let once = |n| world.journal().append(Entry { require: vec![(key(n), Condition::Absent)], ..put(n) });
    // all of them wait for the journal at the same moment, and would go into one batch
    let outcomes = futures::future::join_all([once(1), once(1), once(2), once(1)]).await;
    let done: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, false, true, false]);
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(refused, Error::Store(StoreError::Conflict { key: found }) if *found == key(1)), "{refused}");
    }
    world.ends_spotless().await;
}

#[tokio::test]
async fn one_that_is_too_large_is_told_and_the_others_go_on() {
    let world = World::new().await;
    let large = vec![0; VALUE_BYTES_MAX + 1];
    let many = (0..50).map(|n| Op::Put(key(n), vec![0; VALUE_BYTES_MAX].into())).collect();
    let entries = [
        Entry { ops: vec![Op::Put(key(1), large.into())], ..Entry::default() },
        Entry { ops: many, ..Entry::default() },
        put(100),
    ];
    let [large, many, small]: [_; 3] =
        futures::future::join_all(entries.map(|entry| world.journal().append(entry))).await.try_into().unwrap();
    for refused in [large, many] {
        assert!(matches!(refused, Err(Error::Store(StoreError::TooLarge { .. }))), "{refused:?}");
    }
    small.unwrap();
}

#[tokio::test]
async fn changes_of_every_size_fit_into_batches() {
    let world = World::new().await;
    // each as large as allowed: together far more than a batch holds
    let entries = (0..12).map(|n| {
        let ops = (0..40).map(|m| Op::Put(key(n * 100 + m), vec![0; VALUE_BYTES_MAX].into())).collect();
        world.journal().append(Entry { ops, ..Entry::default() })
    });
    for outcome in futures::future::join_all(entries).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn what_is_noted_while_the_disk_is_full_is_written_later_and_in_order() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let leases = [world.listen(person).await.unwrap(), world.listen(person).await.unwrap()];
    let stranger = world.stranger().await;
    world.store.fail(Fault::Full);
    drop(leases);
    for _ in 0..100 {
        assert!(matches!(world.listen(stranger).await, Err(Denied::Policy(_))), "a denial needs no disk");
    }
    assert!(world.register.withdraw(person, &[], Means::Voice).await.is_err());
    let from = world.size().await;
    world.store.fail(Fault::None);
    assert!(world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);

    let told = world.told_since(from).await;
    let last_closed = told.iter().rposition(|name| *name == "egress.segment_closed").unwrap();
    let effective = told.iter().position(|name| *name == "withdraw.effective").unwrap();
    assert_eq!(told.iter().filter(|name| **name == "egress.segment_closed").count(), 2, "{told:?}");
    assert!(last_closed < effective, "{told:?}");
    let denials: u64 = world.leaves().await[from as usize..].iter().map(|leaf| denied(&leaf.fact.event)).sum();
    assert_eq!((denials, told.iter().filter(|name| **name == "gate.denied").count()), (100, 1), "one leaf for all");
    world.ends_spotless().await;
}

fn denied(event: &Event) -> u64 {
    if let Event::GateDenied { count, .. } = event { *count } else { 0 }
}

#[tokio::test]
async fn more_closings_than_a_batch_holds_come_before_what_waited_for_them() {
    let world = World::new().await;
    let person = async || {
        let person = world.person(&[VOICE]).await;
        let mut leases = Vec::new();
        while let Ok(lease) = world.listen(person).await {
            leases.push(lease);
        }
        (person, leases)
    };
    let (people, leases): (Vec<_>, Vec<_>) =
        futures::future::join_all((0..20).map(|_| person())).await.into_iter().unzip();
    assert!(leases.iter().flatten().count() > 4_096, "two full batches");
    // nothing is written before all are dropped: this test has one thread, and does not wait here
    drop(leases);
    let withdrawing = people.iter().map(|person| world.register.withdraw(*person, &[], Means::Voice));
    let withdrawn = futures::future::join_all(withdrawing).await;
    assert!(withdrawn.into_iter().all(|withdrawn| withdrawn.unwrap().ok));
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_second_writer_stops_the_journal_for_good() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let lease = world.listen(person).await.unwrap();
    let tasks = Tasks::new();
    let clock = Arc::new(world.clock.clone());
    let revisions = Revisions::new(InForce::new(Arc::new(profile())));
    let _other = Journal::open(world.local.clone(), clock, &tasks, &revisions, Entry::default(), 4).await.unwrap();
    let refused = world.register.record(&crate::world::answer(person, &[VOICE], ConsentStatus::Given)).await;
    assert!(matches!(refused, Err(Error::Stopped)), "{refused:?}");
    assert!(matches!(world.journal().append(put(1)).await, Err(Error::Stopped)));
    let failure = world.tasks.failure().await;
    assert_eq!(failure.name, "journal", "the process is told to end");
    // what cannot be recorded is not renewed
    until(|| {
        world.clock.advance(crate::world::TTL / 10);
        !lease.permit().is_open()
    })
    .await;
}
