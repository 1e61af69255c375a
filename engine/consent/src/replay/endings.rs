//! [`Endings`]: whether what was stored ended in time, as far as the log and a profile say.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Event, Leaf, MinorEvent, Reference, SubjectTag};
use sayso_policy::{Deadline, Profile};
use sayso_types::{Category, WallTime};

use super::holds::Holds;
use crate::erasure::LegalMinimum;

/// What was due, and what ended later than its rule allows.
#[derive(Debug, Default)]
pub(super) struct Endings {
    /// Since when the profile is in force: what it makes due for a time before, nobody could have ended by then.
    since: WallTime,
    due: BTreeMap<Reference, Due>,
    /// Children whose data is to be erased.
    found: BTreeMap<Reference, Found>,
    /// What a legal hold kept from ending: that it is late is no wonder.
    held: BTreeSet<(Option<SubjectTag>, Category)>,
    holds: Holds,
    late: Vec<u64>,
}

/// Something whose time was over.
#[derive(Debug)]
struct Due {
    leaf: u64,
    whose: (Option<SubjectTag>, Category),
    at: WallTime,
    /// Until when its end is not late, where the profile says so.
    latest: Option<WallTime>,
}

/// A child whose data is to be erased.
#[derive(Debug)]
struct Found {
    leaf: u64,
    whose: Option<SubjectTag>,
    latest: WallTime,
}

impl Endings {
    /// Goes on by the profile's having come into force.
    pub(super) fn in_force(&mut self, since: WallTime) {
        self.since = since;
    }

    /// Goes on by the leaf at `index`; under `profile`, unless another one was in force.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf, profile: Option<&Profile>) {
        let subject = leaf.fact.subject;
        match leaf.fact.event {
            // what a law keeps for a time ends when that is over, and is due then
            Event::RetentionHeld { hold, category, .. } if is_of_law(hold, category, profile) => {}
            // on a hold that nobody has set nothing is kept
            Event::RetentionHeld { hold, category, .. } if self.holds.keeps(hold, category) => {
                self.held.insert((subject, category));
            }
            Event::HoldSet { .. } | Event::HoldReleased { .. } => self.holds.leaf(leaf),
            Event::RetentionDue { ending, category, at } if !self.held.contains(&(subject, category)) => {
                let latest = profile.map(|profile| self.latest(category, at, profile));
                // said again it is due no later
                self.due.entry(ending).or_insert(Due { leaf: index, whose: (subject, category), at, latest });
            }
            Event::RetentionExecuted { ending, category, .. } => {
                self.held.remove(&(subject, category));
                let (Some(due), Some(profile)) = (self.due.remove(&ending), profile) else { return };
                if self.latest(category, due.at, profile) < leaf.place.wall {
                    self.late.push(index);
                }
            }
            _ => {}
        }
    }

    /// Until when the end of what was due at `at` is not late.
    fn latest(&self, category: Category, at: WallTime, profile: &Profile) -> WallTime {
        let rule = profile.category(category).and_then(|rule| profile.document().retention_of(rule));
        profile.tolerated(rule, at.max(self.since))
    }

    /// Goes on by the leaf at `index`, of what became of a child; under `profile`, unless another one was in force.
    pub(super) fn minor(&mut self, index: u64, leaf: &Leaf, event: &MinorEvent, profile: Option<&Profile>) {
        let (at, whose) = (leaf.place.wall, leaf.fact.subject);
        match event {
            MinorEvent::Detected { detected, .. } => {
                let Some(profile) = profile else { return };
                let within = profile.minors().erase_on_discovery.as_ref().and_then(Deadline::period);
                let latest = within.map(|within| profile.end_of(within, at, String::new()).at);
                if let Some(latest) = latest {
                    self.found.entry(*detected).or_insert(Found { leaf: index, whose, latest });
                }
            }
            MinorEvent::DataErased { detected } => {
                let found = self.found.remove(detected).filter(|found| found.latest < at && !self.is_held(found.whose));
                self.late.extend(found.map(|_| index));
            }
            _ => {}
        }
    }

    fn is_held(&self, whose: Option<SubjectTag>) -> bool {
        self.held.iter().any(|(subject, _)| *subject == whose)
    }

    /// The leaves that show that something ended late, or, up to `now`, did not.
    pub(super) fn finish(mut self, now: WallTime) -> Vec<u64> {
        let left = core::mem::take(&mut self.found).into_values();
        let late: Vec<_> = left.filter(|found| found.latest < now && !self.is_held(found.whose)).collect();
        self.late.extend(late.iter().map(|found| found.leaf));
        let left = core::mem::take(&mut self.due).into_values();
        let is_late = |due: &Due| due.latest.is_some_and(|latest| latest < now) && !self.held.contains(&due.whose);
        self.late.extend(left.filter(is_late).map(|due| due.leaf).collect::<Vec<_>>());
        self.late.sort_unstable();
        self.late
    }
}

/// Whether `hold` is the law that `profile` names for the least time that `category` is kept, and no legal hold.
pub(super) fn is_of_law(hold: Reference, category: Category, profile: Option<&Profile>) -> bool {
    let rule = profile.and_then(|profile| profile.document().retention_of(profile.category(category)?));
    rule.and_then(|rule| rule.min_basis.as_deref()).is_some_and(|law| LegalMinimum::reference(law) == hold)
}
