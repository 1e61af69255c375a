//! A store that an earlier build left behind is opened by this one, and read as a whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use sayso_store::{Batch, Entry, Key, Range, Store, Token, Version};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;

const COMMITS: u8 = 60;
const KEYS: u8 = 40;
/// The key that is deleted last.
const DELETED: u8 = 7;
/// The sequence of the first commit of a store.
const FIRST: u64 = 1 << 32;

/// In memtables so small that most of it is in tables, and some in the log alone.
fn open(dir: &Path) -> Arc<LocalStore> {
    let options = LocalOptions { memtable_bytes: 2 << 10, ..LocalOptions::new(Arc::new(ManualClock::new())) };
    LocalStore::open(dir, options).expect("opens")
}

fn key(n: u8) -> Key {
    Key::from_bytes(vec![n])
}

/// The commit at `n`, from 0: more than there are keys, so that some are replaced.
fn commit(n: u8) -> Batch {
    Batch::with_token(Token([n; 16])).put(key(n % KEYS), vec![n; 100])
}

/// That of the commit at `n`.
fn version(n: u8) -> Version {
    Version::from_sequence(FIRST + u64::from(n))
}

/// What is in the store after all of them.
fn expected() -> Vec<Entry> {
    let newest = |k: u8| if k + KEYS < COMMITS { k + KEYS } else { k };
    let held = (0..KEYS).filter(|k| *k != DELETED).map(|k| {
        let n = newest(k);
        Entry { key: key(k), value: vec![n; 100].into(), version: version(n) }
    });
    held.collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("lists").map(|entry| entry.expect("lists").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Writes a store as this build does to `dir`.
fn write(dir: &Path) {
    let store = open(dir);
    for n in 0..COMMITS {
        block_on(store.commit(commit(n))).expect("commits");
    }
    block_on(store.commit(Batch::new().delete(key(DELETED)))).expect("commits");
    store.close();
    fs::remove_file(dir.join("lock")).expect("deletes");
}

/// The store is in `tests/golden/1`. `SAYSO_GOLDEN=write` writes one where there is none, under the next number when what is
/// stored changes; one that is there is never written anew, because it would be none of an earlier build.
#[test]
fn a_store_of_an_earlier_build_is_read_as_a_whole() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/1");
    if !golden.exists() && std::env::var_os("SAYSO_GOLDEN").is_some_and(|how| how == "write") {
        write(&golden);
    }
    let dir = tempfile::tempdir().expect("a directory");
    for file in files(&golden) {
        let copy = dir.path().join(file.strip_prefix(&golden).expect("is in it"));
        fs::create_dir_all(copy.parent().expect("has one")).expect("creates");
        fs::copy(file, copy).expect("copies");
    }
    let is_in = |part: &str| files(&dir.path().join(part)).iter().any(|file| file.metadata().expect("reads").len() > 0);
    assert!(is_in("log") && is_in("tree/tables"), "both are shown");

    let store = open(dir.path());
    let page = block_on(store.scan(Range::all(), 1_000)).expect("scans");
    assert_eq!((page.entries, page.rest), (expected(), None));
    let again = block_on(store.commit(commit(COMMITS - 1))).expect("is known");
    assert_eq!(again, version(COMMITS - 1), "its tokens are known");
    let next = block_on(store.commit(Batch::new().put(key(DELETED), "1"))).expect("commits");
    assert_eq!(next, version(COMMITS + 1), "and its versions go on");
    store.close();

    let store = open(dir.path());
    let read = block_on(store.read(&[key(0), key(DELETED)])).expect("reads");
    let values = read.into_iter().map(|held| held.expect("is there").value.to_vec());
    assert_eq!(values.collect::<Vec<_>>(), [vec![KEYS; 100], b"1".to_vec()]);
    store.close();
}
