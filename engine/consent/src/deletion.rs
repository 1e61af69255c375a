//! Telling receivers to delete what they were given of a person, when it is erased or put right here.
//!
//! ```text
//! the keys are destroyed ──▶ due ── the log says that nothing went there ──────────▶ Nothing
//!                             │                                                        │
//!                             ▼  processor.deletion_requested                          ▼
//!                         Requested ── the receiver says so ──▶ Confirmed ──▶ the certificate names its answer
//!                          │  ▲   │    processor.deletion_confirmed
//!                     later└──┘   └── its time is over ───────▶ Unconfirmed ─▶ the certificate says that it may have it
//! ```
//!
//! Only a receiver that the profile says can be told (`deletion_api`), that keeps what it is given, and for which the node has
//! an end point, is told. What it deletes is named by the ids of the segments in which it got it, which it was told with each
//! call: it hears of nobody's pseudonym. Those are all that it got of the person until then, of whatever category, since what
//! goes along with a call (what is remembered, what was kept) has no segment of its own.
//!
//! Each step is durable before the next, so that the next process goes on where one was killed. An order is the same each time
//! that it is given: it names what the log told when it was asked for. What the receiver is given later, and what it has no
//! more by then, changes nothing about it.

use core::time::Duration;

use sayso_audit::{Hash, Reference};
use sayso_store::{Error as StoreError, Key, Op, TypedKey};
use sayso_types::{ProcessorId, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tables::{DELETION, DeletionKey};

pub(crate) mod given;

/// The longest between two tries. The first comes after a second, each further one after twice as long.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// Why something is to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is erased here.
    Erasure,
    /// It was wrong, and has been put right here.
    Rectification,
}

impl Why {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erasure => "erasure",
            Self::Rectification => "rectification",
        }
    }
}

/// What a receiver is to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletionOrder {
    /// Whose.
    pub subject: SubjectId,
    /// The erasure, or the request by which something was put right.
    pub of: Reference,
    /// Who.
    pub processor: ProcessorId,
    /// Why.
    pub why: Why,
    /// The segments in which it was given something, as it was told their ids. At least one.
    pub segments: Vec<Reference>,
    /// How often it was told before.
    pub tries: u32,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It is yet to be told.
    Due,
    /// It was told, and has not said yes.
    Requested,
    /// It was never given anything, or by its own word has it no more.
    Nothing,
    /// It says that it has deleted it.
    Confirmed {
        /// SHA-256 of its answer.
        #[serde(with = "hex")]
        answer: [u8; 32],
        at: WallTime,
    },
    /// It has not said so in time.
    Unconfirmed,
}

impl Standing {
    /// Whether nothing more will come.
    pub(crate) const fn is_over(self) -> bool {
        !matches!(self, Self::Due | Self::Requested)
    }
}

/// That a receiver is told, as it is stored, schema version 2: JSON. Version 1 had no `log_size`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deletion {
    pub(crate) why: Why,
    pub(crate) asked_at: WallTime,
    /// Leaves of the log by then: what it is to delete is in these. [`None`]: in all that there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log_size: Option<u64>,
    /// When it should have said so.
    pub(crate) until: WallTime,
    pub(crate) tries: u32,
    /// When it is told next.
    pub(crate) next_at: WallTime,
    #[serde(flatten)]
    pub(crate) standing: Standing,
}

impl Deletion {
    /// One that is due at `now`, when the log has `log_size` leaves, and to be confirmed `within` that time.
    pub(crate) fn due(why: Why, (now, log_size): (WallTime, u64), within: Duration) -> Self {
        let (until, log_size) = (after(now, within), Some(log_size));
        Self { why, asked_at: now, log_size, until, tries: 0, next_at: now, standing: Standing::Due }
    }

    /// The same with one try more at `now`.
    pub(crate) fn tried(&self, now: WallTime) -> Self {
        let pause = Duration::from_secs(1).saturating_mul(1 << self.tries.min(16)).min(PAUSE_MAX);
        Self {
            tries: self.tries.saturating_add(1),
            next_at: after(now, pause),
            standing: Standing::Requested,
            ..self.clone()
        }
    }

    /// What stores it.
    pub(crate) fn put(&self, key: Key) -> Op {
        Op::Put(key, DELETION.encode(&serde_json::to_vec(self).expect("plain values are JSON")))
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))
    }
}

fn after(at: WallTime, time: Duration) -> WallTime {
    WallTime(at.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}

fn damaged(found: String) -> Error {
    Error::Damaged { what: "deletion", found }
}

/// Where it is stored that `processor` is told for `of`.
pub(crate) fn key(subject: SubjectId, of: Reference, processor: ProcessorId) -> Key {
    DeletionKey { subject, of: of.0.to_vec(), processor: processor.to_string() }.key()
}

/// Whose it is, for what, and who is told.
pub(crate) fn parsed(key: &Key) -> Result<(SubjectId, Reference, ProcessorId), Error> {
    let DeletionKey { subject, of, processor } = DeletionKey::parse(key).map_err(StoreError::from)?;
    let of = of.as_slice().try_into().map_err(|_| damaged(format!("an id of {} bytes", of.len())))?;
    let processor = processor.parse().map_err(|_| damaged("a processor whose name cannot be read".to_owned()))?;
    Ok((subject, Reference(of), processor))
}

/// What a receiver answered that says that it has deleted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeletionAnswer(pub [u8; 32]);

impl From<DeletionAnswer> for Hash {
    fn from(answer: DeletionAnswer) -> Self {
        Self(answer.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_further_and_further_apart_and_never_end_by_themselves() {
        let mut deletion = Deletion::due(Why::Erasure, (WallTime(0), 0), Duration::from_secs(60));
        assert_eq!((deletion.until, deletion.next_at), (WallTime(60_000), WallTime(0)));
        let mut pauses = Vec::new();
        for _ in 0..40 {
            deletion = deletion.tried(WallTime(0));
            pauses.push(deletion.next_at.0 / 1_000);
        }
        assert_eq!(pauses[..4], [1, 2, 4, 8]);
        assert!(pauses.iter().all(|pause| *pause <= 3_600) && pauses.ends_with(&[3_600; 20]));
        assert_eq!(deletion.tries, 40);
    }
}
