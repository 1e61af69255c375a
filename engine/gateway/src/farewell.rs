//! [`Farewell`]: the last words to a device, so that it, or its maker, knows what to do next.

use std::time::Duration;

use sayso_session::Refusal;
use sayso_types::TurnId;
use sayso_wire::{Goodbye, GoodbyeReason, ToDevice};

use crate::identity::Unproved;
use crate::metrics;

/// When a device that was refused for want of room, or by a fault of the node, may come again: long enough to make
/// a difference, short enough for the person in front of it.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// What a device is told when its connection ends: what went wrong, if something did, and goodbye.
#[derive(Debug)]
pub(crate) struct Farewell {
    pub(crate) error: Option<Box<ToDevice>>,
    pub(crate) goodbye: Goodbye,
}

impl Farewell {
    /// Without an error.
    pub(crate) fn goodbye(goodbye: Goodbye) -> Self {
        Self { error: None, goodbye }
    }

    /// The device leaves by itself.
    pub(crate) fn done() -> Self {
        Self::new(None, GoodbyeReason::Done, "", None)
    }

    /// The node leaves.
    pub(crate) fn shutting_down(reconnect_in: Duration) -> Self {
        Self::new(None, GoodbyeReason::ShuttingDown, "the node is shutting down", Some(reconnect_in))
    }

    /// The device does not speak the protocol.
    pub(crate) fn protocol(error: &sayso_wire::Error) -> Self {
        let reason = match error {
            sayso_wire::Error::NoCommonVersion { .. } => GoodbyeReason::Version,
            _ => GoodbyeReason::Protocol,
        };
        metrics::error_told(error.code());
        Self::new(Some(error.report()), reason, "the connection cannot go on after this error", None)
    }

    /// The device says something else than a hello first.
    pub(crate) fn hello_expected() -> Self {
        let error = report("hello_expected", "the first message is not a hello", "send a Hello first");
        Self::new(Some(error), GoodbyeReason::Protocol, "no hello came", None)
    }

    /// The device says nothing.
    pub(crate) fn hello_timeout() -> Self {
        let error = report("hello_timeout", "no hello came in time", "send a Hello as soon as the connection is open");
        Self::new(Some(error), GoodbyeReason::Protocol, "no hello came", Some(COME_AGAIN))
    }

    /// The device has not proved who it is.
    pub(crate) fn unauthenticated(why: &Unproved) -> Self {
        let error = report("unauthenticated", why.to_string(), why.remedy());
        Self::new(Some(error), GoodbyeReason::Unauthenticated, "the device has not proved who it is", None)
    }

    /// The device gets no session.
    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let (code, reason, remedy) = match refusal {
            Refusal::OverLimit { .. } => ("over_limit", GoodbyeReason::OverLimit, "connect again later"),
            Refusal::ShuttingDown => ("shutting_down", GoodbyeReason::ShuttingDown, "connect again"),
            Refusal::ServiceEnded => {
                ("service_ended", GoodbyeReason::ShuttingDown, "tell the person; do not connect again")
            }
            Refusal::Register(_) => ("register_unavailable", GoodbyeReason::Internal, "connect again later"),
        };
        // what is wrong with the register is for the operator, and may say more than a device should know
        let text = match refusal {
            Refusal::Register(_) => "the consent register cannot be read, and without it nothing may flow".to_owned(),
            Refusal::OverLimit { .. } | Refusal::ShuttingDown | Refusal::ServiceEnded => refusal.to_string(),
        };
        Self::new(Some(report(code, text, remedy)), reason, "the node has no session for the device", Some(COME_AGAIN))
    }

    /// The conversation is gone, through no fault of the device.
    pub(crate) fn internal(text: &'static str) -> Self {
        let error = report("internal", text, "connect again; if it stays so, tell the operator");
        Self::new(Some(error), GoodbyeReason::Internal, text, Some(COME_AGAIN))
    }

    fn new(error: Option<ToDevice>, reason: GoodbyeReason, text: &'static str, reconnect_in: Option<Duration>) -> Self {
        Self { error: error.map(Box::new), goodbye: Goodbye { reason, text: text.to_owned(), reconnect_in } }
    }
}

/// An error as the device is told it.
pub(crate) fn report(code: &'static str, text: impl Into<String>, remedy: &'static str) -> ToDevice {
    metrics::error_told(code);
    ToDevice::Error { code: code.to_owned(), text: text.into(), remedy: remedy.to_owned(), turn: TurnId::default() }
}
