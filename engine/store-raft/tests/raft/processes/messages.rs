//! What a test and the nodes that it started say to each other: a line of JSON each.

use sayso_store::{
    Batch, Change, Condition, Entry, Error, Key, Lagged, Op, Page, Range, Retryable, Token, Value, Version, Versioned,
    Watchers,
};
use serde::{Deserialize, Serialize};

type Bytes = Vec<u8>;

/// What a node is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Read(Vec<Bytes>),
    Scan {
        start: Bytes,
        end: Bytes,
        limit: usize,
    },
    Commit {
        token: [u8; 16],
        require: Vec<(Bytes, Required)>,
        ops: Vec<(Bytes, Option<Bytes>)>,
    },
    /// Has the changes under a prefix told where this was asked, from now on: the first so asked is watch 0.
    Watch(Bytes),
    /// Who leads.
    Status,
    /// Sets its clock, so many milliseconds from what it was at first.
    SetClock(i64),
    /// Has each sync of its disk take so many milliseconds longer.
    SlowSyncs(u64),
    /// Has the cluster go on without this node.
    Remove(u64),
    Join,
    /// Closes its store; then it ends.
    Close,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Required {
    Absent,
    Version([u8; 10]),
    Value(Bytes),
}

/// What it says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Read(Vec<Option<(Bytes, [u8; 10])>>),
    Page {
        entries: Vec<(Bytes, Bytes, [u8; 10])>,
        rest: Option<(Bytes, Bytes)>,
    },
    Committed([u8; 10]),
    Status {
        leader: Option<u64>,
        term: u64,
    },
    Done,
    /// What a watch says, and which; nothing when it has ended.
    Changed(usize, Option<Changed>),
    Conflict(Bytes),
    Closed,
    Failed {
        reason: String,
        retryable: bool,
    },
}

/// A change, or that some were lost.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Changed {
    Change { key: Bytes, value: Option<Bytes>, version: [u8; 10] },
    Lagged,
}

impl Changed {
    pub(crate) fn of(next: Result<Change, Lagged>) -> Self {
        let Ok(Change { key, value, version }) = next else { return Self::Lagged };
        let value = value.map(|value| value.to_vec());
        Self::Change { key: bytes_of(&key), value, version: version.to_bytes() }
    }

    pub(crate) fn publish(self, watchers: &Watchers) {
        let Self::Change { key, value, version } = self else { return watchers.lag() };
        let (key, value) = (Key::from_bytes(key), value.map(Value::from));
        watchers.publish(&[Change { key, value, version: Version::from_bytes(version) }]);
    }
}

impl Answer {
    /// What became of a call that failed.
    pub(crate) fn failed(error: &(impl Retryable + ToString)) -> Self {
        Self::Failed { reason: error.to_string(), retryable: error.retryable() }
    }

    pub(crate) fn refused(error: Error) -> Self {
        match error {
            Error::Conflict { key } => Self::Conflict(key.as_bytes().to_vec()),
            Error::Closed => Self::Closed,
            error => Self::failed(&error),
        }
    }
}

pub(crate) fn bytes_of(key: &Key) -> Bytes {
    key.as_bytes().to_vec()
}

pub(crate) fn range_of((start, end): (Bytes, Bytes)) -> Range {
    Range { start: Key::from_bytes(start), end: Key::from_bytes(end) }
}

pub(crate) fn batch_into(batch: &Batch) -> Ask {
    let require = batch.require.iter().map(|(key, condition)| {
        let required = match condition {
            Condition::Absent => Required::Absent,
            Condition::Version(version) => Required::Version(version.to_bytes()),
            Condition::Value(value) => Required::Value(value.to_vec()),
        };
        (bytes_of(key), required)
    });
    let ops = batch.ops.iter().map(|op| match op {
        Op::Put(key, value) => (bytes_of(key), Some(value.to_vec())),
        Op::Delete(key) => (bytes_of(key), None),
    });
    Ask::Commit { token: batch.token.0, require: require.collect(), ops: ops.collect() }
}

pub(crate) fn batch_from(token: [u8; 16], require: Vec<(Bytes, Required)>, ops: Vec<(Bytes, Option<Bytes>)>) -> Batch {
    let require = require.into_iter().map(|(key, required)| {
        let condition = match required {
            Required::Absent => Condition::Absent,
            Required::Version(version) => Condition::Version(Version::from_bytes(version)),
            Required::Value(value) => Condition::Value(value.into()),
        };
        (Key::from_bytes(key), condition)
    });
    let ops = ops.into_iter().map(|(key, value)| match value {
        Some(value) => Op::Put(Key::from_bytes(key), value.into()),
        None => Op::Delete(Key::from_bytes(key)),
    });
    Batch { token: Token(token), require: require.collect(), ops: ops.collect() }
}

pub(crate) fn held_into(held: Vec<Option<Versioned>>) -> Answer {
    let held = held.into_iter().map(|held| held.map(|held| (held.value.to_vec(), held.version.to_bytes())));
    Answer::Read(held.collect())
}

pub(crate) fn held_from(held: Vec<Option<(Bytes, [u8; 10])>>) -> Vec<Option<Versioned>> {
    let versioned =
        |(value, version): (Bytes, _)| Versioned { value: value.into(), version: Version::from_bytes(version) };
    held.into_iter().map(|held| held.map(versioned)).collect()
}

pub(crate) fn page_into(page: Page) -> Answer {
    let entry = |entry: Entry| (bytes_of(&entry.key), entry.value.to_vec(), entry.version.to_bytes());
    let rest = page.rest.map(|rest| (bytes_of(&rest.start), bytes_of(&rest.end)));
    Answer::Page { entries: page.entries.into_iter().map(entry).collect(), rest }
}

pub(crate) fn page_from(entries: Vec<(Bytes, Bytes, [u8; 10])>, rest: Option<(Bytes, Bytes)>) -> Page {
    let entry = |(key, value, version): (Bytes, Bytes, _)| Entry {
        key: Key::from_bytes(key),
        value: Value::from(value),
        version: Version::from_bytes(version),
    };
    Page { entries: entries.into_iter().map(entry).collect(), rest: rest.map(range_of) }
}
