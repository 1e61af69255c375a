//! [`Holds`]: the legal holds that were set and not released, as the log has it.

use std::collections::BTreeMap;

use sayso_audit::{Event, Leaf, Reference};
use sayso_types::Category;

/// Those that are set, each with what it keeps: everything, where that is not said.
#[derive(Debug, Default)]
pub(super) struct Holds(BTreeMap<Reference, Option<Category>>);

impl Holds {
    /// Goes on by a leaf.
    pub(super) fn leaf(&mut self, leaf: &Leaf) {
        match leaf.fact.event {
            Event::HoldSet { hold, category, .. } => drop(self.0.insert(hold, category)),
            Event::HoldReleased { hold, .. } => drop(self.0.remove(&hold)),
            _ => {}
        }
    }

    /// Whether `hold` is set, and keeps data of `category`.
    pub(super) fn keeps(&self, hold: Reference, category: Category) -> bool {
        self.0.get(&hold).is_some_and(|kept| kept.is_none_or(|kept| kept == category))
    }
}
