//! Several stores in one part, as several processes have them.

use sayso_store::{Batch, Condition, Error, Key, Prefix, Range, Store, Value};
use sayso_store_fdb::{FdbNetwork, NetworkOptions, Space};

use crate::part::{Part, network};

fn key(n: usize) -> Key {
    Key::from_bytes(format!("{n:04}").into_bytes())
}

/// What one store commits another reads, watches, and conflicts with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_of_one_part_are_one_store() {
    let Some(mut part) = Part::new() else { return };
    let (one, other) = (part.open_one().await, part.open_one().await);
    let mut watch = other.watch(Prefix::default()).await.unwrap();
    for n in 0..50 {
        let version = one.commit(Batch::new().put(key(n), "1")).await.unwrap();
        let held = other.read(&[key(n)]).await.unwrap().remove(0).unwrap();
        assert_eq!((held.value, held.version), (Value::from("1"), version));
        let change = watch.next().await.unwrap().unwrap();
        assert_eq!((change.key, change.version), (key(n), version));
    }
    let absent = Batch::new().require(key(0), Condition::Absent);
    assert!(matches!(other.commit(absent).await, Err(Error::Conflict { .. })));
}

/// A batch that the log only names is handed out with its values all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_batch_is_watched() {
    const VALUES: usize = 60;
    let Some(mut part) = Part::new() else { return };
    let store = part.open_one().await;
    let mut watch = store.watch(Prefix::default()).await.unwrap();
    let value = |n: usize| Value::from(vec![n as u8; 50_000]);
    let batch = (0..VALUES).fold(Batch::new().delete(key(VALUES)), |batch, n| batch.put(key(n), value(n)));
    let version = store.commit(batch).await.unwrap();
    for n in 0..=VALUES {
        let change = watch.next().await.unwrap().unwrap();
        assert_eq!((&change.key, change.version), (&key(n), version));
        assert_eq!(change.value, (n < VALUES).then(|| value(n)));
    }
}

/// Stores in different parts do not see each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_are_apart() {
    let (Some(mut one), Some(mut other)) = (Part::new(), Part::new()) else { return };
    let (one, other) = (one.open_one().await, other.open_one().await);
    let mut watch = other.watch(Prefix::default()).await.unwrap();
    one.commit(Batch::new().put(key(1), "1")).await.unwrap();
    let version = other.commit(Batch::new().put(key(2), "2")).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().version, version);
    assert_eq!(other.scan(Range::all(), 10).await.unwrap().entries.len(), 1);
}

/// A directory is found again under its path.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_holds_a_store() {
    let Some(mut part) = Part::new() else { return };
    let Space::Subspace(path) = part.space() else { unreachable!("a part is a subspace") };
    for n in 0..2 {
        let store = part.try_open(Space::Directory(path.clone())).await.unwrap();
        assert_eq!(store.scan(Range::all(), 10).await.unwrap().entries.len(), n);
        store.commit(Batch::new().put(key(n), "1")).await.unwrap();
        store.close().await;
    }
}

/// A process has one client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_is_started_once() {
    let Some(_part) = Part::new() else { return };
    let _network = network();
    assert!(matches!(FdbNetwork::boot(&NetworkOptions::default()), Err(Error::Invalid { .. })));
}
