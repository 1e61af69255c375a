//! [`Desk`]: where a fake receives data, and where a test tells it how to behave and sees what came in.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sayso_policy::{Labelled, Permit, Refused, Weigh};
use sayso_types::{Clock, Label, Mono};
use tokio::sync::watch;

use super::Manner;

/// Labels remembered: the latest turns of a long benchmark, all of them in a test.
const LABELS_MAX: usize = 1024;

/// What a fake was handed so far: how much, when and of what sort, never what it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Calls that began.
    pub calls: u64,
    /// Calls that are being worked on: neither answered to the end nor dropped.
    pub running: u64,
    /// Pieces (frames, texts) received.
    pub pieces: u64,
    /// Bytes received, as [`Weigh`] counts them.
    pub bytes: u64,
    /// When the last piece came in.
    pub last_at: Option<Mono>,
    /// The labels of the pieces in the order they came, runs of the same one shown once, the latest 1024.
    pub labels: Vec<Label>,
}

/// A fake's front desk. Clones are the same desk.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    manner: Mutex<Manner>,
    received: watch::Sender<Received>,
}

impl Desk {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { clock, manner: Mutex::default(), received: watch::Sender::default() }))
    }

    /// Tells the fake how to go about the calls that begin from now on.
    pub fn behave(&self, manner: Manner) {
        *self.0.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// What was received so far.
    #[must_use]
    pub fn received(&self) -> Received {
        self.0.received.borrow().clone()
    }

    /// Waits until what was received satisfies `condition`, and tells what it was then.
    pub async fn wait_until(&self, condition: impl FnMut(&Received) -> bool) -> Received {
        let mut received = self.0.received.subscribe();
        received.wait_for(condition).await.expect("the desk that sends is borrowed").clone()
    }

    /// Begins a call: tells how to go about it, and counts it as running until the second value is dropped.
    pub(super) fn attend(&self) -> (Manner, Attending) {
        self.0.received.send_modify(|r| {
            r.calls += 1;
            r.running += 1;
        });
        let manner = self.0.manner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (manner, Attending(self.clone()))
    }

    /// Receives `item` through the gate, counts it, and tells what `read` makes of it.
    pub(super) fn receive<T: Weigh, R>(
        &self,
        permit: &Permit,
        item: Labelled<T>,
        read: impl FnOnce(T) -> R,
    ) -> Result<R, Refused> {
        let label = *item.label();
        permit.pass(item, |data| {
            let now = self.0.clock.now();
            self.0.received.send_modify(|r| {
                data.weigh(&mut |part| r.bytes += part.len() as u64);
                r.pieces += 1;
                r.last_at = Some(now);
                if r.labels.last() != Some(&label) {
                    if r.labels.len() == LABELS_MAX {
                        r.labels.remove(0);
                    }
                    r.labels.push(label);
                }
            });
            read(data)
        })
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Desk").field(&*self.0.received.borrow()).finish()
    }
}

/// A call that is being worked on. Dropping it ends the work.
pub(super) struct Attending(Desk);

impl Drop for Attending {
    fn drop(&mut self) {
        self.0.0.received.send_modify(|r| r.running -= 1);
    }
}
