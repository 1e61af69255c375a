//! Watches: no change lost, none out of order, none without being told.

use std::collections::BTreeMap;

use super::{Backend, in_parallel, increment, key, number, put};
use crate::limits::WATCH_CHANGES_MAX;
use crate::{Batch, Change, Lagged, Prefix, Range, Watch};

/// Takes changes until `done`; panics if the watch lags or ends.
async fn take_until(watch: &mut Watch, mut done: impl FnMut(&Change) -> bool) {
    loop {
        let change = watch.next().await.expect("the store is open").expect("nothing is lost");
        if done(&change) {
            return;
        }
    }
}

/// Many writers count up under several keys: each number is seen once, in order, key by key, and nothing else is.
pub async fn a_watch_delivers_every_change_in_order(backend: &mut dyn Backend) {
    const EACH: u64 = 25;
    let store = backend.open().await;
    let mut watch = store.watch(Prefix::from_bytes("counter ")).await.expect("watches");
    let tasks = (0..8).map(|task| {
        let store = store.clone();
        async move {
            for _ in 0..EACH {
                increment(&*store, &key(format!("counter {}", task % 2))).await;
                put(&*store, &key("countess"), "not watched").await;
            }
        }
    });
    in_parallel(tasks).await;
    let mut seen = BTreeMap::new();
    let mut latest = None;
    take_until(&mut watch, |change| {
        let (count, version) = seen.entry(change.key.clone()).or_insert((0, change.version));
        *count += 1;
        assert_eq!(change.value.as_ref().map(number), Some(*count), "{:?}", change.key);
        assert!(*count == 1 || *version < change.version);
        assert!(latest <= Some(change.version), "commits are seen in their order");
        *version = change.version;
        latest = Some(change.version);
        seen.len() == 2 && seen.values().all(|(count, _)| *count == 4 * EACH)
    })
    .await;
}

/// Who watches, scans, and applies what is newer than the scan has the store's contents.
pub async fn a_scan_and_a_watch_leave_no_gap(backend: &mut dyn Backend) {
    const EACH: u64 = 50;
    let store = backend.open().await;
    let writer = store.clone();
    let write = async move {
        for n in 0..EACH {
            let key = key(format!("{}", n % 7));
            let batch =
                if n % 3 == 2 { Batch::new().delete(key) } else { Batch::new().put(key, n.to_be_bytes().to_vec()) };
            writer.commit(batch).await.expect("commits");
        }
        put(&*writer, &key("last"), "").await
    };
    let reader = store.clone();
    let follow = async move {
        let mut watch = reader.watch(Prefix::default()).await.expect("watches");
        let page = reader.scan(Range::all(), 100).await.expect("scans");
        let mut copy: BTreeMap<_, _> =
            page.entries.into_iter().map(|entry| (entry.key, (entry.version, Some(entry.value)))).collect();
        if !copy.contains_key(&key("last")) {
            take_until(&mut watch, |Change { key: changed, value, version }| {
                let entry = copy.entry(changed.clone()).or_insert((*version, None));
                if entry.0 <= *version {
                    *entry = (*version, value.clone());
                }
                *changed == key("last")
            })
            .await;
        }
        copy.into_iter().filter_map(|(key, (_, value))| Some((key, value?))).collect::<Vec<_>>()
    };
    let (_, copy) = futures::future::join(write, follow).await;
    let held = store.scan(Range::all(), 100).await.expect("scans").entries;
    assert_eq!(copy, held.into_iter().map(|entry| (entry.key, entry.value)).collect::<Vec<_>>());
}

/// A watch that is not read is told that it lost changes, after those it still has; what comes then is delivered.
pub async fn a_slow_watch_is_told(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let mut watch = store.watch(Prefix::from_bytes("0")).await.expect("watches");
    let mut witness = store.watch(Prefix::from_bytes("1")).await.expect("watches");
    let batch =
        |first: usize| (0..1_000).fold(Batch::new(), |batch, n| batch.put(key(format!("{:06}", first + n)), "1"));
    let batches = WATCH_CHANGES_MAX.div_ceil(1_000) + 1;
    for n in 0..batches {
        store.commit(batch(n * 1_000)).await.expect("commits");
    }
    // A commit may be answered before its changes are handed out, but they are handed out in the order of the commits.
    put(&*store, &key("1"), "1").await;
    take_until(&mut witness, |change| change.key == key("1")).await;
    let mut count = 0;
    let lost = loop {
        match watch.next().await.expect("the store is open") {
            Ok(change) => {
                assert_eq!(change.key, key(format!("{count:06}")), "what is left is in order, from the first");
                count += 1;
            }
            Err(lost) => break lost,
        }
    };
    assert_eq!(lost, Lagged);
    assert!(count < batches * 1_000);
    let version = put(&*store, &key("0 after"), "1").await;
    let change = watch.next().await.expect("the store is open").expect("nothing is lost since");
    assert_eq!((change.key, change.version), (key("0 after"), version));
}

/// A closed store ends its watches, after what they still have.
pub async fn a_watch_ends_with_the_store(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let mut watch = store.watch(Prefix::default()).await.expect("watches");
    let version = put(&*store, &key("a"), "1").await;
    backend.close(store).await;
    let change = watch.next().await.expect("one change").expect("nothing is lost");
    assert_eq!((change.key, change.version), (key("a"), version));
    assert_eq!(watch.next().await, None);
}
