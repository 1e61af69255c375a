//! From text to sound: the responder's words, sentences, play-out.

use sayso_types::dialogue::{Action, Request};
use sayso_types::{Mono, Redacted, TurnId};
use sayso_wire::{ListenMode, ToDevice};

use super::{Kind, Phase, Session};
use crate::{Capture, Effect, Means, SpeechKind, Stage, Timer};

impl Session {
    pub(super) fn respond(&mut self, id: TurnId, text: String, effects: &mut Vec<Effect>) {
        let request = Request {
            text: text.clone(),
            history: self.context.history(),
            facts: self.context.facts().to_vec(),
            role: self.options.role.clone(),
        };
        self.context.said(id, text, self.options.history_len);
        effects.push(Effect::Respond(id, request));
    }

    pub(super) fn reply_text(&mut self, id: TurnId, text: &str, now: Mono, effects: &mut Vec<Effect>) {
        let limit = self.options.answer_chars;
        let Some(turn) = self.running(id).filter(|t| !t.full) else { return };
        let room = limit.saturating_sub(turn.answer.chars());
        let kept = text.char_indices().nth(room).map_or(text, |(at, _)| &text[..at]);
        turn.full = kept.len() < text.len();
        let mut sentences = Vec::new();
        turn.splitter.push(kept, |s| sentences.push(s));
        self.speak(id, sentences, SpeechKind::Answer, now, effects);
    }

    pub(super) fn reply_end(&mut self, id: TurnId, result: Result<(), &'static str>, now: Mono, effects: &mut Vec<Effect>) {
        let Some(turn) = self.running(id) else { return };
        let mut sentences = Vec::new();
        turn.splitter.finish(|s| sentences.push(s));
        self.speak(id, sentences, SpeechKind::Answer, now, effects);
        let Some(turn) = self.running(id) else { return };
        match result {
            // Half an answer is said; the count tells the operator that it was half.
            Err(code) if !turn.answer.is_empty() => {
                effects.push(Effect::Failed(id, code));
                effects.push(Effect::FinishSpeech(id));
            }
            Err(code) => self.fail(code, effects),
            Ok(()) if turn.answer.is_empty() => self.end_turn(effects),
            Ok(()) => effects.push(Effect::FinishSpeech(id)),
        }
    }

    pub(super) fn reply_act(&mut self, id: TurnId, action: Action, effects: &mut Vec<Effect>) {
        let Some(turn) = self.running(id) else { return };
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
            Action::Withdraw => effects.push(Effect::Withdraw(None, Means::Voice)),
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
        if self.mode != Some(ListenMode::Realtime) || kind == Kind::Question {
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
        self.speak(id, sentences, SpeechKind::Notice, Mono::default(), effects);
        effects.push(Effect::FinishSpeech(id));
    }

    fn speak(&mut self, id: TurnId, sentences: Vec<String>, kind: SpeechKind, now: Mono, effects: &mut Vec<Effect>) {
        let Some(turn) = self.running(id) else { return };
        for text in sentences {
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

    pub(super) fn sentence_at(&mut self, id: TurnId, sentence: u32, at_ms: u32, now: Mono, effects: &mut Vec<Effect>) {
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
            Err(code) => {
                let sounded = turn.phase == Phase::Speaking;
                if sounded {
                    effects.push(Effect::Tell(ToDevice::SpeechStop { turn: id, reason: code.to_owned() }));
                }
                self.fail(code, effects);
            }
            Ok(0) => self.end_turn(effects),
            Ok(total_ms) => {
                turn.answer.lasts(total_ms);
                let left = total_ms.saturating_sub(turn.answer.played_ms());
                effects.push(Effect::Tell(ToDevice::SpeechEnd { turn: id, total_ms }));
                let due = core::time::Duration::from_millis(left.into()) + grace;
                effects.push(Effect::Arm(Timer::Playout, due));
            }
        }
    }

    pub(super) fn playout(&mut self, id: TurnId, played_ms: u32, finished: bool, effects: &mut Vec<Effect>) {
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

    /// The running turn is over as it should be.
    pub(super) fn end_turn(&mut self, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.take() else { return };
        effects.push(Effect::Disarm(Timer::Answer));
        effects.push(Effect::Disarm(Timer::Playout));
        if turn.stop_after {
            self.mode = None;
        }
        self.retire(turn.answer);
        self.rest(effects);
    }
}
