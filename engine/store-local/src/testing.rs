//! Faults that tests have no other way to cause.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::thread;

/// How much longer a sync takes, in milliseconds.
static SYNC_DELAY_MS: AtomicU64 = AtomicU64::new(0);

/// Has every sync of a log in this process take so much longer from now on, as on a disk that is busy or failing.
pub fn slow_syncs(delay: Duration) {
    SYNC_DELAY_MS.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

pub(crate) fn delay_sync() {
    match SYNC_DELAY_MS.load(Ordering::Relaxed) {
        0 => {}
        delay => thread::sleep(Duration::from_millis(delay)),
    }
}
