use sayso_tests::FakeObjectStore;

use super::super::tests::{add, all, begin, dump};
use super::super::{Dump, Place};
use super::*;

fn bucket(store: &FakeObjectStore) -> Place {
    Place::Bucket(Box::new(Bucket::open("backups", "home/monday", &Settings::of(&store.url())).unwrap()))
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let store = FakeObjectStore::start("backups");
    let dump = dump(bucket(&store)).await;
    dump.check(|_| {}).await.unwrap();
    assert_eq!(dump.manifest.all, all());
    let names = store.names();
    assert!(names.contains(&"home/monday/000001.entries".to_owned()), "{names:?}");
    assert!(names.contains(&"home/monday/manifest.json".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.ends_with("begun.json")), "{names:?}");
    assert!(begin(&bucket(&store)).await.is_err(), "a dump is never written over");
}

#[tokio::test]
async fn a_service_that_cannot_now_is_asked_again() {
    let store = FakeObjectStore::start("backups");
    store.busy_for(TRIES as usize - 1);
    dump(bucket(&store)).await.check(|_| {}).await.unwrap();
    store.busy_for(TRIES as usize);
    let error = format!("{:#}", Dump::open(bucket(&store)).await.err().unwrap());
    assert!(error.contains("503") && error.contains("SlowDown"), "{error}");
}

#[tokio::test]
async fn what_was_broken_off_goes_on_and_sends_nothing_twice() {
    let store = FakeObjectStore::start("backups");
    let place = bucket(&store);
    let mut writer = begin(&place).await.unwrap();
    add(&mut writer, 0..70).await;
    drop(writer);
    // one is not what was sent, so it is sent again
    store.damage("home/monday/000002.entries");
    let sent = store.written();

    let mut writer = begin(&place).await.unwrap();
    assert!(writer.is_resumed());
    add(&mut writer, 0..100).await;
    writer.finish(7).await.unwrap();
    let again = &store.written()[sent.len()..];
    assert!(!again.contains(&"home/monday/000001.entries".to_owned()), "{again:?}");
    assert_eq!(again[0], "home/monday/000002.entries");
    Dump::open(place).await.unwrap().check(|_| {}).await.unwrap();
}

#[tokio::test]
async fn damage_is_found_and_its_part_named() {
    let store = FakeObjectStore::start("backups");
    let dump = dump(bucket(&store)).await;
    store.damage("home/monday/000002.entries");
    let error = format!("{:#}", dump.check(|_| {}).await.unwrap_err());
    assert!(error.contains("000002.entries is damaged"), "{error}");
}

#[tokio::test]
async fn what_the_service_refuses_is_said() {
    let store = FakeObjectStore::start("others");
    let error = format!("{:#}", begin(&bucket(&store)).await.err().unwrap());
    assert!(error.contains("there is no bucket backups"), "{error}");
    store.deny();
    let error = format!("{:#}", begin(&bucket(&store)).await.err().unwrap());
    assert!(
        error.contains("403") && error.contains("AccessDenied") && error.contains("s3://backups/home/monday"),
        "{error}"
    );
}
