//! A disk that is really full: commits are refused, reads go on, nothing acknowledged is lost, and space helps.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use futures::FutureExt;
use futures::executor::block_on;
use sayso_store::{Batch, Error, Key, Retryable, Store, Value};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;

/// Tells the test's own program that it is the one with little space, and where.
const CHILD: &str = "SAYSO_STORE_FULL_DIR";
/// A file in the same place whose deletion gives space back.
const BALLAST: &str = "ballast";

fn open(dir: &Path, memtable_bytes: u64) -> Arc<LocalStore> {
    let options = LocalOptions { memtable_bytes, ..LocalOptions::new(Arc::new(ManualClock::new())) };
    LocalStore::open(&dir.join("store"), options).expect("opens")
}

fn key(n: u64) -> Key {
    Key::from_bytes(n.to_be_bytes().to_vec())
}

/// Commits until one is refused; gives back why. `held` is what was acknowledged.
fn fill(store: &LocalStore, held: &mut BTreeMap<u64, Value>, value_bytes: usize) -> Error {
    loop {
        let n = held.len() as u64;
        let value = Value::from(vec![n as u8; value_bytes]);
        match block_on(store.commit(Batch::new().put(key(n), value.clone()))) {
            Ok(_) => held.insert(n, value),
            Err(error) => return error,
        };
    }
}

/// Whether the store has exactly what was acknowledged. (What was refused must not come up later either.)
fn check(store: &LocalStore, held: &BTreeMap<u64, Value>) {
    for n in 0..held.len() as u64 + 2 {
        let found = block_on(store.read(&[key(n)])).expect("reads").remove(0);
        assert_eq!(found.map(|found| found.value).as_ref(), held.get(&n), "key {n} of {}", held.len());
    }
}

/// Fills the space, frees some, goes on, and opens the store again in between, with tables of several sizes so that
/// what fails is now the log, now a table.
fn run_out_of_space(dir: &Path) {
    for (memtable_bytes, value_bytes) in [(64 << 10, 700), (200 << 10, 5_000), (16 << 20, 20_000), (16 << 20, 700)] {
        let ballast = dir.join(BALLAST);
        fs::write(&ballast, vec![1; 1 << 20]).expect("there is space for it");
        let mut held = BTreeMap::new();
        let mut store = open(dir, memtable_bytes);
        for is_last in [false, true] {
            let error = fill(&store, &mut held, value_bytes);
            assert!(matches!(error, Error::Full { .. }) && error.retryable(), "{error:?}");
            check(&store, &held);
            store.close();
            store = open(dir, memtable_bytes);
            check(&store, &held);
            if is_last {
                break;
            }
            // a purge begins with a segment of its own; where there is no space for it, commits go on in the one that there is
            let _answered_by_and_by = store.purge().now_or_never();
            fill(&store, &mut held, value_bytes);
            fs::remove_file(&ballast).expect("deletes");
            // a table that could not be written is tried again by and by
            let n = held.len() as u64;
            let again = loop {
                match block_on(store.commit(Batch::new().put(key(n), "there is space"))) {
                    Err(Error::Full { .. }) => std::thread::yield_now(),
                    outcome => break outcome,
                }
            };
            again.expect("commits once there is space");
            held.insert(n, Value::from("there is space"));
            check(&store, &held);
        }
        store.close();
        fs::remove_dir_all(dir.join("store")).expect("deletes");
    }
}

/// Fills a file up to the size that files may have here.
fn reach_the_file_limit(dir: &Path) {
    let mut held = BTreeMap::new();
    let store = open(dir, 16 << 20);
    let error = fill(&store, &mut held, 20_000);
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    check(&store, &held);
    fs::write(dir.join("held"), held.len().to_string()).expect("writes");
}

/// Runs `test` of this program again, as the child, after `shell` prepared the place for it: `$0` is the directory.
fn child(test: &str, dir: &Path, wrapper: &[&str], shell: &str) -> Output {
    let shell = format!("{shell} exec \"$1\" --exact {test} --nocapture");
    let this = env::current_exe().expect("this program");
    let mut args = wrapper.iter().copied().chain(["sh", "-c", &shell]);
    let program = args.next().expect("there is a program");
    Command::new(program).args(args).args([dir, &this]).env(CHILD, dir).output().expect("runs")
}

/// What the shell exits with when no file system can be mounted.
const NO_MOUNT: i32 = 77;

fn was_mounted(output: &Output) -> bool {
    output.status.code() != Some(NO_MOUNT) && !output.stderr.starts_with(b"unshare:")
}

#[test]
fn a_full_disk_refuses_commits_and_loses_nothing() {
    if let Some(dir) = env::var_os(CHILD) {
        return run_out_of_space(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let mount = format!("mount -t tmpfs -o size=4m tmpfs \"$0\" || exit {NO_MOUNT};");
    // A name space of its own: what is mounted there is seen by nobody else and goes with the process.
    let ways: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
    let run = |way: &&[&str]| child("a_full_disk_refuses_commits_and_loses_nothing", dir.path(), way, &mount);
    match ways.iter().map(run).find(was_mounted) {
        Some(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        // Where nothing can be mounted, a limit to the size of files is what remains.
        None => a_file_that_may_not_grow_refuses_commits(),
    }
}

#[test]
fn a_file_that_may_not_grow_refuses_commits() {
    if let Some(dir) = env::var_os(CHILD) {
        return reach_the_file_limit(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a directory");
    // In blocks of 512 bytes: one megabyte. The signal that would end the process is ignored, so that the write fails.
    let limit = "trap '' XFSZ; ulimit -f 2048;";
    let output = child("a_file_that_may_not_grow_refuses_commits", dir.path(), &[], limit);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let held: u64 = fs::read_to_string(dir.path().join("held")).expect("reads").parse().expect("a number");
    let mut held = (0..held).map(|n| (n, Value::from(vec![n as u8; 20_000]))).collect();
    let store = open(dir.path(), 16 << 20);
    check(&store, &held);
    let next = held.len() as u64;
    block_on(store.commit(Batch::new().put(key(next), "no limit"))).expect("commits");
    held.insert(next, Value::from("no limit"));
    check(&store, &held);
}
