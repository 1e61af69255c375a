//! [`Place`]: where a device and its session meet, whichever of them is there.

use core::time::Duration;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ractor::ActorRef;
use sayso_session::{DeviceOutlet, Observed, Session, Stage};
use sayso_types::{DeviceId, SessionId, SubjectId, TenantId, WallTime};
use sayso_wire::{AudioFormat, AudioPacket, Goodbye, ResumeToken, ToDevice};

use crate::actor::Message;
use crate::observed::{Packets, Snapshot, Turns};
use crate::ring::Ring;

/// The session's half: an actor while it is awake, the bare conversation while it sleeps.
pub(crate) enum Life {
    Awake(ActorRef<Message>),
    /// Boxed, so that a place is small while its session is awake.
    Asleep(Box<Session>),
    /// The actor is starting or stopping; it holds the conversation.
    Between,
}

/// The device's half.
struct Connection {
    generation: u64,
    outlet: Arc<dyn DeviceOutlet>,
}

/// What stays the same for the life of a session.
pub(crate) struct Identity {
    pub(crate) session: SessionId,
    pub(crate) resume: ResumeToken,
    pub(crate) tenant: TenantId,
    pub(crate) device: DeviceId,
    pub(crate) subject: SubjectId,
    pub(crate) firmware: String,
    pub(crate) language: String,
    pub(crate) downlink: AudioFormat,
    pub(crate) opened: WallTime,
}

pub(crate) struct Place {
    pub(crate) identity: Identity,
    pub(crate) ring: Ring,
    /// Control messages in the mailbox.
    pub(crate) control_waiting: AtomicUsize,
    pub(crate) active: AtomicU64,
    life: Mutex<Life>,
    connection: Mutex<Option<Connection>>,
    seen: Mutex<Seen>,
}

/// What was last seen of the conversation.
pub(crate) struct Seen {
    pub(crate) conversation: Observed,
    pub(crate) turns: Turns,
    pub(crate) stages: Vec<(Stage, Duration)>,
    pub(crate) lost: u64,
}

impl Place {
    pub(crate) fn new(identity: Identity, session: Session) -> Self {
        let seen =
            Seen { conversation: session.observe(), turns: Turns::default(), stages: Vec::new(), lost: 0 };
        Self {
            active: AtomicU64::new(identity.opened.0),
            identity,
            ring: Ring::default(),
            control_waiting: AtomicUsize::new(0),
            life: Mutex::new(Life::Asleep(Box::new(session))),
            connection: Mutex::default(),
            seen: Mutex::new(seen),
        }
    }

    pub(crate) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts to the actor, if the session is awake.
    pub(crate) fn post(&self, message: Message) -> Result<(), Message> {
        match &*self.life() {
            Life::Awake(actor) => actor.cast(message).map_err(|e| match e {
                ractor::MessagingErr::SendErr(message) => message,
                _ => Message::Audio,
            }),
            Life::Asleep(_) | Life::Between => Err(message),
        }
    }

    /// Puts a new connection in place of an earlier one, which is told so. The newest wins.
    pub(crate) fn connect(&self, generation: u64, outlet: Arc<dyn DeviceOutlet>, replaced: Goodbye) {
        let earlier = self.connection().replace(Connection { generation, outlet });
        if let Some(earlier) = earlier {
            earlier.outlet.close(replaced);
        }
    }

    /// Removes the connection, if it is still that one.
    pub(crate) fn disconnect(&self, generation: u64) -> bool {
        let mut connection = self.connection();
        let current = connection.as_ref().is_some_and(|c| c.generation == generation);
        if current {
            *connection = None;
        }
        current
    }

    /// Whether this connection is the current one.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.connection().as_ref().is_some_and(|c| c.generation == generation)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection().is_some()
    }

    /// Tells the device. A device that does not take its messages is disconnected.
    pub(crate) fn tell(&self, message: ToDevice) {
        let mut connection = self.connection();
        if connection.as_ref().is_some_and(|c| c.outlet.control(message).is_err()) {
            metrics::counter!("sayso_session_outlets_full_total").increment(1);
            *connection = None;
        }
    }

    /// Sends the device a packet; what does not fit is lost, as on the air.
    pub(crate) fn send(&self, packet: AudioPacket) {
        let connection = self.connection().as_ref().map(|c| Arc::clone(&c.outlet));
        if connection.is_some_and(|outlet| outlet.audio(packet).is_err()) {
            metrics::counter!("sayso_session_packets_unsent_total").increment(1);
        }
    }

    /// Ends the connection.
    pub(crate) fn close(&self, goodbye: Goodbye) {
        if let Some(connection) = self.connection().take() {
            connection.outlet.close(goodbye);
        }
    }

    /// Notes how the conversation stands.
    pub(crate) fn see(&self, seen: Seen, now: WallTime) {
        self.active.store(now.0, Ordering::Relaxed);
        *self.seen() = seen;
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let (received, dropped) = self.ring.counts();
        let identity = &self.identity;
        let seen = self.seen();
        Snapshot {
            session: identity.session,
            tenant: identity.tenant.clone(),
            device: identity.device.clone(),
            subject: identity.subject,
            firmware: identity.firmware.clone(),
            connected: self.is_connected(),
            awake: matches!(&*self.life(), Life::Awake(_)),
            opened: identity.opened,
            active: WallTime(self.active.load(Ordering::Relaxed)),
            conversation: seen.conversation.clone(),
            turns: seen.turns,
            stages: seen.stages.clone(),
            packets: Packets { received, lost: seen.lost, dropped },
        }
    }

    fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
