//! [`Machine`]: the state that the log leads to, on this node's disk, and openraft's end of it.

mod snapshot;
mod state;
mod sweep;

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::{BufMut, Bytes, BytesMut};
use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend};
use sayso_proto::peer::v1 as wire;
use sayso_store::decide::{self, Commit, Group, Tokens};
use sayso_store::limits::TOKENS_REMEMBERED;
use sayso_store::{Batch, Change, Error, Key, Op, Page, Range, Token, Value, Version, Versioned, Watchers};
use sayso_store_local::Durability;
use tokio::sync::watch;

pub(crate) use self::snapshot::SnapshotData;
use self::state::State;
pub use self::sweep::RaftSweep;
use crate::codec::{
    Malformed, log_id_from, log_id_into, proposal_from, stored_membership_from, stored_membership_into,
};
use crate::disk::{self, APPLIED, Disk, generation_prefix};
use crate::types::{
    Entry, LogId, NodeId, Outcome, Snapshot, SnapshotMeta, StorageError, StorageIoError, StoredMembership, Types,
};
use crate::within::{Wait, within};

/// The first commit of a cluster.
const FIRST_SEQUENCE: u64 = 1;

/// What separates, within a generation, what callers put, the tokens they did it under, and who was removed.
const ENTRIES: u8 = 0;
const TOKENS: u8 = 1;
const REMOVED: u8 = 2;

/// Every value begins with the sequence of the commit that wrote it.
const SEQUENCE_BYTES: usize = 8;

/// The state of a node, for those who read it and for the one who changes it.
#[derive(Debug)]
pub(crate) struct Machine {
    disk: Arc<Disk>,
    /// Which generation reads see. Held by every read, so that none sees half of what a snapshot replaced.
    generation: RwLock<u32>,
    /// Held while entries are applied, so that what is applied and the data are seen together.
    applied: tokio::sync::Mutex<Applied>,
    /// Generations that are not in force yet but being received.
    receiving: watch::Sender<BTreeSet<u32>>,
    pub(crate) watchers: Watchers,
    /// The sequence of the last commit that readers and watchers see.
    seen: watch::Sender<u64>,
    /// Who was removed from the cluster. It is data, and so comes with a snapshot.
    removed: watch::Sender<BTreeSet<NodeId>>,
}

/// Where the state is at.
#[derive(Debug)]
struct Applied {
    last_log_id: Option<LogId>,
    membership: StoredMembership,
    tokens: Tokens,
    /// The sequence of the next commit.
    next: u64,
}

impl Applied {
    fn record(&self, generation: u32) -> wire::Applied {
        wire::Applied {
            last_log_id: self.last_log_id.as_ref().map(log_id_into),
            membership: Some(stored_membership_into(&self.membership)),
            generation,
        }
    }

    fn meta(&self) -> SnapshotMeta {
        let id = |last: LogId| format!("{}-{}-{}", last.leader_id.term, last.leader_id.node_id, last.index);
        let snapshot_id = self.last_log_id.map(id).unwrap_or_default();
        SnapshotMeta { last_log_id: self.last_log_id, last_membership: self.membership.clone(), snapshot_id }
    }

    fn remember(&mut self, commits: &[Commit]) {
        for commit in commits {
            self.tokens.remember(commit.token, commit.sequence);
            self.next = commit.sequence + 1;
        }
    }
}

impl Machine {
    /// The state on `disk`.
    pub(crate) fn open(disk: Arc<Disk>) -> Result<Arc<Self>, Error> {
        let record: Option<wire::Applied> = disk.record(APPLIED)?;
        let generation = record.as_ref().map_or(0, |record| record.generation);
        let (last_log_id, membership) = match record {
            None => (None, StoredMembership::default()),
            Some(record) => {
                let membership = stored_membership_from(record.membership);
                let membership = membership.map_err(|Malformed { what }| disk::malformed("raft applied", what))?;
                (record.last_log_id.map(log_id_from), membership)
            }
        };
        let (tokens, next) = read_tokens(&disk, generation)?;
        let (seen, removed) = (watch::Sender::new(next - 1), watch::Sender::new(read_removed(&disk, generation)?));
        let applied = tokio::sync::Mutex::new(Applied { last_log_id, membership, tokens, next });
        let (generation, watchers) = (RwLock::new(generation), Watchers::default());
        let receiving = watch::Sender::default();
        Ok(Arc::new(Self { disk, generation, applied, receiving, watchers, seen, removed }))
    }

