//! [`ControlEvent`]: what those do who answer for the data: they end consent, and instruct what it is used for.

use sayso_types::{Category, Name, Part, ProcessorId, Purpose, WallTime};

use super::{Reference, Scope};
use crate::merkle::Hash;

/// Something that those do who answer for the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlEvent {
    /// `consent.revoked` and `consent.invalidated`: consent ends otherwise than by withdrawal; gates are closing. That they are
    /// closed is `withdraw.effective`.
    ConsentEnded {
        /// The ending, which goes the way of a withdrawal.
        withdrawal: Reference,
        /// Of what.
        scope: Scope,
        /// How it ends.
        ending: ConsentEnding,
        /// Why.
        reason: Name,
    },
    /// `processor.registered`: a profile that comes into force, by whose revision this is, has a processor that the one before did
    /// not have, or not so.
    ProcessorRegistered {
        /// Who.
        processor: ProcessorId,
        /// SHA-256 of its entry in the profile, as JSON in the order of the format's keys.
        entry: Hash,
    },
    /// `consent.part_given`: a person gives again what they took back, this part and all that is in it.
    PartGiven {
        /// The consent record by which they do.
        record: Reference,
        /// What they had taken back.
        part: Part,
    },
    /// `tenant.instructed`: from here on a tenant's people are served as it instructs. What it names follows, each in a leaf
    /// of its own by the same revision of the registry; before that, it is nothing.
    TenantInstructed {
        /// The instructions.
        instructions: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// SHA-256 of what the instructions are written down in.
        document: Hash,
        /// The first moment at which they no longer count.
        until: Option<WallTime>,
    },
    /// `tenant.attested`: the tenant has given its word on where data of its people comes from, and that it may pass it on.
    TenantAttested {
        /// The instructions that it gave it with.
        instructions: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// SHA-256 of what it is written down in.
        document: Hash,
    },
    /// `tenant.evidence_demanded`: a tenant is to show evidence; nothing of its people passes once it was due.
    TenantDemanded {
        /// The demand.
        demand: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// The first moment at which it is overdue.
        due: WallTime,
    },
    /// `tenant.evidence_accepted`: it has, and that was enough.
    TenantShown {
        /// The demand.
        demand: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// SHA-256 of what it showed.
        document: Hash,
    },
    /// `tenant.purpose_instructed` and `tenant.category_instructed`: what the instructions name.
    TenantInstructs {
        /// The instructions.
        instructions: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// What they name.
        what: Instructed,
    },
    /// `tenant.person_served`: a person, by their tag, is one of a tenant's that has given instructions.
    TenantServes {
        /// SHA-256 of the tenant's id.
        tenant: Hash,
    },
    /// `tenant.erasing`: a tenant is served no more, and everything of its people is being erased.
    TenantErasing {
        /// The instructions that have ended.
        instructions: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// Why: `term_over` or `instructed`.
        reason: Name,
    },
    /// `tenant.erased`: the last certificate of it is issued.
    TenantErased {
        /// The instructions that have ended.
        instructions: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// For how many people.
        people: u64,
    },
}

/// How consent ends otherwise than by withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsentEnding {
    /// Whoever answers for the data ends it.
    Revoked,
    /// It turned out not to have been valid.
    Invalidated,
}

impl ConsentEnding {
    /// Every ending.
    pub const ALL: [Self; 2] = [Self::Revoked, Self::Invalidated];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revoked => "consent.revoked",
            Self::Invalidated => "consent.invalidated",
        }
    }
}

/// What instructions name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instructed {
    /// What data is used for.
    Purpose(Purpose),
    /// Which data.
    Category(Category),
}

impl ControlEvent {
    /// Its name in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConsentEnded { ending, .. } => ending.name(),
            Self::TenantInstructed { .. } => "tenant.instructed",
            Self::TenantAttested { .. } => "tenant.attested",
            Self::TenantDemanded { .. } => "tenant.evidence_demanded",
            Self::TenantShown { .. } => "tenant.evidence_accepted",
            Self::TenantInstructs { what: Instructed::Purpose(_), .. } => "tenant.purpose_instructed",
            Self::TenantInstructs { what: Instructed::Category(_), .. } => "tenant.category_instructed",
            Self::TenantServes { .. } => "tenant.person_served",
            Self::ProcessorRegistered { .. } => "processor.registered",
            Self::PartGiven { .. } => "consent.part_given",
            Self::TenantErasing { .. } => "tenant.erasing",
            Self::TenantErased { .. } => "tenant.erased",
        }
    }
}
