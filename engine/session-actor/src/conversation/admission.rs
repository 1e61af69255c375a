//! [`Admission`]: the right to listen. Without it nothing that a device sends is decoded, or looked through for speech.
//!
//! It is asked for when listening begins, for what is listened for (an answer, a conversation), and kept until that is over. What
//! comes meanwhile waits in front of the gate. When it is taken back, what was heard by it and not recognised yet is dropped, and
//! then the right itself, which is what a withdrawal waits for. It is asked for anew then, so that it is on record why nobody
//! listens, and the device is told.

use std::sync::Arc;

use sayso_consent::{Lease, Lineage};
use sayso_policy::{ConsentState, Labelled, Refused, Weigh};
use sayso_runtime::{TaskHandle, TaskKind};
use sayso_session::Event;
use sayso_types::{ConsentVersion, Label, Purpose, TurnId};
use sayso_wire::AudioPacket;

use super::Conversation;
use crate::actor::Message;

/// Why an utterance was cut off, as its device is told: the right to listen lapsed in its midst, though it could be had again.
const LAPSED: &str = "refused";

/// The right to listen for a purpose, or the wish to have it.
pub(super) struct Admission {
    number: u64,
    purpose: Purpose,
    state: State,
    /// Asks, and then waits until it is taken back.
    _asking: TaskHandle,
}

enum State {
    /// It is asked for.
    Asked {
        /// The utterance that was cut off when the right before it was lost.
        cut: Option<TurnId>,
        /// Whoever pushes to talk has let go already.
        ends: bool,
    },
    /// It is there.
    Given(Lease),
}

/// What is said of the right to listen.
pub(crate) enum Word {
    Given(Lease),
    /// Nobody gives it, for this reason, to somebody who stands like this, if that is known.
    Denied(&'static str, Option<Box<ConsentState>>),
    TakenBack,
}

/// The right to listen to what is said under a version of the person's consent.
pub(super) struct Right<'a> {
    lease: &'a Lease,
    cv: ConsentVersion,
}

/// Sound as a device sends it.
struct Sound<'a>(&'a AudioPacket);

impl Weigh for Sound<'_> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(&self.0.opus);
    }
}

impl Right<'_> {
    /// Has `packet` listened to, unless the right was taken back.
    pub(super) fn pass<R>(&self, packet: &AudioPacket, listen: impl FnOnce(&AudioPacket) -> R) -> Result<R, Refused> {
        let terms = self.lease.permit().terms();
        let label = Label {
            subject: terms.subject,
            category: terms.cell.category,
            purpose: terms.cell.purpose,
            turn: TurnId::default(),
            cv: self.cv,
        };
        self.lease.permit().pass(Labelled::new(label, Sound(packet)), |Sound(packet)| listen(packet))
    }

    /// Has what was let in before listened to, unless the right was taken back.
    pub(super) fn guard<R>(&self, listen: impl FnOnce() -> R) -> Result<R, Refused> {
        self.lease.permit().guard(listen)
    }
}

impl Admission {
    /// The right, if it is there, to what is said under version `cv` of the consent.
    pub(super) const fn right(&self, cv: ConsentVersion) -> Option<Right<'_>> {
        match &self.state {
            State::Given(lease) => Some(Right { lease, cv }),
            State::Asked { .. } => None,
        }
    }
}

impl Conversation {
    /// Asks for the right where sound is wanted, and gives back what is wanted for something else by now, or not at all.
    pub(super) fn settle_admission(&mut self) {
        let wanted = self.session.listens_for();
        if self.admission.as_ref().is_some_and(|admission| wanted != Some(admission.purpose)) {
            // what was heard for one purpose is not listened to for another
            self.hearing.begin_anew();
            self.admission = None;
        }
        if let Some(purpose) = wanted.filter(|_| self.admission.is_none() && self.hearing.listens()) {
            self.ask_to_listen(purpose, None);
        }
    }

    /// Whether it is not known yet if what comes may be listened to.
    pub(super) fn is_asking(&self) -> bool {
        let is_asked = |admission: &Admission| matches!(admission.state, State::Asked { .. });
        self.hearing.listens() && self.admission.as_ref().is_some_and(is_asked)
    }

    /// Whoever pushes to talk lets go. Whether that is heeded once it is known if they may be listened to.
    pub(super) fn ends_when_admitted(&mut self) -> bool {
        let is_pushed = self.hearing.is_pushed();
        match &mut self.admission {
            Some(Admission { state: State::Asked { ends, .. }, .. }) if is_pushed => {
                *ends = true;
                true
            }
            _ => false,
        }
    }

    /// The device begins again to send, before it was known whether it may be listened to.
    pub(super) fn begin_again(&mut self) {
        if let Some(Admission { state: State::Asked { ends, .. }, .. }) = &mut self.admission {
            *ends = false;
        }
    }

    pub(super) fn admission_said(&mut self, number: u64, word: Word) {
        // of one that is not wanted any more
        let Some(admission) = self.admission.as_mut().filter(|admission| admission.number == number) else { return };
        match word {
            Word::Given(lease) => {
                let before = core::mem::replace(&mut admission.state, State::Given(lease));
                let State::Asked { cut, ends } = before else { return };
                if let Some(turn) = cut {
                    self.run(Event::Transcribed(turn, Err(LAPSED)));
                }
                self.hear();
                if ends {
                    self.run(Event::ListenStop);
                }
            }
            Word::Denied(code, consent) => {
                // Who has withdrawn is told so, and not that something failed.
                if let Some(state) = consent {
                    self.consent_changes(*state);
                }
                if self.admission.as_ref().is_none_or(|admission| admission.number != number) {
                    return;
                }
                metrics::counter!("sayso_session_not_listened_total", "reason" => code).increment(1);
                // it is asked for again when listening begins again
                self.admission = None;
                if self.hearing.listens() {
                    self.run(Event::NotListened(code));
                }
            }
            Word::TakenBack => self.deafen(),
        }
    }

    /// The right to listen is gone.
    pub(super) fn deafen(&mut self) {
        let Some(Admission { purpose, state: State::Given(_), .. }) = self.admission else { return };
        let cut = self.hearing.begin_anew();
        if cut.is_some() {
            self.transcription = None;
        }
        self.place().ring.clear();
        self.admission = None;
        if self.hearing.listens() {
            self.ask_to_listen(purpose, cut);
        }
    }

    fn ask_to_listen(&mut self, purpose: Purpose, cut: Option<TurnId>) {
        self.admissions += 1;
        let number = self.admissions;
        let (services, actor) = (Arc::clone(&self.services), self.actor.clone());
        // it is for all that is listened to, whatever turns that makes
        let context = self.context_of(TurnId::default(), purpose, Lineage::default());
        let asking = async move {
            // a session that is gone needs it no more
            match services.egress.listen(&context).await {
                Ok(lease) => {
                    let taken_back = lease.revocation();
                    if actor.cast(Message::Admission(number, Word::Given(lease))).is_ok() {
                        taken_back.cancelled().await;
                        let _ = actor.cast(Message::Admission(number, Word::TakenBack));
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "nobody may listen");
                    let consent = services.register.state(context.subject).await.ok().map(Box::new);
                    let _ = actor.cast(Message::Admission(number, Word::Denied(error.code(), consent)));
                }
            }
        };
        let asking = self.services.tasks.spawn(TaskKind::Call, "listening", asking);
        self.admission = Some(Admission { number, purpose, state: State::Asked { cut, ends: false }, _asking: asking });
    }
}