    /// Who was removed from the cluster, now and later.
    pub(crate) fn removed(&self) -> watch::Receiver<BTreeSet<NodeId>> {
        self.removed.subscribe()
    }

    /// What `keys` hold, at one moment.
    pub(crate) fn read(&self, keys: &[&Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let generation = self.generation.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<Key> = keys.iter().map(|key| data_key(*generation, ENTRIES, key.as_bytes())).collect();
        let held = self.disk.read(&keys)?;
        held.into_iter().map(|held| held.map(versioned).transpose()).collect()
    }

    /// Waits until commit `sequence` is seen, but not longer than `limit`.
    pub(crate) async fn applies(&self, sequence: u64, limit: Duration) {
        let mut seen = self.seen.subscribe();
        if within(Wait::LastCommits, limit, seen.wait_for(|seen| *seen >= sequence)).await.is_err() {
            tracing::warn!("this node closes before it has applied all that was committed through it");
        }
    }

    /// The first entries of `range`, at one moment.
    pub(crate) fn scan(&self, range: &Range, limit: usize) -> Result<Page, Error> {
        if range.is_empty() {
            return Ok(Page::default());
        }
        let generation = self.generation.read().unwrap_or_else(PoisonError::into_inner);
        let inner = |key: &Key| data_key(*generation, ENTRIES, key.as_bytes());
        let outer = |key: &Key| {
            Key::from_bytes(Bytes::copy_from_slice(&key.as_bytes()[inner(&Key::default()).as_bytes().len()..]))
        };
        let page = self.disk.scan(Range { start: inner(&range.start), end: inner(&range.end) }, limit)?;
        let entries = page.entries.into_iter().map(|entry| {
            let Versioned { value, version } = versioned(entry.value.0)?;
            Ok(sayso_store::Entry { key: outer(&entry.key), value, version })
        });
        let rest = page.rest.map(|rest| Range { start: outer(&rest.start), end: range.end.clone() });
        Ok(Page { entries: entries.collect::<Result<_, Error>>()?, rest })
    }

    fn generation(&self) -> u32 {
        *self.generation.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything up to `upto` is applied, for as long as a snapshot is on its way that may hold it; whether it was
    /// on its way and has not come.
    pub(crate) async fn misses(&self, upto: LogId) -> bool {
        let mut receiving = self.receiving.subscribe();
        let mut has_waited = false;
        loop {
            // before what is applied is looked at: it is let go of after it is applied
            let is_any = !receiving.borrow_and_update().is_empty();
            if self.applied.lock().await.last_log_id >= Some(upto) {
                return false;
            }
            if !is_any || receiving.changed().await.is_err() {
                return has_waited;
            }
            has_waited = true;
        }
    }

    async fn apply(&self, entries: Vec<Entry>) -> Result<Vec<Vec<Outcome>>, Error> {
        let mut applied = self.applied.lock().await;
        let mut outcomes = Vec::with_capacity(entries.len());
        for entry in entries {
            outcomes.push(self.apply_one(&mut applied, entry).await?);
        }
        Ok(outcomes)
    }

    async fn apply_one(&self, applied: &mut Applied, entry: Entry) -> Result<Vec<Outcome>, Error> {
        let generation = self.generation();
        let mut gone = Vec::new();
        let (outcomes, commits) = match entry.payload {
            EntryPayload::Blank => Default::default(),
            EntryPayload::Membership(membership) => {
                let before = applied.membership.membership().nodes().map(|(node, _)| *node);
                gone.extend(before.filter(|node| membership.get_node(node).is_none()));
                applied.membership = StoredMembership::new(Some(entry.log_id), membership);
                Default::default()
            }
            EntryPayload::Normal(proposal) => {
                let proposal = proposal_from(proposal);
                let (term, batches) = proposal.map_err(|Malformed { what }| disk::malformed("raft entry", what))?;
                if term == entry.log_id.leader_id.term {
                    self.decide(applied, batches)?
                } else {
                    (vec![Outcome::Void; batches.len()], Vec::new())
                }
            }
        };
        applied.last_log_id = Some(entry.log_id);
        let batch = put_commits(generation, &commits);
        let removed_key = |node: &NodeId| data_key(generation, REMOVED, &node.0.to_be_bytes());
        let batch = gone.iter().fold(batch, |batch, node| batch.put(removed_key(node), Bytes::new()));
        let batch = disk::put_record(batch, APPLIED, &applied.record(generation));
        // Whoever asked is answered because a majority has the entry on disk; this follows it there.
        self.disk.write(batch, Durability::Ordered).await?;
        applied.remember(&commits);
        for commit in &commits {
            self.watchers.publish(&commit.changes);
        }
        self.seen.send_replace(applied.next - 1);
        if !gone.is_empty() {
            self.removed.send_modify(|removed| removed.extend(gone));
        }
        Ok(outcomes)
    }

    fn decide(&self, applied: &Applied, batches: Vec<Batch>) -> Result<(Vec<Outcome>, Vec<Commit>), Error> {
        let state = State { machine: self, tokens: &applied.tokens };
        let mut group = Group::new(&state, applied.next);
        let outcomes = batches.into_iter().map(|batch| match group.decide(batch) {
            Ok(version) => Ok(Outcome::Committed(version)),
            Err(Error::Conflict { key }) => Ok(Outcome::Conflict(key)),
            Err(error) => Err(error),
        });
        let outcomes = outcomes.collect::<Result<_, _>>()?;
        Ok((outcomes, group.into_commits()))
    }
}

/// openraft's end of a [`Machine`].
#[derive(Clone, Debug)]
pub(crate) struct Applier(pub(crate) Arc<Machine>);

impl RaftStateMachine<Types> for Applier {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let applied = self.0.applied.lock().await;
        Ok((applied.last_log_id, applied.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Vec<Outcome>>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().collect();
        self.0.apply(entries).await.map_err(|e| StorageIoError::write_state_machine(&e).into())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, StorageError> {
        let receiving = self.0.begin_receiving().await;
        let receiving = receiving.map_err(|e| StorageIoError::write_snapshot(None, &e))?;
        Ok(Box::new(SnapshotData::Received(receiving)))
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, data: Box<SnapshotData>) -> Result<(), StorageError> {
        let installed = self.0.install(meta, *data).await;
        installed.map_err(|e| StorageIoError::write_snapshot(Some(meta.signature()), &e).into())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let snapshot = self.0.snapshot().await.map_err(|e| StorageIoError::read_snapshot(None, &e))?;
        Ok(Some(snapshot).filter(|snapshot| snapshot.meta.last_log_id.is_some()))
    }
}

/// Bytes of a key before the caller's own: of the disk, of the generation, and of what it is.
const DATA_KEY_BYTES: usize = 1 + 4 + 1;

fn data_key(generation: u32, space: u8, key: &[u8]) -> Key {
    data_key_in(&mut BytesMut::with_capacity(DATA_KEY_BYTES + key.len()), generation, space, key)
}

/// As [`data_key`], in the memory of `bytes`.
fn data_key_in(bytes: &mut BytesMut, generation: u32, space: u8, key: &[u8]) -> Key {
    bytes.put_slice(&generation_prefix(generation));
    bytes.put_u8(space);
    bytes.put_slice(key);
    Key::from_bytes(bytes.split().freeze())
}

/// What `commits` change, with their tokens. All of it is in one piece of memory, which goes as soon as it is written.
fn put_commits(generation: u32, commits: &[Commit]) -> Batch {
    const TOKEN_BYTES: usize = DATA_KEY_BYTES + size_of::<u64>() + SEQUENCE_BYTES + size_of::<Token>();
    let bytes_of = |Change { key, value, .. }: &Change| {
        DATA_KEY_BYTES + key.as_bytes().len() + SEQUENCE_BYTES + value.as_ref().map_or(0, |value| value.len())
    };
    let bytes_of = |commit: &Commit| TOKEN_BYTES + commit.changes.iter().map(bytes_of).sum::<usize>();
    let mut bytes = BytesMut::with_capacity(commits.iter().map(bytes_of).sum());
    let mut batch = Batch::new();
    for Commit { sequence, token, changes } in commits {
        let slot = data_key_in(&mut bytes, generation, TOKENS, &decide::slot(*sequence));
        batch.ops.push(Op::Put(slot, stored_in(&mut bytes, *sequence, &token.0)));
        for Change { key, value, .. } in changes {
            let key = data_key_in(&mut bytes, generation, ENTRIES, key.as_bytes());
            batch.ops.push(match value {
                Some(value) => Op::Put(key, stored_in(&mut bytes, *sequence, value)),
                None => Op::Delete(key),
            });
        }
    }
    batch
}

/// A value as it is stored, in the memory of `bytes`.
fn stored_in(bytes: &mut BytesMut, sequence: u64, value: &[u8]) -> Value {
    bytes.put_u64(sequence);
    bytes.put_slice(value);
    Value(bytes.split().freeze())
}

fn versioned(mut stored: Bytes) -> Result<Versioned, Error> {
    let sequence = stored.first_chunk().copied().ok_or_else(|| disk::malformed("data", "a value has no version"))?;
    let value = Value(stored.split_off(SEQUENCE_BYTES));
    Ok(Versioned { value, version: Version::from_sequence(u64::from_be_bytes(sequence)) })
}

/// Who was removed from the cluster, as a generation has it.
fn read_removed(disk: &Disk, generation: u32) -> Result<BTreeSet<NodeId>, Error> {
    let prefix = data_key(generation, REMOVED, &[]);
    let mut removed = BTreeSet::new();
    let mut sweep = disk.sweep(prefix.as_bytes())?;
    loop {
        let page = sweep.next_page()?;
        if page.is_empty() {
            return Ok(removed);
        }
        for entry in page {
            let node = entry.key.as_bytes()[prefix.as_bytes().len()..].try_into();
            let node = node.map_err(|_| disk::malformed("data", "a removed node's number is malformed"))?;
            removed.insert(NodeId(u64::from_be_bytes(node)));
        }
    }
}

/// The tokens of a generation, and the sequence of the next commit, which is one more than the last token's.
fn read_tokens(disk: &Disk, generation: u32) -> Result<(Tokens, u64), Error> {
    let mut found = Vec::with_capacity(TOKENS_REMEMBERED);
    let mut sweep = disk.sweep(data_key(generation, TOKENS, &[]).as_bytes())?;
    loop {
        let page = sweep.next_page()?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            let damaged = || disk::malformed("data", "a commit's token is malformed");
            let (sequence, token) = entry.value.split_first_chunk().ok_or_else(damaged)?;
            let token = token.try_into().map_err(|_| damaged())?;
            found.push((u64::from_be_bytes(*sequence), Token(token)));
        }
    }
    found.sort_unstable();
    let next = found.last().map_or(FIRST_SEQUENCE, |(last, _)| last + 1);
    let mut tokens = Tokens::default();
    found.into_iter().for_each(|(sequence, token)| tokens.remember(token, sequence));
    Ok((tokens, next))
}
