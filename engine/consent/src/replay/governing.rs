//! [`Governing`]: which revision of the policy governs whom, and what follows from that, as far as an auditor has the profiles:
//! whether each segment is under that revision, whether requests were answered by the day of each revision whose rights a person
//! had, and whether people were told of a revision before it held.
//!
//! Whoever agreed to a revision is governed by the newest one, unless what came since changes what they agreed to: then by
//! theirs, until they agree anew. A leaf of consent names the revision that was agreed to; what changed between two is said by
//! their profiles alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::verify::Closing;
use sayso_audit::{Actor, ControlEvent, Event, Fact, Leaf, Reference, Scope, SubjectTag};
use sayso_policy::{LegalBasis, Profile};
use sayso_types::{Purpose, WallTime};

use super::announced::Announcements;
use super::endings::is_of_law;
use super::holds::Holds;
use super::requests::{Happened, Requests};
use super::revised::Revised;

/// Goes through the leaves of a log in order.
#[derive(Debug, Default)]
pub struct Governing {
    revised: Revised,
    /// The revision to which each consent was given that is valid.
    agreed: BTreeMap<SubjectTag, BTreeMap<Purpose, u32>>,
    /// What is about to rest on a grant, which is not asked here.
    granted: BTreeSet<Reference>,
    overtaken: Closing<u64>,
    requests: Requests,
    announcements: Announcements,
    holds: Holds,
    /// When the newest leaf was written.
    now: WallTime,
    found: Governed,
}

/// What several profiles find together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Governed {
    /// The leaves that open segments which were used under another revision than the one that governed the person.
    pub others: Vec<u64>,
    /// The leaves that show that a request was not answered by the earliest day of the revisions whose rights the person had, where
    /// the log does not say so itself: the answer's, or the request's if there is none.
    pub late: Vec<u64>,
    /// The leaves that show that somebody was told of a revision later than the one before it promised, or not at all: by which it
    /// came into force, or they were told.
    pub late_notices: Vec<u64>,
    /// The leaves by which something was kept on a legal hold that nobody had set for it, or that was released, and that no law of
    /// the revisions demands. None where the auditor does not have each revision that was in force.
    pub unheld: Vec<u64>,
}

impl Governing {
    /// What is asked by an auditor who has `profiles`.
    #[must_use]
    pub fn new(profiles: impl IntoIterator<Item = Arc<Profile>>) -> Self {
        Self { revised: Revised::new(profiles), ..Self::default() }
    }

