//! [`SetClock`]: a clock whose wall hand is set apart from the other.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use sayso_types::{Clock, ManualClock, Mono, WallTime};

/// 2026-01-01, noon.
pub(crate) const NOON: u64 = 1_767_268_800_000;
pub(crate) const HOUR: u64 = 3_600_000;

/// A clock whose wall hand a test sets, also back.
pub(crate) struct SetClock {
    hands: ManualClock,
    wall_ms: AtomicU64,
}

impl SetClock {
    pub(crate) fn at(wall_ms: u64) -> Self {
        Self { hands: ManualClock::new(), wall_ms: AtomicU64::new(wall_ms) }
    }

    pub(crate) fn set(&self, wall_ms: u64) {
        self.wall_ms.store(wall_ms, SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Mono {
        self.hands.now()
    }

    fn wall(&self) -> WallTime {
        WallTime(self.wall_ms.load(SeqCst))
    }
}
