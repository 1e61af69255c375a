//! [`Place`]: where a device and its session meet, whichever of them is there.

mod intake;
mod life;
mod link;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sayso_consent::visits::DeviceOf;
use sayso_policy::ConsentState;
use sayso_session::{Observed, Session, Stage};
use sayso_types::{ConsentVersion, DeviceId, SessionId, SubjectId, TenantId, TurnId, WallTime};
use sayso_wire::{AudioPacket, Goodbye, GoodbyeReason, ResumeToken, ToDevice};
use tokio::sync::Semaphore;

use self::intake::Intake;
use self::life::Life;
pub(crate) use self::life::{Asleep, Awake};
pub(crate) use self::link::{Link, Seated};
use crate::actor::Mail;
use crate::language::Language;
use crate::observed::{Packets, Snapshot, Turns};
use crate::options::{AFTER_FAILURE, CONTROL_WAITING_MAX};
use crate::ring::Ring;

/// What stays the same for the life of a session.
pub(crate) struct Identity {
    pub(crate) session: SessionId,
    pub(crate) resume: ResumeToken,
    pub(crate) tenant: TenantId,
    pub(crate) device: DeviceId,
    pub(crate) subject: SubjectId,
    /// Whether they are a guest at the device.
    pub(crate) is_guest: bool,
    pub(crate) language: Arc<Language>,
    pub(crate) opened: WallTime,
}

impl Identity {
    /// The device, and whose it is.
    pub(crate) fn device_of(&self) -> DeviceOf {
        (self.tenant.clone(), self.device.clone())
    }
}

pub(crate) struct Place {
    pub(crate) identity: Identity,
    /// What was read of the person at an earlier version than their consent names is out of date: see
    /// [`ConsentState::stale_before`].
    pub(crate) fresh_since: ConsentVersion,
    pub(crate) ring: Ring,
    /// Where a picture comes in.
    pub(crate) intake: Intake,
    /// Room for what the device says. Each message has its own until it is handled, and what is written for it is written.
    pub(crate) room: Arc<Semaphore>,
    /// Packets of the device that never came.
    pub(crate) packets_lost: AtomicU64,
    active: AtomicU64,
    life: Mutex<Life>,
    link: Mutex<Link>,
    seen: Mutex<Seen>,
}

/// What was last seen of the conversation.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) conversation: Observed,
    pub(crate) turns: Turns,
    /// How long the stages of the latest turn took.
    pub(crate) stages: Vec<(Stage, Duration)>,
}

impl Place {
    pub(crate) fn new(identity: Identity, link: Link, consent: ConsentState) -> Self {
        let (id, options) = (identity.session, Arc::clone(&identity.language.session));
        let session = if identity.is_guest { Session::of_guest(id, options) } else { Session::new(id, options) };
        let seen = Seen { conversation: session.observe(), turns: Turns::default(), stages: Vec::new() };
        Self {
            active: AtomicU64::new(identity.opened.0),
            fresh_since: consent.stale_before,
            identity,
            ring: Ring::default(),
            intake: Intake::default(),
            room: Arc::new(Semaphore::new(CONTROL_WAITING_MAX)),
            packets_lost: AtomicU64::new(0),
            life: Mutex::new(Life::Asleep(Box::new(Asleep { session, consent }))),
            link: Mutex::new(link),
            seen: Mutex::new(seen),
        }
    }

    /// The device's half.
    pub(crate) fn link(&self) -> MutexGuard<'_, Link> {
        lock(&self.link)
    }

    /// Posts to the session if it is awake.
    ///
    /// # Errors
    /// The mail, when the session sleeps.
    #[expect(clippy::result_large_err, reason = "what could not be posted goes back to be posted again")]
    pub(crate) fn post(&self, mail: Mail) -> Result<(), Mail> {
        lock(&self.life).post(mail)
    }

    /// Whether the session sleeps and knows already that its subject stands like this.
    pub(crate) fn sleeps_knowing(&self, state: &ConsentState) -> bool {
        lock(&self.life).sleeps_knowing(state)
    }

    /// Ends the session, whether it sleeps or is awake.
    pub(crate) fn end(&self) {
        lock(&self.life).end();
    }

    /// Tells the device. One that does not take its messages is disconnected.
    pub(crate) fn tell(&self, message: ToDevice) {
        let mut link = self.link();
        if link.tell(message).is_err() {
            metrics::counter!("sayso_session_outlets_full_total").increment(1);
            link.close(goodbye(GoodbyeReason::OverLimit, "messages for the device pile up", Some(AFTER_FAILURE)));
        }
    }

    /// Sends the device a packet of an answer; what does not fit is lost, as on the air.
    pub(crate) fn send(&self, packet: AudioPacket) {
        if self.link().send(packet).is_err() {
            metrics::counter!("sayso_session_packets_unsent_total").increment(1);
        }
    }

    /// When this returns, no further packet of `turn`, or of one before it, is sent.
    pub(crate) fn silence(&self, turn: TurnId) {
        self.link().silence(turn);
    }

    /// Ends the connection.
    pub(crate) fn close(&self, goodbye: Goodbye) {
        self.link().close(goodbye);
    }

    /// Notes how the conversation stands.
    pub(crate) fn see(&self, seen: Seen, now: WallTime) {
        self.active.store(now.0, Ordering::Relaxed);
        *lock(&self.seen) = seen;
    }

    /// What was last seen of the conversation.
    pub(crate) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let (received, dropped) = self.ring.counts();
        let (identity, Seen { conversation, turns, stages }) = (&self.identity, self.seen());
        let (connected, firmware) = {
            let link = self.link();
            (link.is_connected(), link.firmware.clone())
        };
        Snapshot {
            session: identity.session,
            tenant: identity.tenant.clone(),
            device: identity.device.clone(),
            subject: identity.subject,
            firmware,
            connected,
            awake: lock(&self.life).is_awake(),
            opened: identity.opened,
            active: WallTime(self.active.load(Ordering::Relaxed)),
            conversation,
            turns,
            stages,
            packets: Packets { received, lost: self.packets_lost.load(Ordering::Relaxed), dropped },
        }
    }
}

/// The last word to a device.
pub(crate) fn goodbye(reason: GoodbyeReason, text: &str, reconnect_in: Option<Duration>) -> Goodbye {
    Goodbye { reason, text: text.to_owned(), reconnect_in }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // An outlet may panic under it; what it guards is whole at every point all the same.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
