//! [`Segments`]: what is open, and whether it closes in time and as it was opened.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sayso_types::{Cell, Name, ProcessorId, Purpose};

use crate::leaf::{Actor, Leaf};
use crate::verify::{Closing, Rule};
use crate::{Reference, SubjectTag};

/// The segments that are open.
#[derive(Debug, Default)]
pub(super) struct Segments {
    open: BTreeMap<Reference, Segment>,
    closing: Closing<(u64, Rule)>,
}

/// A segment that is open.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) leaf: u64,
    pub(super) subject: Option<SubjectTag>,
    pub(super) cell: Cell,
    pub(super) processor: ProcessorId,
    pub(super) rests: Rests,
    /// The revision of the policy that it was opened under.
    pub(super) rev: u32,
    epoch: u64,
    /// Whether it is used outside of the process that opened it. Those who ask from there are named.
    is_lent: bool,
    /// A withdrawal that should have closed it took effect meanwhile.
    is_overdue: bool,
}

/// What a segment rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rests {
    Consent,
    /// No withdrawal ends it.
    Grant(Name),
    /// Something else, or something that the auditor does not know.
    Else,
}

impl Segments {
    /// Goes on by the time of `leaf`, and by its process.
    pub(super) fn leaf(&mut self, leaf: &Leaf) {
        self.closing.leaf(leaf);
    }

    /// `id` is opened by the leaf at `index`; whether it was not open. Nothing may pass in one with an `overtaken`: a leaf that
    /// shows why, and the rule.
    pub(super) fn opened(
        &mut self,
        (index, leaf): (u64, &Leaf),
        id: Reference,
        (cell, processor): (Cell, ProcessorId),
        rests: Rests,
        overtaken: Option<(u64, Rule)>,
    ) -> bool {
        let fact = &leaf.fact;
        let is_lent = fact.actor != Actor::SYSTEM;
        if let Some(why) = overtaken {
            self.closing.must_close(id, is_lent, false, why);
        }
        let (subject, epoch, rev) = (fact.subject, fact.epoch, fact.profile_rev);
        match self.open.entry(id) {
            Entry::Vacant(entry) => {
                let is_overdue = false;
                entry.insert(Segment { leaf: index, subject, cell, processor, rests, rev, epoch, is_lent, is_overdue });
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// `id` closes, in which `bytes` have passed: what was open, and what that breaks, besides.
    pub(super) fn closed(&mut self, id: Reference, bytes: u64) -> (Option<Segment>, Option<(u64, Rule)>) {
        (self.open.remove(&id), self.closing.closed(id, bytes))
    }

    /// A withdrawal of what `ends` picks is in effect by a leaf of `epoch`, while those in `ids` were open; whether one of
    /// them should have been closed.
    pub(super) fn withdrawn(
        &mut self,
        ids: &[Reference],
        ends: impl Fn(&Cell, ProcessorId) -> bool,
        epoch: u64,
    ) -> bool {
        let mut is_open = false;
        for id in ids {
            let Some(segment) = self.open.get_mut(id) else { continue };
            if segment.rests == Rests::Consent && ends(&segment.cell, segment.processor) {
                segment.is_overdue = true;
                // one of an earlier process ended with it, where nobody outside used it: nobody was left to close it
                is_open |= segment.is_lent || segment.epoch == epoch;
            }
        }
        is_open
    }

    /// Consent to `purpose` has ended otherwise than by withdrawal, while those in `ids` were open.
    pub(super) fn over(&mut self, ids: &[Reference], purpose: Purpose) {
        for id in ids {
            let ends = |segment: &&Segment| segment.rests == Rests::Consent && segment.cell.purpose == purpose;
            if let Some(segment) = self.open.get(id).filter(ends) {
                self.closing.must_close(*id, segment.is_lent, true, (segment.leaf, Rule::OpenAfterEnd));
            }
        }
    }

    /// The grant has ended: those that `ends` picks among those that rest on it have to close.
    pub(super) fn ungranted(&mut self, grant: Name, ends: impl Fn(&Segment) -> bool) {
        for (id, segment) in self.open.iter().filter(|(_, one)| one.rests == Rests::Grant(grant) && ends(one)) {
            self.closing.must_close(*id, segment.is_lent, true, (segment.leaf, Rule::OpenAfterEnd));
        }
    }

    /// What those break that are still open.
    pub(super) fn finish(self) -> impl Iterator<Item = (u64, Rule)> {
        let open = self.open.into_values().map(|segment| (segment.leaf, Rule::NeverClosed));
        open.chain(self.closing.finish())
    }
}

impl Segment {
    pub(super) fn is(&self, cell: &Cell, processor: ProcessorId) -> bool {
        self.cell == *cell && self.processor == processor
    }

    pub(super) const fn is_overdue(&self) -> bool {
        self.is_overdue
    }
}
