//! [`Faults`]: what goes wrong, by a seed.

use core::fmt;
use core::time::Duration;
use std::io::{self, Write};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::code::{Code, FUTURE_VERSION, PROCESS_BEHIND, TRANSACTION_TOO_OLD};

/// Names the seed. Unset, nothing goes wrong.
const SEED: &str = "SAYSO_FDB_STAND_IN_SEED";

/// Commits between two that time out: whoever tries again is not struck a second time.
const COMMITS_BETWEEN_TIME_OUTS: u32 = 50;

/// Draws what goes wrong. It is drawn in the order in which threads come to ask, so that a seed makes other runs than
/// another seed and not the same run twice.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    draws: Option<Mutex<Draws>>,
}

#[derive(Debug)]
struct Draws {
    random: fastrand::Rng,
    commits_since_time_out: u32,
    drawn: Drawn,
}

/// How many of which kind were drawn.
#[derive(Clone, Copy, Debug, Default)]
struct Drawn {
    commits: u32,
    conflicts: u32,
    unknown_and_not: u32,
    unknown_and_done: u32,
    timed_out: u32,
    reads: u32,
    watches: u32,
    pages: u32,
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commits, conflicts, unknown_and_not, unknown_and_done, timed_out, reads, watches, pages } = self;
        write!(
            f,
            "of {commits} commits {conflicts} conflicted with nothing, {unknown_and_not} and {unknown_and_done} had an unknown \
             outcome and were not and were done, {timed_out} timed out and were done late; {reads} transactions were to \
             fail at a read, {watches} watches fired for nothing or failed, {pages} pages were cut short"
        )
    }
}

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// What should.
    None,
    /// It conflicts with nothing.
    Conflict,
    /// Nobody knows what became of it, which is nothing.
    UnknownAndNot,
    /// Nobody knows what became of it: it was committed.
    UnknownAndDone,
    /// It times out, and is committed after that.
    TimedOutAndLate(Duration),
}

/// What becomes of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatchFault {
    None,
    /// It fires although nothing changed.
    Fires(Duration),
    /// It ends with an error.
    Fails(Duration),
}

