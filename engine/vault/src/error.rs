//! What can go wrong in the vault. No error holds a byte of a key or of a record.

use sayso_types::Category;

use crate::{KekError, KeyId, RecordError};

/// Why the vault did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key store refused or failed.
    #[error("the key store did not do it: {0}")]
    Store(#[from] sayso_store::Error),
    /// The key encryption key does not do it.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The record is not one that opens here.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A row of the key store cannot be read.
    #[error("a {what} in the key store is damaged: {found}; restore the key store from a backup")]
    Damaged {
        /// Which sort of row.
        what: &'static str,
        /// How it shows.
        found: String,
    },
    /// Keys of a person name another shard key than the one of that generation.
    #[error(
        "keys are wrapped under shard key {wrapped}, and the key store holds {held}: its rows are not of one data set"
    )]
    WrongShardKey {
        /// The shard key that they name.
        wrapped: KeyId,
        /// The one that there is.
        held: KeyId,
    },
    /// The key of the record was destroyed. Nothing brings it back: delete the record.
    #[error("the key of this record ({category}, generation {generation}) was destroyed: nobody can read it any more")]
    Forgotten {
        /// Of which category.
        category: Category,
        /// Which generation of its key.
        generation: u32,
    },
    /// All keys of the person were destroyed, and no new ones are made under this pseudonym.
    #[error("this person was forgotten: nothing is kept under this pseudonym any more")]
    SubjectForgotten,
    /// The record was sealed under a key that the key store does not know yet.
    #[error(
        "the record was sealed under generation {sealed} of its key, and the key store knows {held}: the keys are older than \
         the data; restore the newer key store"
    )]
    KeysOlder {
        /// The generation that the record names.
        sealed: u32,
        /// The newest that there is.
        held: u32,
    },
}

impl Error {
    /// Whether what was asked for is gone for good, as it was meant to be.
    #[must_use]
    pub const fn is_forgotten(&self) -> bool {
        matches!(self, Self::Forgotten { .. } | Self::SubjectForgotten)
    }
}
