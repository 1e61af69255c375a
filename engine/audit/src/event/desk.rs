//! [`DeskEvent`]: what happens at the desks where people decide on disclosures, on looking at content, on complaints and on
//! what an erasure does not reach. Some of these events have a name that others have, too, and other fields: no gate opens and
//! no processor receives anything.

use sayso_types::{Category, Name, WallTime};

use super::Reference;
use crate::merkle::Hash;
use crate::tag::ActorTag;

/// Something that happened at a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskEvent {
    /// `exemption.granted`: people approved that what is stored of a category is given to whoever demands it by law. One leaf
    /// for each category of each person.
    DisclosureGranted {
        /// The grant: its ground, such as `x08`, then `-` and digits.
        grant: Name,
        /// What may be given.
        category: Category,
        /// The first moment at which it no longer counts.
        until: WallTime,
        /// SHA-256 of the document that demands it.
        evidence: Hash,
        /// SHA-256 of the public key that it is encrypted to.
        recipient: Hash,
        /// Who approved it.
        approvers: Vec<ActorTag>,
    },
    /// `exemption.granted`: people approved that one of the operator's people reads what is kept of a category of a person. One
    /// leaf for each category.
    ReadingGranted {
        /// The grant: its ground, such as `x07`, then `-` and digits.
        grant: Name,
        /// What may be read.
        category: Category,
        /// The first moment at which it no longer counts.
        until: WallTime,
        /// SHA-256 of what it was approved on.
        evidence: Hash,
        /// SHA-256 of the ticket, which says why.
        ticket: Hash,
        /// Who may read it, and nobody else.
        reader: ActorTag,
        /// Who approved it.
        approvers: Vec<ActorTag>,
    },
    /// `operator.access`: somebody of the operator's reads what is kept of a category of a person.
    ContentRead {
        /// What this is called. Categories that are read at once share it.
        access: Reference,
        /// By which call, such as `kept.get`.
        what: Name,
        /// What is read.
        category: Category,
        /// How many records.
        rows: u64,
        /// SHA-256 of the ticket of the grant that it rests on, which the leaf before it names; [`None`] for what is no content.
        ticket: Option<Hash>,
    },
    /// `gate.permitted_by_exemption`: what is stored of a category is put together to be given away, or is about to be read.
    DisclosurePermitted {
        /// The disclosure, or the access.
        disclosure: Reference,
        /// The gate that it passes: `access`.
        gate: Name,
        /// What is given.
        category: Category,
        /// The grant that it rests on.
        grant: Name,
    },
    /// `export.created`: it was put together and encrypted, and is about to be handed out.
    DisclosureCreated {
        /// The disclosure.
        disclosure: Reference,
        /// How many records of the person it holds.
        rows: u64,
        /// Bytes of the encrypted file.
        bytes: u64,
        /// SHA-256 of the encrypted file.
        file: Hash,
    },
    /// `operator.denied`: somebody of the operator's asked for what they may not have. Nothing was given.
    OperatorDenied {
        /// What this refusal is called.
        ticket: Reference,
        /// At which gate.
        gate: Name,
        /// Why, such as `not_live`.
        reason: Name,
    },
    /// `complaint.received` and what follows it: what became of a complaint.
    Complaint {
        /// The complaint.
        complaint: Reference,
        /// What happened.
        step: ComplaintStep,
        /// Who complained: `person` or `tenant`; of an answer, what it was.
        detail: Name,
        /// SHA-256 of the complaint, or of its answer.
        document: Hash,
        /// SHA-256 of what came with it, if something did.
        evidence: Option<Hash>,
    },
    /// `erase.residual_approved`: somebody of the operator's has looked at something that an erasure does not reach, and
    /// answers for it that it remains.
    ResidualApproved {
        /// The erasure.
        erasure: Reference,
        /// SHA-256 of its certificate, which says what remains.
        certificate: Hash,
        /// What remains: a processor, or `key_backups`, `store_logs`, `evidence`, `device` or `people`.
        residual: Name,
        /// Why that is so, such as `receiver_dissolved`.
        reason: Name,
    },
}

/// What happens to a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComplaintStep {
    /// It came in.
    Received,
    /// It was answered.
    Answered,
    /// The day by which it should have been answered has passed.
    Overdue,
}

impl ComplaintStep {
    /// Every step.
    pub const ALL: [Self; 3] = [Self::Received, Self::Answered, Self::Overdue];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "complaint.received",
            Self::Answered => "complaint.answered",
            Self::Overdue => "complaint.overdue",
        }
    }
}

impl DeskEvent {
    /// Its name in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DisclosureGranted { .. } | Self::ReadingGranted { .. } => "exemption.granted",
            Self::ContentRead { .. } => "operator.access",
            Self::DisclosurePermitted { .. } => "gate.permitted_by_exemption",
            Self::DisclosureCreated { .. } => "export.created",
            Self::OperatorDenied { .. } => "operator.denied",
            Self::Complaint { step, .. } => step.name(),
            Self::ResidualApproved { .. } => "erase.residual_approved",
        }
    }
}