impl Faults {
    /// Those that the environment asks for.
    pub(crate) fn of_environment() -> &'static Self {
        static FAULTS: LazyLock<Faults> = LazyLock::new(|| {
            let seed = std::env::var(SEED).ok().filter(|seed| !seed.is_empty());
            let random = |seed: String| match seed.parse() {
                Ok(seed) => fastrand::Rng::with_seed(seed),
                Err(_) => panic!("{SEED} is a number, not {seed:?}"),
            };
            seed.map_or_else(Faults::default, |seed| Faults::new(random(seed)))
        });
        &FAULTS
    }

    fn new(random: fastrand::Rng) -> Self {
        Self { draws: Some(Mutex::new(Draws { random, commits_since_time_out: 0, drawn: Drawn::default() })) }
    }

    fn draw<T>(&self, nothing: T, draw: impl FnOnce(&mut Draws) -> T) -> T {
        match &self.draws {
            Some(draws) => draw(&mut draws.lock().unwrap_or_else(PoisonError::into_inner)),
            None => nothing,
        }
    }

    /// Reads of a transaction that succeed before one fails, and with what.
    pub(crate) fn of_reads(&self) -> Option<(usize, Code)> {
        self.draw(None, |draws| {
            let code = *draws.random.choice(&[TRANSACTION_TOO_OLD, FUTURE_VERSION, PROCESS_BEHIND])?;
            let fails = (draws.random.u8(..10) == 0).then(|| (draws.random.usize(..8), code));
            draws.drawn.reads += u32::from(fails.is_some());
            fails
        })
    }

    /// What becomes of a commit; `may_time_out` when whoever asked can do something about that.
    pub(crate) fn of_commit(&self, may_time_out: bool) -> CommitFault {
        self.draw(CommitFault::None, |draws| {
            draws.commits_since_time_out = draws.commits_since_time_out.saturating_add(1);
            draws.drawn.commits += 1;
            let (counted, fault) = match draws.random.u8(..40) {
                0..3 => (&mut draws.drawn.conflicts, CommitFault::Conflict),
                3..5 => (&mut draws.drawn.unknown_and_not, CommitFault::UnknownAndNot),
                5..8 => (&mut draws.drawn.unknown_and_done, CommitFault::UnknownAndDone),
                8 if may_time_out && draws.commits_since_time_out > COMMITS_BETWEEN_TIME_OUTS => {
                    draws.commits_since_time_out = 0;
                    let late = draws.pause(20);
                    (&mut draws.drawn.timed_out, CommitFault::TimedOutAndLate(late))
                }
                _ => return CommitFault::None,
            };
            *counted += 1;
            fault
        })
    }

    /// What becomes of a watch.
    pub(crate) fn of_watch(&self) -> WatchFault {
        self.draw(WatchFault::None, |draws| {
            let fault = match draws.random.u8(..20) {
                0 => WatchFault::Fires(draws.pause(20)),
                1 => WatchFault::Fails(draws.pause(20)),
                _ => WatchFault::None,
            };
            draws.drawn.watches += u32::from(fault != WatchFault::None);
            fault
        })
    }

    /// How long an answer takes.
    pub(crate) fn delay(&self) -> Duration {
        self.draw(Duration::ZERO, |draws| match draws.random.u8(..20) {
            0 => draws.pause(3),
            _ => Duration::ZERO,
        })
    }

    /// Whether a page ends after a row although it is not full.
    pub(crate) fn ends_page(&self) -> bool {
        self.draw(false, |draws| {
            let ends = draws.random.u8(..16) == 0;
            draws.drawn.pages += u32::from(ends);
            ends
        })
    }

    /// Says what went wrong, if anything could.
    pub(crate) fn tell(&self) {
        let drawn = self.draw(None, |draws| Some(draws.drawn));
        if let Some(drawn) = drawn {
            // who cannot read it has no use for it
            let _ = writeln!(io::stderr(), "stand-in for FoundationDB's client: {drawn}");
        }
    }

    /// Whether a commit shares the version of the one before, which is no fault.
    pub(crate) fn shares_version(&self) -> bool {
        self.draw(true, |draws| draws.random.bool())
    }
}

impl Draws {
    fn pause(&mut self, ms_max: u64) -> Duration {
        Duration::from_millis(self.random.u64(..=ms_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_seed_nothing_goes_wrong() {
        let faults = Faults::default();
        for _ in 0..100 {
            assert_eq!((faults.of_reads(), faults.of_commit(true)), (None, CommitFault::None));
            assert_eq!((faults.of_watch(), faults.delay()), (WatchFault::None, Duration::ZERO));
            assert!(!faults.ends_page());
        }
    }

    #[test]
    fn with_a_seed_everything_does_and_time_outs_are_apart() {
        let faults = Faults::new(fastrand::Rng::with_seed(1));
        let commits: Vec<_> = (0..10_000).map(|_| faults.of_commit(true)).collect();
        for fault in [CommitFault::Conflict, CommitFault::UnknownAndNot, CommitFault::UnknownAndDone] {
            assert!(commits.contains(&fault), "{fault:?}");
        }
        let late: Vec<_> =
            (0..).zip(&commits).filter(|(_, fault)| matches!(fault, CommitFault::TimedOutAndLate(_))).collect();
        assert!(late.len() > 1);
        assert!(late.windows(2).all(|pair| pair[1].0 - pair[0].0 > COMMITS_BETWEEN_TIME_OUTS));
        assert!((0..1_000).any(|_| faults.of_reads().is_some()));
        assert!((0..1_000).any(|_| matches!(faults.of_watch(), WatchFault::Fails(_))));
        assert!((0..1_000).all(|_| !matches!(faults.of_commit(false), CommitFault::TimedOutAndLate(_))));
    }
}
