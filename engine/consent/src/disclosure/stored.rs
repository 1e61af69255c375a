//! [`Disclosure`]: what is kept of something that was given away, schema version 1: JSON.

use std::collections::BTreeSet;

use sayso_audit::{ActorTag, Hash, Reference};
use sayso_types::{Category, Name, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Something that was given away. Nothing of what was given is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Which.
    pub id: Reference,
    /// On which grant.
    pub grant: Name,
    /// When.
    pub made_at: WallTime,
    /// By whom; [`None`] is the engine.
    pub by: Option<ActorTag>,
    /// Whose data.
    pub people: BTreeSet<SubjectId>,
    /// Which data.
    pub categories: BTreeSet<Category>,
    /// How many records of all of them.
    pub rows: u64,
    /// Bytes of the encrypted file.
    pub bytes: u64,
    /// SHA-256 of the encrypted file.
    pub file: Hash,
    /// When the people are told of it; [`None`] where the law forbids it.
    pub tell_at: Option<WallTime>,
    /// Since when a notice to them is on its way.
    pub told_at: Option<WallTime>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    grant: Name,
    made_at: WallTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    people: BTreeSet<SubjectId>,
    categories: BTreeSet<Category>,
    rows: u64,
    bytes: u64,
    file_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tell_at: Option<WallTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<WallTime>,
}

impl Disclosure {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let body = Body {
            grant: self.grant,
            made_at: self.made_at,
            by: self.by.map(|tag| tag.to_string()),
            people: self.people.clone(),
            categories: self.categories.clone(),
            rows: self.rows,
            bytes: self.bytes,
            file_sha256: hex::encode(self.file.0),
            tell_at: self.tell_at,
            told_at: self.told_at,
        };
        serde_json::to_vec(&body).expect("plain values are JSON")
    }

    /// The disclosure `id` that is stored as `body`.
    pub(crate) fn decode(id: &[u8], body: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "disclosure", found };
        let id = id.try_into().map_err(|_| damaged(format!("an id of {} bytes", id.len())))?;
        let body: Body = serde_json::from_slice(body)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        let mut file = [0; 32];
        hex::decode_to_slice(&body.file_sha256, &mut file).map_err(|e| damaged(format!("file_sha256: {e}")))?;
        let by = body.by.map(|text| {
            let mut tag = [0; 16];
            hex::decode_to_slice(&text, &mut tag).map(|()| ActorTag(tag)).map_err(|e| damaged(format!("by: {e}")))
        });
        Ok(Self {
            id: Reference(id),
            grant: body.grant,
            made_at: body.made_at,
            by: by.transpose()?,
            people: body.people,
            categories: body.categories,
            rows: body.rows,
            bytes: body.bytes,
            file: Hash(file),
            tell_at: body.tell_at,
            told_at: body.told_at,
        })
    }
}
