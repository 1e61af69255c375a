//! [`Segments`]: which segments are open, as the leaves of a log tell in their order, and in which something may have passed.

use core::fmt::Debug;
use std::collections::BTreeMap;

use sayso_audit::{Actor, Event, Leaf, Reference, SubjectTag, counted};
use sayso_types::{Cell, ProcessorId};

/// Segments that are open, each with what whoever follows them wants to know of it: as many as there are permits in use at
/// once.
#[derive(Debug)]
pub(crate) struct Segments<T> {
    open: BTreeMap<Reference, Open<T>>,
    epoch: u64,
}

#[derive(Debug)]
struct Open<T> {
    of: T,
    /// Whether it is of somebody outside of the node, whom its end does not end.
    is_outside: bool,
}

/// One that is over.
#[derive(Debug)]
pub(crate) struct Ended<T> {
    pub(crate) segment: Reference,
    pub(crate) of: T,
    /// [`None`] when nobody knows how many.
    pub(crate) bytes: Option<u64>,
}

impl<T> Ended<T> {
    /// Whether something passed in it, or nobody knows.
    pub(crate) fn may_have_passed(&self) -> bool {
        self.bytes != Some(0)
    }
}

impl<T> Default for Segments<T> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), epoch: 0 }
    }
}

impl<T> Segments<T> {
    /// Goes on by the next leaf; those that it ends. One that it opens is followed if `of` makes something of it.
    pub(crate) fn leaf(
        &mut self,
        leaf: &Leaf,
        of: impl FnOnce(SubjectTag, Cell, ProcessorId) -> Option<T>,
    ) -> Vec<Ended<T>> {
        let fact = &leaf.fact;
        let mut ended = Vec::new();
        if fact.epoch > self.epoch {
            self.epoch = fact.epoch;
            // nobody was left to say what passed in what the process before had open
            let left = self.open.extract_if(.., |_, open| !open.is_outside);
            ended.extend(left.map(|(segment, Open { of, .. })| Ended { segment, of, bytes: None }));
        }
        match fact.event {
            Event::SegmentOpened { segment, cell, processor, .. } => {
                if let Some(of) = fact.subject.and_then(|subject| of(subject, cell, processor)) {
                    self.open.insert(segment, Open { of, is_outside: fact.actor != Actor::SYSTEM });
                }
            }
            Event::SegmentClosed { segment, bytes, reason, .. } => {
                let closed = self.open.remove(&segment);
                ended.extend(closed.map(|open| Ended { segment, of: open.of, bytes: counted(bytes, reason) }));
            }
            _ => {}
        }
        ended
    }

    /// Those that are open still: nobody has said yet what passed.
    pub(crate) fn finish(self) -> impl Iterator<Item = Ended<T>> {
        self.open.into_iter().map(|(segment, Open { of, .. })| Ended { segment, of, bytes: None })
    }
}
