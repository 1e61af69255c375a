//! When a standby takes over from an owner that says nothing any more.

use core::time::Duration;
use std::sync::Arc;

use sayso_consent::tenure::Candidate;
use sayso_types::{Clock, ManualClock, Mono, WallTime};

use crate::world::open_store;

/// A clock on which time passes by being read: less than half of the margin, each time.
struct Hurried(ManualClock);

impl Clock for Hurried {
    fn now(&self) -> Mono {
        self.0.advance(Duration::from_millis(200));
        self.0.now()
    }

    fn wall(&self) -> WallTime {
        self.0.wall()
    }
}

#[tokio::test]
async fn a_standby_waits_for_the_tenures_end_and_a_margin() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let store = open_store(dir.path());
    let candidate = |name: &str, clock| Candidate { store: store.clone(), name: name.to_owned(), clock };
    let silent = candidate("node 1", Arc::new(clock.clone())).stand(|_| {}).await.unwrap();
    let until = silent.tenure().until();
    candidate("node 2", Arc::new(Hurried(clock.clone()))).stand(|_| {}).await.unwrap();
    let late_by = clock.now().since(until);
    assert!(late_by >= Duration::from_millis(500), "clocks may run differently: {late_by:?} after the end");
}
