//! [`SetClock`]: the system's clock as it is after somebody set it.

use std::sync::atomic::{AtomicI64, Ordering};

use sayso_runtime::SystemClock;
use sayso_types::{Clock, Mono, WallTime};

/// The system's clock, and how far it was set ahead or, below zero, behind. (What Raft times, it times by the system's monotonic
/// clock, which nobody can set; for that one to leap, a process is stopped and goes on later.)
#[derive(Default)]
pub(crate) struct SetClock {
    system: SystemClock,
    ahead_ms: AtomicI64,
}

impl SetClock {
    /// Sets it that far from what it was at first.
    pub(crate) fn set(&self, ahead_ms: i64) {
        self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }

    fn ahead(&self, nanos_or_millis: u64, unit: i64) -> u64 {
        nanos_or_millis.saturating_add_signed(self.ahead_ms.load(Ordering::Relaxed).saturating_mul(unit))
    }
}

impl Clock for SetClock {
    fn now(&self) -> Mono {
        Mono(self.ahead(self.system.now().0, 1_000_000))
    }

    fn wall(&self) -> WallTime {
        WallTime(self.ahead(self.system.wall().0, 1))
    }
}
