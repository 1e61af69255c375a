//! What the disk does for backends that build on it: commits whose order is all that matters, and passes that nothing disturbs.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::{fs, thread};

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use sayso_store::{Batch, Condition, Entry, Key, Range, Value};
use sayso_store_local::{Durability, Engine, LocalOptions};
use sayso_types::ManualClock;

fn open(dir: &Path, memtable_bytes: u64) -> Engine {
    let options = LocalOptions { memtable_bytes, ..LocalOptions::new(Arc::new(ManualClock::new())) };
    Engine::open(dir, options).expect("opens")
}

fn put(engine: &Engine, n: u32, durability: Durability) {
    let batch = Batch::new().put(Key::from_bytes((n % 50).to_be_bytes().to_vec()), n.to_be_bytes().to_vec());
    block_on(engine.commit(batch, durability)).expect("commits");
}

fn numbers(entries: &[Entry]) -> Vec<u32> {
    let number = |value: &[u8]| u32::from_be_bytes(value.try_into().expect("four bytes"));
    entries.iter().map(|entry| number(&entry.value)).collect()
}

fn contents(engine: &Engine) -> Vec<Entry> {
    engine.scan(Range::all(), 100).expect("scans").entries
}

fn tables(dir: &Path) -> BTreeSet<OsString> {
    let listed = fs::read_dir(dir.join("tree/tables")).expect("lists");
    listed.map(|table| table.expect("lists").file_name()).collect()
}

/// Copies what a loss of power would leave at worst: the log up to where it was synced last.
fn lose_power(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("log")).expect("creates");
    let mark = fs::read(from.join("mark")).expect("reads");
    let end = u64::from_be_bytes(mark[8..16].try_into().expect("eight bytes"));
    fs::write(to.join("mark"), mark).expect("writes");
    let mut segments = fs::read_dir(from.join("log")).expect("lists");
    let segment = segments.next().expect("a segment").expect("lists");
    assert!(segments.next().is_none(), "one memtable, one segment");
    let log = fs::read(segment.path()).expect("reads");
    assert!(log.len() as u64 > end, "something is not synced yet");
    fs::write(to.join("log").join(segment.file_name()), &log[..end as usize]).expect("writes");
}

#[test]
fn a_loss_of_power_leaves_all_commits_up_to_some_moment() {
    let (dir, left) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let engine = open(dir.path(), 16 << 20);
    put(&engine, 0, Durability::Ordered);
    put(&engine, 1, Durability::Ordered);
    put(&engine, 2, Durability::Synced);
    put(&engine, 3, Durability::Ordered);
    lose_power(dir.path(), left.path());
    let left = open(left.path(), 16 << 20);
    assert_eq!(numbers(&contents(&left)), [0, 1, 2]);
    engine.close();
    let engine = open(dir.path(), 16 << 20);
    assert_eq!(numbers(&contents(&engine)), [0, 1, 2, 3]);
}

#[test]
fn a_sweep_gives_what_was_while_tables_are_merged() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = open(dir.path(), 4 << 10);
    (0..50).for_each(|n| put(&engine, n, Durability::Ordered));
    let mut sweep = engine.sweep(&Range::all()).expect("a pass");
    (50..5_000).for_each(|n| put(&engine, n, Durability::Ordered));
    assert_eq!(numbers(&sweep.next_page().expect("reads")), (0..50).collect::<Vec<_>>());
    assert_eq!(sweep.next_page().expect("reads"), []);
    assert_eq!(numbers(&contents(&engine)), (4_950..5_000).collect::<Vec<_>>());
    let last = engine.last(&Range::all()).expect("reads");
    assert_eq!(last, contents(&engine).pop());
    drop(sweep);
    engine.close();
    let engine = open(dir.path(), 4 << 10);
    assert_eq!(numbers(&contents(&engine)), (4_950..5_000).collect::<Vec<_>>());
}

#[test]
fn two_passes_of_one_moment_give_the_same_and_a_purge_waits_for_both() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = open(dir.path(), 4 << 10);
    (0..2_000).for_each(|n| put(&engine, n, Durability::Ordered));
    let [mut one, mut other] = engine.sweep_twice(&Range::all()).expect("passes");
    (2_000..4_000).for_each(|n| put(&engine, n, Durability::Ordered));
    let before = tables(dir.path());
    let mut purge = Box::pin(engine.purge());
    let mut is_done = || purge.as_mut().now_or_never().is_some();
    while tables(dir.path()).is_subset(&before) {
        assert!(!is_done(), "nothing is rewritten yet");
        thread::yield_now();
    }
    assert_eq!(numbers(&one.next_page().expect("reads")), (1_950..2_000).collect::<Vec<_>>());
    drop(one);
    assert!(!is_done(), "the other one keeps what was replaced");
    assert_eq!(numbers(&other.next_page().expect("reads")), (1_950..2_000).collect::<Vec<_>>());
    drop(other);
    block_on(purge).expect("purges");
}

#[test]
fn who_is_answered_sees_its_commit_and_all_before_it_in_a_group_of_any_size() {
    const COMMITS: u32 = 300;
    let dir = tempfile::tempdir().expect("a directory");
    let engine = open(dir.path(), 16 << 20);
    let counter = Key::from_bytes("counter");
    let count = || engine.read(core::slice::from_ref(&counter)).expect("reads").remove(0);
    let number = |n: u32| Value::from(n.to_be_bytes().to_vec());
    put(&engine, 0, Durability::Synced);
    let commits = (0..COMMITS).map(|n| {
        let condition = if n == 0 { Condition::Absent } else { Condition::Value(number(n - 1)) };
        let batch = Batch::new().require(counter.clone(), condition).put(counter.clone(), number(n));
        let (engine, count, number) = (&engine, &count, &number);
        async move {
            let version =
                engine.commit(batch, Durability::Synced).await.expect("what it requires is what is before it");
            let seen = count().expect("it is there");
            assert!(seen.version >= version && seen.value >= number(n), "{n} of {:?}", seen.value);
        }
    });
    block_on(join_all(commits));
    assert_eq!(count().expect("it is there").value, number(COMMITS - 1));
}
