//! [`FlowEvent`]: what is told of data that has left, besides the segments in which it did.

use sayso_types::{Cell, Name, ProcessorId};

use super::Reference;
use crate::merkle::Hash;

/// Something that happened to data that left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowEvent {
    /// `transfer.cross_border`: for the first time in a calendar year something of a person is about to go overseas to a
    /// processor, or something sensitive.
    CrossBorder {
        /// The segment in which it goes.
        segment: Reference,
        /// What data.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
        /// `counted`; `near_limit` from nine tenths of the people on whom the means covers.
        how: Name,
        /// How many people's data has gone overseas in that year by then.
        persons: u64,
        /// Of how many of them it was sensitive.
        sensitive: u64,
    },
    /// `processor.deletion_requested`: a receiver is about to be told to delete what it has of a person.
    DeletionRequested {
        /// The erasure.
        erasure: Reference,
        /// Who.
        processor: ProcessorId,
    },
    /// `processor.deletion_confirmed`: it says that it has deleted it.
    DeletionConfirmed {
        /// The erasure.
        erasure: Reference,
        /// Who.
        processor: ProcessorId,
        /// SHA-256 of its answer.
        answer: Hash,
    },
    /// `rectify.propagated`: a receiver was told what was put right, and has taken it or deleted what it had.
    RectifyPropagated {
        /// The request.
        request: Reference,
        /// Who.
        processor: ProcessorId,
        /// SHA-256 of its answer.
        answer: Hash,
    },
}

impl FlowEvent {
    /// Its name in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CrossBorder { .. } => "transfer.cross_border",
            Self::DeletionRequested { .. } => "processor.deletion_requested",
            Self::DeletionConfirmed { .. } => "processor.deletion_confirmed",
            Self::RectifyPropagated { .. } => "rectify.propagated",
        }
    }
}
