//! [`Delivery`]: how a notice reaches one person.
//!
//! ```text
//!            time is over, or all that were begun failed
//! channel 1 ─────────────────────────────────────────────▶ channel 2 ──▶ ... ──▶ the last ──▶ not reached in time
//!     │                                                       │                      │              │
//!     └───────────────────────── delivered ◀──────────────────┴──────────────────────┴──────────────┘
//! ```
//!
//! The public page is a last channel that needs nobody's answer: what is on it is delivered, and a person whom it stands for
//! can still be told by the channels before.

use sayso_audit::NoticeStep;
use sayso_types::WallTime;
use serde::{Deserialize, Serialize};

use super::notice::{Channel, Notice};

/// How a notice stands with one person. The stored form, schema version 1, is JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// When each channel was begun, in the order of the notice's.
    pub begun: Vec<WallTime>,
    /// Channels that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Channel>,
    /// Through which the person was reached, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<(Channel, WallTime)>,
}

/// What happens to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The person has heard or received it.
    Delivered(Channel),
    /// They cannot be reached so.
    Failed(Channel),
    /// The time of the channels that were begun has passed.
    TimeIsOver,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// This channel was begun last.
    Waiting(Channel),
    /// The person was reached through this one.
    Delivered(Channel),
    /// Every channel failed, or was too slow.
    NotReached,
}

impl Delivery {
    /// One of `notice` whose first channel is begun at `now`, and what is told of it.
    #[must_use]
    pub fn begun(notice: &Notice, now: WallTime) -> (Self, Vec<(NoticeStep, Channel)>) {
        let (mut delivery, mut told) = (Self { begun: Vec::new(), failed: Vec::new(), reached: None }, Vec::new());
        delivery.begin(notice, now, &mut told);
        (delivery, told)
    }

    /// Begins the next channel, if there is one.
    fn begin(&mut self, notice: &Notice, now: WallTime, told: &mut Vec<(NoticeStep, Channel)>) {
        let Some(channel) = notice.channels.get(self.begun.len()) else { return };
        self.begun.push(now);
        told.push((NoticeStep::Sent, *channel));
        if *channel == Channel::Page {
            self.reached = Some((Channel::Page, now));
            told.push((NoticeStep::Delivered, Channel::Page));
        }
    }

    /// Whether the person was told, and not everybody in their place.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.reached.is_some_and(|(channel, _)| channel != Channel::Page)
    }

    /// Where it stands.
    #[must_use]
    pub fn standing(&self, notice: &Notice) -> Standing {
        if let Some((channel, _)) = self.reached {
            return Standing::Delivered(channel);
        }
        match self.channels(notice).last() {
            Some(last) if self.is_last(notice) && self.failed.contains(last) => Standing::NotReached,
            Some(last) => Standing::Waiting(*last),
            None => Standing::NotReached,
        }
    }

    /// The channels that were begun.
    #[must_use]
    pub fn channels<'a>(&self, notice: &'a Notice) -> &'a [Channel] {
        &notice.channels[..self.begun.len().min(notice.channels.len())]
    }

    /// When `channel` was begun, if it was.
    #[must_use]
    pub fn begun_at(&self, notice: &Notice, channel: Channel) -> Option<WallTime> {
        let at = self.channels(notice).iter().position(|one| *one == channel)?;
        self.begun.get(at).copied()
    }

    /// When the time of what was begun has passed; [`None`] when nothing more is to be waited for.
    #[must_use]
    pub fn due(&self, notice: &Notice) -> Option<WallTime> {
        let first = self.begun.first()?;
        matches!(self.standing(notice), Standing::Waiting(_)).then(|| notice.share_ends(self.begun.len(), *first))
    }

    /// The delivery of `notice` after `step`, taken at `now`, and what is told of it; [`None`] when it changes nothing: the
    /// person was reached before, or the channel was not begun.
    #[must_use]
    pub fn after(&self, step: Step, notice: &Notice, now: WallTime) -> Option<(Self, Vec<(NoticeStep, Channel)>)> {
        if self.is_heard() {
            return None;
        }
        let (mut next, mut told) = (self.clone(), Vec::new());
        let begun = self.channels(notice);
        match step {
            Step::Delivered(channel) => {
                (channel != Channel::Page && begun.contains(&channel)).then_some(())?;
                next.reached = Some((channel, now));
                told.push((NoticeStep::Delivered, channel));
                return Some((next, told));
            }
            Step::Failed(channel) => {
                (channel != Channel::Page && begun.contains(&channel) && !self.failed.contains(&channel))
                    .then_some(())?;
                next.failed.push(channel);
                told.push((NoticeStep::Failed, channel));
                if self.reached.is_some() || !begun.iter().all(|channel| next.failed.contains(channel)) {
                    return Some((next, told));
                }
            }
            Step::TimeIsOver => {
                if now < self.due(notice)? {
                    return None;
                }
                if let Some(last) = begun.last().filter(|_| self.is_last(notice)) {
                    next.failed.push(*last);
                    told.push((NoticeStep::Failed, *last));
                }
            }
        }
        next.begin(notice, now, &mut told);
        Some((next, told))
    }

    fn is_last(&self, notice: &Notice) -> bool {
        self.begun.len() >= notice.channels.len()
    }
}
