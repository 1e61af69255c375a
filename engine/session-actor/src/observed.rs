//! What operators may see of a session: nothing that was said.

use core::time::Duration;

use sayso_session::{Observed, Stage};
use sayso_types::{DeviceId, SessionId, SubjectId, TenantId, WallTime};

/// A session as it stands.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which.
    pub session: SessionId,
    /// Whose device.
    pub tenant: TenantId,
    /// Which device.
    pub device: DeviceId,
    /// Whose data.
    pub subject: SubjectId,
    /// What the device says it runs.
    pub firmware: String,
    /// Whether the device is connected.
    pub connected: bool,
    /// Whether it is awake, with an actor of its own.
    pub awake: bool,
    /// When it began.
    pub opened: WallTime,
    /// When something last happened.
    pub active: WallTime,
    /// What its conversation is doing.
    pub conversation: Observed,
    /// Turns that were answered, interrupted and failed.
    pub turns: Turns,
    /// How long the stages of the latest turn took.
    pub stages: Vec<(Stage, Duration)>,
    /// Packets of sound that came, that never came, and that came faster than they could be handled.
    pub packets: Packets,
}

/// How turns of the conversation ended, and how many prompts could not be spoken (they count as failed).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// With an answer.
    pub answered: u64,
    /// By the person, or a change of consent.
    pub interrupted: u64,
    /// Without an answer.
    pub failed: u64,
}

/// What became of the device's packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packets {
    /// Came.
    pub received: u64,
    /// Never came.
    pub lost: u64,
    /// Came, and were dropped because the session lagged.
    pub dropped: u64,
}

/// What happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It began.
    Opened,
    /// It changed.
    Updated,
    /// It is gone.
    Closed,
}
