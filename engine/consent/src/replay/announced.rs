//! [`Announcements`]: whether people were told of a revision of the policy as long before it held as the one before promised, as
//! far as the log and the profiles of both say.
//!
//! Whoever had agreed to something before it was announced, and still agrees when it comes into force, was to be told: by then
//! a notice to them is on its way, and has reached them, or the log says that it has not.

use std::collections::BTreeMap;

use sayso_audit::{Hash, NoticeStep, Reference, SubjectTag};
use sayso_types::WallTime;

use super::revised::Revised;
use crate::notices::NoticeKind;

/// How long after a revision came into force it may be written down that the notice of it has not reached somebody in time: far
/// longer than it takes a node that runs. That it was announced may be written down as long after it was reckoned.
const WRITTEN_WITHIN_MS: u64 = 60_000;

/// What people were told of.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    /// The revisions that were announced, by their hashes.
    announced: BTreeMap<[u8; 32], Announced>,
    /// Those of them that came into force, by their notices, and when.
    in_force: BTreeMap<Reference, WallTime>,
    /// How the notice of a revision stands with each person, by its id.
    deliveries: BTreeMap<Reference, BTreeMap<SubjectTag, Delivery>>,
    /// Where somebody agreed to something for the first time.
    known: BTreeMap<SubjectTag, u64>,
    late: Vec<u64>,
}

#[derive(Debug)]
struct Announced {
    leaf: u64,
    at: WallTime,
    /// By which people are told, where that was said.
    notice: Option<Reference>,
}

/// How a notice stands with a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Delivery {
    #[default]
    Sent,
    /// They were reached, or it was said that they were not.
    Told,
}

impl Announcements {
    /// Somebody agrees to something by the leaf `index`.
    pub(super) fn known(&mut self, index: u64, subject: SubjectTag) {
        self.known.entry(subject).or_insert(index);
    }

    /// `profile` is announced by the leaf `index`, written `at` that time.
    pub(super) fn announced(&mut self, (leaf, at): (u64, WallTime), profile: Hash, notice: Option<Reference>) {
        self.announced.insert(profile.0, Announced { leaf, at, notice });
        if let Some(notice) = notice {
            self.deliveries.entry(notice).or_default();
        }
    }

    /// A step is taken with `notice` to somebody by the leaf `index`, written `at` that time.
    pub(super) fn step(
        &mut self,
        (index, at): (u64, WallTime),
        notice: Reference,
        whose: SubjectTag,
        step: NoticeStep,
    ) {
        // only those of a revision are judged
        let Some(deliveries) = self.deliveries.get_mut(&notice) else { return };
        let delivery = deliveries.entry(whose).or_default();
        let before = *delivery;
        if step == NoticeStep::Sent {
            return;
        }
        *delivery = Delivery::Told;
        let since = self.in_force.get(&notice).filter(|_| before == Delivery::Sent && step == NoticeStep::Delivered);
        if since.is_some_and(|since| since.0.saturating_add(WRITTEN_WITHIN_MS) < at.0) {
            self.late.push(index);
        }
    }

    /// The `next` profile comes into force by the leaf `index`, written `at` that time, in the place of the revision `before`,
    /// while these `people` agree to something.
    pub(super) fn in_force(
        &mut self,
        (index, at): (u64, WallTime),
        (before, next, profile): (u32, u32, Hash),
        people: impl Iterator<Item = SubjectTag>,
        revised: &mut Revised,
    ) {
        let announced = self.announced.get(&profile.0);
        if let Some(notice) = announced.and_then(|announced| announced.notice) {
            self.in_force.insert(notice, at);
        }
        let (Some(before), Some(next)) = (revised.profile(before), revised.profile(next)) else { return };
        if !NoticeKind::is_promised(&before, &next, revised.changes(&before, &next)) {
            return;
        }
        let Some(announced) = announced else { return self.late.push(index) };
        let reckoned = WallTime(announced.at.0.saturating_sub(WRITTEN_WITHIN_MS));
        let lead = NoticeKind::of_revision(&before, &next).within(&before);
        let is_soon = lead.is_some_and(|lead| at < before.end_of(lead, reckoned, String::new()).at);
        let sent = announced.notice.and_then(|notice| self.deliveries.get(&notice));
        let was_there = |subject: &SubjectTag| self.known.get(subject).is_some_and(|leaf| *leaf < announced.leaf);
        let is_untold = |subject: SubjectTag| sent.is_some_and(|sent| !sent.contains_key(&subject));
        if is_soon || people.filter(was_there).any(is_untold) {
            self.late.push(index);
        }
    }

    /// The leaves that show that somebody was told too late, or not at all.
    pub(super) fn finish(mut self) -> Vec<u64> {
        self.late.sort_unstable();
        self.late
    }
}
