//! The consent question, its answer, and every change of consent.

use sayso_types::dialogue::{Exchange, Fact};
use sayso_types::{Purpose, SessionId, TurnId};
use sayso_wire::{ConsentDecision, ToDevice};

use super::{Kind, Session};
use crate::{Asked, Capture, ConsentView, Decision, Effect, Means, Origin, Standing, Taken, Timer, consent_answer};

/// Hexadecimal digits of a session's name in that of a prompt: 64 random bits, which leave room for the turn in a name.
const PROMPT_SESSION_CHARS: usize = 16;

/// The consent question, while it is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    /// The turn in which it was read out.
    prompt: TurnId,
    /// How often it was put.
    attempts: u32,
    /// Whether the person agreed to it before it changed.
    again: bool,
    /// How much more was told to whoever wanted to know it first.
    told: usize,
    /// What they decided, while it is being written.
    decided: Option<Decision>,
}

/// What the question is called that was read out in `turn` of `session`. Nothing else that was ever asked, of anybody, is called
/// so: an answer that is sent again answers no other question, and is no evidence of it.
pub(super) fn prompt_id(session: SessionId, turn: TurnId) -> String {
    let mut id = session.to_string();
    id.truncate(PROMPT_SESSION_CHARS);
    format!("{id}-{turn}")
}

impl Session {
    pub(super) fn attached(
        &mut self,
        consent: ConsentView,
        facts: Vec<Fact>,
        history: Vec<Exchange>,
        effects: &mut Vec<Effect>,
    ) {
        let before = core::mem::replace(&mut self.consent, consent);
        if before.has_lapsed(&self.consent) {
            self.forget_conversation();
        }
        if self.consent.memory {
            self.context.set_facts(facts, self.options.facts_len, self.options.fact_chars);
        } else if before.memory {
            self.context.forget(None);
        }
        if !self.consent.pictures {
            self.context.forget_origin(Origin::Picture);
        }
        let history = if self.consent.history { history } else { Vec::new() };
        // what this conversation remembers itself is newer than what is kept of it
        if self.context.exchanges() == 0 || !self.consent.history {
            self.context.begin_with(history, self.options.history_len);
        }
        // What woke it may come to nothing.
        effects.push(Effect::Arm(Timer::Idle, self.options.idle_after));
    }

    /// Puts the consent question.
    pub(super) fn ask(&mut self, effects: &mut Vec<Effect>) {
        let again = self.may_converse();
        self.asking = Some(Asking { prompt: self.latest.next(), attempts: 1, again, told: 0, decided: None });
        let (prompts, usual) = (&self.options.prompts, &self.options.asked_purposes);
        let (text, purposes) =
            if again { (&prompts.consent_again, &self.consent.asks_again) } else { (&prompts.consent, usual) };
        let (text, purposes) = (text.clone(), purposes.clone());
        effects.push(Effect::NoteQuestion(Asked { purposes: purposes.clone(), again }));
        self.say(Kind::Question, &text, effects);
        let prompt_id = prompt_id(self.id, self.latest);
        effects.push(Effect::Tell(ToDevice::ConsentPrompt { prompt_id, text, purposes }));
    }

    /// The answer to the question that is open. It is the only one: what comes while it is written is told to be none.
    fn decided(&mut self, turn: TurnId, decision: Decision, means: Means, effects: &mut Vec<Effect>) {
        match &mut self.asking {
            Some(asking) if asking.decided.is_none() => {
                asking.decided = Some(decision);
                effects.push(Effect::RecordConsent(turn, decision, means));
            }
            _ => self.prompt_closed(effects),
        }
    }

