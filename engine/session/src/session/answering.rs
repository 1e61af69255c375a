//! From text to sound: the responder's words, sentences, play-out.

use core::time::Duration;

use sayso_types::dialogue::{Action, Request};
use sayso_types::{Redacted, TurnId};
use sayso_wire::{ListenMode, ToDevice};

use super::{Kind, Phase, Session};
use crate::{Capture, Effect, Origin, SpeechKind, Stage, Timer, text};

impl Session {
    pub(super) fn respond(&mut self, id: TurnId, text: String, effects: &mut Vec<Effect>) {
        let request = Request {
            text: text.clone(),
            history: self.context.history(),
            earlier: self.context.earlier(),
            passages: Vec::new(),
            facts: self.context.facts().to_vec(),
            remembers: self.consent.memory,
            role: self.options.role.clone(),
        };
        self.context.said(id, text, Origin::Conversation, self.options.history_len);
        effects.push(Effect::Respond(id, request));
    }

    pub(super) fn reply_text(&mut self, id: TurnId, text: &str, effects: &mut Vec<Effect>) {
        let limit = self.options.answer_chars;
        let Some(turn) = self.answering(id) else { return };
        let text = text::plain(text);
        let room = limit.saturating_sub(turn.answer.chars());
        let kept = text::cut(&text, room);
        let mut sentences = Vec::new();
        turn.splitter.push(kept, |s| sentences.push(s));
        self.speak(id, sentences, SpeechKind::Answer, effects);
        if kept.len() < text.len() {
            effects.push(Effect::EndReply(id));
            self.reply_end(id, Ok(()), effects);
        }
    }

    pub(super) fn reply_end(&mut self, id: TurnId, result: Result<(), &'static str>, effects: &mut Vec<Effect>) {
        let Some(turn) = self.answering(id) else { return };
        let mut sentences = Vec::new();
        turn.splitter.finish(|s| sentences.push(s));
        self.speak(id, sentences, SpeechKind::Answer, effects);
        let Some(turn) = self.answering(id) else { return };
        match result {
            Err(code) if turn.answer.is_empty() => self.fail(code, effects),
            Err(code) => self.break_off(id, code, effects),
            Ok(()) if !turn.answer.is_empty() => effects.push(Effect::FinishSpeech(id)),
            Ok(()) if turn.acted => {
                // Nothing will be said: whoever is prepared to say it may go.
                effects.push(Effect::CancelTurn(id));
                self.end_turn(effects);
            }
            Ok(()) => self.fail("no_answer", effects),
        }
    }

    pub(super) fn reply_act(&mut self, id: TurnId, action: Action, effects: &mut Vec<Effect>) {
        let Some(turn) = self.answering(id) else { return };
        turn.acted = true;
        match action {
            Action::Remember(fact) => {
                let (facts, chars) = (self.options.facts_len, self.options.fact_chars);
                if self.context.remember(fact, facts, chars) {
                    self.save_facts(effects);
                }
            }
            Action::Forget(key) => {
                self.context.forget(key.as_deref());
                self.save_facts(effects);
            }
            Action::Stop => turn.stop_after = true,
            // An answer to a question that nobody asked.
            Action::Agree | Action::Refuse => {}
        }
    }

    fn save_facts(&self, effects: &mut Vec<Effect>) {
        if self.consent.memory {
            effects.push(Effect::SaveFacts(self.context.facts().to_vec()));
        }
    }

