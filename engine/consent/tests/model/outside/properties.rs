//! What must never be, and what must be possible for that to mean anything.

use stateright::Property;

use super::protocol::{Protocol, Silence};
use super::state::State;
use crate::properties::PROMISE;
use crate::state::Consent;

/// Nobody loses more than was withdrawn.
pub(crate) const NO_MORE: &str = "nothing is stopped of a scope that nobody has withdrawn";

/// Both scopes may be withdrawn within the bounds.
pub(crate) const OVERLAP: &str = "a scope is withdrawn while the other one's withdrawal is pending";

/// The same.
pub(crate) const OK_OF_BOTH: &str = "OK is said of both scopes";

/// The register may be killed within the bounds.
pub(crate) const WAITS_AGAIN: &str = "a register that was started again waits for a holder";

/// The service may be killed within the bounds.
pub(crate) const OK_WITHOUT_SERVICE: &str = "OK is said after the service was killed";

/// There is a second agreement within the bounds.
pub(crate) const OK_AGAIN: &str = "what is agreed to again leaves again";

/// There is a gateway, and it may be killed.
pub(crate) const GATEWAY_AGAIN: &str = "a gateway that was started again lets through what is agreed to, after an OK";

/// The service holds a permit of `scope` that it may use, while it is at work.
fn is_served(state: &State, scope: usize) -> bool {
    let work = &state.service.work[scope];
    let held = work.held.as_ref().filter(|held| !held.is_revoked && held.cv > state.consent[scope].fence());
    held.is_some() && work.buffered.is_some()
}

/// Whether each permit that the service was told to let go of is of a withdrawn scope.
fn is_no_more_than_asked(state: &State) -> bool {
    let revoked = |scope: usize| state.service.work[scope].held.as_ref().filter(|held| held.is_revoked);
    !state.is_overblocked && (0..2).all(|scope| revoked(scope).is_none_or(|h| h.cv <= state.consent[scope].fence()))
}

/// Whether nobody is at work with what is on record as withdrawn.
fn has_let_go(state: &State) -> bool {
    (0..2).all(|scope| match (state.consent[scope], &state.service.work[scope].held) {
        (Consent::Withdrawn(cv), Some(held)) => held.is_dropped || held.cv > cv,
        _ => true,
    })
}

pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(PROMISE, |_, state: &State| !state.is_late),
        Property::always(NO_MORE, |_, state: &State| is_no_more_than_asked(state)),
        Property::always("what is on record as withdrawn has no holder", |protocol: &Protocol, state: &State| {
            let is_waited_for = protocol.silence == Silence::Strict && !protocol.has_gateway;
            protocol.mutant.is_some() || !is_waited_for || has_let_go(state)
        }),
        Property::sometimes("a withdrawal waits for a holder", |_, state: &State| {
            let is_closed = state.register.turn.as_ref().is_some_and(|turn| turn.is_closed && turn.scopes[0]);
            is_closed && state.waits(0) && matches!(state.consent[0], Consent::Withdrawing(_))
        }),
        Property::sometimes("OK is said while the other scope goes on", |_, state: &State| {
            state.okayed[0] > 0 && is_served(state, 1)
        }),
        Property::sometimes("a scope goes on while the other one's withdrawal is pending", |_, state: &State| {
            matches!(state.consent[0], Consent::Withdrawing(_)) && state.register.turn.is_none() && is_served(state, 1)
        }),
        Property::sometimes(OVERLAP, |_, state: &State| {
            let is_of_one = state.register.turn.as_ref().is_some_and(|turn| turn.scopes == [false, true]);
            is_of_one && state.consent.iter().all(|consent| matches!(consent, Consent::Withdrawing(_)))
        }),
        Property::sometimes(OK_OF_BOTH, |_, state: &State| state.okayed.iter().all(|cv| *cv > 0)),
        Property::sometimes(WAITS_AGAIN, |_, state: &State| {
            let is_closed = state.register.turn.as_ref().is_some_and(|turn| turn.is_closed);
            state.register.life > 0 && is_closed && state.waits(0)
        }),
        Property::sometimes(OK_WITHOUT_SERVICE, |_, state: &State| {
            state.okayed[0] > 0 && state.service.is_dead && state.lent > 0
        }),
        Property::sometimes(OK_AGAIN, |_, state: &State| {
            state.okayed[0] == 2 && state.service.work[0].buffered == Some(3)
        }),
        Property::sometimes(GATEWAY_AGAIN, |_, state: &State| {
            state.gateway.life > 0 && state.gateway.has_sent && state.okayed[0] > 0
        }),
    ]
}
