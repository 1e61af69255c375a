//! Which steps are possible.

use super::{DRIFT, Mutant, Protocol, Silence};
use crate::outside::state::{Scope, State, Turn};
use crate::outside::step::{Clock, Step};
use crate::state::Consent;

impl Protocol {
    /// The steps that are possible in `state`.
    pub(super) fn possible(&self, state: &State, steps: &mut Vec<Step>) {
        if state.is_late || state.is_overblocked {
            return;
        }
        // what was handed to a buffer leaves within a tick: the receiver reads
        if state.now < self.bounds.time && state.service.work.iter().all(|work| work.buffered.is_none()) {
            steps.push(Step::Tick(None));
            let behind = [(Clock::Register, state.register.lag), (Clock::Service, state.service.lag)];
            steps.extend(behind.iter().filter(|(_, lag)| *lag < DRIFT).map(|(clock, _)| Step::Tick(Some(*clock))));
        }
        steps.extend(state.network.iter().copied().map(Step::Deliver));
        self.of_service(state, steps);
        self.of_register(state, steps);
        if self.has_gateway && state.gateway.life < self.bounds.restarts {
            steps.push(Step::RestartGateway);
        }
        if self.has_gateway && !state.gateway.is_open {
            steps.push(Step::ReadFences);
        }
    }

    fn of_service(&self, state: &State, steps: &mut Vec<Step>) {
        if state.service.is_dead {
            steps.push(Step::RestartService);
            return;
        }
        if state.service.life < self.bounds.restarts {
            steps.push(Step::KillService);
        }
        for scope in 0..2 {
            self.of_work(state, scope, steps);
        }
    }

    fn of_work(&self, state: &State, scope: Scope, steps: &mut Vec<Step>) {
        let work = &state.service.work[scope];
        steps.extend(work.checked.map(|_| Step::HandOver(scope)));
        steps.extend(work.buffered.map(|_| Step::Send(scope)));
        if work.unacknowledged.is_some() {
            steps.extend([Step::Acknowledge(scope), Step::Break(scope)]);
        }
        let Some(held) = &work.held else {
            if work.asked.is_none() && state.lent < self.bounds.permits && state.service.asks < self.bounds.permits {
                steps.push(Step::Ask(scope));
            }
            return;
        };
        let is_open = !held.is_revoked && !held.is_dropped && state.service_clock() < held.until;
        if is_open && work.checked.is_none() && work.buffered.is_none() {
            steps.push(Step::Pass(scope));
        }
        if is_open && state.service_clock() + super::LASTS > held.until {
            steps.push(Step::Renew(scope));
        }
        // a task is dropped where it waits, and so never between a check and its write
        if !held.is_dropped && work.checked.is_none() {
            steps.push(Step::Drop(scope));
        }
        if held.is_dropped || self.is(Mutant::ReleaseBeforeDrop) {
            steps.push(Step::LetGo(scope));
        }
    }

    fn of_register(&self, state: &State, steps: &mut Vec<Step>) {
        let register = &state.register;
        if register.is_dead {
            steps.push(Step::RestartRegister);
            return;
        }
        if register.life < self.bounds.restarts {
            steps.push(Step::KillRegister);
        }
        for (permit, holder) in &register.holders {
            if self.silence != Silence::Strict && state.register_clock() >= holder.until {
                steps.push(Step::RunOut(*permit));
            }
            let life = state.loans[permit].life;
            if state.service.life > life || (state.service.is_dead && state.service.life == life) {
                steps.push(Step::Fence(*permit));
            }
        }
        match &register.turn {
            None => self.of_person(state, steps),
            Some(turn) if !turn.is_closed => steps.push(Step::Close),
            Some(turn) => self.of_turn(state, turn, steps),
        }
    }

    /// What the person may do.
    fn of_person(&self, state: &State, steps: &mut Vec<Step>) {
        let may_end = |scope: &Scope| match state.consent[*scope] {
            Consent::Given(cv) => cv < self.bounds.cv[*scope],
            Consent::Withdrawing(_) | Consent::Withdrawn(_) => true,
        };
        for scopes in [[true, false], [false, true], [true, true]] {
            if (0..2).filter(|scope| scopes[*scope]).all(|scope| may_end(&scope)) {
                steps.push(Step::Withdraw(scopes));
            }
        }
        let may_agree =
            |scope: &Scope| matches!(state.consent[*scope], Consent::Withdrawn(cv) if cv < self.bounds.cv[*scope]);
        steps.extend((0..2).filter(may_agree).map(Step::Agree));
    }

    /// What a withdrawal may do that has told everybody.
    fn of_turn(&self, state: &State, turn: &Turn, steps: &mut Vec<Step>) {
        let asked: Vec<_> = (0..2).filter(|scope| turn.scopes[*scope]).collect();
        let is_to_end = |scope: Scope| matches!(state.consent[scope], Consent::Withdrawing(_));
        if asked.iter().any(|scope| !self.has_stopped(state, *scope)) {
            steps.push(Step::Pending);
        } else if !asked.iter().any(|scope| is_to_end(*scope)) {
            steps.push(Step::Ok);
        }
        let stopped = asked.into_iter().filter(|scope| is_to_end(*scope) && self.has_stopped(state, *scope));
        steps.extend(stopped.map(Step::Effect));
    }

    /// Whether nothing of `scope` leaves any more, for all that the register knows.
    fn has_stopped(&self, state: &State, scope: Scope) -> bool {
        let waits_for_nobody = self.is(Mutant::NothingTakenBack) || self.is(Mutant::NoWait);
        let is_over = match self.has_gateway {
            true => state.register.fenced[scope] >= state.consent[scope].fence(),
            false => !state.waits(scope),
        };
        waits_for_nobody || is_over
    }
}
