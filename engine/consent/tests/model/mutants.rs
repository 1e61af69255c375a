//! Seven ways to break it: each is found out, and shown how.

use crate::properties::PROMISE;
use crate::protocol::{Bounds, Mutant, Protocol, Takeover};
use crate::search::way_to_break;
use crate::step::Step;

fn broken(mutant: Mutant, bounds: Bounds) -> Protocol {
    Protocol { mutant: Some(mutant), ..Protocol::whole(bounds) }
}

/// How `mutant` breaks the promise within `bounds`; `last` is the step that does.
fn breaks(mutant: Mutant, bounds: Bounds, last: impl Fn(&Step) -> bool) -> Vec<Step> {
    let way =
        way_to_break(&format!("{mutant:?}"), PROMISE, broken(mutant, bounds)).expect("a mutant that nobody notices");
    assert!(way.iter().any(|step| matches!(step, Step::Ok(_))), "OK was said: {way:?}");
    assert!(way.last().is_some_and(last), "broken by something else: {way:?}");
    way
}

fn took_over(way: &[Step]) -> bool {
    way.contains(&Step::Take(1))
}

#[test]
fn m1_nothing_taken_back() {
    breaks(Mutant::NothingTakenBack, Bounds::ALONE, |step| matches!(step, Step::Pass(0)));
}

#[test]
fn m2_no_wait_for_holders() {
    breaks(Mutant::NoWait, Bounds::ALONE, |step| matches!(step, Step::Send(0)));
}

#[test]
fn m3_let_go_before_the_buffers_are_gone() {
    breaks(Mutant::ReleaseBeforeDrop, Bounds::ALONE, |step| matches!(step, Step::Send(0)));
}

#[test]
fn m4_no_margin_for_clocks_that_drift() {
    let way = breaks(Mutant::NoMargin, Bounds::BRIEF, |step| matches!(step, Step::Pass(0)));
    assert!(took_over(&way) && way.contains(&Step::Tick(Some(0))), "the owner's clock fell behind: {way:?}");
}

#[test]
fn m5_no_fencing_at_a_takeover() {
    let way = breaks(Mutant::NoFencing, Bounds { time: 1, ..Bounds::BRIEF }, |step| matches!(step, Step::Pass(0)));
    assert!(took_over(&way) && !way.iter().any(|step| matches!(step, Step::Tick(_))), "at any time: {way:?}");
}

#[test]
fn m6_a_replay_buffer_behind_the_gate() {
    breaks(Mutant::ReplayBehindGate, Bounds::ALONE, |step| matches!(step, Step::Break(0)));
}

#[test]
fn m7_a_stop_between_check_and_write() {
    let way = breaks(Mutant::CheckApartFromWrite, Bounds::BRIEF, |step| matches!(step, Step::HandOver(0)));
    assert!(took_over(&way), "within one process the holder is waited for: {way:?}");
}

/// Safety before liveness: who cannot be asked is not replaced before it is known to have ended.
#[test]
fn m7_is_harmless_where_a_takeover_waits_for_the_owners_end() {
    let strict = Protocol {
        takeover: Takeover::Confirmed,
        ..broken(Mutant::CheckApartFromWrite, Bounds { time: 2, ..Bounds::BOTH })
    };
    assert_eq!(way_to_break("M7, strict", PROMISE, strict), None);
}

/// What a process had handed to a socket would still be sent after its end.
#[test]
fn a_killed_process_must_reset_its_connections() {
    let lingering = Protocol { resets_when_killed: false, ..Protocol::whole(Bounds::RESTART) };
    let way = way_to_break("not reset when killed", PROMISE, lingering).expect("a way");
    assert!(way.contains(&Step::Kill(0)) && way.last() == Some(&Step::Send(0)), "{way:?}");
}
