//! [`Given`]: what receivers were given of people, as the audit log tells.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Leaf, Reference, SubjectTag};
use sayso_types::{ProcessorId, WallTime};

use crate::segments::{Ended, Segments};

/// Whose data, and to whom it went.
pub(crate) type Passage = (SubjectTag, ProcessorId);

/// Goes through the leaves of a log in order, and finds the segments in which something of some people went to some
/// processors.
#[derive(Debug, Default)]
pub(crate) struct Given {
    wanted: BTreeSet<Passage>,
    /// Each with the leaf that opened it.
    segments: Segments<(Passage, u64)>,
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
    const fn of(ended: &Ended<(Passage, u64)>, closed: Option<Closed>) -> Self {
        let (_, opened) = ended.of;
        Self { segment: ended.segment, opened, closed }
    }

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
        let is_wanted = |passage: &Passage| self.wanted.contains(passage);
        let ended = self.segments.leaf(leaf, |subject, _, processor| {
            Some((subject, processor)).filter(is_wanted).map(|passage| (passage, index))
        });
        for ended in ended {
            let closed = Closed { leaf: index, at: leaf.place.wall, is_used: ended.may_have_passed() };
            self.found.entry(ended.of.0).or_default().push(Call::of(&ended, Some(closed)));
        }
    }

    /// What was found.
    pub(crate) fn finish(self) -> BTreeMap<Passage, Vec<Call>> {
        let mut found = self.found;
        for open in self.segments.finish() {
            found.entry(open.of.0).or_default().push(Call::of(&open, None));
        }
        found
    }
}
