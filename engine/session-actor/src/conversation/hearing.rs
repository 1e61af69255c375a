//! From packets to utterances.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::VecDeque;

use sayso_audio::{EndpointConfig, Mode, Recording};
use sayso_policy::Refused;
use sayso_runtime::{TaskHandle, TaskKind};
use sayso_session::{Capture, Event};
use sayso_types::{Category, Purpose, TurnId};
use sayso_wire::AudioPacket;
use zeroize::Zeroizing;

use super::Conversation;
use super::admission::Right;
use crate::actor::Message;
use crate::listening::{Listening, Mark, Marks, TICK_MS};
use crate::ring::wipe;
use crate::transcription::{self, Frames};

/// The way in: what is listened to, and what was heard.
#[derive(Default)]
pub(super) struct Hearing {
    /// The device's count of what it sends: packets of another count are stray.
    awaited: TurnId,
    listening: Option<Listening>,
    /// The utterance that has just begun, until the session says what for.
    begun: Option<Frames>,
    /// The turn of the utterance that is going on.
    turn: Option<TurnId>,
    /// Whether it is part of a conversation.
    converses: bool,
    /// The utterance that was heard last: its turn and its fingerprint.
    pub(super) heard: Option<(TurnId, [u8; 32])>,
    /// The sound of what was heard last, where it may be an answer that is kept as evidence.
    answer: Option<(TurnId, Recording)>,
    /// Room for packets.
    packets: VecDeque<AudioPacket>,
    /// Counts time while an utterance is going on.
    ticks: Option<TaskHandle>,
}

impl Hearing {
    /// The device begins to send what it counts as `turn`.
    pub(super) fn await_turn(&mut self, turn: TurnId) {
        self.awaited = turn;
    }

    /// What the device counts what it sends as.
    pub(super) const fn awaited(&self) -> TurnId {
        self.awaited
    }

    /// Listens anew like this. Codec state goes with what was listened to before.
    pub(super) fn listen(&mut self, capture: Capture, config: EndpointConfig, records: bool) {
        self.turn = None;
        self.ticks = None;
        self.listening = match capture {
            Capture::Off => None,
            Capture::Automatic => Some(Listening::new(config, Mode::Automatic, records)),
            Capture::PushToTalk => Some(Listening::new(config, Mode::Manual, records)),
        };
    }

    /// Whether sound is wanted.
    pub(super) const fn listens(&self) -> bool {
        self.listening.is_some()
    }

    /// Whether it is wanted until whoever pushes to talk lets go.
    pub(super) fn is_pushed(&self) -> bool {
        self.listening.as_ref().is_some_and(Listening::is_manual)
    }

    /// Listens anew, as before: nothing is left of what was heard but what a recogniser has. The turn of the utterance that
    /// this cuts off, if one was going on.
    pub(super) fn begin_anew(&mut self) -> Option<TurnId> {
        if let Some(listening) = &mut self.listening {
            *listening = listening.anew();
        }
        self.ticks = None;
        self.turn.take()
    }

    /// What was recorded is not kept.
    pub(super) fn stop_recording(&mut self) {
        if let Some(listening) = &mut self.listening {
            listening.stop_recording();
        }
    }

    /// The sound of what was heard in `turn`, as a file, if it was recorded as an answer.
    pub(super) fn take_answer(&mut self, turn: TurnId) -> Option<Zeroizing<Vec<u8>>> {
        self.answer.take().filter(|(heard, _)| *heard == turn)?.1.finish()
    }

    /// Nobody wants the utterance of `turn` any more.
    pub(super) fn cancel(&mut self, turn: TurnId) {
        if self.turn == Some(turn) {
            self.turn = None;
            if let Some(listening) = &mut self.listening {
                listening.drop_utterance();
            }
        }
    }

    /// Has `packet` decoded and listened to, by this right.
    fn push(&mut self, packet: &AudioPacket, right: &Right<'_>) -> Result<Marks, Refused> {
        match &mut self.listening {
            Some(listening) if packet.turn == self.awaited => right.pass(packet, |packet| listening.push(packet)),
            Some(_) => {
                metrics::counter!("sayso_session_packets_stray_total").increment(1);
                Ok(Marks::new())
            }
            None => Ok(Marks::new()),
        }
    }

    fn lost(&self) -> u64 {
        self.listening.as_ref().map_or(0, Listening::lost)
    }
}

