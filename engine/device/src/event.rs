//! [`DeviceEvent`]: what happens to a device.

use std::path::PathBuf;

use sayso_runtime::queue;
use sayso_types::TurnId;
use sayso_wire::{Goodbye, GoodbyeReason, ToDevice};

use crate::Error;

/// Events that wait to be read. Whoever leaves as many unread has stopped reading; the device then leaves too.
const EVENTS_MAX: usize = 1_024;

/// Something that a person, or the program in the place of one, may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceEvent {
    /// The node said this: everything but sound and goodbye.
    Node(ToDevice),
    /// The first sound of this answer was played.
    AudioStarted {
        /// The answer's turn.
        turn: TurnId,
    },
    /// An answer is over.
    Played(Played),
    /// The connection is over; nothing comes after this.
    Ended(Ended),
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The answer's turn.
    pub turn: TurnId,
    /// How much of it was played, in milliseconds.
    pub played_ms: u32,
    /// Packets that did not come, or came too late to be used.
    pub lost: u64,
    /// Packets that came too late.
    pub late: u64,
    /// Where the sound was saved, if it was.
    pub file: Option<PathBuf>,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The node said goodbye.
    Goodbye(Goodbye),
    /// The device did.
    Left(Goodbye),
    /// The connection broke off.
    Lost,
    /// The node sent what cannot be read.
    Protocol(sayso_wire::Error),
    /// The sound could not be played.
    Failed(String),
    /// Nobody read the events.
    Unread,
}

impl Ended {
    pub(crate) fn failed(error: Error) -> Self {
        Self::Failed(error.to_string())
    }

    /// The reason with which the device closes the connection then.
    pub(crate) const fn reason(&self) -> GoodbyeReason {
        match self {
            Self::Goodbye(goodbye) | Self::Left(goodbye) => goodbye.reason,
            Self::Lost => GoodbyeReason::Done,
            Self::Protocol(_) => GoodbyeReason::Protocol,
            Self::Failed(_) | Self::Unread => GoodbyeReason::Internal,
        }
    }
}

/// What happens to a device, in order.
#[derive(Debug)]
pub struct Events {
    queue: queue::Receiver<DeviceEvent>,
}

impl Events {
    pub(crate) fn queue() -> (queue::Sender<DeviceEvent>, Self) {
        let (sender, queue) = queue::bounded("device_events", EVENTS_MAX);
        (sender, Self { queue })
    }

    /// Waits for the next event; `None` after [`DeviceEvent::Ended`].
    pub async fn next(&mut self) -> Option<DeviceEvent> {
        self.queue.recv().await
    }
}
