//! A checker of histories: is there an order of operations that each client could have seen?
//!
//! The search is that of the crate todc-utils: Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with Lowe's
//! memoisation. The one of the crate stateright remembers no states that led nowhere, and histories of several clients over one
//! register have many of them.

use todc_utils::{Action as Moment, History, Specification, WGLChecker};

/// What one client did to one register and what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read this.
    Read(Option<u64>),
    /// Put this.
    Put(u64),
    /// Put `to` if the register held `from`; `done` says whether it did.
    Swap {
        /// What was required.
        from: Option<u64>,
        /// What was to be put.
        to: u64,
        /// What was answered.
        done: bool,
    },
}

/// An action with the moments of its call and its answer, on one clock for all clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was called.
    pub called: u64,
    /// When it was answered.
    pub answered: u64,
    /// What it was.
    pub action: Action,
}

/// Whether `history` of a register that held nothing could have come about one action after the other, each between its call and
/// its answer.
#[must_use]
pub fn is_linearizable(history: &[Event]) -> bool {
    if history.is_empty() {
        return true;
    }
    // each event is a process of its own: who was called before whom is all that counts
    let of = |(number, event): (usize, &Event)| {
        let (call, answer) = (Moment::Call(event.action), Moment::Response(event.action));
        [(event.called, (number, call)), (event.answered, (number, answer))]
    };
    let mut moments: Vec<_> = history.iter().enumerate().flat_map(of).collect();
    moments.sort_by_key(|(at, _)| *at);
    WGLChecker::<Register>::is_linearizable(History::from_actions(
        moments.into_iter().map(|(_, moment)| moment).collect(),
    ))
}

/// A register that one action after the other is done to.
struct Register;

impl Specification for Register {
    type State = Option<u64>;
    type Operation = Action;

    fn init() -> Self::State {
        None
    }

    fn apply(action: &Action, state: &Self::State) -> (bool, Self::State) {
        step(*state, *action).map_or((false, *state), |next| (true, next))
    }
}

/// What the register holds after `action`, if it could have answered so.
fn step(state: Option<u64>, action: Action) -> Option<Option<u64>> {
    match action {
        Action::Read(read) => (read == state).then_some(state),
        Action::Put(value) => Some(Some(value)),
        Action::Swap { from, to, done } if (from == state) == done => Some(if done { Some(to) } else { state }),
        Action::Swap { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(history: &[(u64, u64, Action)], expect: bool) {
        let events: Vec<_> =
            history.iter().map(|&(called, answered, action)| Event { called, answered, action }).collect();
        assert_eq!(is_linearizable(&events), expect, "{history:?}");
    }

    #[test]
    fn what_overlaps_may_have_come_in_either_order() {
        let (put, old, new) = (Action::Put(1), Action::Read(None), Action::Read(Some(1)));
        check(&[(0, 3, put), (1, 2, old)], true);
        check(&[(0, 3, put), (1, 2, new)], true);
        check(&[(0, 9, put), (1, 2, old), (3, 4, new)], true);
    }

    #[test]
    fn a_stale_read_is_found() {
        let (put, old, new) = (Action::Put(1), Action::Read(None), Action::Read(Some(1)));
        check(&[(0, 1, put), (2, 3, old)], false);
        check(&[(0, 9, put), (1, 2, new), (3, 4, old)], false);
    }

    #[test]
    fn a_lost_update_is_found() {
        let swap = |from, to, done| Action::Swap { from, to, done };
        check(&[(0, 5, swap(None, 1, true)), (1, 6, swap(None, 2, false))], true);
        check(&[(0, 5, swap(None, 1, true)), (1, 6, swap(None, 2, true))], false);
        check(&[(0, 5, swap(None, 1, false))], false);
        check(&[(0, 1, Action::Put(1)), (2, 5, swap(Some(1), 2, true)), (3, 6, swap(Some(2), 3, true))], true);
    }
}
