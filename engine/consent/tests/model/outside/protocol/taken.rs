//! What a step does.

use super::{DRIFT, LASTS, Mutant, Protocol, Silence};
use crate::outside::state::{Gateway, Holder, Register, Service, State, Work};
use crate::outside::step::{Clock, Step};

impl Protocol {
    /// Takes `step`; [`None`] where it has no effect.
    pub(super) fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Tick(behind) => self.pass_time(state, behind),
            Step::Deliver(message) => self.deliver(state, message)?,
            Step::KillRegister => {
                let Register { life, lag, .. } = state.register;
                state.register = Register { is_dead: true, life, lag, ..Register::default() };
            }
            Step::RestartRegister => {
                let until = state.register_clock() + self.waits_for();
                state.register.is_dead = false;
                state.register.life += 1;
                if !self.is(Mutant::NoFencing) {
                    let holders = state.loans.keys().map(|permit| (*permit, Holder { until, is_revoked: false }));
                    state.register.holders = holders.collect();
                }
            }
            // its connections are reset: what the kernel has not sent yet never leaves
            Step::KillService => {
                let Service { life, lag, .. } = state.service;
                state.service = Service { is_dead: true, life, lag, ..Service::default() };
            }
            Step::RestartService => {
                state.service.is_dead = false;
                state.service.life += 1;
            }
            Step::RestartGateway => {
                let (life, is_open) = (state.gateway.life + 1, self.is(Mutant::OpensUnread));
                state.gateway = Gateway { life, is_open, ..Gateway::default() };
            }
            Step::Withdraw(_)
            | Step::Close
            | Step::Pending
            | Step::RunOut(_)
            | Step::Fence(_)
            | Step::Effect(_)
            | Step::Ok
            | Step::Agree(_) => self.withdraw(state, step)?,
            _ => self.serve(state, step)?,
        }
        Some(())
    }

    /// For how long the register counts on a permit's being used.
    pub(super) fn waits_for(&self) -> u8 {
        if self.is(Mutant::NoMargin) { LASTS } else { LASTS + DRIFT }
    }

    fn pass_time(&self, state: &mut State, behind: Option<Clock>) {
        state.now += 1;
        match behind {
            Some(Clock::Register) => state.register.lag += 1,
            Some(Clock::Service) => state.service.lag += 1,
            None => {}
        }
        let now = state.service_clock();
        for work in &mut state.service.work {
            if self.silence == Silence::Watchdog && work.held.as_ref().is_some_and(|held| now >= held.until) {
                *work = Work::default();
            }
        }
    }
}