    /// Goes on by the leaf at `index`.
    pub fn leaf(&mut self, index: u64, leaf: &Leaf) {
        self.overtaken.leaf(leaf);
        let (fact, at) = (&leaf.fact, leaf.place.wall);
        self.now = self.now.max(at);
        match &fact.event {
            Event::PolicyEffective { profile } => {
                if let Some(before) = self.revised.effective(fact.profile_rev, *profile) {
                    let people =
                        self.agreed.iter().filter(|(_, agreed)| !agreed.is_empty()).map(|(subject, _)| *subject);
                    let revisions = (before, fact.profile_rev, *profile);
                    self.announcements.in_force((index, at), revisions, people, &mut self.revised);
                }
            }
            Event::PolicyPublished { profile, notice } => self.announcements.announced((index, at), *profile, *notice),
            Event::Notice { notice, step, .. } => {
                if let Some(subject) = fact.subject {
                    self.announcements.step((index, at), *notice, subject, *step);
                }
            }
            Event::ConsentGiven { purpose, .. } => {
                if let Some(subject) = fact.subject {
                    self.agreed.entry(subject).or_default().insert(*purpose, fact.profile_rev);
                    self.announcements.known(index, subject);
                }
            }
            Event::ConsentExpired { purpose, .. } => self.over(fact.subject, Scope::Purpose(*purpose)),
            Event::ConsentRefused { purpose, .. } | Event::ConsentDeferred { purpose, .. }
                if self.revised.is_newest(fact.profile_rev) =>
            {
                self.over(fact.subject, Scope::Purpose(*purpose));
            }
            Event::WithdrawRequested { scope, .. } | Event::Control(ControlEvent::ConsentEnded { scope, .. }) => {
                self.over(fact.subject, *scope);
            }
            Event::Request { request, step, detail, .. } => {
                let rights = self.rights_of(fact);
                let rights: Vec<_> = rights.iter().map(AsRef::as_ref).collect();
                self.requests.step(*request, &Happened { leaf: index, at, step: *step, detail: *detail }, &rights);
            }
            Event::HoldSet { .. } | Event::HoldReleased { .. } => self.holds.leaf(leaf),
            Event::RetentionHeld { hold, category, .. } => {
                let is_of_law = |profile: &Profile| is_of_law(*hold, *category, Some(profile));
                if !self.holds.keeps(*hold, *category) && self.revised.knows_all() && !self.revised.any(is_of_law) {
                    self.found.unheld.push(index);
                }
            }
            Event::PermittedByExemption { segment, .. } => drop(self.granted.insert(*segment)),
            Event::SegmentOpened { segment, cell, .. } => {
                let is_granted = self.granted.remove(segment);
                if is_granted || self.is_right(fact, cell.purpose) {
                    return;
                }
                // decided before the newest came into force, it closes again before anything passes
                self.overtaken.must_close(*segment, fact.actor != Actor::SYSTEM, false, index);
            }
            Event::SegmentClosed { segment, bytes, .. } => {
                self.found.others.extend(self.overtaken.closed(*segment, *bytes));
            }
            _ => {}
        }
    }

    /// What it has come to by the time of the newest leaf, or by `at`, if that is later.
    #[must_use]
    pub fn finish_at(mut self, at: WallTime) -> Governed {
        self.found.others.extend(self.overtaken.finish());
        self.found.late = self.requests.finish(self.now.max(at));
        self.found.late_notices = self.announcements.finish();
        self.found
    }

    fn over(&mut self, whose: Option<SubjectTag>, scope: Scope) {
        if let Some(agreed) = whose.and_then(|whose| self.agreed.get_mut(&whose)) {
            agreed.retain(|purpose, _| !scope.covers(*purpose));
        }
    }

    /// The revisions whose rights the person has whom `fact` is about: the one that it is under, and each older one that governs
    /// something that they agreed to. None where the auditor does not have the first.
    fn rights_of(&mut self, fact: &Fact) -> Vec<Arc<Profile>> {
        let newest = fact.profile_rev;
        let agreed = fact.subject.and_then(|subject| self.agreed.get(&subject)).cloned().unwrap_or_default();
        let stays = |(purpose, rev): (Purpose, u32)| {
            (self.revised.stays_under(rev, newest, purpose) == Some(true)).then_some(rev)
        };
        let mut revisions: BTreeSet<_> = agreed.into_iter().filter_map(stays).collect();
        revisions.insert(newest);
        let found = revisions.into_iter().rev().map(|rev| self.revised.profile(rev));
        found.collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    /// Whether the revision that `fact`, which opens a segment for `purpose`, is under governs its person, as far as that can be
    /// told.
    fn is_right(&mut self, fact: &Fact, purpose: Purpose) -> bool {
        let agreed = fact.subject.and_then(|subject| self.agreed.get(&subject)?.get(&purpose).copied());
        let (Some(agreed), Some(newest)) = (agreed, self.revised.newest()) else { return true };
        let Some(stays) = self.revised.stays_under(agreed, newest, purpose) else { return true };
        // of what rests on something else by now, the log does not say what that does
        let rule = self.revised.profile(newest).and_then(|after| Some(after.purpose(purpose)?.basis));
        rule != Some(LegalBasis::Consent) || fact.profile_rev == if stays { agreed } else { newest }
    }
}