    fn prompt_closed(&self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Tell(ToDevice::Error {
            code: "prompt_closed".to_owned(),
            text: "this consent prompt is not open, or was answered already".to_owned(),
            remedy: "withdraw what was agreed to, or start to listen and answer the prompt that comes then".to_owned(),
            turn: self.latest,
        }));
    }

    /// The person said or typed something in answer.
    pub(super) fn consent_answered(&mut self, id: TurnId, text: &str, means: Means, effects: &mut Vec<Effect>) {
        match consent_answer::understand(text) {
            Some(decision) => self.decided(id, decision, means, effects),
            None if consent_answer::asks_for_more(text) => self.tell_more(effects),
            None => self.no_consent_answer(effects),
        }
    }

    /// The person wants to know more before they answer: the next of what there is to say, while the question stays open. When
    /// all was said they are asked for a yes or a no.
    fn tell_more(&mut self, effects: &mut Vec<Effect>) {
        let Some(asking) = &mut self.asking else { return };
        let Some(text) = self.options.prompts.more.get(asking.told).cloned() else {
            return self.no_consent_answer(effects);
        };
        asking.told += 1;
        effects.push(Effect::NoteMore);
        self.interrupt("more", effects);
        self.say(Kind::Question, &text, effects);
    }

    /// The answer was not understood, or none came: asks again, a few times.
    pub(super) fn no_consent_answer(&mut self, effects: &mut Vec<Effect>) {
        let Some(asking) = self.asking.as_mut().filter(|asking| asking.decided.is_none()) else { return };
        if asking.attempts >= self.options.consent_attempts {
            let turn = self.turn.as_ref().map_or(self.latest, super::Turn::id);
            return self.decided(turn, Decision::Defer, Means::Voice, effects);
        }
        asking.attempts += 1;
        self.interrupt("not_understood", effects);
        let text = self.options.prompts.not_understood.clone();
        self.say(Kind::Question, &text, effects);
    }

    pub(super) fn consent_pressed(
        &mut self,
        pressed: &str,
        decision: ConsentDecision,
        purpose: Option<Purpose>,
        effects: &mut Vec<Effect>,
    ) {
        let decision = match decision {
            ConsentDecision::Agree => Decision::Agree,
            ConsentDecision::Refuse => Decision::Refuse,
            ConsentDecision::Withdraw => {
                let taken = purpose.map_or(Taken::Everything, Taken::One);
                return effects.push(Effect::Withdraw(taken, Means::Button));
            }
        };
        // An answer is to a question: who was not asked has not been told what they agree to.
        match self.asking {
            Some(asking) if prompt_id(self.id, asking.prompt) == pressed => {
                self.decided(self.latest, decision, Means::Button, effects);
            }
            _ => self.prompt_closed(effects),
        }
    }

    /// The question is on record: whoever was quick has answered it by then.
    pub(super) fn consent_asked(&mut self, view: ConsentView) {
        if view.cv >= self.consent.cv {
            self.consent = view;
        }
    }

    /// The register speaks: this is how the subject stands now.
    pub(super) fn consent_changed(&mut self, view: ConsentView, effects: &mut Vec<Effect>) {
        // What was read earlier may arrive later.
        if view == self.consent || view.cv < self.consent.cv {
            return;
        }
        if self.is_asked_the_same(&view) {
            self.consent = view;
            return;
        }
        let before = core::mem::replace(&mut self.consent, view);
        let (asked, lapsed) = (self.asking.take(), before.has_lapsed(&self.consent));
        let view = &self.consent;
        let answered = asked.is_some();
        let declined = asked.is_some_and(|a| a.again && matches!(a.decided, Some(Decision::Refuse | Decision::Defer)));
        self.put_off |= declined;
        effects.push(Effect::Disarm(Timer::Consent));
        if before.memory && !view.memory {
            self.context.forget(None);
        }
        if before.history && !view.history {
            self.context.forget_origin(Origin::Earlier);
        }
        if before.pictures && !view.pictures {
            self.context.forget_origin(Origin::Picture);
            if self.turn.as_ref().is_some_and(|turn| turn.looks) {
                self.look_away(effects);
            }
        }
        let view = &self.consent;
        if view.standing == before.standing && !answered && !lapsed {
            return;
        }
        self.interrupt("consent_changed", effects);
        if lapsed {
            self.forget_conversation();
        }
        if !self.may_converse() {
            self.set_capture(Capture::Off, effects);
        }
        let prompts = &self.options.prompts;
        let prompt = match self.consent.standing {
            // Who is not about to talk need not be told that somebody listens.
            Standing::Given if !answered && self.mode.is_none() => return self.rest(effects),
            Standing::Given if declined => &prompts.kept,
            Standing::Given => &prompts.thanks,
            Standing::Refused => &prompts.refused,
            Standing::Undecided => &prompts.deferred,
            Standing::Withdrawn => &prompts.withdrawn,
            Standing::Withdrawing => {
                effects.push(Effect::Tell(ToDevice::Notice {
                    code: "withdrawing".to_owned(),
                    text: "listening has stopped; the withdrawal takes effect when nobody holds your data".to_owned(),
                }));
                return self.rest(effects);
            }
        };
        let prompt = prompt.clone();
        self.say(Kind::Notice, &prompt, effects);
    }

    /// Whether the question that is open, and not answered yet, is still to be answered as the person stands by `view`: what
    /// has changed is nothing that it asks, such as who answers for a child.
    fn is_asked_the_same(&self, view: &ConsentView) -> bool {
        let is_open = self.asking.is_some_and(|asking| asking.decided.is_none());
        let is_unchanged = *view == ConsentView { cv: view.cv, ..self.consent.clone() };
        is_open && is_unchanged && !self.consent.has_lapsed(view)
    }

    /// An answer could not be written: nothing is allowed that was not allowed before.
    pub(super) fn answer_unrecorded(&mut self, reason: &'static str, effects: &mut Vec<Effect>) {
        self.asking = None;
        let text = "your answer could not be recorded; nothing has changed";
        self.unrecorded(reason, text, "answer again in a moment", effects);
    }

    /// A withdrawal could not be written. Whoever said stop is not listened to all the same.
    pub(super) fn withdrawal_unrecorded(&mut self, reason: &'static str, effects: &mut Vec<Effect>) {
        self.mode = None;
        self.set_capture(Capture::Off, effects);
        let text = "your withdrawal could not be recorded; listening has stopped, but your consent stands";
        self.unrecorded(reason, text, "withdraw again in a moment", effects);
    }

    fn unrecorded(&mut self, code: &'static str, text: &str, remedy: &str, effects: &mut Vec<Effect>) {
        effects.push(Effect::Disarm(Timer::Consent));
        effects.push(Effect::Tell(ToDevice::Error {
            code: code.to_owned(),
            text: text.to_owned(),
            remedy: format!("{remedy}; the operator finds the reason in the log of the store"),
            turn: self.latest,
        }));
        self.interrupt("unrecorded", effects);
        self.say_failed(effects);
    }

    /// What was said under a consent that is gone is gone with it.
    fn forget_conversation(&mut self) {
        self.context.clear();
        self.last = None;
    }
}
