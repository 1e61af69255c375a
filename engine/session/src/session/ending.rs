//! How turns end: heard out, stopped, or failed.

use sayso_types::TurnId;
use sayso_wire::ToDevice;

use super::viewing::NOT_LOOKED_AT;
use super::{Kind, Phase, Session, Turn};
use crate::{Answer, Effect, Ending, Origin, Timer};

/// Why a turn ended, as the device is told and as is counted, when what it was made of was taken back.
const ORIGIN_TAKEN_BACK: &str = "origin_taken_back";

impl Session {
    /// The running turn is over as it should be.
    pub(super) fn end_turn(&mut self, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.take() else { return };
        disarm(effects);
        if turn.stop_after {
            self.mode = None;
        }
        if turn.counts() {
            effects.push(Effect::Ended(turn.id(), Ending::Answered));
        }
        let (kind, played_out) = (turn.kind, turn.played_out);
        self.retire(turn, effects);
        match kind {
            Kind::Told => self.told_notice(played_out, effects),
            Kind::Notice if self.goes_on_to_ask(effects) || self.goes_on_to_tell(effects) => {}
            _ => self.rest(effects),
        }
    }

    /// Stops the running turn where it stands. What the person heard of it is kept, by the device's clock.
    pub(super) fn interrupt(&mut self, reason: &str, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.take() else { return };
        let id = turn.id();
        effects.push(Effect::CancelTurn(id));
        disarm(effects);
        if turn.phase == Phase::Speaking {
            effects.push(Effect::Tell(ToDevice::SpeechStop { turn: id, reason: reason.to_owned() }));
        }
        if turn.counts() {
            effects.push(Effect::Ended(id, Ending::Interrupted));
        }
        self.retire(turn, effects);
    }

    /// The turn cannot be answered: tells the device why, and the person in words.
    pub(super) fn fail(&mut self, code: &'static str, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.take() else { return };
        let (id, kind) = (turn.id(), turn.kind);
        self.failed = Some(id);
        effects.push(Effect::CancelTurn(id));
        disarm(effects);
        if turn.phase == Phase::Speaking {
            effects.push(Effect::Tell(ToDevice::SpeechStop { turn: id, reason: code.to_owned() }));
        }
        if !turn.broken {
            tell_failure(id, code, effects);
        }
        self.hold(turn.answer);
        match kind {
            // Saying that the voice fails needs the voice: once is enough.
            Kind::Notice => self.rest(effects),
            Kind::Question | Kind::Reply => {
                self.put_off |= self.asking.take().is_some();
                self.rest(effects);
            }
            Kind::Told => {
                self.put_off_notices();
                self.rest(effects);
            }
            Kind::Conversation => self.say_failed(effects),
        }
    }

    /// The answer broke off with `code`, but there is some of it: that much is said.
    pub(super) fn break_off(&mut self, id: TurnId, code: &'static str, effects: &mut Vec<Effect>) {
        let Some(turn) = self.running(id) else { return };
        turn.broken = true;
        tell_failure(id, code, effects);
        effects.push(Effect::FinishSpeech(id));
    }

    /// A noise that sounded like speech: as if it had not been.
    pub(super) fn nothing_said(&mut self, effects: &mut Vec<Effect>) {
        let Some(turn) = &self.turn else { return };
        if turn.kind == Kind::Reply {
            return self.no_consent_answer(effects);
        }
        effects.push(Effect::CancelTurn(turn.id()));
        disarm(effects);
        self.turn = None;
        self.rest(effects);
    }

    /// Says that something did not work.
    pub(super) fn say_failed(&mut self, effects: &mut Vec<Effect>) {
        let text = self.options.prompts.failed.clone();
        self.say(Kind::Notice, &text, effects);
    }

    /// Nobody may look at the picture that the turn is about, or not any more: tells the device why, and says nothing.
    pub(super) fn look_away(&mut self, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn.take() else { return };
        let id = turn.id();
        effects.push(Effect::CancelTurn(id));
        disarm(effects);
        if turn.phase == Phase::Speaking {
            effects.push(Effect::Tell(ToDevice::SpeechStop { turn: id, reason: NOT_LOOKED_AT.to_owned() }));
        }
        if turn.counts() {
            effects.push(Effect::Ended(id, Ending::Failed(NOT_LOOKED_AT)));
        }
        self.last = None;
        self.context.forget_origin(Origin::Picture);
        self.tell_not_looked_at(id, effects);
        self.rest(effects);
    }

    /// Something that `id` was made of was taken back: it ends where it stands, nothing of it is kept, and nothing is said. A
    /// turn that has ended before stays what it is: what was said and heard then goes by its own name.
    pub(super) fn disown(&mut self, id: TurnId, effects: &mut Vec<Effect>) {
        let is_it = |turn: &mut Turn| turn.id() == id && turn.kind == Kind::Conversation;
        let running = self.turn.take_if(is_it);
        // who worked for it may have said that they were stopped before this was heard of
        if running.is_some() || self.failed == Some(id) {
            self.context.forget_turn(id);
            self.last.take_if(|answer| answer.turn() == id);
        }
        let Some(turn) = running else { return };
        effects.push(Effect::CancelTurn(id));
        disarm(effects);
        if turn.phase == Phase::Speaking {
            effects.push(Effect::Tell(ToDevice::SpeechStop { turn: id, reason: ORIGIN_TAKEN_BACK.to_owned() }));
        }
        if turn.counts() {
            effects.push(Effect::Ended(id, Ending::Failed(ORIGIN_TAKEN_BACK)));
        }
        self.rest(effects);
    }

    /// Keeps the answer for what the device may still report, and what was heard of it for the model. An exchange of which the
    /// person heard something is kept beyond the conversation if they agree to that, and agreed when it began. One about a
    /// picture is not: it goes with the consent to pictures, and what is kept does not.
    fn retire(&mut self, turn: Turn, effects: &mut Vec<Effect>) {
        let (id, cv, is_kept) = (turn.id(), turn.cv, turn.kind == Kind::Conversation && !turn.looks);
        self.hold(turn.answer);
        let exchange = self.context.exchange(id).filter(|exchange| !exchange.heard.is_empty());
        if let Some(exchange) = exchange
            && is_kept
            && self.consent.history
        {
            effects.push(Effect::KeepExchange(id, cv, exchange.clone()));
        }
    }

    fn hold(&mut self, answer: Answer) {
        self.context.heard(answer.turn(), answer.heard());
        self.last = Some(answer);
    }
}

/// No turn is running: nothing of it is due.
fn disarm(effects: &mut Vec<Effect>) {
    effects.extend([Effect::Disarm(Timer::Answer), Effect::Disarm(Timer::Playout)]);
}

/// Counts the turn as failed, and tells the device.
fn tell_failure(turn: TurnId, code: &'static str, effects: &mut Vec<Effect>) {
    effects.push(Effect::Ended(turn, Ending::Failed(code)));
    effects.push(Effect::Tell(ToDevice::Error {
        code: code.to_owned(),
        text: "this turn could not be answered".to_owned(),
        remedy: "try again; if it stays so, the operator finds the reason under this code in the metrics".to_owned(),
        turn,
    }));
}
