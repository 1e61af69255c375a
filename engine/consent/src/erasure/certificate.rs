//! [`Certificate`]: that something was erased, how, and what is beyond the engine's reach.
//!
//! It is JSON, in members that are never taken away, and its SHA-256 is in the leaf `erase.certified`. That nothing is
//! left cannot be proved; what can be checked is which keys were destroyed, when, and who says so.

use sayso_audit::{Hash, Reference};
use sayso_types::{Category, Name, ProcessorId, WallTime};
use sayso_vault::{KeyId, KeyRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::legal_minimum::LegalMinimum;
use crate::Error;

/// What the layout is called; a later one has another number.
pub const FORMAT: &str = "sayso/erasure-certificate/v1";

/// That something was erased. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// [`FORMAT`].
    pub format: String,
    /// The erasure, as its leaves in the log name it.
    #[serde(with = "hex")]
    pub erasure: [u8; 16],
    /// The person, as the leaves name them.
    #[serde(with = "hex")]
    pub subject_tag: [u8; 16],
    /// What was erased; [`None`] is everything that was sealed.
    pub category: Option<Category>,
    /// Why.
    pub grounds: Vec<Ground>,
    /// The policy in force.
    pub policy: Policy,
    /// When it was asked for.
    pub asked_at: WallTime,
    /// From when on nothing of it was read or written.
    pub committed_at: WallTime,
    /// When the keys were gone from the key store and from memory.
    pub destroyed_at: WallTime,
    /// When everything was done that could be.
    pub certified_at: WallTime,
    /// The keys that were destroyed. None, where nothing had ever been sealed, or something else lies under them.
    pub keys: Vec<Key>,
    /// Whether something else lies under the keys of the category: what it is of was deleted, and they stay.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shares_keys: bool,
    /// The key store that had them.
    #[serde(with = "hex")]
    pub key_store: [u8; 16],
    /// Whether neither they nor what they sealed are in the files of the stores.
    pub is_purged: bool,
    /// The replicas of the stores that have said so, by the numbers of their nodes. None, where the stores are in one place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<u64>,
    /// Who else had something of it and says that they have deleted it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted: Vec<Deleted>,
    /// What remains, where, and until when.
    pub residuals: Vec<Residual>,
}

