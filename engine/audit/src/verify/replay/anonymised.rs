//! [`Anonymisations`]: whether whoever was counted was to be, and nobody is in what was released who was not.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::Category;

use crate::leaf::Leaf;
use crate::{Anonymised, AnonymisedStep, Event, Reference, SubjectTag};

/// What was due, and who was counted when it ended.
#[derive(Debug, Default)]
pub(super) struct Anonymisations {
    /// What was due, and whose it was, by its ending; and the leaf that says so.
    due: BTreeMap<Reference, (u64, Option<SubjectTag>, Category)>,
    /// The endings in which somebody was counted, and which are not over.
    counted: BTreeSet<Reference>,
    /// Whoever was counted: once for all times.
    people: BTreeSet<(Option<SubjectTag>, Category)>,
    /// How many of them are in nothing that was released, at most.
    waiting: BTreeMap<Category, u64>,
}

impl Anonymisations {
    /// Goes on by the leaf at `index` about what ends; whether it is right about what was anonymised.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf) -> bool {
        match &leaf.fact.event {
            Event::RetentionDue { ending, category, .. } => {
                self.due.insert(*ending, (index, leaf.fact.subject, *category));
                true
            }
            Event::RetentionExecuted { ending, how, .. } => {
                self.due.remove(ending);
                self.counted.remove(ending) == (how.as_str() == "anonymised")
            }
            Event::Anonymised(anonymised) => self.anonymised(leaf.fact.subject, anonymised),
            _ => true,
        }
    }

    /// The leaves that say that something was due which has not ended.
    pub(super) fn pending(self) -> impl Iterator<Item = u64> {
        self.due.into_values().map(|(leaf, _, _)| leaf)
    }

    fn anonymised(&mut self, subject: Option<SubjectTag>, anonymised: &Anonymised) -> bool {
        let Anonymised { ending, category, step, people, report } = anonymised;
        match step {
            AnonymisedStep::HandedOn => {
                let whose = (subject, *category);
                *self.waiting.entry(*category).or_default() += 1;
                let is_due = self.due.get(ending).is_some_and(|(_, subject, category)| (*subject, *category) == whose);
                let is_first = self.people.insert(whose);
                self.counted.insert(*ending) && is_due && is_first && *people == 1
            }
            AnonymisedStep::Released => {
                let waiting = self.waiting.entry(*category).or_default();
                let were_counted = *people <= *waiting;
                *waiting = waiting.saturating_sub(*people);
                were_counted && report.is_some()
            }
            // how few they were is not told
            AnonymisedStep::TooFew => true,
        }
    }
}
