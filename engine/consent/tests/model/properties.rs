//! What must never be, and what must be possible for that to mean anything.

use stateright::Property;

use crate::protocol::Protocol;
use crate::state::{Consent, Lease, Recorded, State};

/// The promise.
pub(crate) const PROMISE: &str = "nothing of a withdrawn scope leaves after its OK, unless it was agreed to since";

/// A takeover is within the bounds.
pub(crate) const OK_BY_STANDBY: &str = "OK is said by who took over";

/// A restart is within the bounds.
pub(crate) const OK_BY_RESTARTED: &str = "OK is said by who was killed and started again";

/// A second agreement is within the bounds.
pub(crate) const OK_AGAIN: &str = "what is agreed to again leaves again";

/// Whether whoever last opened the log has no work at its hands once consent is on record as withdrawn.
fn has_let_go(state: &State) -> bool {
    let owners = state.processes.iter().filter(|process| process.log == Some(state.store.log));
    let mut leases = owners.map(|process| process.lease);
    !matches!(state.store.consent, Consent::Withdrawn(_))
        || leases.all(|lease| !matches!(lease, Lease::Held { is_dropped: false, .. }))
}

pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(PROMISE, |_, state: &State| !state.is_late),
        Property::always("what is on record as withdrawn has no holder", |protocol: &Protocol, state: &State| {
            protocol.mutant.is_some() || has_let_go(state)
        }),
        Property::sometimes("OK is said", |_, state: &State| state.okayed > 0),
        Property::sometimes(OK_BY_STANDBY, |_, state: &State| state.okayed > 0 && state.processes[1].log.is_some()),
        Property::sometimes(OK_BY_RESTARTED, |_, state: &State| {
            state.okayed > 0 && state.processes[0].life > 0 && state.processes[0].log.is_some()
        }),
        Property::sometimes(OK_AGAIN, |_, state: &State| {
            state.okayed == 2 && state.processes.iter().any(|process| process.buffered == Some(3))
        }),
        Property::sometimes("a withdrawal waits for a holder", |_, state: &State| {
            state.processes.iter().any(|process| {
                let is_held = matches!(process.lease, Lease::Held { is_revoked: true, .. });
                is_held && process.withdrawal.is_some_and(|at| at.is_closed && at.recorded == Recorded::Requested)
            })
        }),
        Property::sometimes("a request is on record and its answer is not there", |_, state: &State| {
            matches!(state.store.consent, Consent::Withdrawing(_))
                && state.processes.iter().any(|p| p.withdrawal.is_some_and(|at| at.recorded == Recorded::Nothing))
        }),
    ]
}
