//! What is on a node's disk, byte for byte: a change here is a change of a format, and needs a new version of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use openraft::storage::{RaftLogStorage, RaftLogStorageExt, RaftStateMachine};
use openraft::{CommittedLeaderId, EntryPayload};
use sayso_proto::peer::v1 as wire;
use sayso_store::{Batch, Condition, Key, Range, Token, Value};
use sayso_store_local::{Durability, LocalOptions};
use sayso_types::ManualClock;

use crate::codec::proposal_into;
use crate::disk::{Disk, IDENTITY, put_record};
use crate::early::Early;
use crate::log::Log;
use crate::machine::{Applier, Machine};
use crate::types::{Address, Entry, LogId, Membership, NodeId, Outcome, Types, Vote};

/// Keys and what each holds, in order.
const GOLDEN: &[(&[u8], &[u8])] = &[
    (b"\x00raft applied", b"\x00\x01\n\x06\x08\x03\x10\x02\x18\x04\x12$\n\x06\x08\x03\x10\x02\x18\x04\x12\x1a\n\x04\n\x02\x01\x02\x12\x08\x08\x01\x12\x04n1:1\x12\x08\x08\x02\x12\x04n2:1"),
    (b"\x00raft identity", b"\x00\x01\n\x04home\x12\x04\t\t\t\t\x18\x01"),
    (b"\x00raft purged", b"\x00\x01\x08\x03\x10\x02\x18\x02"),
    (b"\x00raft vote", b"\x00\x01\x08\x03\x10\x02\x18\x01"),
    (b"\x01\x00\x00\x00\x00\x00\x00\x00\x03", b"\x00\x01\n\x06\x08\x03\x10\x02\x18\x03\x1aF\x08\x03\x12)\n\x10\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x12\x05\n\x01a\x12\x00\x1a\x06\n\x01a\x12\x011\x1a\x06\n\x01b\x12\x012\x12\x17\n\x10\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x1a\x03\n\x01b"),
    (b"\x01\x00\x00\x00\x00\x00\x00\x00\x04", b"\x00\x01\n\x06\x08\x03\x10\x02\x18\x04\"\x1a\n\x04\n\x02\x01\x02\x12\x08\x08\x01\x12\x04n1:1\x12\x08\x08\x02\x12\x04n2:1"),
    (b"\x02\x00\x00\x00\x00\x00a", b"\x00\x00\x00\x00\x00\x00\x00\x011"),
    (b"\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", b"\x00\x00\x00\x00\x00\x00\x00\x01\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07"),
    (b"\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02", b"\x00\x00\x00\x00\x00\x00\x00\x02\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08"),
    (b"\x02\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x03", b""),
];

fn open(dir: &Path) -> (Arc<Disk>, Log, Applier) {
    let disk = Disk::open(dir, LocalOptions::new(Arc::new(ManualClock::new())));
    let disk = Arc::new(disk.expect("opens"));
    let machine = Machine::open(Arc::clone(&disk)).expect("opens");
    let log = Log::open(Arc::clone(&disk), Arc::clone(&machine), Early::alone(NodeId(1))).expect("opens");
    (disk, log, Applier(machine))
}

fn log_id(index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(3, NodeId(2)), index)
}

fn members(nodes: &[u64]) -> EntryPayload<Types> {
    let addresses: BTreeMap<_, _> = nodes.iter().map(|n| (NodeId(*n), Address(format!("n{n}:1")))).collect();
    EntryPayload::Membership(Membership::new(vec![addresses.keys().copied().collect()], addresses))
}

/// A put under a condition, and a delete: each under a token of its own.
fn batches() -> [Batch; 2] {
    let (a, b) = (Key::from_bytes("a"), Key::from_bytes("b"));
    let put = Batch::with_token(Token([7; 16])).require(a.clone(), Condition::Absent).put(a, "1").put(b.clone(), "2");
    [put, Batch::with_token(Token([8; 16])).delete(b)]
}

/// An entry of each type, the last of which removes a node.
fn entries() -> [Entry; 4] {
    let proposal = EntryPayload::Normal(proposal_into(3, &batches()));
    let payloads = [members(&[1, 2, 3]), EntryPayload::Blank, proposal, members(&[1, 2])];
    let mut index = 0;
    payloads.map(|payload| {
        index += 1;
        Entry { log_id: log_id(index), payload }
    })
}

fn shown<'a>(held: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> String {
    held.map(|(key, value)| format!("(b\"{}\", b\"{}\"),\n", key.escape_ascii(), value.escape_ascii())).collect()
}

#[tokio::test]
async fn a_disk_is_laid_out_as_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let (disk, mut log, mut machine) = open(dir.path());
    let identity = wire::Identity { cluster: "home".into(), cluster_id: vec![9; 4].into(), node: 1, removed: false };
    disk.write(put_record(Batch::new(), IDENTITY, &identity), Durability::Synced).await.expect("writes");
    log.save_vote(&Vote::new_committed(3, NodeId(2))).await.expect("saves");
    log.blocking_append(entries()).await.expect("appends");
    machine.apply(entries()).await.expect("applies");
    log.purge(log_id(2)).await.expect("purges");
    let all = disk.scan(Range::all(), 100).expect("scans").entries;
    let found = shown(all.iter().map(|entry| (entry.key.as_bytes(), &entry.value[..])));
    assert_eq!(found, shown(GOLDEN.iter().copied()), "it is not what earlier programs read");
    disk.close();
}

#[tokio::test]
async fn a_disk_of_an_earlier_program_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let (disk, _log, _machine) = open(dir.path());
    let written = GOLDEN.iter().fold(Batch::new(), |batch, (key, value)| batch.put(Key::from_bytes(*key), *value));
    disk.write(written, Durability::Synced).await.expect("writes");
    disk.close();

    let (disk, mut log, mut machine) = open(dir.path());
    let identity: wire::Identity = disk.record(IDENTITY).expect("reads").expect("is there");
    assert_eq!((&*identity.cluster, &*identity.cluster_id, identity.node), ("home", &[9; 4][..], 1));
    assert_eq!(log.read_vote().await.expect("reads"), Some(Vote::new_committed(3, NodeId(2))));
    let state = log.get_log_state().await.expect("reads");
    assert_eq!((state.last_purged_log_id, state.last_log_id), (Some(log_id(2)), Some(log_id(4))));
    let kept = openraft::RaftLogReader::try_get_log_entries(&mut log, ..).await.expect("reads");
    let [_, _, proposal, membership] = entries();
    assert_eq!(kept, [proposal, membership]);

    let (applied, membership) = machine.applied_state().await.expect("reads");
    assert_eq!((applied, *membership.log_id()), (Some(log_id(4)), Some(log_id(4))));
    assert_eq!(membership.nodes().map(|(node, _)| node.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(*machine.0.removed().borrow(), [NodeId(3)].into());
    let held = machine.0.read(&[&Key::from_bytes("a"), &Key::from_bytes("b")]).expect("reads");
    assert_eq!(held[0].as_ref().map(|held| &held.value), Some(&Value::from("1")));
    assert_eq!(held[1], None);

    let again = Entry { log_id: log_id(5), payload: EntryPayload::Normal(proposal_into(3, &batches())) };
    let outcomes = machine.apply([again]).await.expect("applies").remove(0);
    let committed = |n| Outcome::Committed(sayso_store::Version::from_sequence(n));
    assert_eq!(outcomes, [committed(1), committed(2)], "its tokens are known");
    disk.close();
}
