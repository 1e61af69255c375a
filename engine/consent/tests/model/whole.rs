//! The protocol as it is.

use crate::properties::{OK_AGAIN, OK_BY_RESTARTED};
use crate::protocol::{Bounds, Protocol};
use crate::search::holds;

#[test]
fn the_promise_holds_across_a_takeover() {
    holds("takeover", Protocol::whole(Bounds::TAKEOVER), &[OK_BY_RESTARTED]);
}

#[test]
fn the_promise_holds_across_restarts() {
    holds("restarts", Protocol::whole(Bounds::RESTART), &[]);
}

#[test]
fn the_promise_holds_across_both() {
    holds("takeover and restarts", Protocol::whole(Bounds::BOTH), &[OK_AGAIN]);
}
