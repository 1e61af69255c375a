//! [`Grants`]: what people approved to be done without consent, and what was done on it.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, Name, ProcessorId, WallTime};

use crate::leaf::Leaf;
use crate::{ActorKind, ActorTag, DeskEvent, Event, Hash, Reference, SubjectTag};

/// How much later than its decision a leaf may be written: the longest that a profile lets a permit live, so that nothing
/// could be handed over on a later one.
const WRITTEN_WITHIN_MS: u64 = 60_000;

/// The grants that live, and the segments that are about to rest on one.
#[derive(Debug, Default)]
pub(super) struct Grants {
    live: BTreeMap<Name, Grant>,
    /// Those that have ended: what was decided before may follow.
    ended: BTreeMap<Name, Grant>,
    permitted: BTreeMap<Reference, Permitted>,
    /// Whose data may be put into which disclosure, which is about to be made.
    disclosed: BTreeSet<(Reference, Option<SubjectTag>)>,
    /// What is about to be read of whom, and by whom, on which ticket.
    reading: BTreeMap<(Reference, Option<SubjectTag>, Category), (ActorTag, Hash)>,
}

/// A segment that is about to rest on a grant.
#[derive(Debug)]
pub(super) struct Permitted {
    subject: Option<SubjectTag>,
    cell: Cell,
    processor: ProcessorId,
    pub(super) grant: Name,
    /// The leaf that says so, where the grant had ended by then: decided before that, it closes again before anything passes.
    pub(super) late: Option<u64>,
}

#[derive(Debug)]
struct Grant {
    /// Whose data; anybody's when absent.
    subject: Option<SubjectTag>,
    opens: Vec<(Cell, ProcessorId)>,
    /// What may be given away, and of whom.
    discloses: Vec<(Option<SubjectTag>, Category)>,
    /// What may be read, of whom, and by whom, on which ticket.
    reads: BTreeMap<(Option<SubjectTag>, Category), (ActorTag, Hash)>,
    until: WallTime,
    /// On what it was approved, and by whom.
    approved: (Hash, Vec<ActorTag>),
}

impl Grant {
    const fn new(subject: Option<SubjectTag>, until: WallTime, approved: (Hash, Vec<ActorTag>)) -> Self {
        Self { subject, opens: Vec::new(), discloses: Vec::new(), reads: BTreeMap::new(), until, approved }
    }

    /// Whether a leaf that says this of it is about the same: what others approved, or on something else, or for longer, is another.
    fn is_same(&self, until: WallTime, approved: &(Hash, Vec<ActorTag>)) -> bool {
        self.until == until && self.approved == *approved
    }

    /// Whether it is for what is `permitted`, whenever that is.
    fn opens(&self, permitted: &Permitted) -> bool {
        self.subject.is_none_or(|subject| permitted.subject == Some(subject))
            && self.opens.contains(&(permitted.cell, permitted.processor))
    }
}

impl Grants {
    /// Goes on by the leaf at `index` about a grant; whether it is right about it.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf) -> bool {
        match &leaf.fact.event {
            Event::ExemptionGranted { grant, cell, processor, until, evidence, approvers } => {
                let (subject, approved) = (leaf.fact.subject, (*evidence, approvers.clone()));
                let first = || Grant::new(subject, *until, approved.clone());
                let granted = self.live.entry(*grant).or_insert_with(first);
                let is_same = granted.subject == subject && granted.is_same(*until, &approved);
                granted.opens.extend(is_same.then_some((*cell, *processor)));
                is_same
            }
            Event::ExemptionExpired { grant } | Event::ExemptionRevoked { grant } => {
                let Some(ended) = self.live.remove(grant) else { return false };
                self.ended.insert(*grant, ended);
                true
            }
            Event::PermittedByExemption { segment, cell, processor, grant, .. } => {
                let (subject, cell, processor, grant) = (leaf.fact.subject, *cell, *processor, *grant);
                let mut permitted = Permitted { subject, cell, processor, grant, late: None };
                let lives = |live: &&Grant| leaf.place.wall.0 < live.until.0.saturating_add(WRITTEN_WITHIN_MS);
                let (live, ended) = (self.live.get(&grant), self.ended.get(&grant));
                let is_for_it = live.or(ended).is_some_and(|grant| grant.opens(&permitted));
                if is_for_it && live.filter(lives).is_none() {
                    permitted.late = Some(index);
                }
                self.permitted.insert(*segment, permitted);
                is_for_it
            }
            Event::Desk(event) => self.desk(leaf, event),
            // what the operator's people read is told with its category, and by what right
            Event::OperatorAccess { reason, .. } => {
                leaf.fact.actor.kind != ActorKind::Operator || reason.as_str() != "kept.get"
            }
            _ => true,
        }
    }

    /// Goes on by a leaf of a desk; whether it is right about grants.
    fn desk(&mut self, leaf: &Leaf, event: &DeskEvent) -> bool {
        let (subject, wall) = (leaf.fact.subject, leaf.place.wall);
        match event {
            DeskEvent::DisclosureGranted { grant, category, until, evidence, approvers, .. } => {
                // for those whom its leaves name, and nobody else
                let approved = (*evidence, approvers.clone());
                let first = || Grant::new(subject, *until, approved.clone());
                let granted = self.live.entry(*grant).or_insert_with(first);
                let is_same = granted.is_same(*until, &approved);
                granted.discloses.extend(is_same.then_some((subject, *category)));
                is_same
            }
            DeskEvent::ReadingGranted { grant, category, until, ticket, reader, evidence, approvers } => {
                let approved = (*evidence, approvers.clone());
                let first = || Grant::new(subject, *until, approved.clone());
                let granted = self.live.entry(*grant).or_insert_with(first);
                let is_same = granted.is_same(*until, &approved);
                granted.reads.extend(is_same.then_some(((subject, *category), (*reader, *ticket))));
                is_same
            }
            DeskEvent::DisclosurePermitted { disclosure, category, grant, .. } => {
                let lives = |grant: &&Grant| wall.0 < grant.until.0.saturating_add(WRITTEN_WITHIN_MS);
                let live = self.live.get(grant).filter(lives);
                if let Some(read) = live.and_then(|grant| grant.reads.get(&(subject, *category))) {
                    self.reading.insert((*disclosure, subject, *category), *read);
                    return true;
                }
                self.disclosed.insert((*disclosure, subject));
                live.is_some_and(|grant| grant.discloses.contains(&(subject, *category)))
            }
            DeskEvent::ContentRead { access, category, ticket: Some(ticket), .. } => {
                let permitted = self.reading.remove(&(*access, subject, *category));
                permitted.is_some_and(|read| leaf.fact.actor.tag == Some(read.0) && *ticket == read.1)
            }
            // that it is no content is for whoever has the profile to say
            DeskEvent::ContentRead { ticket: None, .. } => true,
            // each category before it says by what right
            DeskEvent::DisclosureCreated { disclosure, .. } => self.disclosed.remove(&(*disclosure, subject)),
            DeskEvent::OperatorDenied { .. } | DeskEvent::Complaint { .. } | DeskEvent::ResidualApproved { .. } => true,
        }
    }

    /// What was said of `segment`, which is opened now, if that it rests on a grant.
    pub(super) fn permitted(
        &mut self,
        segment: Reference,
        subject: Option<SubjectTag>,
        (cell, processor): (Cell, ProcessorId),
    ) -> Option<Permitted> {
        let permitted = self.permitted.remove(&segment)?;
        let is_it = (permitted.subject, permitted.cell, permitted.processor) == (subject, cell, processor);
        is_it.then_some(permitted)
    }
}
