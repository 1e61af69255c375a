//! [`Head`]: what is not personal of something that is kept, as it is stored.

use sayso_audit::Reference;
use sayso_policy::LegalBasis;
use sayso_store::{Error as StoreError, Key, Op, TypedKey, Value};
use sayso_types::{Category, ConsentVersion, ProcessorId, Purpose, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use super::item::{Kept, Label, Source};
use crate::Error;
use crate::tables::{KEPT, KeptKey};

/// The head of an item. The stored form, schema version 2, is JSON; whose it is and its id are in the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    #[serde(skip, default = "nobody")]
    pub(crate) subject: SubjectId,
    #[serde(skip, default = "no_id")]
    pub(crate) id: Reference,
    pub(crate) category: Category,
    pub(crate) purpose: Purpose,
    pub(crate) cv: ConsentVersion,
    pub(crate) collected_at: WallTime,
    pub(crate) bytes: u64,
    /// Parts of its content; there is one more, which says what it is.
    pub(crate) parts: u32,
    pub(crate) source: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<SubjectId>,
    /// Ids in hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) derived_from: Vec<String>,
    /// When it ended: it is kept for a legal hold alone, and not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dropped_at: Option<WallTime>,
    /// When the device was unbound that it was kept with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unbound_at: Option<WallTime>,
    /// Whether its parts are being written: it is not there yet.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_begun: bool,
}

/// Where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    Person,
    Device,
    Party { party: ProcessorId, basis: LegalBasis },
}

impl Origin {
    pub(crate) const fn of(source: &Source) -> Self {
        match source {
            Source::Person => Self::Person,
            Source::Device => Self::Device,
            Source::Party { party, basis, .. } => Self::Party { party: *party, basis: *basis },
        }
    }
}

const fn nobody() -> SubjectId {
    SubjectId([0; 16])
}

const fn no_id() -> Reference {
    Reference([0; 16])
}

impl Head {
    /// Whose keys seal it: those of whoever is seen or heard in it.
    pub(crate) fn sealer(&self) -> SubjectId {
        self.of.unwrap_or(self.subject)
    }

    /// Whether it may be read.
    pub(crate) const fn is_live(&self) -> bool {
        self.dropped_at.is_none() && !self.is_begun
    }

    /// Whether it was made from `item`.
    pub(crate) fn is_made_from(&self, item: Reference) -> bool {
        self.derived_from.contains(&item.to_string())
    }

    /// Where it is stored.
    pub(crate) fn row(&self) -> Key {
        KeptKey::of(self.subject, self.id).key()
    }

    pub(crate) fn put(&self) -> Op {
        Op::Put(self.row(), self.value())
    }

    pub(crate) fn value(&self) -> Value {
        KEPT.encode(&serde_json::to_vec(self).expect("plain values are JSON"))
    }

    /// The head that is stored as `body` under `key`.
    pub(crate) fn decode(key: &Key, body: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "kept", found };
        let KeptKey { subject, item } = KeptKey::parse(key).map_err(StoreError::from)?;
        let id = item.as_slice().try_into().map_err(|_| damaged(format!("an id of {} bytes", item.len())))?;
        let read: Self = serde_json::from_slice(body)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        Ok(Self { subject, id: Reference(id), ..read })
    }

    /// What it is the head of, which `label` says more of; without its content.
    pub(crate) fn shown(&self, label: Label) -> Kept {
        let source = match self.source {
            Origin::Person => Source::Person,
            Origin::Device => Source::Device,
            Origin::Party { party, basis } => {
                Source::Party { party, basis, reference: label.reference.clone().unwrap_or_default() }
            }
        };
        let ids = self.derived_from.iter().filter_map(|id| hex::decode(id).ok()?.try_into().ok());
        Kept {
            id: self.id,
            category: self.category,
            purpose: self.purpose,
            media_type: label.media_type,
            bytes: self.bytes,
            content: Vec::new().into(),
            collected_at: self.collected_at,
            cv: self.cv,
            source,
            of: self.of,
            derived_from: ids.map(Reference).collect(),
            attribute: label.attribute,
            ticket: label.ticket,
        }
    }
}
