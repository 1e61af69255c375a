//! Closing and opening again.

use super::{Backend, key, put, value_of};
use crate::{Batch, Error, Prefix, Range, Value};

/// Everything that was acknowledged is there again, under its version, several times over.
pub async fn what_was_acknowledged_is_there_again(backend: &mut dyn Backend) {
    let mut expected = Vec::new();
    for round in 0..4 {
        let store = backend.open().await;
        let found = store.scan(Range::all(), 1_000).await.expect("scans").entries;
        let found: Vec<_> = found.into_iter().map(|entry| (entry.key, entry.version)).collect();
        assert_eq!(found, expected, "round {round}");
        for n in 0..20 {
            let key = key(format!("{round} {n:02}"));
            let version = put(&*store, &key, vec![round; 1_000]).await;
            expected.push((key, version));
        }
        let (deleted, _) = expected.remove(usize::from(round) * 3);
        store.commit(Batch::new().delete(deleted)).await.expect("commits");
        backend.close(store).await;
    }
}

/// The first commit after a restart has a greater version than the last before it, also when that left nothing behind.
pub async fn versions_go_on_growing(backend: &mut dyn Backend) {
    let a = key("a");
    let mut last = None;
    for _ in 0..3 {
        let store = backend.open().await;
        let version = put(&*store, &a, "1").await;
        assert!(last < Some(version));
        last = Some(store.commit(Batch::new().delete(a.clone())).await.expect("commits"));
        backend.close(store).await;
    }
}

/// After it was closed, a store answers every use with that, and the one opened next has what it took before.
pub async fn a_closed_store_says_so(backend: &mut dyn Backend) {
    let store = backend.open().await;
    put(&*store, &key("a"), "1").await;
    backend.close(store.clone()).await;
    assert!(matches!(store.read(&[key("a")]).await, Err(Error::Closed)));
    assert!(matches!(store.scan(Range::all(), 1).await, Err(Error::Closed)));
    assert!(matches!(store.commit(Batch::new().put(key("a"), "2")).await, Err(Error::Closed)));
    assert!(matches!(store.watch(Prefix::default()).await, Err(Error::Closed)));
    let store = backend.open().await;
    assert_eq!(value_of(&*store, &key("a")).await, Some(Value::from("1")));
}
