//! [`Given`]: what receivers were given of people, as the audit log tells.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Event, Leaf, Reference, SubjectTag};
use sayso_types::{ProcessorId, WallTime};

use crate::register::RAN_OUT;

/// Whose data, and to whom it went.
pub(crate) type Passage = (SubjectTag, ProcessorId);

/// Goes through the leaves of a log in order, and finds the segments in which something of some people went to some
/// processors, each with when it last may have.
#[derive(Debug, Default)]
pub(crate) struct Given {
    wanted: BTreeSet<Passage>,
    /// Those that are open: as many as there are permits in use at once.
    open: BTreeMap<Reference, Passage>,
    epoch: u64,
    found: BTreeMap<Passage, Vec<(Reference, WallTime)>>,
}

impl Given {
    pub(crate) fn of(wanted: impl IntoIterator<Item = Passage>) -> Self {
        Self { wanted: wanted.into_iter().collect(), ..Self::default() }
    }

    /// Goes on by the next leaf.
    pub(crate) fn leaf(&mut self, leaf: &Leaf) {
        let (fact, at) = (&leaf.fact, leaf.place.wall);
        if fact.epoch > self.epoch {
            // nobody was left to say what passed in what the process before had open
            self.epoch = fact.epoch;
            self.end_all(at);
        }
        match &fact.event {
            Event::SegmentOpened { segment, processor, .. } => {
                let passage = fact.subject.map(|subject| (subject, *processor));
                if let Some(passage) = passage.filter(|passage| self.wanted.contains(passage)) {
                    self.open.insert(*segment, passage);
                }
            }
            Event::SegmentClosed { segment, bytes, reason, .. } => {
                // of whom nothing was heard any more, nothing is known
                if let Some(passage) = self.open.remove(segment)
                    && (*bytes > 0 || reason.as_str() == RAN_OUT)
                {
                    self.found.entry(passage).or_default().push((*segment, at));
                }
            }
            _ => {}
        }
    }

    /// What was found by `now`.
    pub(crate) fn finish(mut self, now: WallTime) -> BTreeMap<Passage, Vec<(Reference, WallTime)>> {
        self.end_all(now);
        self.found
    }

    fn end_all(&mut self, at: WallTime) {
        for (segment, passage) in core::mem::take(&mut self.open) {
            self.found.entry(passage).or_default().push((segment, at));
        }
    }
}
