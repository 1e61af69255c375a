//! [`Places`]: whether each leaf follows the one before it, in the log, in time, and in the processes that wrote it.

use core::cmp::Ordering;

use crate::Event;
use crate::leaf::{HybridClock, Leaf, STEP_BACK_MS};
use crate::verify::Rule;

/// Where the log has come to.
#[derive(Debug, Default)]
pub(super) struct Places {
    shard: Option<u32>,
    clock: HybridClock,
    epoch: Option<u64>,
    /// Whether the process that writes has yet to say that it checked the log.
    is_unchecked: bool,
    /// Whether it has said that the clock was set back, and the clock has not caught up.
    is_set_back: bool,
}

impl Places {
    /// Goes on by the leaf at `index`; what is wrong with where it is.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf) -> impl Iterator<Item = Rule> + use<> {
        let place = leaf.place;
        let is_moved = place.sequence != index;
        let is_of_others = *self.shard.get_or_insert(place.shard) != place.shard;
        let is_of_other_process = !self.process(leaf);
        let (is_misdated, is_dated_back) = (place.clock != self.clock.next(place.wall), self.is_dated_back(leaf));
        self.clock = self.clock.max(place.clock);
        let broken = [
            (is_moved, Rule::SequenceBroken),
            (is_of_others, Rule::ShardMixed),
            (is_misdated, Rule::ClockWentBack),
            (is_dated_back, Rule::DatedBack),
            (is_of_other_process, Rule::EpochBroken),
        ];
        broken.into_iter().filter_map(|(is_broken, rule)| is_broken.then_some(rule))
    }

    /// Whether `leaf` is by the process that wrote the one before, or by the next one, which first says that it has checked the
    /// log; before that, only that the clock was set back.
    fn process(&mut self, leaf: &Leaf) -> bool {
        let epoch = leaf.fact.epoch;
        let is_check = matches!(leaf.fact.event, Event::SelfcheckPassed { .. });
        let known = *self.epoch.get_or_insert(epoch);
        let is_right = match epoch.cmp(&known) {
            Ordering::Less => false,
            Ordering::Equal => is_check || !self.is_unchecked,
            Ordering::Greater => {
                self.is_set_back = false;
                epoch - known == 1 && (is_check || matches!(leaf.fact.event, Event::ClockAnomaly { .. }))
            }
        };
        self.is_unchecked = is_right && epoch > known && !is_check;
        self.epoch = Some(known.max(epoch));
        is_right
    }

    /// Whether `leaf` is dated well before the one that it follows, and the log does not say that the clock was set back.
    fn is_dated_back(&mut self, leaf: &Leaf) -> bool {
        let behind_ms = self.clock.millis().saturating_sub(leaf.place.wall.0);
        let is_told = self.is_set_back || matches!(leaf.fact.event, Event::ClockAnomaly { .. });
        self.is_set_back = behind_ms > STEP_BACK_MS && is_told;
        // it is told before a batch, in which the counter of the clock may carry over
        behind_ms > STEP_BACK_MS + 1 && !is_told
    }
}
