//! Time, as a contract. Cores take `now` as a value or a [`Clock`] from outside; the system clock lives in
//! `sayso-runtime`, [`ManualClock`] is for tests.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A point on a node's monotonic clock: nanoseconds since an arbitrary origin. Never leaves the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

impl Mono {
    /// This point plus `d`, saturating.
    #[must_use]
    pub fn after(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Wall-clock time: milliseconds since the Unix epoch, UTC. For records and people, never for deadlines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime(pub u64);

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The monotonic clock; it counts the time that a machine is suspended where the system can.
    fn now(&self) -> Mono;
    /// The wall clock.
    fn wall(&self) -> WallTime;
}

/// A clock that stands still until a test moves it. Clones share the hands.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock at one second past its origin, so that "earlier than now" exists.
    #[must_use]
    pub fn new() -> Self {
        Self { nanos: Arc::new(AtomicU64::new(1_000_000_000)) }
    }

    /// Moves both hands forward by `d`.
    pub fn advance(&self, d: Duration) {
        let nanos = u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Mono {
        Mono(self.nanos.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallTime {
        // 2026-01-01T00:00:00Z plus what was advanced: readable dates in test output
        WallTime(1_767_225_600_000 + self.nanos.load(Ordering::SeqCst) / 1_000_000)
    }
}
