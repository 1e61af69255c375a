//! The consent question, its answer, and every change of consent.

use sayso_types::{Purpose, TurnId};
use sayso_wire::{ConsentDecision, ConsentStatus, ToDevice};

use super::{Kind, Session};
use crate::{Capture, ConsentView, Decision, Effect, Means, Standing, Timer, consent_answer};

impl Session {
    /// Puts the consent question.
    pub(super) fn ask(&mut self, effects: &mut Vec<Effect>) {
        self.asking = Some(1);
        let text = self.options.prompts.consent.clone();
        self.say(Kind::Question, &text, effects);
        effects.push(Effect::Tell(ToDevice::ConsentPrompt {
            prompt_id: self.latest.to_string(),
            text,
            purposes: self.options.asked_purposes.clone(),
        }));
    }

    /// The person said (or typed) something in answer.
    pub(super) fn consent_spoken(&mut self, id: TurnId, text: &str, effects: &mut Vec<Effect>) {
        match consent_answer::understand(text) {
            Some(decision) => effects.push(Effect::RecordConsent(id, decision, Means::Voice)),
            None => self.no_consent_answer(effects),
        }
    }

    /// The answer was not understood, or none came: asks again, a few times.
    pub(super) fn no_consent_answer(&mut self, effects: &mut Vec<Effect>) {
        let Some(attempts) = self.asking else { return };
        let turn = self.turn.as_ref().map_or(self.latest, super::Turn::id);
        if attempts >= self.options.consent_attempts {
            effects.push(Effect::RecordConsent(turn, Decision::Defer, Means::Voice));
            return;
        }
        self.interrupt("not_understood", effects);
        self.asking = Some(attempts + 1);
        let text = self.options.prompts.not_understood.clone();
        self.say(Kind::Question, &text, effects);
    }

    pub(super) fn consent_pressed(&mut self, decision: ConsentDecision, effects: &mut Vec<Effect>) {
        let decision = match decision {
            ConsentDecision::Agree => Decision::Agree,
            ConsentDecision::Refuse => Decision::Refuse,
            ConsentDecision::Withdraw => {
                effects.push(Effect::Withdraw(None, Means::Button));
                return;
            }
        };
        effects.push(Effect::RecordConsent(self.latest, decision, Means::Button));
    }

    /// The register speaks: this is how the subject stands now.
    pub(super) fn consent_changed(&mut self, view: ConsentView, effects: &mut Vec<Effect>) {
        let before = core::mem::replace(&mut self.consent, view);
        let answered = self.asking.take().is_some();
        if view == before && !answered {
            return;
        }
        effects.push(Effect::Disarm(Timer::Consent));
        let (status, prompt) = match view.standing {
            Standing::Given => (ConsentStatus::Given, &self.options.prompts.thanks),
            Standing::Refused => (ConsentStatus::Refused, &self.options.prompts.refused),
            Standing::Undecided => (ConsentStatus::Deferred, &self.options.prompts.deferred),
            Standing::Withdrawn => (ConsentStatus::Withdrawn, &self.options.prompts.withdrawn),
        };
        let prompt = prompt.clone();
        if !view.memory && before.memory {
            self.context.set_facts(Vec::new());
        }
        effects.push(Effect::Tell(ToDevice::ConsentChanged {
            purpose: Purpose::VOICE_INTERACTION,
            status,
            consent_version: view.cv,
        }));
        if view.standing == before.standing && !answered {
            return;
        }
        self.interrupt("consent_changed", effects);
        if view.standing != Standing::Given {
            // What was said under a consent that is gone is gone with it, in every buffer and in the context.
            self.context.clear();
            self.last = None;
            self.set_capture(Capture::Off, effects);
        }
        self.say(Kind::Notice, &prompt, effects);
    }

    /// The decision could not be written: nothing is allowed that was not allowed before.
    pub(super) fn consent_failed(&mut self, reason: &'static str, effects: &mut Vec<Effect>) {
        self.asking = None;
        effects.push(Effect::Disarm(Timer::Consent));
        effects.push(Effect::Failed(self.latest, reason));
        effects.push(Effect::Tell(ToDevice::Error {
            code: reason.to_owned(),
            text: "your decision could not be recorded; nothing has changed".to_owned(),
            remedy: "answer again in a moment; the operator finds the reason in the log of the store".to_owned(),
            turn: self.latest,
        }));
        self.interrupt("consent_failed", effects);
        let text = self.options.prompts.failed.clone();
        self.say(Kind::Notice, &text, effects);
    }
}
