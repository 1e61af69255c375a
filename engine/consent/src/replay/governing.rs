//! [`Governing`]: whether each segment is under the revision of the policy that governs its person, as far as an auditor has
//! the profiles.
//!
//! Whoever agreed to a revision is governed by the newest one, unless what came since changes what they agreed to: then by
//! theirs, until they agree anew. A leaf of consent names the revision that was agreed to; what changed between two is said by
//! their profiles alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::verify::Closing;
use sayso_audit::{Actor, ControlEvent, Event, Fact, Hash, Leaf, Reference, Scope, SubjectTag};
use sayso_policy::revisions::OLDER_MAX;
use sayso_policy::{Diff, LegalBasis, Profile, diff};
use sayso_types::Purpose;

/// Goes through the leaves of a log in order.
#[derive(Debug, Default)]
pub struct Governing {
    /// Those that the auditor has, by their revision.
    profiles: BTreeMap<u32, Arc<Profile>>,
    /// Those that came into force.
    effective: BTreeMap<u32, Hash>,
    /// What changed from one revision to another, where that was asked.
    changes: BTreeMap<(u32, u32), Diff>,
    /// The revision to which each consent was given that is valid.
    agreed: BTreeMap<SubjectTag, BTreeMap<Purpose, u32>>,
    /// What is about to rest on a grant, which is not asked here.
    granted: BTreeSet<Reference>,
    overtaken: Closing<u64>,
    found: Vec<u64>,
}

impl Governing {
    /// What is asked by an auditor who has `profiles`.
    #[must_use]
    pub fn new(profiles: impl IntoIterator<Item = Arc<Profile>>) -> Self {
        let profiles = profiles.into_iter().map(|profile| (profile.rev(), profile)).collect();
        Self { profiles, ..Self::default() }
    }

    /// Goes on by the leaf at `index`.
    pub fn leaf(&mut self, index: u64, leaf: &Leaf) {
        self.overtaken.leaf(leaf);
        let fact = &leaf.fact;
        match &fact.event {
            Event::PolicyEffective { profile } => drop(self.effective.insert(fact.profile_rev, *profile)),
            Event::ConsentGiven { purpose, .. } => {
                if let Some(subject) = fact.subject {
                    self.agreed.entry(subject).or_default().insert(*purpose, fact.profile_rev);
                }
            }
            Event::ConsentExpired { purpose, .. } => self.over(fact.subject, Scope::Purpose(*purpose)),
            Event::ConsentRefused { purpose, .. } | Event::ConsentDeferred { purpose, .. }
                if self.effective.keys().all(|rev| *rev <= fact.profile_rev) =>
            {
                self.over(fact.subject, Scope::Purpose(*purpose));
            }
            Event::WithdrawRequested { scope, .. } | Event::Control(ControlEvent::ConsentEnded { scope, .. }) => {
                self.over(fact.subject, *scope);
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
                self.found.extend(self.overtaken.closed(*segment, *bytes));
            }
            _ => {}
        }
    }

    /// The leaves that open segments which were used under another revision than the one that governed the person.
    #[must_use]
    pub fn finish(mut self) -> Vec<u64> {
        self.found.extend(self.overtaken.finish());
        self.found
    }

    fn over(&mut self, whose: Option<SubjectTag>, scope: Scope) {
        if let Some(agreed) = whose.and_then(|whose| self.agreed.get_mut(&whose)) {
            agreed.retain(|purpose, _| !scope.covers(*purpose));
        }
    }

    /// Whether the revision that `fact`, which opens a segment for `purpose`, is under governs its person, as far as that can be
    /// told.
    fn is_right(&mut self, fact: &Fact, purpose: Purpose) -> bool {
        let agreed = fact.subject.and_then(|subject| self.agreed.get(&subject)?.get(&purpose).copied());
        let (Some(agreed), Some(newest)) = (agreed, self.effective.keys().last().copied()) else { return true };
        let (Some(before), Some(after)) = (self.profile(agreed), self.profile(newest)) else { return true };
        let is_kept = self.effective.range(agreed..).count() <= OLDER_MAX + 1;
        // of what rests on something else by now, the log does not say what that does
        let rests_on_consent = after.purpose(purpose).is_some_and(|rule| rule.basis == LegalBasis::Consent);
        if agreed > newest || !is_kept || !rests_on_consent {
            return true;
        }
        let changes = || diff(before.document(), after.document());
        let is_touched = self.changes.entry((agreed, newest)).or_insert_with(changes).touches(purpose);
        fact.profile_rev == if is_touched { agreed } else { newest }
    }

    /// The profile that was in force as revision `rev`, if the auditor has it.
    fn profile(&self, rev: u32) -> Option<Arc<Profile>> {
        let profile = self.profiles.get(&rev)?;
        (self.effective.get(&rev) == Some(&Hash(profile.hash().0))).then(|| Arc::clone(profile))
    }
}
