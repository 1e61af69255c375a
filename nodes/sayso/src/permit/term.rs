//! [`Term`]: when a held permit is renewed, and when what runs under it is stopped. Pure.

use std::time::Duration;

use sayso_types::Mono;

/// Between being told to end and being killed, at most: long enough for a program to finish a line and clean up, short enough
/// that a person who said stop need not wonder.
const GRACE: Duration = Duration::from_secs(1);

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Wait,
    /// Ask for a renewal.
    Renew,
    /// Tell the command to end.
    Terminate,
    /// End it.
    Kill,
}

/// A permit that something runs under. It counts from before each question, so that it is over here before the node takes
/// it to be over; and it stops what runs early enough for that to be gone by then.
#[derive(Debug)]
pub(super) struct Term {
    from: Mono,
    lasts: Duration,
    renew_within: Duration,
    /// When a renewal was asked for that is not answered yet.
    asked_again: Option<Mono>,
    /// When the command was, or is to be, told to end.
    ending_since: Option<Mono>,
    is_told: bool,
    is_killed: bool,
}

impl Term {
    /// A permit that was asked for at `from`.
    pub(super) const fn new(from: Mono, lasts: Duration, renew_within: Duration) -> Self {
        let (asked_again, ending_since) = (None, None);
        Self { from, lasts, renew_within, asked_again, ending_since, is_told: false, is_killed: false }
    }

    /// The renewal that was asked for is given.
    pub(super) fn renewed(&mut self, lasts: Duration) {
        if let Some(asked) = self.asked_again.take() {
            (self.from, self.lasts) = (asked, lasts);
        }
    }

    /// It was taken back, or nothing can be heard of it any more.
    pub(super) fn ends(&mut self, now: Mono) {
        self.ending_since.get_or_insert(now);
    }

    /// Whether what runs under it is being stopped.
    pub(super) const fn is_ending(&self) -> bool {
        self.ending_since.is_some()
    }

    /// When what runs under it is ended, if nothing ends it before.
    pub(super) fn over(&self) -> Mono {
        self.from.after(self.lasts * 5 / 6)
    }

    /// What is to be done at `now`, each step once.
    pub(super) fn step(&mut self, now: Mono) -> Step {
        if now >= self.from.after(self.lasts * 2 / 3) {
            self.ends(now);
        }
        let Some(since) = self.ending_since else {
            if self.asked_again.is_none() && now >= self.from.after(self.renew_within) {
                self.asked_again = Some(now);
                return Step::Renew;
            }
            return Step::Wait;
        };
        let kill_at = since.after(GRACE).min(self.over());
        if now >= kill_at && !self.is_killed {
            (self.is_told, self.is_killed) = (true, true);
            return Step::Kill;
        }
        if !self.is_told {
            self.is_told = true;
            return Step::Terminate;
        }
        Step::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    fn permit() -> Term {
        Term::new(at(0), Duration::from_secs(3), Duration::from_secs(1))
    }

    #[test]
    fn is_renewed_in_time_from_when_it_was_asked_for() {
        let mut term = permit();
        assert_eq!([500, 999].map(|ms| term.step(at(ms))), [Step::Wait; 2]);
        assert_eq!([1_000, 1_100].map(|ms| term.step(at(ms))), [Step::Renew, Step::Wait]);
        term.renewed(Duration::from_secs(3));
        assert_eq!([1_999, 2_000].map(|ms| term.step(at(ms))), [Step::Wait, Step::Renew]);
        assert_eq!(term.step(at(2_999)), Step::Wait, "asked at 1 s and good until 4 s, it ends at 3 s");
        assert_eq!(term.step(at(3_000)), Step::Terminate);
    }

    #[test]
    fn without_an_answer_it_is_over_before_the_permit_is() {
        let mut term = permit();
        assert_eq!(term.step(at(1_000)), Step::Renew);
        assert_eq!([1_999, 2_000, 2_499].map(|ms| term.step(at(ms))), [Step::Wait, Step::Terminate, Step::Wait]);
        assert_eq!([2_500, 2_600].map(|ms| term.step(at(ms))), [Step::Kill, Step::Wait]);
        assert!(term.is_ending());
    }

    #[test]
    fn what_is_taken_back_ends_at_once_and_within_the_grace() {
        let mut term = Term::new(at(0), Duration::from_secs(60), Duration::from_secs(20));
        assert_eq!(term.step(at(100)), Step::Wait);
        term.ends(at(200));
        assert_eq!([200, 1_199].map(|ms| term.step(at(ms))), [Step::Terminate, Step::Wait]);
        assert_eq!([1_200, 9_000].map(|ms| term.step(at(ms))), [Step::Kill, Step::Wait]);
        term.renewed(Duration::from_secs(60));
        assert!(term.is_ending(), "there is no way back");
    }

    #[test]
    fn a_machine_that_slept_through_it_kills_at_once() {
        let mut term = permit();
        assert_eq!([60_000, 60_001].map(|ms| term.step(at(ms))), [Step::Kill, Step::Wait]);
    }
}
