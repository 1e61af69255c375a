//! A disk that is really full: commits are refused, reads go on, nothing acknowledged is lost, and space helps.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

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
    for (memtable_bytes, value_bytes) in [(64 << 10, 700), (200 << 10, 5_000), (16 << 20, 20_000)] {
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

/// Runs the test's own program as the child, by way of `shell`, with the directory in `$0`.
fn child(dir: &Path, wrapper: &[&str], shell: &str) -> Output {
    let this = env::current_exe().expect("this program");
    let shell = format!("{shell} exec \"$1\" --exact a_full_disk_refuses_commits_and_loses_nothing --nocapture");
    let args = wrapper.iter().copied().chain(["sh", "-c", &shell]);
    let mut args = args.map(std::ffi::OsString::from).chain([dir.into(), this.into()]);
    let program = args.next().expect("there is a program");
    Command::new(program).args(args).env(CHILD, dir).output().expect("runs")
}

/// What the shell exits with when no file system can be mounted.
const NO_MOUNT: i32 = 77;

#[test]
fn a_full_disk_refuses_commits_and_loses_nothing() {
    if let Some(dir) = env::var_os(CHILD) {
        return run_out_of_space(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a directory");
    // A name space of its own: what is mounted there is seen by nobody else and goes with the process.
    let mount = format!("mount -t tmpfs -o size=4m tmpfs \"$0\" || exit {NO_MOUNT};");
    let ways: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
    let mut output = child(dir.path(), ways[0], &mount);
    if !was_mounted(&output) {
        output = child(dir.path(), ways[1], &mount);
    }
    assert!(was_mounted(&output), "no small file system can be mounted here: {output:?}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn was_mounted(output: &Output) -> bool {
    let refused_by_unshare = output.stderr.starts_with(b"unshare:");
    output.status.code() != Some(NO_MOUNT) && !refused_by_unshare
}
