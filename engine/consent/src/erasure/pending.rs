//! [`Pending`]: an erasure on its way, as it is stored.

use sayso_audit::Reference;
use sayso_store::{Key as Row, TypedKey};
use sayso_types::{Category, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use super::certificate::{Ground, Key};
use super::legal_minimum::LegalMinimum;
use crate::Error;
use crate::tables::{ErasureKey, TAGS_CATEGORY};

/// Grounds that one erasure names: somebody may withdraw and agree many times before a key store that is out of reach
/// comes back.
const GROUNDS_MAX: usize = 16;

/// An erasure that is not certified yet. The stored form, schema version 2, is JSON; its id is in the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    #[serde(skip)]
    pub(crate) id: [u8; 16],
    /// What is erased; [`None`] is everything that is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<Category>,
    pub(crate) grounds: Vec<Ground>,
    pub(crate) asked_at: WallTime,
    /// Whether the person's consent is to be withdrawn first.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_to_withdraw: bool,
    /// Whether a legal hold keeps what it is of; it goes on when that is released.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_held: bool,
    /// Whether something else lies under the keys of its category: what it is of is deleted, and they stay.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_partial: bool,
    /// What a law demands to be kept of it: its keys stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<LegalMinimum>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) committed_at: Option<WallTime>,
    /// The keys that there were when it was committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Vec<Key>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) destroyed_at: Option<WallTime>,
}

impl Pending {
    /// An erasure of `category` ([`None`]: of everything) that is asked for at `now`.
    pub(crate) fn new(category: Option<Category>, ground: Ground, now: WallTime) -> Self {
        Self {
            id: SubjectId::random().0,
            category,
            grounds: vec![ground],
            asked_at: now,
            is_to_withdraw: matches!(
                ground,
                Ground::Request(_) | Ground::Shutdown(_) | Ground::Minor(_) | Ground::Tenant(_) | Ground::Visit(_)
            ),
            is_held: false,
            is_partial: false,
            kept: Vec::new(),
            committed_at: None,
            keys: None,
            destroyed_at: None,
        }
    }

    pub(crate) const fn reference(&self) -> Reference {
        Reference(self.id)
    }

    /// Whether `category` is in it.
    pub(crate) fn covers(&self, category: Category) -> bool {
        self.category.is_none_or(|one| one == category)
    }

    /// Whether it destroys the keys of `category`.
    pub(crate) fn takes_keys_of(&self, category: Category) -> bool {
        let is_of_tags = category == TAGS_CATEGORY;
        self.covers(category)
            && !is_of_tags
            && !self.is_partial
            && !self.kept.iter().any(|kept| kept.category == category)
    }

    /// Names another ground for the same.
    pub(crate) fn add(&mut self, ground: Ground) {
        if self.grounds.len() < GROUNDS_MAX && !self.grounds.contains(&ground) {
            self.grounds.push(ground);
        }
    }

    /// Where it is stored.
    pub(crate) fn row(&self, subject: SubjectId) -> Row {
        ErasureKey { subject, erasure: self.id.to_vec() }.key()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain values are JSON")
    }

    /// The erasure `id` that is stored as `body`.
    pub(crate) fn decode(id: &[u8], body: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "erasure", found };
        let id = id.try_into().map_err(|_| damaged(format!("an id of {} bytes", id.len())))?;
        let read: Self = serde_json::from_slice(body)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        Ok(Self { id, ..read })
    }
}