/// Why something was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The person withdrew their consent: the withdrawal.
    Withdrawal(#[serde(with = "hex")] [u8; 16]),
    /// The person did not agree, or not any more: the consent record.
    Refusal(#[serde(with = "hex")] [u8; 16]),
    /// The person asked for it: their case.
    Request(#[serde(with = "hex")] [u8; 16]),
    /// Its time was over: the ending.
    Retention(#[serde(with = "hex")] [u8; 16]),
    /// The service has ended: the shutdown.
    Shutdown(#[serde(with = "hex")] [u8; 16]),
    /// What the person had agreed to was over: the consent record.
    Expiry(#[serde(with = "hex")] [u8; 16]),
    /// The person is a child of whom no guardian is verified: what the log calls that this was found.
    Minor(#[serde(with = "hex")] [u8; 16]),
    /// Whoever answers for the data ended the consent: the ending.
    Revocation(#[serde(with = "hex")] [u8; 16]),
    /// The consent turned out not to have been valid: the ending.
    Invalidation(#[serde(with = "hex")] [u8; 16]),
    /// The person's tenant is served no more: its instructions.
    Tenant(#[serde(with = "hex")] [u8; 16]),
    /// The person was a guest, and has left: the visit.
    Visit(#[serde(with = "hex")] [u8; 16]),
}

impl Ground {
    /// The withdrawal, record, case, ending, shutdown, finding, instructions or visit.
    #[must_use]
    pub const fn reference(self) -> Reference {
        let (Self::Withdrawal(id)
        | Self::Refusal(id)
        | Self::Request(id)
        | Self::Retention(id)
        | Self::Shutdown(id)
        | Self::Expiry(id)
        | Self::Minor(id)
        | Self::Revocation(id)
        | Self::Invalidation(id)
        | Self::Tenant(id)
        | Self::Visit(id)) = self;
        Reference(id)
    }

    /// The name of the ground in the log.
    #[must_use]
    pub fn name(self) -> Name {
        Name::constant(match self {
            Self::Withdrawal(_) => "withdrawn",
            Self::Refusal(_) => "refused",
            Self::Request(_) => "requested",
            Self::Retention(_) => "retention",
            Self::Shutdown(_) => "shutdown",
            Self::Expiry(_) => "expired",
            Self::Minor(_) => "minor",
            Self::Revocation(_) => "revoked",
            Self::Invalidation(_) => "invalidated",
            Self::Tenant(_) => "tenant",
            Self::Visit(_) => "visit_over",
        })
    }
}

/// A policy in its revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Which.
    pub id: String,
    /// Which revision.
    pub rev: u32,
    /// SHA-256 of its canonical form, in hexadecimal.
    pub sha256: String,
}

/// A key that was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What was sealed under it.
    pub category: Category,
    /// Which of the keys of that category it was, counted from 1.
    pub generation: u32,
    /// What sealed records call it, in bytes 5 to 20: it commits to the key and shows nothing of it.
    #[serde(with = "hex")]
    pub key: [u8; KeyId::BYTES],
}

impl Key {
    /// What the leaf `key.destroyed` holds: SHA-256 over `sayso/erasure/key/v1`, the length of the category's name in one
    /// byte, the name, the generation in four bytes big-endian, and the key's id.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        let category = self.category.as_str();
        let length = u8::try_from(category.len()).expect("a name has at most 31 characters");
        let hash = Sha256::new()
            .chain_update(b"sayso/erasure/key/v1")
            .chain_update([length])
            .chain_update(category)
            .chain_update(self.generation.to_be_bytes())
            .chain_update(self.key);
        Hash(hash.finalize().into())
    }
}

impl From<KeyRef> for Key {
    fn from(KeyRef { category, generation, key }: KeyRef) -> Self {
        Self { category, generation, key: key.0 }
    }
}

impl From<Key> for KeyRef {
    fn from(Key { category, generation, key }: Key) -> Self {
        Self { category, generation, key: KeyId(key) }
    }
}

/// Somebody else who says that they have deleted what they were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Who.
    pub id: ProcessorId,
    /// Who runs it.
    pub party: String,
    /// When they said so.
    pub at: WallTime,
    /// SHA-256 of their answer.
    #[serde(with = "hex")]
    pub answer: [u8; 32],
}

/// What an erasure does not reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Residual {
    /// What a receiver was given under the policy. Nobody has told it to delete, or it has not said that it did.
    Processor {
        /// Who.
        id: ProcessorId,
        /// Who runs it.
        party: String,
        /// Whether it can be told, by people.
        can_be_told: bool,
        /// Until when it says that it keeps it; [`None`] when it gives no time.
        until: Option<WallTime>,
        /// Since when it has been told to delete; [`None`] when no machine told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_at: Option<WallTime>,
    },
    /// What a law demands to be kept for longer.
    LegalMinimum(LegalMinimum),
    /// Copies of the key store that were made before.
    KeyBackups {
        /// Until when the policy lets them be kept; [`None`] when it gives no time.
        until: Option<WallTime>,
    },
    /// What was deleted, in the logs and files of a store that cannot purge.
    StoreLogs {
        /// Until when the policy lets copies of it be kept; [`None`] when it gives no time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<WallTime>,
    },
    /// Consent records, withdrawals, requests, notices and the audit log, which prove what was agreed and done.
    Evidence,
    /// What a device keeps by itself.
    Device,
    /// What people copied, noted or remember.
    People,
}

impl Residual {
    /// What it is called where somebody answers for it: a receiver by its id.
    #[must_use]
    pub const fn name(&self) -> Name {
        match self {
            Self::Processor { id, .. } => id.0,
            Self::LegalMinimum(_) => Name::constant("legal_minimum"),
            Self::KeyBackups { .. } => Name::constant("key_backups"),
            Self::StoreLogs { .. } => Name::constant("store_logs"),
            Self::Evidence => Name::constant("evidence"),
            Self::Device => Name::constant("device"),
            Self::People => Name::constant("people"),
        }
    }
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is none of this layout.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let damaged = |found: String| Error::Damaged { what: "certificate", found };
        let read: Self = serde_json::from_slice(json)
            .map_err(|e| damaged(format!("{:?} at column {}", e.classify(), e.column())))?;
        if read.format != FORMAT {
            return Err(damaged(format!("its format is not {FORMAT}")));
        }
        Ok(read)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, numbers and lists of them are JSON")
    }

    /// Whether it is about the withdrawal, record, case or erasure `of`.
    #[must_use]
    pub fn is_of(&self, of: Reference) -> bool {
        self.erasure == of.0 || self.grounds.iter().any(|ground| ground.reference() == of)
    }

    /// Whether somebody else may still have something of it, or a law demands that some is kept.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let is_left = |one: &Residual| matches!(one, Residual::Processor { .. } | Residual::LegalMinimum(_));
        self.residuals.iter().any(is_left)
    }

    /// Whether a law demands that something of it is kept.
    pub(crate) fn is_kept_by_law(&self) -> bool {
        self.residuals.iter().any(|residual| matches!(residual, Residual::LegalMinimum(_)))
    }
}

/// What the leaf `erase.certified` holds of a certificate: the SHA-256 of its bytes.
pub(crate) fn hash(json: &[u8]) -> Hash {
    Hash(Sha256::digest(json).into())
}
