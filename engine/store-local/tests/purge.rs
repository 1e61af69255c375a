//! What was deleted is in no file any more once a purge is answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use sayso_store::{Batch, Error, Key, Range, Store};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;

fn open(dir: &Path) -> Arc<LocalStore> {
    LocalStore::open(dir, LocalOptions::new(Arc::new(ManualClock::new()))).expect("opens")
}

fn key(name: &str) -> Key {
    Key::from_bytes(name.to_owned())
}

fn commit(store: &LocalStore, batch: Batch) {
    block_on(store.commit(batch)).expect("commits");
}

/// The files below `dir` that hold `needle`.
fn holding(dir: &Path, needle: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("lists") {
        let path = entry.expect("lists").path();
        if path.is_dir() {
            found.extend(holding(&path, needle));
        } else if fs::read(&path).expect("reads").windows(needle.len()).any(|bytes| bytes == needle.as_bytes()) {
            found.push(path);
        }
    }
    found
}

/// A store with something deleted, something replaced and something kept.
fn story(dir: &Path) -> Arc<LocalStore> {
    let store = open(dir);
    commit(&store, Batch::new().put(key("a"), "deleted-value").put(key("b"), "replaced-value"));
    commit(&store, Batch::new().put(key("c"), "kept-value"));
    commit(&store, Batch::new().put(key("b"), "current-value"));
    commit(&store, Batch::new().delete(key("a")));
    store
}

fn assert_purged(dir: &Path) {
    assert_eq!(holding(dir, "deleted-value"), [""; 0].map(PathBuf::from));
    assert_eq!(holding(dir, "replaced-value"), [""; 0].map(PathBuf::from));
    assert!(!holding(dir, "kept-value").is_empty() && !holding(dir, "current-value").is_empty());
}

fn values(store: &LocalStore) -> Vec<Vec<u8>> {
    let page = block_on(store.scan(Range::all(), 10)).expect("scans");
    page.entries.into_iter().map(|entry| entry.value.to_vec()).collect()
}

#[test]
fn what_was_deleted_or_replaced_is_in_no_file_and_the_rest_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = story(dir.path());
    assert!(!holding(dir.path(), "deleted-value").is_empty(), "without a purge it would be found");
    block_on(store.purge()).unwrap();
    assert_purged(dir.path());
    assert_eq!(values(&store), [b"current-value".to_vec(), b"kept-value".to_vec()]);
    store.close();

    let store = open(dir.path());
    assert_purged(dir.path());
    assert_eq!(values(&store), [b"current-value".to_vec(), b"kept-value".to_vec()]);
    commit(&store, Batch::new().delete(key("b")));
    block_on(store.purge()).unwrap();
    assert!(holding(dir.path(), "current-value").is_empty(), "also what is in a table of an earlier purge");
    block_on(store.purge()).unwrap();
    store.close();
    assert_eq!(values(&open(dir.path())), [b"kept-value".to_vec()]);
}

#[test]
fn a_purge_covers_what_earlier_runs_left_in_the_log_and_in_tables() {
    let dir = tempfile::tempdir().unwrap();
    story(dir.path()).close();
    let store = open(dir.path());
    block_on(store.purge()).unwrap();
    assert_purged(dir.path());
    assert_eq!(values(&store).len(), 2);
}

#[test]
fn many_may_ask_at_once_while_others_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = story(dir.path());
    std::thread::scope(|threads| {
        for n in 0..8 {
            let (store, dir) = (&store, dir.path());
            threads.spawn(move || {
                for m in 0..20 {
                    let name = format!("{n}/{m}");
                    let value = format!("gone-{n}-{m}.");
                    commit(store, Batch::new().put(key(&name), value.clone()));
                    commit(store, Batch::new().delete(key(&name)));
                    block_on(store.purge()).unwrap();
                    assert!(in_log(dir, &value).is_empty());
                }
            });
        }
    });
    assert_purged(dir.path());
    assert!(holding(dir.path(), "gone-").is_empty());
    store.close();
    assert_eq!(values(&open(dir.path())).len(), 2);
}

/// The segments of the log that hold `needle`, of those that nobody deletes meanwhile.
fn in_log(dir: &Path, needle: &str) -> Vec<PathBuf> {
    let log = fs::read_dir(dir.join("log")).expect("lists");
    let paths = log.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| fs::read(path).is_ok_and(|b| b.windows(needle.len()).any(|w| w == needle.as_bytes()))).collect()
}

#[test]
fn a_closed_store_purges_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = story(dir.path());
    store.close();
    assert!(matches!(block_on(store.purge()), Err(Error::Closed)));
}
