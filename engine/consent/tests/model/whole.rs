//! The protocol as it is.

use stateright::{Checker, HasDiscoveries, Model};

use crate::properties::{OK_AGAIN, OK_BY_RESTARTED, PROMISE};
use crate::protocol::{Bounds, Protocol};

/// Looks at every state within `bounds`: what must never be is nowhere, and everything that must be possible is, but for
/// `impossible`, which these bounds leave no room for.
fn holds(name: &str, bounds: Bounds, impossible: &[&str]) {
    let protocol = Protocol::whole(bounds);
    let checked = protocol.clone().checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!("{name}: {} states, {} steps deep", checked.unique_state_count(), checked.max_depth());
    assert_eq!(checked.discovery(PROMISE).map(|path| path.into_actions()), None);
    for property in protocol.properties() {
        let must_be_found = !property.expectation.discovery_is_failure() && !impossible.contains(&property.name);
        assert_eq!(checked.discovery(property.name).is_some(), must_be_found, "{}", property.name);
    }
}

#[test]
fn the_promise_holds_across_a_takeover() {
    holds("takeover", Bounds::TAKEOVER, &[OK_BY_RESTARTED]);
}

#[test]
fn the_promise_holds_across_restarts() {
    holds("restarts", Bounds::RESTART, &[]);
}

#[test]
fn the_promise_holds_across_both() {
    holds("takeover and restarts", Bounds::BOTH, &[OK_AGAIN]);
}
