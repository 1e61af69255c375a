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
    /// `permit.revoke_acked`: a service outside of the node, whose permit was taken back, says that it has let go. The closing of
    /// its segment follows.
    RevokeAcknowledged {
        /// The permit, which is its segment.
        permit: Reference,
        /// What might have passed.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
    },
    /// `permit.expired`: the permit of a service outside of the node has run out, and nothing was heard of it. The closing of its
    /// segment follows.
    PermitExpired {
        /// The permit, which is its segment.
        permit: Reference,
        /// What might have passed.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
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
            Self::RevokeAcknowledged { .. } => "permit.revoke_acked",
            Self::PermitExpired { .. } => "permit.expired",
            Self::DeletionRequested { .. } => "processor.deletion_requested",
            Self::DeletionConfirmed { .. } => "processor.deletion_confirmed",
            Self::RectifyPropagated { .. } => "rectify.propagated",
        }
    }
}
