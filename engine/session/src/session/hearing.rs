//! From sound to text: listening, utterances, recognition.

use sayso_types::{Mono, Purpose, Redacted, TurnId};
use sayso_wire::{ListenMode, ToDevice};

use super::{Kind, Phase, Session};
use crate::{Capture, Effect, Stage, Standing, Timer};

impl Session {
    pub(super) fn listen_start(&mut self, mode: ListenMode, effects: &mut Vec<Effect>) {
        self.mode = Some(mode);
        // Whoever starts to talk wants to be heard, not to listen on; but a consent question is heard out, because
        // its answer counts only when all of it was read.
        if self.turn.as_ref().is_some_and(|t| t.kind == Kind::Question) {
            return;
        }
        self.interrupt("listen_start", effects);
        if self.asking.is_none() && self.consent.standing != Standing::Given {
            self.ask(effects);
            return;
        }
        let capture = match mode {
            ListenMode::Auto | ListenMode::Realtime => Capture::Automatic,
            ListenMode::Manual => Capture::PushToTalk,
        };
        self.set_capture(capture, effects);
        effects.push(Effect::Disarm(Timer::Idle));
    }

    pub(super) fn listen_stop(&mut self, effects: &mut Vec<Effect>) {
        let hearing = self.turn.as_ref().is_some_and(|t| t.phase == Phase::Hearing);
        if self.mode == Some(ListenMode::Manual) {
            // Push to talk stays the mode of this device; the pipeline answers with `VoiceEnd` if it heard anything.
            if self.capture == Capture::PushToTalk {
                effects.push(Effect::EndUtterance);
                if !hearing {
                    self.rest(effects);
                }
            }
            return;
        }
        self.mode = None;
        if hearing {
            effects.push(Effect::EndUtterance);
        } else if self.turn.is_none() {
            self.rest(effects);
        } else {
            self.set_capture(Capture::Off, effects);
        }
    }

    pub(super) fn voice_start(&mut self, effects: &mut Vec<Effect>) {
        match &self.turn {
            None if self.capture != Capture::Off => {}
            // Barge-in: the person speaks over the answer, or goes on after a pause that looked like an end.
            Some(turn)
                if self.mode == Some(ListenMode::Realtime)
                    && turn.kind == Kind::Conversation
                    && turn.phase != Phase::Hearing =>
            {
                self.interrupt("barge_in", effects);
            }
            _ => return,
        }
        let (kind, purpose) = if self.asking.is_some() {
            (Kind::Reply, Purpose::CONSENT_ANSWER)
        } else if self.consent.standing == Standing::Given {
            (Kind::Conversation, Purpose::VOICE_INTERACTION)
        } else {
            return;
        };
        effects.push(Effect::Disarm(Timer::Consent));
        let turn = self.begin(kind, Phase::Hearing, effects);
        effects.push(Effect::Tell(ToDevice::VoiceActivity { turn, speaking: true }));
        effects.push(Effect::Transcribe(turn, purpose));
    }

    pub(super) fn voice_end(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.as_mut().filter(|t| t.phase == Phase::Hearing) else { return };
        turn.phase = Phase::Thinking;
        turn.asked_at = Some(now);
        let id = turn.id();
        effects.push(Effect::Tell(ToDevice::VoiceActivity { turn: id, speaking: false }));
        effects.push(Effect::Arm(Timer::Answer, self.options.answer_within));
        if self.mode != Some(ListenMode::Realtime) {
            self.set_capture(Capture::Off, effects);
        }
    }

    pub(super) fn transcribed(
        &mut self,
        id: TurnId,
        result: Result<Redacted<String>, &'static str>,
        now: Mono,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.running(id) else { return };
        let text = match result {
            Ok(text) => text,
            Err(code) => return self.fail(code, effects),
        };
        turn.understood_at = Some(now);
        if let Some(asked_at) = turn.asked_at {
            effects.push(Effect::Measured(id, Stage::Recognise, now.since(asked_at)));
        }
        let kind = turn.kind;
        let spoken = text.reveal().trim();
        if spoken.is_empty() {
            return self.nothing_said(kind, effects);
        }
        effects.push(Effect::Tell(ToDevice::Transcript { turn: id, text: Redacted::new(spoken.to_owned()) }));
        match kind {
            Kind::Reply => self.consent_spoken(id, spoken, effects),
            _ => self.respond(id, spoken.to_owned(), effects),
        }
    }

    /// A noise that sounded like speech: as if it had not been.
    fn nothing_said(&mut self, kind: Kind, effects: &mut Vec<Effect>) {
        if kind == Kind::Reply {
            return self.no_consent_answer(effects);
        }
        if let Some(turn) = self.turn.take() {
            effects.push(Effect::CancelTurn(turn.id()));
        }
        effects.push(Effect::Disarm(Timer::Answer));
        self.rest(effects);
    }

    pub(super) fn typed(&mut self, text: String, now: Mono, effects: &mut Vec<Effect>) {
        let text = text.trim();
        if text.is_empty() || self.turn.as_ref().is_some_and(|t| t.kind == Kind::Question) {
            return;
        }
        self.interrupt("text_input", effects);
        if self.asking.is_some() {
            effects.push(Effect::Disarm(Timer::Consent));
            let turn = self.begin(Kind::Reply, Phase::Thinking, effects);
            return self.consent_spoken(turn, text, effects);
        }
        if self.consent.standing != Standing::Given {
            return self.ask(effects);
        }
        let id = self.begin(Kind::Conversation, Phase::Thinking, effects);
        if let Some(turn) = &mut self.turn {
            turn.asked_at = Some(now);
            turn.understood_at = Some(now);
        }
        effects.push(Effect::Arm(Timer::Answer, self.options.answer_within));
        self.respond(id, text.to_owned(), effects);
    }
}
