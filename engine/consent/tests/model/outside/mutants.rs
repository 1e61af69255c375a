//! Ways to break it: each is found out, and shown how.

use super::properties::NO_MORE;
use super::protocol::{Bounds, Mutant, Protocol, Silence};
use super::step::Step;
use crate::properties::PROMISE;
use crate::search::way_to_break;

/// How `mutant` of `protocol` breaks `property`.
fn breaks(mutant: Mutant, property: &'static str, protocol: Protocol) -> Vec<Step> {
    let broken = Protocol { mutant: Some(mutant), ..protocol };
    way_to_break(&format!("outside, {mutant:?}"), property, broken).expect("a mutant that nobody notices")
}

/// How it breaks the promise, which OK makes.
fn breaks_promise(mutant: Mutant, protocol: Protocol) -> Vec<Step> {
    let way = breaks(mutant, PROMISE, protocol);
    assert!(way.contains(&Step::Ok), "OK was said: {way:?}");
    way
}

fn with_terms(silence: Silence) -> Protocol {
    Protocol { silence, ..Protocol::whole(Bounds::TERMS) }
}

#[test]
fn m1_nothing_taken_back() {
    let way = breaks_promise(Mutant::NothingTakenBack, Protocol::whole(Bounds::SCOPES));
    assert!(matches!(way.last(), Some(Step::Pass(_))), "{way:?}");
}

#[test]
fn m2_no_wait_for_holders() {
    let _ = breaks_promise(Mutant::NoWait, Protocol::whole(Bounds::SCOPES));
}

#[test]
fn m3_let_go_before_the_buffers_are_gone() {
    let way = breaks_promise(Mutant::ReleaseBeforeDrop, Protocol::whole(Bounds::SCOPES));
    assert!(matches!(way.last(), Some(Step::Send(_))), "{way:?}");
}

#[test]
fn m4_no_margin_for_clocks_that_drift() {
    let way = breaks_promise(Mutant::NoMargin, with_terms(Silence::Expiry));
    assert!(way.iter().any(|step| matches!(step, Step::RunOut(_))), "{way:?}");
}

#[test]
fn m5_a_register_that_is_started_again_forgets_holders() {
    let way = breaks_promise(Mutant::NoFencing, Protocol::whole(Bounds::SCOPES));
    assert!(way.contains(&Step::RestartRegister), "{way:?}");
}

#[test]
fn m6_a_replay_buffer_behind_the_gate() {
    let way = breaks_promise(Mutant::ReplayBehindGate, Protocol::whole(Bounds::AGAIN));
    assert!(matches!(way.last(), Some(Step::Break(_))), "{way:?}");
}

#[test]
fn m7_a_stop_between_check_and_write() {
    let way = breaks_promise(Mutant::CheckApartFromWrite, with_terms(Silence::Expiry));
    assert!(matches!(way.last(), Some(Step::HandOver(_))), "{way:?}");
}

/// Safety before liveness: who says nothing is waited for, or ended by something that does not depend on them, or by a gateway.
#[test]
fn m7_is_harmless_under_strict_with_a_watchdog_or_with_a_gateway() {
    let whole = [with_terms(Silence::Strict), with_terms(Silence::Watchdog), Protocol::with_gateway(Bounds::GATEWAY)];
    for protocol in whole {
        let broken = Protocol { mutant: Some(Mutant::CheckApartFromWrite), ..protocol };
        assert_eq!(way_to_break("outside, M7", PROMISE, broken), None);
    }
}

/// Else a message that comes twice ends what was given meanwhile.
#[test]
fn who_lets_go_must_say_of_what() {
    let way = breaks_promise(Mutant::NamelessLetGo, Protocol::whole(Bounds::SCOPES));
    assert!(matches!(way.last(), Some(Step::Pass(_))), "{way:?}");
}

#[test]
fn to_stop_more_than_was_withdrawn_is_noticed() {
    let _ = breaks(Mutant::ClosesBoth, NO_MORE, Protocol::whole(Bounds::SCOPES));
}

#[test]
fn a_gateway_must_not_come_back_with_an_old_fence() {
    for mutant in [Mutant::OpensUnread, Mutant::TakesOldAnswers] {
        let way = breaks_promise(mutant, Protocol::with_gateway(Bounds::GATEWAY));
        assert!(way.contains(&Step::RestartGateway), "{way:?}");
    }
}
