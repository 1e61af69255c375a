//! [`Closing`]: segments that have to close, because what they rested on has ended.

use std::collections::BTreeMap;

use crate::Reference;
use crate::leaf::Leaf;

/// How long a segment may take to close after what it rested on has ended, in the time that the log shows the node to have run:
/// twice as long as a profile lets a permit live. Whoever used one in another process and is not heard of has let go by then.
const CLOSES_WITHIN_MS: u64 = 120_000;

/// The longest pause between two leaves that counts as time in which the node ran: in a longer one it may have slept, or its
/// clock was put right.
const PAUSE_MS: u64 = 10_000;

/// Segments that have to close, each with what is to be said of it if it does not, or if something passes that may not.
#[derive(Debug)]
pub struct Closing<T> {
    clock_ms: u64,
    ran_ms: u64,
    epoch: u64,
    due: BTreeMap<Reference, Due<T>>,
}

#[derive(Debug)]
struct Due<T> {
    said: T,
    /// How long the node had run when it had to close.
    since: u64,
    /// How long it had run when the process ended that would have closed it.
    died: Option<u64>,
    /// Whether it is used outside of that process, and outlives it.
    is_lent: bool,
    /// Whether something may have passed until then.
    may_pass: bool,
}

impl<T> Closing<T> {
    /// No segment.
    #[must_use]
    pub const fn new() -> Self {
        Self { clock_ms: 0, ran_ms: 0, epoch: 0, due: BTreeMap::new() }
    }

    /// Goes on by the time of `leaf`, and by its process.
    pub fn leaf(&mut self, leaf: &Leaf) {
        let clock_ms = leaf.place.clock.millis();
        if self.clock_ms > 0 {
            self.ran_ms += clock_ms.saturating_sub(self.clock_ms).min(PAUSE_MS);
        }
        self.clock_ms = self.clock_ms.max(clock_ms);
        if leaf.fact.epoch > self.epoch {
            self.epoch = leaf.fact.epoch;
            for due in self.due.values_mut() {
                if due.is_lent {
                    // the process that comes next gives whoever uses it their time anew
                    due.since = self.ran_ms;
                } else {
                    due.died.get_or_insert(self.ran_ms);
                }
            }
        }
    }

    /// From here on `segment` has to close, and nothing may pass in it but what `may_pass` says has passed. What was said first
    /// counts.
    pub fn must_close(&mut self, segment: Reference, is_lent: bool, may_pass: bool, said: T) {
        let (since, died) = (self.ran_ms, None);
        self.due.entry(segment).or_insert(Due { said, since, died, is_lent, may_pass });
    }

    /// `segment` closes, in which `bytes` have passed; what is to be said of that.
    pub fn closed(&mut self, segment: Reference, bytes: u64) -> Option<T> {
        let due = self.due.remove(&segment)?;
        let is_late = due.died.is_some() || self.ran_ms - due.since > CLOSES_WITHIN_MS;
        (bytes > 0 && (is_late || !due.may_pass)).then_some(due.said)
    }

    /// What is to be said of those that have not closed, though their process went on.
    pub fn finish(self) -> impl Iterator<Item = T> {
        let ran_ms = self.ran_ms;
        let lasted = move |due: &Due<T>| due.died.unwrap_or(ran_ms).saturating_sub(due.since);
        self.due.into_values().filter(move |due| lasted(due) > CLOSES_WITHIN_MS).map(|due| due.said)
    }
}

impl<T> Default for Closing<T> {
    fn default() -> Self {
        Self::new()
    }
}
