//! [`Remembered`]: what a person asked to have remembered, one thing of it.

use core::fmt;

use sayso_types::WallTime;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;

/// Something that a person asked to have remembered. Wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Remembered {
    /// What it is about.
    pub key: String,
    /// What was said of it.
    pub value: String,
    /// When they said so.
    #[zeroize(skip)]
    pub collected_at: WallTime,
    /// When it was dropped: it is kept for a legal hold alone, and not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[zeroize(skip)]
    pub(crate) dropped_at: Option<WallTime>,
}

impl Remembered {
    /// Something that was said at `collected_at`.
    #[must_use]
    pub const fn new(key: String, value: String, collected_at: WallTime) -> Self {
        Self { key, value, collected_at, dropped_at: None }
    }

    /// Whether it says the same as `other`, whenever that was.
    pub(crate) fn says(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }

    /// What it says.
    pub(crate) fn pair(&self) -> (String, String) {
        (self.key.clone(), self.value.clone())
    }
}

/// Shows none of it.
impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("collected_at", &self.collected_at).finish_non_exhaustive()
    }
}

/// What is inside a sealed record of schema version 3: JSON.
pub(crate) fn encode(remembered: &[Remembered]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(remembered).expect("texts and numbers are JSON"))
}

pub(crate) fn decode(body: &[u8]) -> Result<Vec<Remembered>, Error> {
    serde_json::from_slice(body).map_err(|e| damaged(&e))
}

/// What is inside a record of schema version 1 or 2, which does not say when each was collected: JSON, pairs.
pub(crate) fn decode_pairs(body: &[u8], collected_at: WallTime) -> Result<Vec<Remembered>, Error> {
    let pairs: Vec<(String, String)> = serde_json::from_slice(body).map_err(|e| damaged(&e))?;
    Ok(pairs.into_iter().map(|(key, value)| Remembered::new(key, value, collected_at)).collect())
}

/// serde_json's text would quote what is remembered; where it broke is enough.
fn damaged(e: &serde_json::Error) -> Error {
    Error::Damaged { what: "facts", found: format!("{:?} at column {}", e.classify(), e.column()) }
}
