//! Which messages can still have an effect.

use std::collections::BTreeSet;

use super::{Mutant, Protocol};
use crate::outside::message::Message;
use crate::outside::state::State;

impl Protocol {
    /// Forgets messages that can have no effect any more, so that states that go on alike are one.
    pub(super) fn tidy(&self, state: &mut State) {
        let network: BTreeSet<_> = state.network.iter().copied().filter(|one| self.matters(state, *one)).collect();
        state.network = network;
    }

    fn matters(&self, state: &State, message: Message) -> bool {
        let State { loans, register, service, gateway, network, .. } = state;
        let (restarts, more) = (self.bounds.restarts, state.lent < self.bounds.permits);
        let held = |permit| service.work.iter().filter_map(|w| w.held.as_ref()).find(|held| held.permit == permit);
        let comes =
            |permit| network.iter().any(|other| matches!(other, Message::Lent { permit: lent, .. } if *lent == permit));
        match message {
            Message::Ask { life, .. } => service.life == life && !service.is_dead && more,
            Message::Lent { permit, life, ask, scope, .. } => {
                let is_awaited = service.work[scope].asked == Some(ask);
                let is_there = service.life == life && !service.is_dead;
                is_there && (is_awaited || (loans.contains_key(&permit) && held(permit).is_none()))
            }
            Message::Renew { permit, .. } => loans.contains_key(&permit),
            Message::Renewed { permit, .. } => held(permit).is_some(),
            Message::Revoke { permit } => held(permit).map_or_else(|| comes(permit), |held| !held.is_revoked),
            Message::LetGo { permit, .. } => {
                loans.contains_key(&permit) || (self.is(Mutant::NamelessLetGo) && (more || !loans.is_empty()))
            }
            Message::Piece { .. } => true,
            Message::Fence { scope, cv } => {
                gateway.life < restarts || gateway.fences[scope] < cv || register.fenced[scope] < cv
            }
            Message::Fenced { scope, cv } => register.life < restarts || register.fenced[scope] < cv,
            Message::Fences { life, .. } => match self.is(Mutant::TakesOldAnswers) {
                true => !gateway.is_open || gateway.life < restarts,
                false => !gateway.is_open && gateway.life == life,
            },
        }
    }
}
