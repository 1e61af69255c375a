//! [`Grants`]: what people approved to be done without consent, and what was done on it.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, Name, ProcessorId, WallTime};

use crate::leaf::Leaf;
use crate::{DeskEvent, Event, Reference, SubjectTag};

/// How much later than its decision a leaf may be written: the longest that a profile lets a permit live, so that nothing
/// could be handed over on a later one.
const WRITTEN_WITHIN_MS: u64 = 60_000;

/// The grants that live, and the segments that are about to rest on one.
#[derive(Debug)]
pub(super) struct Grants {
    live: BTreeMap<Name, Grant>,
    permitted: BTreeMap<Reference, (Cell, ProcessorId)>,
    /// Whose data may be put into which disclosure, which is about to be made.
    disclosed: BTreeSet<(Reference, Option<SubjectTag>)>,
}

#[derive(Debug)]
struct Grant {
    /// Whose data; anybody's when absent.
    subject: Option<SubjectTag>,
    opens: Vec<(Cell, ProcessorId)>,
    /// What may be given away, and of whom.
    discloses: Vec<(Option<SubjectTag>, Category)>,
    until: WallTime,
}

impl Grants {
    pub(super) const fn new() -> Self {
        Self { live: BTreeMap::new(), permitted: BTreeMap::new(), disclosed: BTreeSet::new() }
    }

    /// Goes on by a leaf about a grant; whether it is right about it.
    pub(super) fn leaf(&mut self, leaf: &Leaf) -> bool {
        match &leaf.fact.event {
            Event::ExemptionGranted { grant, cell, processor, until, .. } => {
                let subject = leaf.fact.subject;
                let granted = Grant { subject, opens: Vec::new(), discloses: Vec::new(), until: *until };
                self.live.entry(*grant).or_insert(granted).opens.push((*cell, *processor));
                true
            }
            Event::ExemptionExpired { grant } | Event::ExemptionRevoked { grant } => self.live.remove(grant).is_some(),
            Event::PermittedByExemption { segment, cell, processor, grant, .. } => {
                self.permitted.insert(*segment, (*cell, *processor));
                let is_live = |grant: &Grant| {
                    grant.subject.is_none_or(|subject| leaf.fact.subject == Some(subject))
                        && grant.opens.contains(&(*cell, *processor))
                        && leaf.place.wall.0 < grant.until.0.saturating_add(WRITTEN_WITHIN_MS)
                };
                self.live.get(grant).is_some_and(is_live)
            }
            Event::Desk(event) => self.desk(leaf, event),
            _ => true,
        }
    }

    /// Goes on by a leaf of a desk; whether it is right about grants.
    fn desk(&mut self, leaf: &Leaf, event: &DeskEvent) -> bool {
        let (subject, wall) = (leaf.fact.subject, leaf.place.wall);
        match event {
            DeskEvent::DisclosureGranted { grant, category, until, .. } => {
                // for those whom its leaves name, and nobody else
                let granted = Grant { subject, opens: Vec::new(), discloses: Vec::new(), until: *until };
                self.live.entry(*grant).or_insert(granted).discloses.push((subject, *category));
                true
            }
            DeskEvent::DisclosurePermitted { disclosure, category, grant, .. } => {
                self.disclosed.insert((*disclosure, subject));
                let is_live = |grant: &Grant| {
                    grant.discloses.contains(&(subject, *category))
                        && wall.0 < grant.until.0.saturating_add(WRITTEN_WITHIN_MS)
                };
                self.live.get(grant).is_some_and(is_live)
            }
            // each category before it says by what right
            DeskEvent::DisclosureCreated { disclosure, .. } => self.disclosed.remove(&(*disclosure, subject)),
            DeskEvent::OperatorDenied { .. } | DeskEvent::Complaint { .. } | DeskEvent::ResidualApproved { .. } => true,
        }
    }

    /// Whether it was said of `segment`, which is opened now, that it rests on a grant.
    pub(super) fn permitted(&mut self, segment: Reference, cell: Cell, processor: ProcessorId) -> bool {
        self.permitted.remove(&segment) == Some((cell, processor))
    }
}
