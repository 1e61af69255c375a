//! [`Volumes`]: how much had gone to each processor in a day, as far as a log says, and whether that was declared.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::Reference;
use sayso_policy::Profile;
use sayso_policy::profile::Volume;
use sayso_types::{Cell, ProcessorId, WallTime};

use crate::volume::{DAY_MS, To, most};

/// Until when in a day a leaf may tell what was let in the day before: far longer than one is waited for. It counts for neither.
const NEITHER_MS: u64 = 60_000;

/// That of a day.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    day: u64,
    went: BTreeMap<To, u64>,
    /// The segments that were opened on it.
    open: BTreeSet<Reference>,
}

impl Volumes {
    /// Goes on by a segment that was opened at `at`; whether as much as one call may have was left of the day.
    pub(super) fn opened(
        &mut self,
        segment: Reference,
        (cell, processor): (&Cell, ProcessorId),
        at: WallTime,
        profile: &Profile,
    ) -> bool {
        let (day, into) = (at.0 / DAY_MS, at.0 % DAY_MS);
        if day > self.day {
            *self = Self { day, ..Self::default() };
        }
        if day < self.day || into < NEITHER_MS {
            return true;
        }
        self.open.insert(segment);
        let to = (processor, cell.category);
        let Volume { per_call, per_day } = most([profile], to);
        let went = self.went.get(&to).copied().unwrap_or_default();
        per_day.is_none_or(|day| went.saturating_add(per_call.unwrap_or_default()) <= day)
    }

    /// Goes on by its being closed, by which `bytes` went; whether one call may have so many.
    pub(super) fn closed(
        &mut self,
        segment: Reference,
        (cell, processor): (&Cell, ProcessorId),
        bytes: u64,
        profile: &Profile,
    ) -> bool {
        let to = (processor, cell.category);
        if self.open.remove(&segment) {
            let went = self.went.entry(to).or_default();
            *went = went.saturating_add(bytes);
        }
        most([profile], to).per_call.is_none_or(|most| bytes <= most)
    }
}
