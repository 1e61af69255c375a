//! openraft's own tests of what it stores things in, as they are, and what they do not look at.

use std::sync::Arc;

use openraft::storage::{RaftLogStorage, RaftLogStorageExt, RaftStateMachine};
use openraft::testing::{StoreBuilder, Suite};
use openraft::{CommittedLeaderId, EntryPayload, StorageHelper};
use sayso_proto::peer::v1 as wire;
use sayso_store::{Batch, Key, Range, Token, Value};
use sayso_store_local::LocalOptions;
use sayso_types::ManualClock;
use tempfile::TempDir;

use crate::codec::proposal_into;
use crate::disk::{Disk, PURGED};
use crate::early::{Answers, Early};
use crate::log::Log;
use crate::machine::{Applier, Machine, SnapshotData};
use crate::types::{Entry, LogId, NodeId, Outcome, SnapshotMeta, StorageError, Types, Vote};

struct Builder;

fn open(dir: &TempDir) -> (Arc<Disk>, Log, Applier) {
    let options = LocalOptions { memtable_bytes: 16 << 10, ..LocalOptions::new(Arc::new(ManualClock::new())) };
    let disk = Arc::new(Disk::open(dir.path(), options).expect("opens"));
    let machine = Machine::open(Arc::clone(&disk)).expect("opens");
    let log = Log::open(Arc::clone(&disk), Arc::clone(&machine), Early::alone(NodeId(1))).expect("opens");
    (disk, log, Applier(machine))
}

impl StoreBuilder<Types, Log, Applier, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, Log, Applier), StorageError> {
        let dir = tempfile::tempdir().expect("a directory");
        let (_disk, log, machine) = open(&dir);
        Ok((dir, log, machine))
    }
}

#[test]
fn openraft_is_content() {
    Suite::test_all(Builder).expect("passes");
}

fn entry(term: u64, index: u64, taken_in: u64, batches: &[Batch]) -> Entry {
    let log_id = LogId::new(CommittedLeaderId::new(term, NodeId(1)), index);
    Entry { log_id, payload: EntryPayload::Normal(proposal_into(taken_in, batches)) }
}

fn put(key: &'static str, value: &'static str) -> Batch {
    Batch::new().put(Key::from_bytes(key), value)
}

fn contents(machine: &Machine) -> Vec<(Key, Value)> {
    let page = machine.scan(&Range::all(), 100).expect("scans");
    page.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

#[tokio::test]
async fn what_was_taken_in_another_term_is_void() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_disk, _log, mut machine) = open(&dir);
    let outcomes = machine.apply([entry(2, 1, 2, &[put("a", "1")]), entry(3, 2, 2, &[put("a", "2")])]).await;
    let outcomes = outcomes.expect("applies");
    assert!(matches!(outcomes[0][..], [Outcome::Committed(_)]));
    assert_eq!(outcomes[1], [Outcome::Void]);
    assert_eq!(contents(&machine.0), [(Key::from_bytes("a"), Value::from("1"))]);
}

#[tokio::test]
async fn a_state_is_there_again_with_its_tokens_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let batch = Batch { token: Token([7; 16]), ..put("a", "1") };
    let (disk, _log, mut machine) = open(&dir);
    let first = machine.apply([entry(1, 1, 1, core::slice::from_ref(&batch))]).await.expect("applies");
    disk.close();
    let (_disk, _log, mut machine) = open(&dir);
    assert_eq!(machine.applied_state().await.expect("reads").0.map(|id| id.index), Some(1));
    let again = machine.apply([entry(1, 2, 1, &[batch, put("a", "2")])]).await.expect("applies");
    assert_eq!(first[0][0], again[0][0], "a token commits once");
    assert_ne!(first[0][0], again[0][1], "and versions go on");
}

#[tokio::test]
async fn a_snapshot_replaces_everything_or_nothing() {
    let (from, to) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (_disk, _log, mut source) = open(&from);
    let known = put("b", "new");
    source.apply([entry(1, 1, 1, &[put("a", "1"), known.clone()])]).await.expect("applies");
    let (disk, _log, mut machine) = open(&to);
    machine.apply([entry(1, 1, 1, &[put("c", "old")])]).await.expect("applies");
    let mut watch = machine.0.watchers.watch(Default::default()).expect("watches");

    drop(machine.begin_receiving_snapshot().await.expect("begins"));
    assert_eq!(contents(&machine.0).len(), 1, "one that does not arrive changes nothing");
    let snapshot = source.get_current_snapshot().await.expect("reads").expect("is there");
    source.apply([entry(1, 2, 1, &[put("a", "2")])]).await.expect("applies");
    machine.install_snapshot(&snapshot.meta, snapshot.snapshot).await.expect("installs");
    let expected = [(Key::from_bytes("a"), Value::from("1")), (Key::from_bytes("b"), Value::from("new"))];
    assert_eq!(contents(&machine.0), expected, "it is of the moment that it was taken at");
    assert!(matches!(watch.next().await, Some(Err(_))), "who watches is told");

    disk.close();
    let (disk, mut log, mut machine) = open(&to);
    assert_eq!(contents(&machine.0), expected);
    assert_eq!(disk.generations().expect("reads").len(), 1, "what was replaced is gone");
    assert_eq!(log.get_log_state().await.expect("reads").last_log_id, None);
    let again = machine.apply([entry(1, 2, 1, &[known])]).await.expect("applies");
    assert!(matches!(again[0][..], [Outcome::Committed(_)]), "tokens come with it");
    assert_eq!(contents(&machine.0), expected);
}

