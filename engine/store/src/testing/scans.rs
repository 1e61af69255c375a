//! Scans: order, pages, and the whole store against a map.

use std::collections::BTreeMap;

use super::{Backend, key, put};
use crate::limits::SCAN_BYTES_MAX;
use crate::{Batch, Condition, Error, Key, Prefix, Range, Store, Value, Version};

/// Every entry of `range`, in pages of `limit`.
async fn all(store: &dyn Store, range: Range, limit: usize) -> Vec<(Key, Value)> {
    let mut entries = Vec::new();
    let mut rest = Some(range);
    while let Some(range) = rest {
        let page = store.scan(range, limit).await.expect("scans");
        assert!(page.entries.len() <= limit);
        assert!(!page.entries.is_empty() || page.rest.is_none(), "a page with a rest has something in it");
        entries.extend(page.entries.into_iter().map(|entry| (entry.key, entry.value)));
        rest = page.rest;
    }
    entries
}

/// Keys come as their bytes sort; a range has its start and not its end; a prefix has what begins with it.
pub async fn a_scan_is_in_the_order_of_bytes(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let keys: Vec<Key> = [&b""[..], b"\0", b"\0\0", b"a", b"a\0", b"a\xff", b"a\xff\xff", b"b", b"\xfe\xff"]
        .into_iter()
        .map(Key::from_bytes)
        .collect();
    for key in keys.iter().rev() {
        put(&*store, key, key.as_bytes().to_vec()).await;
    }
    let found = async |range| all(&*store, range, 100).await.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(found(Range::all()).await, keys);
    assert_eq!(found(Range { start: key("a"), end: key("b") }).await, keys[3..7]);
    assert_eq!(found(Range::from(&Prefix::from_bytes("a"))).await, keys[3..7]);
    assert_eq!(found(Range { start: key("b"), end: key("a") }).await, []);
    assert_eq!(found(Range { start: key("a"), end: key("a") }).await, []);
}

/// Pages of any size make up the same whole, also when what was read is deleted meanwhile.
pub async fn a_scan_goes_on_where_it_stopped(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let keys: Vec<Key> = (0..20).map(|n| key(format!("key {n:02}"))).collect();
    let batch = keys.iter().fold(Batch::new(), |batch, key| batch.put(key.clone(), "1"));
    store.commit(batch).await.expect("commits");
    let whole = all(&*store, Range::all(), 100).await;
    for limit in [1, 3, 19, 20, 21] {
        assert_eq!(all(&*store, Range::all(), limit).await, whole);
    }
    let page = store.scan(Range::all(), 5).await.expect("scans");
    let delete = keys[..6].iter().fold(Batch::new(), |batch, key| batch.delete(key.clone()));
    store.commit(delete).await.expect("commits");
    assert_eq!(all(&*store, page.rest.expect("there is more"), 100).await, whole[6..]);
}

/// A page ends before it is large, but has at least one entry.
pub async fn a_page_is_bounded_in_bytes(backend: &mut dyn Backend) {
    let store = backend.open().await;
    let value = vec![0; 90_000];
    let count = 2 * SCAN_BYTES_MAX / value.len();
    for n in 0..count {
        put(&*store, &key(format!("{n:02}")), value.clone()).await;
    }
    let page = store.scan(Range::all(), 1_000).await.expect("scans");
    let bytes: usize = page.entries.iter().map(|entry| entry.value.len()).sum();
    assert!(bytes <= SCAN_BYTES_MAX + value.len(), "{bytes}");
    assert!(page.rest.is_some());
    assert_eq!(all(&*store, Range::all(), 1_000).await.len(), count);
}

/// Random batches, reads and scans, with restarts between, do what they do to a map.
pub async fn a_store_behaves_like_a_map(backend: &mut dyn Backend) {
    const STEPS: usize = 1_500;
    let mut random = fastrand::Rng::with_seed(7);
    let mut map: BTreeMap<Key, (Value, Version)> = BTreeMap::new();
    let mut store = backend.open().await;
    for step in 0..STEPS {
        let mut batch = Batch::new();
        let mut conflict = None;
        for _ in 0..random.usize(..3) {
            let key = random_key(&mut random);
            let held = map.get(&key);
            let (condition, holds) = match random.u8(..4) {
                0 => (Condition::Absent, held.is_none()),
                1 => (Condition::Version(Version::default()), false),
                _ => match held {
                    Some((_, version)) => (Condition::Version(*version), true),
                    None => (Condition::Absent, true),
                },
            };
            if !holds && conflict.is_none() {
                conflict = Some(key.clone());
            }
            batch = batch.require(key, condition);
        }
        for _ in 0..random.usize(..5) {
            let key = random_key(&mut random);
            let value = vec![random.u8(..); random.usize(..600)];
            batch = if random.u8(..4) == 0 { batch.delete(key) } else { batch.put(key, value) };
        }
        match (store.commit(batch.clone()).await, conflict) {
            (Ok(version), None) => apply(&mut map, batch, version),
            (Err(Error::Conflict { key }), Some(expected)) => assert_eq!(key, expected),
            (outcome, expected) => panic!("step {step}: {outcome:?} where a conflict with {expected:?} was expected"),
        }
        let key = random_key(&mut random);
        let held = store.read(core::slice::from_ref(&key)).await.expect("reads").remove(0);
        assert_eq!(held.map(|held| (held.value, held.version)), map.get(&key).cloned());
        if random.u16(..STEPS as u16) < 8 {
            backend.close(store).await;
            store = backend.open().await;
        }
        if step % 100 == 0 {
            let (start, end) = (random_key(&mut random), random_key(&mut random));
            let expected: Vec<_> = map
                .iter()
                .filter(|(key, _)| start <= **key && **key < end)
                .map(|(key, (value, _))| (key.clone(), value.clone()))
                .collect();
            assert_eq!(all(&*store, Range { start, end }, random.usize(1..20)).await, expected);
        }
    }
}

fn random_key(random: &mut fastrand::Rng) -> Key {
    Key::from_bytes(vec![random.u8(..4); random.usize(..20)])
}

fn apply(map: &mut BTreeMap<Key, (Value, Version)>, batch: Batch, version: Version) {
    for op in batch.ops {
        match op {
            crate::Op::Put(key, value) => map.insert(key, (value, version)),
            crate::Op::Delete(key) => map.remove(&key),
        };
    }
}
