//! Which steps are possible.

use super::{DRIFT, LASTS, Mutant, Protocol, Takeover};
use crate::message::Message;
use crate::state::{Consent, Id, Lease, Recorded, State, Withdrawal};
use crate::step::Step;

impl Protocol {
    /// The steps that are possible in `state`.
    pub(super) fn possible(&self, state: &State, steps: &mut Vec<Step>) {
        if state.is_late {
            return;
        }
        // what was handed to a buffer leaves within a tick: the receiver reads
        if state.now < self.bounds.time && state.processes.iter().all(|process| process.buffered.is_none()) {
            steps.push(Step::Tick(None));
            steps.extend((0..2).filter(|id| state.processes[*id].lag < DRIFT).map(|id| Step::Tick(Some(id))));
        }
        steps.extend(state.network.iter().copied().map(Step::Deliver));
        for id in 0..state.processes.len() {
            self.of_process(state, id, steps);
        }
    }

    fn of_process(&self, state: &State, id: Id, steps: &mut Vec<Step>) {
        let process = &state.processes[id];
        if process.buffered.is_some() {
            steps.push(Step::Send(id));
        }
        if process.is_dead {
            steps.push(Step::Restart(id));
            return;
        }
        if process.life < self.bounds.restarts {
            steps.push(Step::Kill(id));
        }
        let keeps = state.store.record < self.bounds.record;
        if process.tenure.is_none() {
            if process.seen.is_none_or(|(record, _)| record != state.store.record) {
                steps.push(Step::Look(id));
            }
            if keeps && self.may_take(state, id) {
                steps.push(Step::Take(id));
            }
            return;
        }
        let (by, read) = (state.life(id), process.record);
        let asks =
            |message: &Message| matches!(message, Message::Keep { by: b, read: r, .. } if (*b, *r) == (by, read));
        let has_given_back = process.tenure == Some(0);
        if keeps && !has_given_back && read == state.store.record && !state.network.iter().any(asks) {
            steps.push(Step::Renew(id));
        }
        if process.log.is_none() {
            let opens = |message: &Message| match message {
                Message::Open { by: opener, .. } | Message::Opened { by: opener, .. } => *opener == by,
                _ => false,
            };
            if !state.network.iter().any(opens) {
                steps.push(Step::Open(id));
            }
            return;
        }
        let is_idle = process.lease == Lease::None && process.withdrawal.is_none() && process.buffered.is_none();
        if is_idle && !has_given_back && state.store.owner == Some(id) {
            steps.push(Step::GiveBack(id));
        }
        if process.front.is_none() && matches!(state.store.consent, Consent::Given(_)) {
            steps.push(Step::Speak(id));
        }
        if process.checked.is_some() {
            steps.push(Step::HandOver(id));
        }
        if process.unacknowledged.is_some() {
            steps.extend([Step::Acknowledge(id), Step::Break(id)]);
        }
        self.serving(state, id, steps);
    }

    /// The steps that a process may take when it owns the register, for all it knows.
    fn serving(&self, state: &State, id: Id, steps: &mut Vec<Step>) {
        let process = &state.processes[id];
        let consent = state.store.consent;
        match process.lease {
            // whoever withdraws has the subject's turn, without which no permit is issued
            Lease::None if process.withdrawal.is_none() => {
                if let (Consent::Given(given), Some(front)) = (consent, process.front)
                    && front >= given
                {
                    steps.push(Step::Ask(id));
                }
            }
            Lease::None => {}
            Lease::Asked(_) => steps.push(Step::Issue(id)),
            Lease::Held { cv, until, is_revoked, is_dropped } => {
                let is_open = !is_revoked && state.clock(id) < until;
                let renews = matches!(consent, Consent::Given(given) if cv >= given);
                if is_open && renews && process.tenure.is_some_and(|tenure| tenure > until) {
                    steps.push(Step::RenewPermit(id));
                }
                if is_open && !is_dropped && process.checked.is_none() && process.buffered.is_none() {
                    steps.extend(process.front.filter(|front| *front >= cv).map(|_| Step::Pass(id)));
                }
                // a task is dropped where it waits, and so never between a check and its write
                if !is_dropped && process.checked.is_none() {
                    steps.push(Step::Drop(id));
                }
                if is_dropped || self.is(Mutant::ReleaseBeforeDrop) {
                    steps.push(Step::Release(id));
                }
            }
        }
        self.withdrawing(state, id, steps);
    }

    fn withdrawing(&self, state: &State, id: Id, steps: &mut Vec<Step>) {
        let process = &state.processes[id];
        let has_let_go = process.lease == Lease::None;
        let Some(Withdrawal { recorded, is_closed, .. }) = process.withdrawal else {
            let has_turn = !matches!(process.lease, Lease::Asked(_));
            let may_ask = !matches!(state.store.consent, Consent::Given(cv) if cv == self.bounds.cv);
            if has_turn && may_ask {
                steps.push(Step::Withdraw(id));
            }
            if matches!(state.store.consent, Consent::Withdrawn(cv) if cv < self.bounds.cv) && has_let_go {
                steps.push(Step::Agree(id));
            }
            return;
        };
        if !is_closed {
            steps.push(Step::Close(id));
            return;
        }
        if !has_let_go {
            steps.push(Step::Pending(id));
        }
        let waits = !self.is(Mutant::NothingTakenBack) && !self.is(Mutant::NoWait);
        if has_let_go || !waits {
            match recorded {
                Recorded::Nothing => {}
                Recorded::Requested => steps.push(Step::Effect(id)),
                Recorded::Effective => steps.push(Step::Ok(id)),
            }
        }
    }

    /// Whether a standby may take the record.
    fn may_take(&self, state: &State, id: Id) -> bool {
        let (store, process) = (&state.store, &state.processes[id]);
        let is_over = match self.takeover {
            _ if store.owner.is_none_or(|owner| owner == id) => return true,
            _ if self.is(Mutant::NoFencing) => return true,
            Takeover::Confirmed => return state.processes[1 - id].is_dead,
            Takeover::Expired => self.taken_after(),
        };
        process.seen.is_some_and(|(record, since)| record == store.record && state.clock(id) >= since + is_over)
    }

    /// How long a standby must have seen the same record.
    fn taken_after(&self) -> u8 {
        if self.is(Mutant::NoMargin) { LASTS } else { LASTS + DRIFT }
    }
}
