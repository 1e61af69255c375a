//! Faults that tests have no other way to cause.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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

/// How merging stands in this process.
#[derive(Debug, Default)]
struct Merging {
    is_held: bool,
    /// Threads that were to merge and wait.
    waiting: usize,
}

static MERGING: Mutex<Merging> = Mutex::new(Merging { is_held: false, waiting: 0 });
static CHANGED: Condvar = Condvar::new();

fn merging() -> MutexGuard<'static, Merging> {
    MERGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has every merge of tables in this process take until this is dropped.
#[derive(Debug)]
pub struct EndlessMerges(());

impl EndlessMerges {
    /// From now on.
    #[must_use]
    pub fn begin() -> Self {
        merging().is_held = true;
        Self(())
    }

    /// Waits until one is under way.
    pub fn wait_for_one(&self) {
        drop(CHANGED.wait_while(merging(), |merging| merging.waiting == 0));
    }
}

impl Drop for EndlessMerges {
    fn drop(&mut self) {
        merging().is_held = false;
        CHANGED.notify_all();
    }
}

pub(crate) fn delay_merge() {
    let mut merging = merging();
    merging.waiting += 1;
    CHANGED.notify_all();
    merging = CHANGED.wait_while(merging, |merging| merging.is_held).unwrap_or_else(PoisonError::into_inner);
    merging.waiting -= 1;
}
