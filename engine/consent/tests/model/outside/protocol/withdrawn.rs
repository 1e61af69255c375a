//! How the register withdraws.

use super::{Mutant, Protocol};
use crate::outside::message::Message;
use crate::outside::state::{State, Turn};
use crate::outside::step::Step;
use crate::state::Consent;

impl Protocol {
    /// Takes a `step` of a withdrawal; [`None`] where it has no effect.
    pub(super) fn withdraw(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Withdraw(scopes) => {
                for scope in (0..2).filter(|scope| scopes[*scope]) {
                    if let Consent::Given(cv) = state.consent[scope] {
                        state.consent[scope] = Consent::Withdrawing(cv + 1);
                    }
                }
                state.register.turn = Some(Turn { scopes, is_closed: false });
            }
            Step::Close => self.close(state)?,
            Step::Pending => state.register.turn = None,
            Step::RunOut(permit) | Step::Fence(permit) => {
                state.loans.remove(&permit);
                state.register.holders.remove(&permit);
            }
            Step::Effect(scope) => state.consent[scope] = Consent::Withdrawn(state.consent[scope].fence()),
            Step::Ok => {
                let turn = state.register.turn.take()?;
                for scope in (0..2).filter(|scope| turn.scopes[*scope]) {
                    state.okayed[scope] = state.consent[scope].fence();
                }
            }
            Step::Agree(scope) => state.consent[scope] = Consent::Given(state.consent[scope].fence() + 1),
            _ => return None,
        }
        Some(())
    }

    /// Tells all holders of what is withdrawn, and the gateway.
    fn close(&self, state: &mut State) -> Option<()> {
        let turn = state.register.turn.as_mut()?;
        turn.is_closed = true;
        let scopes = turn.scopes;
        if self.is(Mutant::NothingTakenBack) {
            return Some(());
        }
        for (permit, holder) in &mut state.register.holders {
            if scopes[state.loans[permit].scope] || self.is(Mutant::ClosesBoth) {
                holder.is_revoked = true;
                state.network.insert(Message::Revoke { permit: *permit });
            }
        }
        let withdrawn = (0..2).filter(|scope| scopes[*scope] && self.has_gateway);
        let fences = withdrawn.map(|scope| Message::Fence { scope, cv: state.consent[scope].fence() });
        state.network.extend(fences);
        Some(())
    }
}
