//! [`MinorEvent`]: what happens where a person is a child.

use sayso_types::Name;

use super::Reference;
use crate::tag::Commitment;

/// What happens where a person is a child, or turns out to be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinorEvent {
    /// `guardian.requested`: somebody is to answer for the person.
    GuardianRequested {
        /// They.
        guardian: Reference,
        /// How they are to be verified, as the policy calls it.
        method: Name,
    },
    /// `guardian.verified`: they are the guardian, and agree.
    GuardianVerified {
        /// They.
        guardian: Reference,
        /// How they were verified.
        method: Name,
        /// To what shows it.
        evidence: Commitment,
    },
    /// `guardian.failed`: they are not the guardian, or do not agree, or not any more.
    GuardianFailed {
        /// They.
        guardian: Reference,
        /// How they were to be verified.
        method: Name,
    },
    /// `minor.detected`: the person is a child of whom no guardian is verified. From here on nothing of theirs is processed,
    /// and what there is of it is erased.
    Detected {
        /// What the other leaves call it.
        detected: Reference,
        /// To what shows their age.
        evidence: Commitment,
    },
    /// `minor.cleared`: the person needs no guardian: their age was put right, or they have grown up.
    Cleared {
        /// What had been found.
        detected: Reference,
        /// To what shows their age.
        evidence: Commitment,
    },
    /// `minor.data_erased`: what was collected of them is erased.
    DataErased {
        /// What had been found.
        detected: Reference,
    },
}

impl MinorEvent {
    /// Its name in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::GuardianRequested { .. } => "guardian.requested",
            Self::GuardianVerified { .. } => "guardian.verified",
            Self::GuardianFailed { .. } => "guardian.failed",
            Self::Detected { .. } => "minor.detected",
            Self::Cleared { .. } => "minor.cleared",
            Self::DataErased { .. } => "minor.data_erased",
        }
    }
}