impl Conversation {
    /// Takes the packets that wait, unless it is not known yet whether they may be listened to.
    pub(super) fn hear(&mut self) {
        if self.is_asking() {
            return;
        }
        let mut packets = core::mem::take(&mut self.hearing.packets);
        self.place().ring.take(&mut packets);
        for packet in packets.drain(..) {
            let before = self.hearing.lost();
            let cv = self.consent.cv;
            let right = self.admission.as_ref().and_then(|admission| admission.right(cv));
            // what comes after the right was lost in the midst of these is not heard either
            let heard = right.map_or(Ok(Marks::new()), |right| self.hearing.push(&packet, &right));
            wipe(packet);
            let lost = self.hearing.lost().saturating_sub(before);
            self.place().packets_lost.fetch_add(lost, Ordering::Relaxed);
            match heard {
                Ok(marks) => self.found(marks),
                Err(_) => self.deafen(),
            }
        }
        self.hearing.packets = packets;
    }

    /// Time passes in the middle of an utterance.
    pub(super) fn tick(&mut self) {
        let marks = self.hear_on(Listening::tick);
        self.found(marks);
    }

    /// What is found by `work` in what was let in before, if it may still be listened to.
    fn hear_on(&mut self, work: impl FnOnce(&mut Listening) -> Marks) -> Marks {
        let right = self.admission.as_ref().and_then(|admission| admission.right(self.consent.cv));
        let (Some(listening), Some(right)) = (&mut self.hearing.listening, right) else { return Marks::new() };
        right.guard(|| work(listening)).unwrap_or_else(|_| {
            self.deafen();
            Marks::new()
        })
    }

    fn found(&mut self, marks: Marks) {
        for mark in marks {
            match mark {
                Mark::Start(frames) => {
                    self.hearing.begun = Some(frames);
                    self.hearing.turn = None;
                    self.run(Event::VoiceStart);
                    // Nobody wants it: it is dropped in front of the gate.
                    self.hearing.begun = None;
                }
                Mark::End { sha256, voiced } => {
                    if let Some(event) = self.heard(sha256, voiced) {
                        self.run(event);
                    }
                }
            }
        }
    }

    /// The utterance that is going on is complete.
    fn heard(&mut self, sha256: [u8; 32], voiced: bool) -> Option<Event> {
        self.hearing.ticks = None;
        let recording = self.hearing.listening.as_mut().and_then(Listening::take_recording);
        let turn = self.hearing.turn.take()?;
        self.hearing.heard = Some((turn, sha256));
        // an answer to a question is no conversation
        self.hearing.answer = None;
        match recording.filter(|_| voiced) {
            Some(recording) if !self.hearing.converses => self.hearing.answer = Some((turn, recording)),
            Some(recording) if self.may(Purpose::IMPROVE_VOICE, Category::CONVERSATION_AUDIO) => {
                self.keep_recording(recording);
            }
            _ => {}
        }
        Some(if voiced { Event::VoiceEnd } else { Event::VoiceNone })
    }

    /// Whoever pushed to talk has let go.
    pub(super) fn end_utterance(&mut self) {
        for mark in self.hear_on(Listening::finish) {
            // What begins and ends in this moment is too short to be anything.
            if let Mark::End { sha256, voiced } = mark
                && let Some(event) = self.heard(sha256, voiced)
            {
                self.events.push_back(event);
            }
        }
    }

    /// Has the utterance that has just begun recognised as `turn`.
    pub(super) fn transcribe(&mut self, turn: TurnId, purpose: Purpose) {
        let Some(frames) = self.hearing.begun.take() else { return };
        self.hearing.turn = Some(turn);
        self.hearing.converses = purpose == Purpose::VOICE_INTERACTION;
        let actor = self.actor.clone();
        let ticks = async move {
            loop {
                tokio::time::sleep(Duration::from_millis(TICK_MS.into())).await;
                if actor.cast(Message::Tick).is_err() {
                    return;
                }
            }
        };
        self.hearing.ticks = Some(self.services.tasks.spawn(TaskKind::Call, "utterance ticks", ticks));
        let context = self.context(turn, purpose);
        self.transcription = Some(transcription::start(&self.services, &self.actor, context, frames));
        if purpose == Purpose::VOICE_INTERACTION {
            self.prepare_to_speak(turn);
        }
    }
}
