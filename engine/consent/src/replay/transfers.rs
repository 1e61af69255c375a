//! [`Transfers`]: how many people's data had gone overseas in a year, as far as a log says, and whether that was covered.

use std::collections::BTreeMap;

use sayso_audit::{Leaf, SubjectTag};
use sayso_policy::Profile;
use sayso_types::{Cell, ProcessorId, RegionClass};

use crate::transfer::{Counted, Crossed};

/// Those of a calendar year.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    year: u32,
    counted: Counted,
    people: BTreeMap<SubjectTag, Crossed>,
}

impl Transfers {
    /// Goes on by `leaf`, which opens a segment; whether the means by which data goes there covers as many people as it has
    /// gone of by then. What `profile` does not know is not counted.
    pub(super) fn opened(&mut self, leaf: &Leaf, (cell, processor): (&Cell, ProcessorId), profile: &Profile) -> bool {
        let transfer = profile.transfer(processor, cell.category).filter(|_| cell.region == RegionClass::Overseas);
        let (Some(transfer), Some(whose)) = (transfer, leaf.fact.subject) else { return true };
        let year = profile.year_of(leaf.place.wall);
        if year > self.year {
            *self = Self { year, ..Self::default() };
        }
        if let Some(more) = self.people.entry(whose).or_default().take(processor, &transfer) {
            self.counted = core::mem::take(&mut self.counted).with(processor, more);
            return transfer.limit.covers(self.counted.together, self.counted.there(processor));
        }
        true
    }
}
