//! [`Given`]: what receivers were given of people, as the audit log tells.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Event, Leaf, Reference, SubjectTag};
use sayso_types::{ProcessorId, WallTime};

use crate::register::RAN_OUT;

/// Whose data, and to whom it went.
pub(crate) type Passage = (SubjectTag, ProcessorId);

/// Goes through the leaves of a log in order, and finds the segments in which something of some people went to some
/// processors.
#[derive(Debug, Default)]
pub(crate) struct Given {
    wanted: BTreeSet<Passage>,
    /// Those that are open: as many as there are permits in use at once.
    open: BTreeMap<Reference, (Passage, u64)>,
    epoch: u64,
    found: BTreeMap<Passage, Vec<Call>>,
}

/// A segment in which something may have passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    segment: Reference,
    /// The leaf that opened it.
    opened: u64,
    closed: Option<Closed>,
}

#[derive(Clone, Copy, Debug)]
struct Closed {
    leaf: u64,
    at: WallTime,
    /// Whether something passed in it, as far as is known.
    is_used: bool,
}

impl Call {
    /// The segment and when something last may have passed in it, as the first `size` leaves of the log told it `now`: what they
    /// say is the same whenever it is asked.
    pub(crate) fn as_of(&self, size: u64, now: WallTime) -> Option<(Reference, WallTime)> {
        match self.closed.filter(|closed| closed.leaf < size) {
            Some(closed) => closed.is_used.then_some((self.segment, closed.at)),
            None => (self.opened < size).then_some((self.segment, now)),
        }
    }
}

impl Given {
    pub(crate) fn of(wanted: impl IntoIterator<Item = Passage>) -> Self {
        Self { wanted: wanted.into_iter().collect(), ..Self::default() }
    }

    /// Goes on by the next leaf, whose place in the log is `index`.
    pub(crate) fn leaf(&mut self, index: u64, leaf: &Leaf) {
        let (fact, at) = (&leaf.fact, leaf.place.wall);
        if fact.epoch > self.epoch {
            // nobody was left to say what passed in what the process before had open
            self.epoch = fact.epoch;
            self.end_all(Some(Closed { leaf: index, at, is_used: true }));
        }
        match &fact.event {
            Event::SegmentOpened { segment, processor, .. } => {
                let passage = fact.subject.map(|subject| (subject, *processor));
                if let Some(passage) = passage.filter(|passage| self.wanted.contains(passage)) {
                    self.open.insert(*segment, (passage, index));
                }
            }
            Event::SegmentClosed { segment, bytes, reason, .. } => {
                if let Some(open) = self.open.remove(segment) {
                    // of whom nothing was heard any more, nothing is known
                    let is_used = *bytes > 0 || reason.as_str() == RAN_OUT;
                    self.end(*segment, open, Some(Closed { leaf: index, at, is_used }));
                }
            }
            _ => {}
        }
    }

    /// What was found.
    pub(crate) fn finish(mut self) -> BTreeMap<Passage, Vec<Call>> {
        self.end_all(None);
        self.found
    }

    fn end_all(&mut self, closed: Option<Closed>) {
        for (segment, open) in core::mem::take(&mut self.open) {
            self.end(segment, open, closed);
        }
    }

    fn end(&mut self, segment: Reference, (passage, opened): (Passage, u64), closed: Option<Closed>) {
        self.found.entry(passage).or_default().push(Call { segment, opened, closed });
    }
}
