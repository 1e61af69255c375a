//! [`Transfers`]: how many people's data had gone overseas in a year, as far as a log says, and whether that was covered.

use std::collections::BTreeMap;

use sayso_audit::{Leaf, SubjectTag};
use sayso_policy::Profile;
use sayso_types::{Cell, ProcessorId, RegionClass, WallTime};

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

    /// Whether one person more was covered when somebody's data did not go there by `leaf`, which may have been written up to
    /// `waits_ms` after that was decided. Who is counted there has room.
    pub(super) fn has_room(
        &self,
        leaf: &Leaf,
        (cell, processor): (&Cell, ProcessorId),
        profile: &Profile,
        waits_ms: u64,
    ) -> bool {
        let (Some(transfer), Some(whose)) = (profile.transfer(processor, cell.category), leaf.fact.subject) else {
            return true;
        };
        let wall = leaf.place.wall;
        let before = WallTime(wall.0.saturating_sub(waits_ms));
        if profile.year_of(before) < profile.year_of(wall) {
            return false;
        }
        let (mut person, counted) = if profile.year_of(wall) == self.year {
            (self.people.get(&whose).cloned().unwrap_or_default(), self.counted.clone())
        } else {
            <(Crossed, Counted)>::default()
        };
        person.take(processor, &transfer).is_none_or(|more| {
            let counted = counted.with(processor, more);
            transfer.limit.covers(counted.together, counted.there(processor))
        })
    }
}