    /// Says a text of the session's own as a turn of its own. Nothing to say is said at once.
    pub(super) fn say(&mut self, kind: Kind, text: &str, effects: &mut Vec<Effect>) {
        let may_be_interrupted = kind == Kind::Notice && self.may_converse();
        if self.mode != Some(ListenMode::Realtime) || !may_be_interrupted {
            self.set_capture(Capture::Off, effects);
        }
        let id = self.begin(kind, Phase::Thinking, effects);
        effects.push(Effect::Arm(Timer::Answer, self.options.answer_within));
        let mut sentences = Vec::new();
        if let Some(turn) = self.running(id) {
            turn.splitter.push(text, |s| sentences.push(s));
            turn.splitter.finish(|s| sentences.push(s));
        }
        if sentences.is_empty() {
            return self.end_turn(effects);
        }
        self.speak(id, sentences, SpeechKind::Notice, effects);
        effects.push(Effect::FinishSpeech(id));
    }

    fn speak(&mut self, id: TurnId, sentences: Vec<String>, kind: SpeechKind, effects: &mut Vec<Effect>) {
        let now = self.now;
        let Some(turn) = self.running(id) else { return };
        for text in sentences.into_iter().filter(|sentence| text::is_sayable(sentence)) {
            if turn.worded_at.is_none() {
                turn.worded_at = Some(now);
                if let Some(understood_at) = turn.understood_at {
                    effects.push(Effect::Measured(id, Stage::Respond, now.since(understood_at)));
                }
            }
            let sentence = turn.answer.add(text.clone());
            effects.push(Effect::Speak { turn: id, sentence, text: Redacted::new(text), kind });
        }
    }

    pub(super) fn sentence_at(&mut self, id: TurnId, sentence: u32, at_ms: u32, effects: &mut Vec<Effect>) {
        let now = self.now;
        let Some(turn) = self.running(id) else { return };
        if turn.phase != Phase::Speaking {
            turn.phase = Phase::Speaking;
            effects.push(Effect::Disarm(Timer::Answer));
            effects.push(Effect::Tell(ToDevice::SpeechStart { turn: id }));
            if let (Some(asked_at), Some(worded_at)) = (turn.asked_at, turn.worded_at) {
                effects.push(Effect::Measured(id, Stage::Synthesize, now.since(worded_at)));
                effects.push(Effect::Measured(id, Stage::Answer, now.since(asked_at)));
            }
        }
        if let Some(text) = turn.answer.starts(sentence, at_ms) {
            let text = Redacted::new(text.to_owned());
            effects.push(Effect::Tell(ToDevice::Sentence { turn: id, text, at_ms }));
        }
    }

    pub(super) fn spoken(&mut self, id: TurnId, result: Result<u32, &'static str>, effects: &mut Vec<Effect>) {
        let grace = self.options.playout_grace;
        let Some(turn) = self.running(id) else { return };
        match result {
            Err(code) => self.fail(code, effects),
            Ok(0) => self.fail("no_sound", effects),
            Ok(total_ms) => {
                turn.answer.lasts(total_ms);
                let left = total_ms.saturating_sub(turn.answer.played_ms());
                effects.push(Effect::Tell(ToDevice::SpeechEnd { turn: id, total_ms }));
                effects.push(Effect::Arm(Timer::Playout, Duration::from_millis(left.into()) + grace));
            }
        }
    }

    /// The device reports what it has played.
    pub(super) fn playout(&mut self, id: TurnId, played_ms: u32, finished: bool, effects: &mut Vec<Effect>) {
        if let Some(turn) = self.running(id) {
            turn.played_out = finished && turn.answer.total_ms().is_some();
        }
        self.played(id, played_ms, finished, effects);
    }

    /// So much was played, as far as is known.
    pub(super) fn played(&mut self, id: TurnId, played_ms: u32, finished: bool, effects: &mut Vec<Effect>) {
        if let Some(turn) = self.running(id) {
            turn.answer.played(played_ms);
            // "Finished" before the end is known is a gap in what has arrived, not the end.
            if finished && turn.answer.total_ms().is_some() {
                self.end_turn(effects);
            }
        } else if let Some(last) = self.last.as_mut().filter(|last| last.turn() == id) {
            last.played(played_ms);
            let heard = last.heard();
            self.context.heard(id, heard);
        }
    }
}
