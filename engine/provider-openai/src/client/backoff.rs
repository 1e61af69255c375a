//! [`Backoff`]: pauses between attempts.

use core::time::Duration;

/// Attempts of one call, the first included. Each is a chance that a service which restarts has come back; more would
/// cost a person longer than being told that it is away.
const ATTEMPTS_MAX: u32 = 3;
/// The first pause is at most this long, each further one at most twice as long as the one before.
const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// Random pauses that grow, so that devices which lost a service together do not come back to it together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after one more failure; `None` when it was the last attempt.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        self.failures += 1;
        if self.failures >= ATTEMPTS_MAX {
            return None;
        }
        let ceiling = PAUSE_FIRST * 2u32.pow(self.failures - 1);
        let random = getrandom::u32().expect("the operating system provides random bytes");
        Some(ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_bounded_and_end() {
        let mut backoff = Backoff::default();
        let pauses = core::iter::from_fn(|| backoff.next()).collect::<Vec<_>>();
        assert_eq!(pauses.len(), 2);
        assert!(pauses[0] <= PAUSE_FIRST && pauses[1] <= PAUSE_FIRST * 2);
    }
}
