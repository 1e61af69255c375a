//! What happens to an incident, and what becomes of the processors that it comes from.

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
}

impl ProcessorChange {
    /// Every change.
    pub const ALL: [Self; 4] = [Self::Activated, Self::Suspended, Self::Terminated, Self::DueDiligenceExpired];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activated => "processor.activated",
            Self::Suspended => "processor.suspended",
            Self::Terminated => "processor.terminated",
            Self::DueDiligenceExpired => "processor.due_diligence_expired",
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
