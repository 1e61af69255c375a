//! What happens to what people deal with step by step: each step is an event of its own in the log.

use sayso_types::{Category, Name};

use super::Reference;
use crate::merkle::Hash;

/// What becomes of a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessorChange {
    /// It has again what the profile gives it.
    Activated,
    /// Nothing goes there for the time being.
    Suspended,
    /// Nothing goes there again.
    Terminated,
    /// Nothing goes there until somebody has looked at it anew.
    DueDiligenceExpired,
    /// Nothing about anybody goes there before the next year, or by another means: as many people's data went there as may.
    TransferLimitReached,
}

impl ProcessorChange {
    /// Every change.
    pub const ALL: [Self; 5] =
        [Self::Activated, Self::Suspended, Self::Terminated, Self::DueDiligenceExpired, Self::TransferLimitReached];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activated => "processor.activated",
            Self::Suspended => "processor.suspended",
            Self::Terminated => "processor.terminated",
            Self::DueDiligenceExpired => "processor.due_diligence_expired",
            Self::TransferLimitReached => "processor.transfer_limit_reached",
        }
    }
}

/// What happens to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentStep {
    /// It was found or reported.
    Opened,
    /// It is known what it concerns.
    Assessed,
    /// It spreads no further.
    Contained,
    /// The authority was told.
    RegulatorNotified,
    /// The people concerned are told.
    SubjectsNotified,
    /// Nothing is left to do.
    Closed,
    /// Somebody should have been told by now.
    Overdue,
}

impl IncidentStep {
    /// Every step.
    pub const ALL: [Self; 7] = [
        Self::Opened,
        Self::Assessed,
        Self::Contained,
        Self::RegulatorNotified,
        Self::SubjectsNotified,
        Self::Closed,
        Self::Overdue,
    ];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "incident.opened",
            Self::Assessed => "incident.assessed",
            Self::Contained => "incident.contained",
            Self::RegulatorNotified => "incident.regulator_notified",
            Self::SubjectsNotified => "incident.subjects_notified",
            Self::Closed => "incident.closed",
            Self::Overdue => "incident.overdue",
        }
    }
}

/// What happens to a notice to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeStep {
    /// It is on its way.
    Sent,
    /// The person has heard or received it.
    Delivered,
    /// It did not reach them this way.
    Failed,
}

impl NoticeStep {
    /// Every step.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Delivered, Self::Failed];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "notice.sent",
            Self::Delivered => "notice.delivered",
            Self::Failed => "notice.failed",
        }
    }
}

/// What happens to a person's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestStep {
    /// It came in.
    Received,
    /// The person has proved who they are.
    IdentityVerified,
    /// It will be done.
    Accepted,
    /// It will not be done.
    Rejected,
    /// The answer takes longer.
    Delayed,
    /// It is done.
    Fulfilled,
    /// The day by which it should have been answered has passed.
    Overdue,
    /// A part of what there was to do about it is done: it was passed on to the tenant, or taken back from them, or a limit holds.
    TaskDone,
}

impl RequestStep {
    /// What is [overdue](Self::Overdue) where nobody knows yet who asks; otherwise it is the answer.
    pub const IDENTITY: Name = Name::constant("identity");

    /// What a [task](Self::TaskDone) was: data about the person goes no further than their country from here on.
    pub const NEAR: Name = Name::constant("near");

    /// Every step.
    pub const ALL: [Self; 8] = [
        Self::Received,
        Self::IdentityVerified,
        Self::Accepted,
        Self::Rejected,
        Self::Delayed,
        Self::Fulfilled,
        Self::Overdue,
        Self::TaskDone,
    ];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "dsr.received",
            Self::IdentityVerified => "dsr.identity_verified",
            Self::Accepted => "dsr.accepted",
            Self::Rejected => "dsr.rejected",
            Self::Delayed => "dsr.delayed",
            Self::Fulfilled => "dsr.fulfilled",
            Self::Overdue => "dsr.overdue",
            Self::TaskDone => "dsr.task_done",
        }
    }
}

/// What becomes of data that is to lead to nobody when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnonymisedStep {
    /// A person was counted, in the batch in which their data ended.
    HandedOn,
    /// The counts of a month were released.
    Released,
    /// Too few people were alike in some of them: those were erased.
    TooFew,
}

impl AnonymisedStep {
    /// Every step.
    pub const ALL: [Self; 3] = [Self::HandedOn, Self::Released, Self::TooFew];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HandedOn | Self::Released => "store.anonymised",
            Self::TooFew => "store.erased",
        }
    }

    /// What the event says of it.
    #[must_use]
    pub const fn how(self) -> &'static str {
        ["handed_on", "released", "too_few"][self as usize]
    }
}

/// Something that happens to data that is to lead to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anonymised {
    /// The ending by which a person was counted; otherwise the release.
    pub ending: Reference,
    /// What it was.
    pub category: Category,
    /// What happened.
    pub step: AnonymisedStep,
    /// Of how many people; 0 where they were too few to say so.
    pub people: u64,
    /// SHA-256 of what was released, with the report of its test.
    pub report: Option<Hash>,
}
