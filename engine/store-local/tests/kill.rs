//! `kill -9` in the middle of commits: what was acknowledged is there, what was not is there whole or not at all.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures::executor::block_on;
use sayso_store::{Batch, Condition, Key, Range, Store, Value};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;

/// Tells the test's own program that it is the one to be killed, and where it writes.
const CHILD: &str = "SAYSO_STORE_KILL_DIR";
const ROUNDS: u64 = 15;
const WRITERS: u8 = 8;

fn open(dir: &Path) -> Arc<LocalStore> {
    // so small that every round is killed in the midst of tables and merges, too
    let options = LocalOptions { memtable_bytes: 48 << 10, ..LocalOptions::new(Arc::new(ManualClock::new())) };
    LocalStore::open(dir, options).expect("a store that was killed opens")
}

fn key(space: u8, writer: u8, n: u32) -> Key {
    let mut key = vec![space, writer];
    key.extend(n.to_be_bytes());
    Key::from_bytes(key)
}

fn body(writer: u8, n: u32) -> Value {
    Value::from(vec![writer ^ n as u8; 64 + n as usize % 1_500])
}

/// Commits without end, two keys a batch, and says so on standard error after each acknowledgement.
fn write_until_killed(dir: &Path) {
    let store = open(dir);
    let counts = counts(&*store);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            let mut n = counts.get(&writer).copied().unwrap_or(0);
            std::thread::spawn(move || {
                loop {
                    n += 1;
                    let batch = Batch::new()
                        .require(key(b'a', writer, n), Condition::Absent)
                        .put(key(b'a', writer, n), body(writer, n))
                        .put(key(b'b', writer, n), body(writer, n));
                    block_on(store.commit(batch)).expect("commits");
                    // one write of less than a pipe's atomic size: a line is there or not
                    io::stderr().write_all(format!("{writer} {n}\n").as_bytes()).expect("the parent listens");
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("writes until it is killed"));
}

/// How many commits of each writer are there, each whole, without a gap.
fn counts(store: &dyn Store) -> BTreeMap<u8, u32> {
    let mut counts = [BTreeMap::new(), BTreeMap::new()];
    let mut rest = Some(Range::all());
    while let Some(range) = rest {
        let page = block_on(store.scan(range, 1_000)).expect("scans");
        for entry in page.entries {
            let [space, writer, n @ ..] = entry.key.as_bytes() else { panic!("a key nobody wrote") };
            let n = u32::from_be_bytes(n.try_into().expect("four bytes"));
            let count = counts[usize::from(space - b'a')].entry(*writer).or_insert(0);
            *count += 1;
            assert_eq!((n, &entry.value), (*count, &body(*writer, n)), "of writer {writer}");
        }
        rest = page.rest;
    }
    let [a, b] = counts;
    assert_eq!(a, b, "every batch is there whole or not at all");
    a
}

#[test]
fn acknowledged_commits_survive_kill_9() {
    if let Some(dir) = env::var_os(CHILD) {
        return write_until_killed(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let mut acknowledged = BTreeMap::new();
    for seed in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "acknowledged_commits_survive_kill_9", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let until = fastrand::Rng::with_seed(seed).usize(1..600);
        let mut lines = BufReader::new(child.stderr.take().expect("is piped")).lines();
        let mut take = |line: io::Result<String>| {
            let line = line.expect("text");
            let (writer, n) = line.split_once(' ').unwrap_or_else(|| panic!("the child says: {line}"));
            acknowledged.insert(writer.parse::<u8>().expect("a writer"), n.parse::<u32>().expect("a number"));
        };
        lines.by_ref().take(until).for_each(&mut take);
        child.kill().expect("is running");
        child.wait().expect("ends");
        lines.for_each(&mut take);

        let store = open(dir.path());
        let found = counts(&*store);
        for (writer, n) in &acknowledged {
            let found = found.get(writer).copied().unwrap_or(0);
            assert!(found == *n || found == n + 1, "seed {seed}: writer {writer} has {found} of {n} acknowledged");
        }
        // whoever goes on from there has it
        acknowledged.extend(found);
        store.close();
    }
}
