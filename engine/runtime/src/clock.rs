//! The clocks of this machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use sayso_types::{Clock, Mono, WallTime};

/// A lease must not outlive a suspension, so the monotonic clock is the one that goes on while the machine sleeps.
#[cfg(target_os = "linux")]
const MONOTONIC: ClockId = ClockId::Boottime;
/// Elsewhere the monotonic clock is the closest that there is.
#[cfg(not(target_os = "linux"))]
const MONOTONIC: ClockId = ClockId::Monotonic;

/// Reads the system's clocks. The monotonic one starts at zero when this is made.
#[derive(Clone, Debug)]
pub struct SystemClock {
    origin: Duration,
}

impl SystemClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: monotonic() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Mono {
        Mono::default().after(monotonic().saturating_sub(self.origin))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the system clock that everyone else is given")]
    fn wall(&self) -> WallTime {
        // a clock set before 1970 reads as 1970: records stay readable, and no deadline depends on it
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}

fn monotonic() -> Duration {
    let time = clock_gettime(MONOTONIC);
    Duration::new(
        u64::try_from(time.tv_sec).expect("a monotonic clock counts up from zero"),
        u32::try_from(time.tv_nsec).expect("nanoseconds are below one second"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_from_its_origin() {
        let earlier = SystemClock::new();
        let first = earlier.now();
        let later = SystemClock::new();
        let second = earlier.now();
        assert!(second >= first);
        assert!(later.now() <= earlier.now(), "a later origin reads a smaller time");
    }

    #[test]
    fn knows_the_century() {
        let year_2020 = WallTime(1_577_836_800_000);
        assert!(SystemClock::new().wall() > year_2020);
    }
}
