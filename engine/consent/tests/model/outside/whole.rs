//! The protocol as it is.

use super::properties::{GATEWAY_AGAIN, OK_AGAIN, OK_OF_BOTH, OK_WITHOUT_SERVICE, OVERLAP, WAITS_AGAIN};
use super::protocol::{Bounds, Protocol, Silence};
use crate::search::holds;

#[test]
fn two_scopes_are_withdrawn_while_everything_is_started_again() {
    holds("two scopes", Protocol::whole(Bounds::SCOPES), &[OK_AGAIN, GATEWAY_AGAIN]);
}

#[test]
fn a_scope_is_agreed_to_again_while_the_other_one_goes_on() {
    let impossible = [OVERLAP, OK_OF_BOTH, WAITS_AGAIN, OK_WITHOUT_SERVICE, GATEWAY_AGAIN];
    holds("agreed again", Protocol::whole(Bounds::AGAIN), &impossible);
}

#[test]
fn permits_run_out_where_a_policy_counts_on_terms() {
    let impossible = [OVERLAP, OK_OF_BOTH, OK_AGAIN, GATEWAY_AGAIN];
    for silence in [Silence::Expiry, Silence::Watchdog] {
        let protocol = Protocol { silence, ..Protocol::whole(Bounds::TERMS) };
        holds(&format!("terms, {silence:?}"), protocol, &impossible);
    }
}

#[test]
fn a_gateway_that_is_started_again_sends_nothing_that_was_withdrawn() {
    let impossible = [OVERLAP, OK_OF_BOTH, OK_AGAIN];
    holds("gateway", Protocol::with_gateway(Bounds::GATEWAY), &impossible);
}
