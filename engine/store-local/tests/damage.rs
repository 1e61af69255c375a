//! Files that are not what was written: each is named by the error, and no wrong answer is ever given.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use sayso_store::{Batch, Entry, Error, Key, Range, SchemaError, Store};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;
use xxhash_rust::xxh3::xxh3_64;

/// Places in each file that are flipped or cut.
const PLACES: u64 = 24;

fn open(dir: &Path) -> Result<Arc<LocalStore>, Error> {
    let options = LocalOptions { memtable_bytes: 32 << 10, ..LocalOptions::new(Arc::new(ManualClock::new())) };
    LocalStore::open(dir, options)
}

fn contents(store: &dyn Store) -> Vec<Entry> {
    let page = block_on(store.scan(Range::all(), 10_000)).expect("scans");
    assert!(page.rest.is_none());
    page.entries
}

/// A store with merged tables and a log that is in none of them.
fn build(dir: &Path) -> Vec<Entry> {
    let store = open(dir).expect("opens");
    for n in 0..600u32 {
        let key = Key::from_bytes((n % 400).to_be_bytes().to_vec());
        block_on(store.commit(Batch::new().put(key, vec![n as u8; 300]))).expect("commits");
    }
    let contents = contents(&*store);
    store.close();
    contents
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("lists") {
        let path = entry.expect("lists").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let copy = to.join(file.strip_prefix(from).expect("is in it"));
        fs::create_dir_all(copy.parent().expect("has one")).expect("creates");
        fs::copy(file, copy).expect("copies");
    }
}

/// Damages each file of a store in turn, as `damage` does it to the file's bytes at a place, and opens the store.
fn check(damage: impl Fn(&mut Vec<u8>, usize)) {
    let original = tempfile::tempdir().expect("a directory");
    let expected = build(original.path());
    let mut detected = Vec::new();
    for file in files(original.path()) {
        let name = file.strip_prefix(original.path()).expect("is in it");
        let len = fs::metadata(&file).expect("exists").len();
        for place in 0..PLACES.min(len) {
            let dir = tempfile::tempdir().expect("a directory");
            copy(original.path(), dir.path());
            let mut bytes = fs::read(&file).expect("reads");
            // the first and the last byte, and places between
            damage(&mut bytes, (place * (len - 1) / (PLACES.min(len) - 1).max(1)) as usize);
            fs::write(dir.path().join(name), bytes).expect("writes");
            match open(dir.path()) {
                Err(Error::Corrupt { what, .. }) => {
                    detected.push(name.to_owned());
                    // a damaged "current" can name another version of the manifest, which then is what does not match
                    let named = dir.path().join(name).display().to_string();
                    assert!(what == named || name.ends_with("current"), "{named} was damaged, {what} is named");
                }
                Err(other) => panic!("{} damaged at place {place}: {other:?}", name.display()),
                // files that nothing refers to any more may be anything
                Ok(store) => assert_eq!(contents(&*store), expected, "{} damaged at place {place}", name.display()),
            }
        }
    }
    detected.dedup();
    let of = |part: &str| detected.iter().filter(|name| name.starts_with(part)).count();
    assert!(of("log") >= 1 && of("mark") == 1 && of("tree/tables") >= 1 && of("tree/current") == 1, "{detected:?}");
}

#[test]
fn a_flipped_bit_is_named() {
    check(|bytes, at| bytes[at] ^= 1 << (at % 8));
}

#[test]
fn a_cut_file_is_named() {
    check(|bytes, at| bytes.truncate(at));
}

#[test]
fn a_missing_file_is_named() {
    let original = tempfile::tempdir().expect("a directory");
    build(original.path());
    for file in files(original.path()).into_iter().filter(|file| !file.ends_with("lock")) {
        let dir = tempfile::tempdir().expect("a directory");
        copy(original.path(), dir.path());
        let name = file.strip_prefix(original.path()).expect("is in it");
        fs::remove_file(dir.path().join(name)).expect("deletes");
        let outcome = open(dir.path());
        assert!(matches!(outcome, Err(Error::Corrupt { .. })), "without {}: {outcome:?}", name.display());
    }
}

#[test]
fn what_a_newer_program_wrote_is_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    build(dir.path());
    let log = files(&dir.path().join("log")).pop().expect("a segment");
    let mut bytes = fs::read(&log).expect("reads");
    // the format is after the magic number, and the header's checksum after both and the number of the first commit
    bytes[8..10].copy_from_slice(&2u16.to_be_bytes());
    let sum = xxh3_64(&bytes[..18]);
    bytes[18..26].copy_from_slice(&sum.to_be_bytes());
    fs::write(&log, bytes).expect("writes");
    let contents =
        || files(dir.path()).into_iter().map(|file| (fs::read(&file).expect("reads"), file)).collect::<Vec<_>>();
    let before = contents();
    match open(dir.path()) {
        Err(Error::Schema(SchemaError::Unknown { found: 2, current: 1, .. })) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(contents(), before, "nothing is written");
}

#[test]
fn an_unacknowledged_tail_is_cut_off() {
    let dir = tempfile::tempdir().expect("a directory");
    let expected = build(dir.path());
    let log = files(&dir.path().join("log")).pop().expect("a segment");
    let whole = fs::read(&log).expect("reads");
    for tail in [&b"\0"[..], &[0; 4_096], &whole[30..90]] {
        fs::write(&log, [&whole, tail].concat()).expect("writes");
        let store = open(dir.path()).expect("opens");
        assert_eq!(contents(&*store), expected);
        store.close();
        assert_eq!(fs::read(&log).expect("reads"), whole);
    }
}

#[test]
fn a_directory_has_one_user() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    match open(dir.path()) {
        Err(Error::InUse { dir: named }) => assert_eq!(named, dir.path()),
        other => panic!("{other:?}"),
    }
    store.close();
    open(dir.path()).expect("opens");
}

#[test]
fn a_file_in_place_of_the_directory_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("writes");
    assert!(matches!(open(&file), Err(Error::Io { file: named, .. }) if named == file));
}
