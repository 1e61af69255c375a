//! What is kept of people.

use sayso_audit::Reference;
use sayso_store::{Schema, key};
use sayso_types::SubjectId;

key! {
    /// Something that is kept of a subject: its head.
    pub(crate) struct KeptKey in "kept" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) item: Vec<u8>,
    }
}

impl KeptKey {
    pub(crate) fn of(subject: SubjectId, item: Reference) -> Self {
        Self { subject, item: item.0.to_vec() }
    }
}

key! {
    /// A part of something that is kept of a subject, sealed.
    pub(crate) struct KeptPartKey in "kept_part" {
        /// Whose.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) item: Vec<u8>,
        /// Which part; 0 says what it is.
        pub(crate) part: u32,
    }
}

impl KeptPartKey {
    pub(crate) fn of(subject: SubjectId, item: Reference, part: u32) -> Self {
        Self { subject, item: item.0.to_vec(), part }
    }
}

key! {
    /// That somebody is seen or heard in what is kept of another.
    pub(crate) struct KeptOfKey in "kept_of" {
        /// Who is seen or heard.
        pub(crate) of: SubjectId,
        /// Of whom it is kept.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) item: Vec<u8>,
    }
}

impl KeptOfKey {
    pub(crate) fn of(of: SubjectId, subject: SubjectId, item: Reference) -> Self {
        Self { of, subject, item: item.0.to_vec() }
    }
}

key! {
    /// That the parts of an item are to be deleted: its head is gone.
    pub(crate) struct KeptGoneKey in "kept_gone" {
        /// Whose it was.
        pub(crate) subject: SubjectId,
        /// Its id.
        pub(crate) item: Vec<u8>,
    }
}

impl KeptGoneKey {
    pub(crate) fn of(subject: SubjectId, item: Reference) -> Self {
        Self { subject, item: item.0.to_vec() }
    }
}

/// From version 2 on it says when its device was unbound: a program that does not know that would lose it.
pub(crate) const KEPT: Schema = Schema::new("kept", 1, 2);
pub(crate) const KEPT_PART: Schema = Schema::new("kept_part", 1, 1);
/// Its rows are empty.
pub(crate) const KEPT_OF: Schema = Schema::new("kept_of", 1, 1);
/// How many parts there are, in four bytes big-endian.
pub(crate) const KEPT_GONE: Schema = Schema::new("kept_gone", 1, 1);
