//! A checker of histories: is there an order of operations that each client could have seen?
//!
//! The algorithm is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memoisation: try
//! every operation that was called before any other was answered, and remember the states that led nowhere.

use std::collections::HashSet;

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

/// Events in one history at most, because a set of them is one word.
pub const EVENTS_MAX: usize = 128;

/// Whether `history` of a register that held `initial` could have come about one action after the other, each between
/// its call and its answer.
///
/// # Panics
/// For more than [`EVENTS_MAX`] events.
#[must_use]
pub fn is_linearizable(history: &[Event], initial: Option<u64>) -> bool {
    assert!(history.len() <= EVENTS_MAX, "a history of {} events is too long", history.len());
    let all = history.iter().enumerate().fold(0u128, |set, (i, _)| set | 1 << i);
    let mut seen = HashSet::new();
    let mut open = vec![(all, initial)];
    while let Some((left, state)) = open.pop() {
        if left == 0 {
            return true;
        }
        if !seen.insert((left, state)) {
            continue;
        }
        let events = || history.iter().enumerate().filter(move |(i, _)| left & (1 << i) != 0);
        let first_answer = events().map(|(_, event)| event.answered).min().unwrap_or(u64::MAX);
        for (i, event) in events().filter(|(_, event)| event.called < first_answer) {
            if let Some(next) = step(state, event.action) {
                open.push((left & !(1 << i), next));
            }
        }
    }
    false
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
        assert_eq!(is_linearizable(&events, None), expect, "{history:?}");
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
