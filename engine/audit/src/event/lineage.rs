//! [`LineageEvent`]: what is stored of a person, and from what it was made.

use sayso_types::{Cell, Name, ProcessorId};

use super::Reference;
use crate::merkle::Hash;

/// Something that came to be stored of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineageEvent {
    /// `store.written`: an item is kept of the person, sealed.
    Written {
        /// The item.
        item: Reference,
        /// The gate that it passed.
        gate: Name,
        /// What it is, and for what it is kept.
        cell: Cell,
        /// Where it is kept.
        processor: ProcessorId,
        /// How many bytes it has.
        bytes: u64,
    },
    /// `derive.created`: an item was made from another, and ends with it.
    Derived {
        /// The item.
        item: Reference,
        /// SHA-256 of the id of what it was made from.
        from: Hash,
    },
}

impl LineageEvent {
    /// Its name in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Written { .. } => "store.written",
            Self::Derived { .. } => "derive.created",
        }
    }
}
