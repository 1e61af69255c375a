//! [`Endings`]: whether what was stored ended in time, as far as the log and a profile say.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Event, Leaf, Reference, SubjectTag};
use sayso_policy::Profile;
use sayso_types::{Category, WallTime};

/// What was due, and what ended later than its rule allows.
#[derive(Debug, Default)]
pub(super) struct Endings {
    due: BTreeMap<Reference, WallTime>,
    /// What a legal hold kept from ending: that it is late is no wonder.
    held: BTreeSet<(Option<SubjectTag>, Category)>,
    late: Vec<u64>,
}

impl Endings {
    /// Goes on by the leaf at `index`; under `profile`, unless another one was in force.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf, profile: Option<&Profile>) {
        let subject = leaf.fact.subject;
        match leaf.fact.event {
            Event::RetentionHeld { category, .. } => drop(self.held.insert((subject, category))),
            Event::RetentionDue { ending, category, at } if !self.held.contains(&(subject, category)) => {
                self.due.insert(ending, at);
            }
            Event::RetentionExecuted { ending, category, .. } => {
                self.held.remove(&(subject, category));
                let (Some(at), Some(profile)) = (self.due.remove(&ending), profile) else { return };
                let rule = profile.category(category).and_then(|rule| profile.document().retention_of(rule));
                if profile.tolerated(rule, at) < leaf.place.wall {
                    self.late.push(index);
                }
            }
            _ => {}
        }
    }

    /// The leaves that show that something ended late.
    pub(super) fn finish(self) -> Vec<u64> {
        self.late
    }
}
