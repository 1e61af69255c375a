//! Tokens: a batch that is sent again applies once.

use core::future::poll_fn;
use core::iter;
use core::pin::pin;
use core::task::Poll;

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

/// A commit whose caller gave up at some point happens once, however it had got on by then: sent again it is answered, and
/// the try that was given up changes nothing after that.
pub async fn a_commit_that_is_given_up_happens_once(backend: &mut dyn Backend) {
    const ROUNDS: usize = 48;
    const POLLS_MAX: usize = 6;
    let store = backend.open().await;
    let mut sent = Vec::new();
    for n in 0..ROUNDS {
        let own = key(format!("own {n}"));
        let put_first = Batch::new().put(own.clone(), "first");
        // without a condition one sees a try that takes effect late, with it one that did and was forgotten
        let batch = if n % 2 == 0 { put_first } else { put_first.require(own.clone(), Condition::Absent) };
        let answered = give_up_after(1 + n % POLLS_MAX, store.commit(batch.clone())).await;
        if n % 3 == 0 {
            put(&*store, &key("between"), "1").await;
        }
        let version = store.commit(batch.clone()).await.expect("commits, or did before");
        assert!(answered.is_none_or(|answered| answered.expect("commits") == version), "round {n}");
        assert!(put(&*store, &own, "second").await > version, "round {n}");
        sent.push((own, batch, version));
    }
    backend.close(store).await;
    let store = backend.open().await;
    for (own, batch, version) in sent {
        assert_eq!(store.commit(batch).await.expect("is remembered"), version, "{own:?}");
        assert_eq!(value_of(&*store, &own).await, Some(Value::from("second")), "{own:?}");
    }
}

/// What `future` gives within so many polls; after the last it is dropped where it is.
async fn give_up_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
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
