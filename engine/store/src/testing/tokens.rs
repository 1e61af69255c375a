//! Tokens: a batch that is sent again applies once.

use core::iter;

use super::{Backend, in_parallel, key, put, value_of};
use crate::{Batch, Condition, Error, Value};

/// A batch that committed is answered with its version, whatever happened since; also when both are under way at once.
pub async fn a_token_commits_once(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let a = key("a");
    let batch = Batch::new().require(a.clone(), Condition::Absent).put(a.clone(), "1");
    let first = store.commit(batch.clone()).await.expect("commits");
    put(&*store, &a, "2").await;
    assert_eq!(store.commit(batch).await.expect("is remembered"), first);
    assert_eq!(value_of(&*store, &a).await, Some(Value::from("2")));

    let b = key("b");
    let batch = Batch::new().require(b.clone(), Condition::Absent).put(b.clone(), "1");
    let tasks =
        iter::repeat_n((store.clone(), batch), 8).map(|(store, batch)| async move { store.commit(batch).await });
    let outcomes = in_parallel(tasks).await;
    let versions: Vec<_> = outcomes.into_iter().map(|outcome| outcome.expect("commits or is remembered")).collect();
    assert!(versions.iter().all(|version| *version == versions[0]), "{versions:?}");
}

/// A batch that conflicted may be sent again and is decided anew.
pub async fn a_refused_batch_leaves_no_trace(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let a = key("a");
    let batch = Batch::new().require(a.clone(), Condition::Value(Value::from("1"))).put(a.clone(), "2");
    assert!(matches!(store.commit(batch.clone()).await, Err(Error::Conflict { .. })));
    put(&*store, &a, "1").await;
    store.commit(batch).await.expect("what it requires holds now");
    assert_eq!(value_of(&*store, &a).await, Some(Value::from("2")));
}

/// What committed before a restart is remembered after it.
pub async fn tokens_survive_a_restart(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let batch = |n: u32| Batch::new().put(key(format!("{n}")), "1");
    let batches: Vec<_> = (0..50).map(batch).collect();
    let mut versions = Vec::new();
    for batch in &batches {
        versions.push(store.commit(batch.clone()).await.expect("commits"));
    }
    backend.close(store).await;
    let store = backend.open().await;
    for (batch, version) in batches.into_iter().zip(versions) {
        assert_eq!(store.commit(batch).await.expect("is remembered"), version);
    }
}
