//! The clocks of this machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use sayso_types::{Clock, Mono, WallTime};

/// Permits, tenures and leases are over when their time is, also where the machine was suspended meanwhile: to everybody
/// else that time has passed, and somebody else may own by now what was owned here. So the monotonic clock is the one that
/// goes on while the machine sleeps; `CLOCK_MONOTONIC`, and with it tokio's, stands still.
#[cfg(target_os = "linux")]
const MONOTONIC: ClockId = ClockId::Boottime;
/// Elsewhere the monotonic clock is the closest that there is.
#[cfg(not(target_os = "linux"))]
const MONOTONIC: ClockId = ClockId::Monotonic;

/// Reads the system's clocks. The monotonic one starts at zero when this is [made](Self::new), or is the machine's.
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

    /// A clock whose origin is the machine's own: what it reads means the same to every process there.
    #[must_use]
    pub const fn of_machine() -> Self {
        Self { origin: Duration::ZERO }
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

    /// `/proc/uptime` includes the time in which the machine was suspended: proc_uptime(5). On one that never was, this
    /// holds of `CLOCK_MONOTONIC` too.
    #[cfg(target_os = "linux")]
    #[test]
    fn counts_the_time_in_which_the_machine_was_suspended() {
        /// In hundredths of a second, cut off.
        fn uptime() -> u128 {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            text.split(' ').next().unwrap().replace('.', "").parse().unwrap()
        }
        let before = uptime();
        let read = monotonic().as_millis() / 10;
        assert!((before..=uptime()).contains(&read), "{read} is not from {before} to {}", uptime());
    }

    #[test]
    fn knows_the_century() {
        let year_2020 = WallTime(1_577_836_800_000);
        assert!(SystemClock::new().wall() > year_2020);
    }
}
