//! Tables are merged, and rewritten for a purge, beside everything else: what takes long holds up nobody.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::executor::block_on;
use sayso_store::{Batch, Key, Store};
use sayso_store_local::testing::EndlessMerges;
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;

/// Held by each test: merges are held for the whole process.
static TURN: Mutex<()> = Mutex::new(());

/// More memtables than may wait to become tables.
const MEMTABLES: u64 = 12;
const MEMTABLE_BYTES: u64 = 32 << 10;

fn open(dir: &std::path::Path) -> Arc<LocalStore> {
    let options = LocalOptions { memtable_bytes: MEMTABLE_BYTES, ..LocalOptions::new(Arc::new(ManualClock::new())) };
    LocalStore::open(dir, options).expect("opens")
}

fn key(n: u64) -> Key {
    Key::from_bytes((n * 0x9E37_79B9 % 1_000).to_be_bytes().to_vec())
}

/// Fills `memtables`, one after the other.
fn fill(store: &LocalStore, memtables: u64) {
    const VALUE_BYTES: u64 = 1_000;
    for n in 0..memtables * MEMTABLE_BYTES / VALUE_BYTES {
        let put = Batch::new().put(key(n), vec![n as u8; VALUE_BYTES as usize]);
        block_on(store.commit(put)).expect("commits");
    }
}

#[test]
fn commits_go_on_while_tables_are_merged() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let merge = EndlessMerges::begin();
    fill(&store, 2);
    merge.wait_for_one();
    // would the tables wait for the merge, this would, too, and for ever
    fill(&store, MEMTABLES);
    drop(merge);
    store.close();
    let store = open(dir.path());
    let read = block_on(store.read(&[key(0)])).expect("reads").remove(0);
    assert_eq!(read.map(|held| held.value.len()), Some(1_000));
    store.close();
}

#[test]
fn commits_go_on_while_a_store_is_purged() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    block_on(store.commit(Batch::new().put(key(0), "1"))).expect("commits");
    let rewrite = EndlessMerges::begin();
    let mut purge = store.purge();
    assert!((&mut purge).now_or_never().is_none(), "it takes as long as rewriting the tables does");
    rewrite.wait_for_one();
    fill(&store, MEMTABLES);
    drop(rewrite);
    assert!(block_on(purge).expect("purges").is_empty());
    store.close();
}
