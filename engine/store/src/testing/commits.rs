//! Batches: conditions, atomicity, versions.

use core::iter;

use super::{Backend, in_parallel, increment, key, number, put, value_of};
use crate::{Batch, Condition, Error, Value, Version};

/// A put is read back under its version, a deleted key is absent, and keys are answered in the order asked.
pub async fn what_is_put_is_read(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let (a, b, empty) = (key("a"), key("b"), key(""));
    let version = store.commit(Batch::new().put(a.clone(), "1").put(empty.clone(), "")).await.expect("commits");
    let held = store.read(&[b.clone(), a.clone(), empty, a.clone()]).await.expect("reads");
    let held: Vec<_> = held.into_iter().map(|held| held.map(|held| (held.value, held.version))).collect();
    let one = Some((Value::from("1"), version));
    assert_eq!(held, [None, one.clone(), Some((Value::default(), version)), one]);
    store.commit(Batch::new().delete(a.clone()).delete(b)).await.expect("deleting what is absent is no error");
    assert_eq!(value_of(&*store, &a).await, None);
    assert_eq!(store.read(&[]).await.expect("reads"), []);
}

/// Every condition, on a key that is absent, as required, and otherwise.
pub async fn conditions_decide(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let (absent, held) = (key("absent"), key("held"));
    let old = put(&*store, &held, "old").await;
    let version = put(&*store, &held, "new").await;
    let value = |text: &'static str| Condition::Value(Value::from(text));
    let cases = [
        (&absent, Condition::Absent, true),
        (&absent, Condition::Version(version), false),
        (&absent, Condition::Version(Version::default()), false),
        (&absent, value("new"), false),
        (&absent, value(""), false),
        (&held, Condition::Absent, false),
        (&held, Condition::Version(version), true),
        (&held, Condition::Version(old), false),
        (&held, value("new"), true),
        (&held, value("old"), false),
    ];
    for (key, condition, holds) in cases {
        let outcome = store.commit(Batch::new().require(key.clone(), condition.clone())).await;
        assert_eq!(outcome.is_ok(), holds, "{condition:?} of {key:?}: {outcome:?}");
    }
}

/// The first condition that fails is named, and nothing of the batch applies.
pub async fn a_conflict_names_the_key_and_changes_nothing(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let (a, b, c) = (key("a"), key("b"), key("c"));
    put(&*store, &a, "1").await;
    let batch = Batch::new()
        .require(a.clone(), Condition::Value(Value::from("1")))
        .require(b.clone(), Condition::Value(Value::from("1")))
        .require(c.clone(), Condition::Value(Value::from("1")))
        .put(c.clone(), "2")
        .delete(a.clone());
    let outcome = store.commit(batch).await;
    assert!(matches!(&outcome, Err(Error::Conflict { key }) if *key == b), "{outcome:?}");
    assert_eq!(value_of(&*store, &a).await, Some(Value::from("1")));
    assert_eq!(value_of(&*store, &c).await, None);
}

/// Of several operations on one key in one batch, the last counts.
pub async fn the_last_operation_on_a_key_counts(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let (a, b) = (key("a"), key("b"));
    let batch =
        Batch::new().put(a.clone(), "1").delete(a.clone()).delete(b.clone()).put(b.clone(), "1").put(b.clone(), "2");
    store.commit(batch).await.expect("commits");
    assert_eq!(value_of(&*store, &a).await, None);
    assert_eq!(value_of(&*store, &b).await, Some(Value::from("2")));
}

/// A later commit has a greater version, also when it puts the same value, and also after a delete.
pub async fn versions_grow(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let a = key("a");
    let first = put(&*store, &a, "1").await;
    let second = put(&*store, &a, "1").await;
    let deleted = store.commit(Batch::new().delete(a.clone())).await.expect("commits");
    let third = put(&*store, &a, "1").await;
    assert!(first < second && second < deleted && deleted < third);
    let stale = Batch::new().require(a.clone(), Condition::Version(first)).put(a.clone(), "2");
    assert!(matches!(store.commit(stale).await, Err(Error::Conflict { .. })));
}

/// While writers put the same number under two keys, no reader and no scan ever sees two numbers.
pub async fn a_batch_is_seen_whole_or_not_at_all(backend: &mut dyn Backend) {
    const WRITES: u64 = 200;
    let store = backend.open().await;
    let tasks = (0..4u64).map(|task| {
        let store = store.clone();
        async move {
            let (a, b) = (key("a"), key("b"));
            for n in 0..WRITES {
                if task < 2 {
                    let value = (task * WRITES + n).to_be_bytes().to_vec();
                    let batch = Batch::new().put(a.clone(), value.clone()).put(b.clone(), value);
                    store.commit(batch).await.expect("commits");
                } else {
                    let held = store.read(&[a.clone(), b.clone()]).await.expect("reads");
                    assert_eq!(held[0], held[1]);
                    let page = store.scan(crate::Range::all(), 2).await.expect("scans");
                    let values: Vec<_> = page.entries.iter().map(|entry| (&entry.value, entry.version)).collect();
                    assert!(values.is_empty() || (values.len() == 2 && values[0] == values[1]));
                }
            }
        }
    });
    in_parallel(tasks).await;
}

/// Many who add one under a condition add exactly as many as they are told succeeded.
pub async fn one_of_many_wins(backend: &mut dyn Backend) {
    const TASKS: usize = 8;
    const EACH: usize = 20;
    let store = backend.open().await;
    let counter = key("counter");
    let tasks = iter::repeat_n(store.clone(), TASKS).map(|store| async move {
        for _ in 0..EACH {
            increment(&*store, &key("counter")).await;
        }
    });
    in_parallel(tasks).await;
    assert_eq!(value_of(&*store, &counter).await.as_ref().map(number), Some((TASKS * EACH) as u64));
}
