//! What becomes of a message.

use super::{LASTS, Mutant, Protocol};
use crate::outside::message::Message;
use crate::outside::state::{Gateway, Held, Holder, Loan, Permit, State};
use crate::state::Consent;

impl Protocol {
    /// Hands `message` to whoever it is for; [`None`] where that changes nothing.
    pub(super) fn deliver(&self, state: &mut State, message: Message) -> Option<()> {
        match message {
            Message::Ask { .. } | Message::Renew { .. } | Message::LetGo { .. } | Message::Fenced { .. } => {
                (!state.register.is_dead).then_some(())?;
                self.tell_register(state, message)
            }
            Message::Lent { .. } | Message::Renewed { .. } | Message::Revoke { .. } => {
                Self::tell_service(state, message)
            }
            Message::Piece { .. } | Message::Fence { .. } | Message::Fences { .. } => {
                Self::tell_gateway(state, message);
                Some(())
            }
        }
    }

    fn tell_register(&self, state: &mut State, message: Message) -> Option<()> {
        let until = state.register_clock() + self.waits_for();
        match message {
            Message::Ask { life, ask, scope, sent } => {
                let (Consent::Given(cv), None) = (state.consent[scope], &state.register.turn) else { return None };
                let permit = state.lent;
                state.lent += 1;
                state.loans.insert(permit, Loan { scope, cv, life });
                state.register.holders.insert(permit, Holder { until, is_revoked: false });
                state.network.insert(Message::Lent { permit, life, ask, scope, cv, sent });
            }
            Message::Renew { permit, sent } => {
                let Loan { scope, cv, .. } = *state.loans.get(&permit)?;
                let is_given = matches!(state.consent[scope], Consent::Given(given) if given <= cv);
                let holder = state.register.holders.get_mut(&permit).filter(|holder| !holder.is_revoked && is_given)?;
                holder.until = until;
                state.network.insert(Message::Renewed { permit, sent });
            }
            Message::LetGo { permit, scope } => {
                let holders = &mut state.register.holders;
                let of_scope = |(permit, loan): (&Permit, &Loan)| (loan.scope == scope).then_some(*permit);
                let meant = match self.is(Mutant::NamelessLetGo) {
                    true => state.loans.iter().find_map(of_scope)?,
                    false => permit,
                };
                holders.remove(&meant)?;
                state.loans.remove(&meant);
            }
            Message::Fenced { scope, cv } => {
                let fenced = &mut state.register.fenced[scope];
                *fenced = (*fenced).max(cv);
            }
            _ => return None,
        }
        Some(())
    }

    fn tell_service(state: &mut State, message: Message) -> Option<()> {
        match message {
            Message::Lent { permit, ask, scope, cv, sent, .. } => {
                let work = &mut state.service.work[scope];
                if work.asked == Some(ask) {
                    work.asked = None;
                    work.held = Some(Held { permit, cv, until: sent + LASTS, is_revoked: false, is_dropped: false });
                } else if work.held.as_ref().is_none_or(|held| held.permit != permit) {
                    // it asked once and was answered twice
                    state.network.insert(Message::LetGo { permit, scope });
                }
            }
            Message::Renewed { permit, sent } => {
                let held = Self::held(state, permit)?;
                held.until = held.until.max(sent + LASTS);
            }
            Message::Revoke { permit } => Self::held(state, permit)?.is_revoked = true,
            _ => return None,
        }
        Some(())
    }

    fn held(state: &mut State, permit: Permit) -> Option<&mut Held> {
        state.service.work.iter_mut().filter_map(|work| work.held.as_mut()).find(|held| held.permit == permit)
    }

    fn tell_gateway(state: &mut State, message: Message) {
        let Gateway { is_open, fences, .. } = state.gateway;
        match message {
            Message::Piece { scope, cv } if is_open && cv > fences[scope] => {
                state.gateway.has_sent = true;
                state.leaves(scope, cv);
            }
            Message::Piece { scope, cv } => state.is_overblocked |= is_open && cv > state.consent[scope].fence(),
            // it refuses from here on, also while it is not open yet
            Message::Fence { scope, cv } => {
                state.gateway.fences[scope] = fences[scope].max(cv);
                state.network.insert(Message::Fenced { scope, cv });
            }
            Message::Fences { fences: read, .. } => {
                state.gateway.is_open = true;
                state.gateway.fences = [0, 1].map(|scope| fences[scope].max(read[scope]));
            }
            _ => {}
        }
    }
}
