//! [`Notes`]: leaves that nobody waits for.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sayso_audit::Event;
use tokio::sync::Notify;

use super::Noted;

/// Denials that wait while the store takes nothing. They are all that could pile up without end: what closes was
/// opened, and that takes a store. More of them are counted in a metric only.
const DENIALS_MAX: usize = 4_096;

/// How long a note waits for a batch to ride with: longer than the pauses between the stages of a turn, short enough
/// that a log which is followed shows what happens as it happens.
const RIDE_WITHIN: Duration = Duration::from_millis(100);

/// Leaves that ride with the next batch, oldest first.
#[derive(Default)]
pub(crate) struct Notes {
    waiting: Mutex<VecDeque<Noted>>,
    ready: Notify,
}

impl Notes {
    /// Adds `noted`. One leaf stands for all denials alike that wait at the same time.
    pub(crate) fn push(&self, noted: Noted) {
        let mut waiting = self.lock();
        if let Event::GateDenied { .. } = noted.event {
            if waiting.iter_mut().any(|other| other.stands_for(&noted)) {
                return;
            }
            if waiting.len() >= DENIALS_MAX {
                metrics::counter!("sayso_consent_denials_unrecorded_total").increment(1);
                return;
            }
        }
        waiting.push_back(noted);
        drop(waiting);
        self.ready.notify_one();
    }

    /// Waits until there is something that has had time to ride with somebody else's batch. Nobody waits for a note,
    /// but whoever comes next waits for the commit that a note alone would cost.
    pub(super) async fn ready(&self) {
        self.ready.notified().await;
        tokio::time::sleep(RIDE_WITHIN).await;
    }

    /// The first `count`, or as many as there are.
    pub(super) fn take(&self, count: usize) -> Vec<Noted> {
        let mut waiting = self.lock();
        let count = count.min(waiting.len());
        waiting.drain(..count).collect()
    }

    /// Gives back what was taken and could not be written, to be taken first again.
    pub(super) fn put_back(&self, notes: Vec<Noted>) {
        let mut waiting = self.lock();
        notes.into_iter().rev().for_each(|noted| waiting.push_front(noted));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Noted>> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    /// Counts `other` here if both are denials of the same to the same for the same reason.
    fn stands_for(&mut self, other: &Self) -> bool {
        let Self { about, event: Event::GateDenied { gate, cell, processor, reason, count, labelled }, .. } = self
        else {
            return false;
        };
        let Event::GateDenied { gate: g, cell: c, processor: p, reason: r, count: n, labelled: l } = &other.event
        else {
            return false;
        };
        let alike = *about == other.about && (*gate, *cell, *processor, *reason, *labelled) == (*g, *c, *p, *r, *l);
        if alike {
            *count += n;
        }
        alike
    }
}
