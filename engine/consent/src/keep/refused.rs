//! [`NotKept`]: why something is not kept, or not shown to be used.

use sayso_policy::Reason;
use sayso_types::{Category, ProcessorId};

use super::item::{ITEM_BYTES_MAX, ITEMS_MAX, PERSON_BYTES_MAX, SOURCES_MAX, WORDS_MAX};
use crate::Error;

/// Why something is not kept. Nothing of it was written then.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The policy and the consents of whoever it is of do not allow it.
    #[error("not allowed: {0}")]
    Policy(Reason),
    /// It could not be decided or recorded.
    #[error(transparent)]
    Register(#[from] Error),
    /// What people ask to have remembered has a place of its own.
    #[error("what the person asks to have remembered is not kept as an item")]
    Remembered,
    /// Too many bytes.
    #[error("an item has at most {ITEM_BYTES_MAX} bytes; keep it in several")]
    TooLarge,
    /// Too many items.
    #[error("{ITEMS_MAX} items are kept of this person; delete some first")]
    TooMany,
    /// Too many bytes of items.
    #[error("{PERSON_BYTES_MAX} bytes are kept of this person; delete some first")]
    TooMuch,
    /// A text beside the content that is too long, or none where there must be one.
    #[error("{0}: give 1 to {WORDS_MAX} bytes without control characters")]
    Words(&'static str),
    /// It is said to be from the future.
    #[error("collected_at: that moment has not come")]
    Future,
    /// The category consists of attributes, and it is neither JSON with them nor said to be one.
    #[error("category {0} consists of attributes: give a JSON object with them, or say which of them it is")]
    NoAttributes(Category),
    /// The category declares no such attribute.
    #[error("category {0} declares no such attribute: the policy lists those that it has under attrs")]
    Attribute(Category),
    /// It is said to be JSON, and what the policy takes out of texts could not be found in it.
    #[error("it is said to be JSON and is not: what the policy takes out of texts could not be found in it")]
    NotJson,
    /// A secret in clear.
    #[error("a password is kept as what checks it (a PHC string of argon2, scrypt, bcrypt or pbkdf2), never in clear")]
    InClear,
    /// Nobody said who is seen or heard.
    #[error("category {0} is of whoever is seen or heard: say whose it is, and that they agreed")]
    WhoseIsIt(Category),
    /// The person who is seen or heard is not one of the same integrator's.
    #[error("whoever is seen or heard must be a person of the same tenant")]
    OtherTenant,
    /// What it is said to be made from is not there, or too much.
    #[error("derived_from: name up to {SOURCES_MAX} items that are kept of the person")]
    NoSuchSource,
    /// It was made from what shows somebody, and does not say that it does.
    #[error("it is made from what shows somebody else: say that it is of them")]
    Lineage,
    /// Nobody said from whom it comes.
    #[error("category {0} comes from others: name the party, by what right it was handed on, and what shows that")]
    NoParty(Category),
    /// Nobody whom the policy knows.
    #[error("{0} is no active processor of the policy; what is handed on comes from those only")]
    UnknownParty(ProcessorId),
    /// The policy would have ended it by now.
    #[error("its time is over: the policy keeps no {0} that was collected that long ago")]
    Over(Category),
    /// A legal hold keeps what was to be erased.
    #[error("a legal hold keeps what was to be erased of that category; nothing is added to it")]
    Held,
}

impl From<sayso_store::Error> for NotKept {
    fn from(error: sayso_store::Error) -> Self {
        Self::Register(error.into())
    }
}

impl From<sayso_vault::Error> for NotKept {
    fn from(error: sayso_vault::Error) -> Self {
        Self::Register(error.into())
    }
}

impl NotKept {
    /// A short, fixed word for metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Policy(reason) => reason.as_str(),
            Self::Register(error) => error.code(),
            Self::Remembered => "remembered",
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
            Self::TooMuch => "too_much",
            Self::Words(_) => "words",
            Self::Future => "future",
            Self::NoAttributes(_) => "no_attributes",
            Self::Attribute(_) => "attribute",
            Self::NotJson => "not_json",
            Self::InClear => "in_clear",
            Self::WhoseIsIt(_) => "whose_is_it",
            Self::OtherTenant => "other_tenant",
            Self::NoSuchSource => "no_such_source",
            Self::Lineage => "lineage",
            Self::NoParty(_) => "no_party",
            Self::UnknownParty(_) => "unknown_party",
            Self::Over(_) => "over",
            Self::Held => "held",
        }
    }
}
