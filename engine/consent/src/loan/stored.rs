//! Loans as they are stored, schema version 2: JSON. In version 1 nothing says what becomes of one whose holder is silent, who is waited for.

use core::time::Duration;

use sayso_audit::Reference;
use sayso_store::{Error as StoreError, Key, TypedKey};
use sayso_types::{Cell, ConsentVersion, Name, ProcessorId, SubjectId};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tables::LoanKey;

/// A loan that somebody may be using.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredLoan {
    pub(crate) subject: SubjectId,
    pub(crate) permit: Reference,
    pub(crate) cell: Cell,
    pub(crate) processor: ProcessorId,
    pub(crate) cv: ConsentVersion,
    /// The exemption grant that it rests on, if it rests on one.
    pub(crate) exemption: Option<Name>,
    /// The longest for which it is given at once, by the policy of when it was first given.
    pub(crate) longest: Duration,
    /// Whether it is over when its time is, whatever its holder does.
    pub(crate) ends_by_itself: bool,
}

#[derive(Serialize, Deserialize)]
struct Body {
    cell: Cell,
    processor: ProcessorId,
    cv: ConsentVersion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exemption: Option<Name>,
    /// Rounded up.
    longest_ms: u64,
    #[serde(default)]
    ends_by_itself: bool,
}

impl StoredLoan {
    pub(crate) fn key(&self) -> Key {
        key(self.subject, self.permit)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { cell, processor, cv, exemption, longest, ends_by_itself, .. } = *self;
        let longest_ms = u64::try_from(longest.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let body = Body { cell, processor, cv, exemption, longest_ms, ends_by_itself };
        serde_json::to_vec(&body).expect("plain values are JSON")
    }

    /// What is stored as `body` under `key`.
    pub(crate) fn decode(key: &Key, body: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "loan", found };
        let LoanKey { subject, permit } = LoanKey::parse(key).map_err(StoreError::from)?;
        let permit = permit.as_slice().try_into().map_err(|_| damaged(format!("an id of {} bytes", permit.len())))?;
        let body: Body = serde_json::from_slice(body)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        let Body { cell, processor, cv, exemption, longest_ms, ends_by_itself } = body;
        let longest = Duration::from_millis(longest_ms);
        Ok(Self { subject, permit: Reference(permit), cell, processor, cv, exemption, longest, ends_by_itself })
    }
}

/// Where the loan of `permit`, which is for data of `subject`, is stored.
pub(crate) fn key(subject: SubjectId, permit: Reference) -> Key {
    LoanKey { subject, permit: permit.0.to_vec() }.key()
}