/// A snapshot up to an entry that another node has, and a machine that is to have it.
async fn received(from: &TempDir, machine: &mut Applier) -> (SnapshotMeta, Box<SnapshotData>) {
    let (disk, _log, mut source) = open(from);
    source.apply([entry(1, 9, 1, &[put("a", "1")])]).await.expect("applies");
    let mut snapshot = source.get_current_snapshot().await.expect("reads").expect("is there");
    let data = machine.begin_receiving_snapshot().await.expect("begins");
    let SnapshotData::Received(receiving) = &*data else { panic!("it is received") };
    let records = snapshot.snapshot.next_page().expect("reads");
    receiving.write(records).await.expect("writes");
    disk.close();
    (snapshot.meta, data)
}

fn purged(disk: &Disk) -> Option<u64> {
    disk.record::<wire::LogId>(PURGED).expect("reads").map(|purged| purged.index)
}

#[tokio::test]
async fn the_log_is_cut_when_the_snapshot_that_stands_for_it_is_installed() {
    let (from, to) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (disk, mut log, mut machine) = open(&to);
    log.blocking_append([entry(1, 1, 1, &[put("b", "1")])]).await.expect("appends");
    let (meta, data) = received(&from, &mut machine).await;
    let upto = meta.last_log_id.expect("one");
    {
        let mut purge = core::pin::pin!(log.purge(upto));
        assert!(futures::poll!(&mut purge).is_pending(), "it waits");
        assert_eq!(purged(&disk), None, "were it killed now, it would have neither the entries nor the state");
        machine.install_snapshot(&meta, data).await.expect("installs");
        purge.await.expect("purges");
    }
    assert_eq!(purged(&disk), Some(9));

    // one that never comes in full: what it would have stood for stays
    let (_meta, data) = received(&from, &mut machine).await;
    let beyond = LogId::new(CommittedLeaderId::new(1, NodeId(1)), 11);
    let mut purge = core::pin::pin!(log.purge(beyond));
    assert!(futures::poll!(&mut purge).is_pending());
    drop(data);
    assert!(purge.await.is_err());
    assert_eq!(purged(&disk), Some(9));
}

#[tokio::test]
async fn a_node_that_was_killed_before_it_cut_its_log_does_so_when_it_starts() {
    let (from, to) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (disk, mut log, mut machine) = open(&to);
    log.blocking_append([entry(1, 1, 1, &[put("b", "1")])]).await.expect("appends");
    let (meta, data) = received(&from, &mut machine).await;
    machine.install_snapshot(&meta, data).await.expect("installs");
    disk.close();
    let (disk, mut log, mut machine) = open(&to);
    assert_eq!(purged(&disk), None);
    let state = StorageHelper::new(&mut log, &mut machine).get_initial_state().await.expect("starts");
    assert_eq!((state.committed, purged(&disk)), (meta.last_log_id, Some(9)));
    assert_eq!(contents(&machine.0), [(Key::from_bytes("a"), Value::from("1"))]);
}

#[tokio::test]
async fn what_a_leader_appends_is_on_its_way_and_what_a_follower_appends_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let (disk, log, machine) = open(&dir);
    drop(log);
    let (sent, mut told) = tokio::sync::mpsc::channel(3);
    let early = Early::new(NodeId(1), move |entries| {
        sent.try_send(entries).expect("is heard");
        Answers::new()
    });
    let mut log = Log::open(disk, machine.0, Arc::new(early)).expect("opens");
    log.blocking_append([entry(2, 1, 2, &[put("a", "1")])]).await.expect("appends");
    log.blocking_append([entry(2, 2, 2, &[put("a", "2")])]).await.expect("appends");
    let first = told.try_recv().expect("is sent");
    assert_eq!(first.previous, None);
    let second = told.try_recv().expect("is sent");
    assert_eq!(second.previous, first.entries[0].log_id, "it follows the one before");
    assert_eq!(second.vote.map(|vote| (vote.term, vote.node, vote.committed)), Some((2, 1, true)));
    let foreign = LogId::new(CommittedLeaderId::new(3, NodeId(2)), 3);
    log.blocking_append([Entry { log_id: foreign, payload: EntryPayload::Blank }]).await.expect("appends");
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn who_led_and_starts_again_has_lost_its_term() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_disk, mut log, _machine) = open(&dir);
    log.save_vote(&Vote::new_committed(4, NodeId(2))).await.expect("saves");
    assert_eq!(log.read_vote().await.expect("reads"), Some(Vote::new_committed(4, NodeId(2))), "another's");
    log.save_vote(&Vote::new_committed(5, NodeId(1))).await.expect("saves");
    assert_eq!(log.read_vote().await.expect("reads"), Some(Vote::new(5, NodeId(1))));
}
