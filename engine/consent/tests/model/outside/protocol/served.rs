//! What the service does, and how the gateway begins.

use super::{Mutant, Protocol};
use crate::outside::message::Message;
use crate::outside::state::{Scope, Service, State};
use crate::outside::step::Step;
use crate::state::Cv;

impl Protocol {
    /// Takes a `step` of theirs; [`None`] where it has no effect.
    pub(super) fn serve(&self, state: &mut State, step: Step) -> Option<()> {
        let now = state.service_clock();
        match step {
            Step::ReadFences => {
                let fences = state.consent.map(|consent| consent.fence());
                state.network.insert(Message::Fences { life: state.gateway.life, fences });
            }
            Step::Ask(scope) => {
                let Service { life, asks: ask, .. } = state.service;
                state.service.asks += 1;
                state.service.work[scope].asked = Some(ask);
                state.network.insert(Message::Ask { life, ask, scope, sent: now });
            }
            Step::Renew(scope) => {
                let permit = state.service.work[scope].held.as_ref()?.permit;
                state.network.insert(Message::Renew { permit, sent: now });
            }
            Step::Pass(scope) => {
                let cv = state.service.work[scope].held.as_ref()?.cv;
                match self.is(Mutant::CheckApartFromWrite) {
                    true => state.service.work[scope].checked = Some(cv),
                    false => self.hand_over(state, scope, cv),
                }
            }
            Step::HandOver(scope) => {
                let cv = state.service.work[scope].checked.take()?;
                self.hand_over(state, scope, cv);
            }
            Step::Send(scope) => {
                let cv = state.service.work[scope].buffered.take()?;
                if self.bounds.resends {
                    state.service.work[scope].unacknowledged = Some(cv);
                }
                self.arrive(state, scope, cv);
            }
            Step::Acknowledge(scope) => state.service.work[scope].unacknowledged = None,
            Step::Break(scope) => {
                let cv = state.service.work[scope].unacknowledged.take()?;
                if self.is(Mutant::ReplayBehindGate) {
                    self.arrive(state, scope, cv);
                }
            }
            Step::Drop(scope) => {
                let work = &mut state.service.work[scope];
                work.buffered = None;
                if !self.is(Mutant::ReplayBehindGate) {
                    work.unacknowledged = None;
                }
                work.held.as_mut()?.is_dropped = true;
            }
            Step::LetGo(scope) => {
                let permit = state.service.work[scope].held.take()?.permit;
                state.network.insert(Message::LetGo { permit, scope });
            }
            _ => return None,
        }
        Some(())
    }

    /// To hand a byte to a socket after OK is to break the promise, except where a gateway is the last to check.
    fn hand_over(&self, state: &mut State, scope: Scope, cv: Cv) {
        state.service.work[scope].buffered = Some(cv);
        if !self.has_gateway {
            state.leaves(scope, cv);
        }
    }

    /// A piece comes to the receiver, or to the gateway in front of it.
    fn arrive(&self, state: &mut State, scope: Scope, cv: Cv) {
        if self.has_gateway {
            state.network.insert(Message::Piece { scope, cv });
        } else {
            state.leaves(scope, cv);
        }
    }
}
