//! From sound to text: listening, utterances, recognition.

use sayso_types::{Purpose, Redacted, TurnId};
use sayso_wire::{ListenMode, ToDevice};

use super::{Kind, Phase, Session};
use crate::{Capture, Effect, Stage, Timer, text};

impl Session {
    pub(super) fn listen_start(&mut self, mode: ListenMode, effects: &mut Vec<Effect>) {
        self.mode = Some(mode);
        // Whoever starts to talk wants to be heard, not to listen on; but a consent question is heard out, because
        // a spoken answer counts only when all of it was read, and so is what the person has to be told.
        if self.turn.as_ref().is_some_and(|t| matches!(t.kind, Kind::Question | Kind::Told)) {
            return;
        }
        self.interrupt("listen_start", effects);
        if self.tells_or_asks(effects) {
            return;
        }
        let capture = match mode {
            ListenMode::Auto | ListenMode::Realtime => Capture::Automatic,
            ListenMode::Manual => Capture::PushToTalk,
        };
        self.listen_anew(capture, effects);
        effects.push(Effect::Disarm(Timer::Idle));
        if self.asking.is_some() {
            effects.push(Effect::Arm(Timer::Consent, self.options.consent_within));
        }
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

    /// Nobody may listen: the device is told why, and begins again when it is spoken to the next time. A question that is open
    /// stays so: it can be answered by a button, and more may be allowed by then.
    pub(super) fn not_listened(&mut self, code: &'static str, effects: &mut Vec<Effect>) {
        if self.asking.is_none() {
            self.mode = None;
        }
        self.set_capture(Capture::Off, effects);
        if self.turn.as_ref().is_some_and(|turn| turn.phase == Phase::Hearing) {
            return self.fail(code, effects);
        }
        effects.push(Effect::Tell(ToDevice::Error {
            code: code.to_owned(),
            text: "nobody may listen here at the moment".to_owned(),
            remedy: "start to listen again later; the operator finds the reason under this code in the metrics"
                .to_owned(),
            turn: self.latest,
        }));
        // what is being answered was heard before
        if self.turn.is_none() && self.asking.is_none() {
            self.say_failed(effects);
        }
    }

    pub(super) fn voice_start(&mut self, effects: &mut Vec<Effect>) {
        let (kind, purpose) = match (&self.turn, &self.asking) {
            (None, _) if self.capture == Capture::Off => return,
            (None, Some(_)) => (Kind::Reply, Purpose::CONSENT_ANSWER),
            (None, None) => (Kind::Conversation, Purpose::VOICE_INTERACTION),
            // Barge-in: the person speaks over the answer, or goes on after a pause that looked like an end.
            (Some(turn), None)
                if self.mode == Some(ListenMode::Realtime)
                    && matches!(turn.kind, Kind::Conversation | Kind::Notice)
                    && turn.phase != Phase::Hearing =>
            {
                (Kind::Conversation, Purpose::VOICE_INTERACTION)
            }
            _ => return,
        };
        if kind == Kind::Conversation && !self.may_converse() {
            return;
        }
        self.interrupt("barge_in", effects);
        effects.push(Effect::Disarm(Timer::Consent));
        let turn = self.begin(kind, Phase::Hearing, effects);
        effects.push(Effect::Tell(ToDevice::VoiceActivity { turn, speaking: true }));
        effects.push(Effect::Transcribe(turn, purpose));
    }

    pub(super) fn voice_end(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now;
        let Some(turn) = self.turn.as_mut().filter(|t| t.phase == Phase::Hearing) else { return };
        turn.phase = Phase::Thinking;
        turn.asked_at = Some(now);
        let id = turn.id();
        effects.push(Effect::Tell(ToDevice::VoiceActivity { turn: id, speaking: false }));
        effects.push(Effect::Arm(Timer::Answer, self.options.answer_within));
        self.stop_hearing_itself(effects);
    }

    pub(super) fn voice_none(&mut self, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.as_ref().filter(|t| t.phase == Phase::Hearing) else { return };
        effects.push(Effect::Tell(ToDevice::VoiceActivity { turn: turn.id(), speaking: false }));
        self.nothing_said(effects);
    }

    /// Without the device's word that it cancels its echo, nothing is heard while an answer is made and spoken.
    pub(super) fn stop_hearing_itself(&mut self, effects: &mut Vec<Effect>) {
        if self.mode != Some(ListenMode::Realtime) {
            self.set_capture(Capture::Off, effects);
        }
    }

    pub(super) fn transcribed(
        &mut self,
        id: TurnId,
        result: Result<Redacted<String>, &'static str>,
        effects: &mut Vec<Effect>,
    ) {
        let (now, limit) = (self.now, self.options.said_chars);
        let Some(turn) = self.running(id).filter(|turn| turn.awaits_text()) else { return };
        let heard = match result {
            Ok(heard) => heard,
            Err(code) => return self.fail(code, effects),
        };
        turn.understood_at = Some(now);
        if let Some(asked_at) = turn.asked_at {
            effects.push(Effect::Measured(id, Stage::Recognise, now.since(asked_at)));
        }
        let kind = turn.kind;
        let heard = text::plain(heard.reveal());
        let said = text::cut(heard.trim(), limit);
        if !text::is_sayable(said) {
            return self.nothing_said(effects);
        }
        effects.push(Effect::Tell(ToDevice::Transcript { turn: id, text: Redacted::new(said.to_owned()) }));
        if self.takes_back(said, crate::Means::Voice, effects) || self.heeds(said, effects) {
            return;
        }
        match kind {
            Kind::Reply => self.consent_answered(id, said, crate::Means::Voice, effects),
            _ => self.respond(id, said.to_owned(), effects),
        }
    }

    pub(super) fn tell_too_long(&self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Tell(ToDevice::Error {
            code: "text_too_long".to_owned(),
            text: format!("the text has more than {} characters", self.options.said_chars),
            remedy: "say it in fewer words".to_owned(),
            turn: self.latest,
        }));
    }

    pub(super) fn typed(&mut self, text: &str, effects: &mut Vec<Effect>) {
        let text = text::plain(text);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let limit = self.options.said_chars;
        if text.chars().count() > limit {
            return self.tell_too_long(effects);
        }
        if self.takes_back(text, crate::Means::Button, effects) || self.heeds(text, effects) {
            return;
        }
        if self.has_to_ask() {
            self.interrupt("text_input", effects);
            return self.ask(effects);
        }
        let kind = if self.asking.is_some() { Kind::Reply } else { Kind::Conversation };
        self.interrupt("text_input", effects);
        self.stop_hearing_itself(effects);
        effects.push(Effect::Disarm(Timer::Consent));
        let (id, now) = (self.begin(kind, Phase::Thinking, effects), self.now);
        if let Some(turn) = &mut self.turn {
            turn.asked_at = Some(now);
            turn.understood_at = Some(now);
        }
        effects.push(Effect::Arm(Timer::Answer, self.options.answer_within));
        match kind {
            Kind::Reply => self.consent_answered(id, text, crate::Means::Button, effects),
            _ => self.respond(id, text.to_owned(), effects),
        }
    }
}
