//! [`Disk`]: where everything of a node lies in the engine under it, and how it is read back.
//!
//! ```text
//!   0 | name                          identity, vote, purged, applied
//!   1 | index: u64                    entries of the log
//!   2 | generation: u32 | 0 | key     what callers put: sequence of the commit: u64, then the value
//!   2 | generation: u32 | 1 | slot    tokens of the last commits: sequence: u64, then the token
//!   2 | generation: u32 | 2 | node    nodes that were removed from the cluster; nothing
//! ```
//!
//! All of it is in one log of the engine's, so that what a loss of power leaves is always everything up to some moment:
//! a state that is applied is never without the entries that led there, nor an entry purged before it was applied.

use core::time::Duration;
use std::path::Path;

use bytes::Bytes;
use prost::Message;
use sayso_runtime::CancellationToken;
use sayso_store::{Batch, Entry, Error, Key, Page, Prefix, Range, Schema};
use sayso_store_local::{Durability, Engine, LocalOptions, Sweep};

use crate::codec::{Malformed, decode};

/// How long until a full disk is tried again: long enough to cost nothing, short enough that space, once freed, is used
/// at once.
const FULL_RETRY: Duration = Duration::from_millis(200);

/// Keys that are deleted at once.
const DELETES_MAX: usize = 10_000;

const META: u8 = 0;
const LOG: u8 = 1;
const DATA: u8 = 2;

/// A record of which a node has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    name: &'static str,
    schema: Schema,
}

impl Record {
    const fn new(name: &'static str) -> Self {
        Self { name, schema: Schema::new(name, 1, 1) }
    }

    fn key(self) -> Key {
        Key::from_bytes([&[META], self.name.as_bytes()].concat())
    }
}

/// Whose disk it is.
pub(crate) const IDENTITY: Record = Record::new("raft identity");
/// For whom the node voted last.
pub(crate) const VOTE: Record = Record::new("raft vote");
/// Up to where the log was deleted.
pub(crate) const PURGED: Record = Record::new("raft purged");
/// What the state machine is at.
pub(crate) const APPLIED: Record = Record::new("raft applied");
/// An entry of the log.
pub(crate) const ENTRY: Schema = Schema::new("raft entry", 1, 1);

/// The key of the entry at `index`.
pub(crate) fn log_key(index: u64) -> Key {
    let mut key = vec![LOG];
    key.extend_from_slice(&index.to_be_bytes());
    Key::from_bytes(key)
}

/// Everything of a generation.
pub(crate) fn generation_prefix(generation: u32) -> [u8; 5] {
    let [a, b, c, d] = generation.to_be_bytes();
    [DATA, a, b, c, d]
}

/// The disk of a node.
#[derive(Debug)]
pub(crate) struct Disk {
    engine: Engine,
    /// Ends waiting for space.
    closing: CancellationToken,
}

impl Disk {
    /// Opens it. Blocks for as long as reading all of it takes.
    pub(crate) fn open(dir: &Path, options: LocalOptions) -> Result<Self, Error> {
        Ok(Self { engine: Engine::open(dir, options)?, closing: CancellationToken::new() })
    }

    /// Ends whoever waits for space, now and later.
    pub(crate) fn stop_waiting(&self) {
        self.closing.cancel();
    }

    /// Lets go of it. Blocks for as long as a table takes to write.
    pub(crate) fn close(&self) {
        self.stop_waiting();
        self.engine.close();
    }

    /// Writes `batch`; waits while the disk is full, because a replica that drops a write is none.
    pub(crate) async fn write(&self, batch: Batch, durability: Durability) -> Result<(), Error> {
        loop {
            match self.engine.commit(batch.clone(), durability).await {
                Ok(_) => return Ok(()),
                Err(error @ Error::Full { .. }) => {
                    metrics::counter!("sayso_store_raft_full_total").increment(1);
                    tracing::warn!(%error, "this node can take nothing until there is space");
                    tokio::select! {
                        () = self.closing.cancelled() => return Err(error),
                        () = tokio::time::sleep(FULL_RETRY) => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Rewrites it without what was deleted or replaced. Waits until no sweep is under way, which keeps files that have it.
    pub(crate) async fn purge(&self) -> Result<(), Error> {
        self.engine.purge().await
    }

    /// What `keys` hold.
    pub(crate) fn read(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        let held = self.engine.read(keys)?;
        Ok(held.into_iter().map(|held| held.map(|held| held.value.0)).collect())
    }

    /// The first entries of `range`, of about a megabyte.
    pub(crate) fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        self.engine.scan(range, limit)
    }

    /// The entry of `range` with the greatest key.
    pub(crate) fn last(&self, range: &Range) -> Result<Option<Entry>, Error> {
        self.engine.last(range)
    }

    /// One pass over `prefix` as it is now.
    pub(crate) fn sweep(&self, prefix: &[u8]) -> Result<Sweep, Error> {
        self.engine.sweep(&Prefix::from_bytes(prefix).into())
    }

    /// Two passes over `prefix`, both of it as it is now.
    pub(crate) fn sweep_twice(&self, prefix: &[u8]) -> Result<[Sweep; 2], Error> {
        self.engine.sweep_twice(&Prefix::from_bytes(prefix).into())
    }

    /// The record, if there is one.
    pub(crate) fn record<M: Message + Default>(&self, record: Record) -> Result<Option<M>, Error> {
        let held = self.read(&[record.key()])?.pop().flatten();
        held.map(|stored| decode_record(record.schema, record.name, &stored)).transpose()
    }

    /// Deletes everything that begins with `prefix`.
    pub(crate) async fn delete_all(&self, prefix: &[u8]) -> Result<(), Error> {
        loop {
            let page = self.scan(Range::from(&Prefix::from_bytes(prefix)), DELETES_MAX)?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let deletes = page.entries.into_iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key));
            self.write(deletes, Durability::Ordered).await?;
        }
    }

    /// The generations that there are.
    pub(crate) fn generations(&self) -> Result<Vec<u32>, Error> {
        let mut found = Vec::new();
        let mut range = Range::from(&Prefix::from_bytes([DATA]));
        while let Some(entry) = self.scan(range.clone(), 1)?.entries.pop() {
            let generation = entry.key.as_bytes().get(1..).and_then(|rest| rest.first_chunk().copied());
            let generation =
                generation.map(u32::from_be_bytes).ok_or_else(|| malformed("data", "a key is too short"))?;
            found.push(generation);
            range.start = Range::from(&Prefix::from_bytes(generation_prefix(generation))).end;
        }
        Ok(found)
    }
}

/// Adds a record of which a node has one.
pub(crate) fn put_record(batch: Batch, record: Record, message: &impl Message) -> Batch {
    batch.put(record.key(), encode_record(record.schema, message))
}

/// A message as it is stored: the version of its schema, then its bytes.
pub(crate) fn encode_record(schema: Schema, message: &impl Message) -> Bytes {
    let mut stored = schema.encode(&[]).to_vec();
    message.encode(&mut stored).expect("a vector grows");
    stored.into()
}

/// The message that was stored. It shares the memory of `stored`.
pub(crate) fn decode_record<M: Message + Default>(
    schema: Schema,
    what: &'static str,
    stored: &Bytes,
) -> Result<M, Error> {
    let (_version, body) = schema.decode(stored)?;
    decode(stored.slice_ref(body)).map_err(|Malformed { what: found }| malformed(what, found))
}

/// A record that is not what was written, although its checksum holds.
pub(crate) fn malformed(what: &'static str, found: &'static str) -> Error {
    Error::Corrupt {
        what: format!("the record {what:?}"),
        found: found.to_owned(),
        remedy: "replace this node: remove it from the cluster and join a new one",
    }
}

#[cfg(test)]
mod tests {
    use sayso_proto::peer::v1 as wire;

    use super::*;

    fn log_id(term: u64, index: u64) -> Option<wire::LogId> {
        Some(wire::LogId { term, node: 1, index })
    }

    fn check(schema: Schema, message: &(impl Message + Default + PartialEq), golden: &[u8]) {
        let stored = encode_record(schema, message);
        assert_eq!(stored.escape_ascii().to_string(), golden.escape_ascii().to_string());
        let read = decode_record(schema, "test", &stored).expect("reads");
        assert!(*message == read);
    }

    /// What is on disks must stay readable: whoever changes these bytes changes the schema's version.
    #[test]
    fn records_are_stored_as_they_always_were() {
        let vote = wire::Vote { term: 3, node: 1, committed: true };
        check(VOTE.schema, &vote, b"\0\x01\x08\x03\x10\x01\x18\x01");
        check(PURGED.schema, &log_id(3, 9).expect("one"), b"\0\x01\x08\x03\x10\x01\x18\x09");
        let cluster_id = vec![7; 2].into();
        let identity = wire::Identity { cluster: "home".into(), cluster_id, node: 2, removed: false };
        check(IDENTITY.schema, &identity, b"\0\x01\x0a\x04home\x12\x02\x07\x07\x18\x02");
        let removed = wire::Identity { removed: true, ..identity };
        check(IDENTITY.schema, &removed, b"\0\x01\x0a\x04home\x12\x02\x07\x07\x18\x02\x20\x01");
        let membership = wire::Membership {
            voters: vec![wire::Voters { nodes: vec![1] }],
            members: vec![wire::Member { node: 1, address: "a:1".into() }],
        };
        let membership = wire::StoredMembership { log_id: log_id(1, 1), membership: Some(membership) };
        let applied = wire::Applied { last_log_id: log_id(3, 9), membership: Some(membership), generation: 5 };
        let golden = b"\0\x01\x0a\x06\x08\x03\x10\x01\x18\x09\x12\x18\x0a\x06\x08\x01\x10\x01\x18\x01\x12\x0e\x0a\x03\x0a\x01\x01\
            \x12\x07\x08\x01\x12\x03a:1\x18\x05";
        check(APPLIED.schema, &applied, golden);
        let payload = Some(wire::entry::Payload::Blank(wire::Blank {}));
        let entry = wire::Entry { log_id: log_id(3, 9), payload };
        check(ENTRY, &entry, b"\0\x01\x0a\x06\x08\x03\x10\x01\x18\x09\x12\x00");
    }

    #[test]
    fn a_record_of_a_later_program_says_so() {
        let stored = Bytes::from_static(b"\0\x02\x08\x03");
        assert!(matches!(decode_record::<wire::Vote>(VOTE.schema, "test", &stored), Err(Error::Schema(_))));
        let cut = Bytes::from_static(b"\0\x01\x0a\x09\x08");
        assert!(matches!(decode_record::<wire::Entry>(ENTRY, "test", &cut), Err(Error::Corrupt { .. })));
    }
}
