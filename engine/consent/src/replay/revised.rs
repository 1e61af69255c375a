//! [`Revised`]: the revisions of the policy that came into force, and what changed between them, as far as an auditor has the
//! profiles.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_audit::Hash;
use sayso_policy::revisions::OLDER_MAX;
use sayso_policy::{Diff, Profile, diff};
use sayso_types::Purpose;

/// The revisions that came into force so far.
#[derive(Debug, Default)]
pub(super) struct Revised {
    /// Those that the auditor has, by their revision.
    profiles: BTreeMap<u32, Arc<Profile>>,
    /// Those that came into force.
    effective: BTreeMap<u32, Hash>,
    /// What changed from one revision to another, where that was asked.
    changes: BTreeMap<(u32, u32), Diff>,
}

impl Revised {
    /// None so far, for an auditor who has `profiles`.
    pub(super) fn new(profiles: impl IntoIterator<Item = Arc<Profile>>) -> Self {
        let profiles = profiles.into_iter().map(|profile| (profile.rev(), profile)).collect();
        Self { profiles, ..Self::default() }
    }

    /// `profile` comes into force as revision `rev`; the newest one before it, unless it was in force before.
    pub(super) fn effective(&mut self, rev: u32, profile: Hash) -> Option<u32> {
        let before = self.newest();
        let is_first = self.effective.insert(rev, profile).is_none();
        before.filter(|_| is_first)
    }

    /// The newest one.
    pub(super) fn newest(&self) -> Option<u32> {
        self.effective.keys().last().copied()
    }

    /// Whether no revision is newer than `rev`.
    pub(super) fn is_newest(&self, rev: u32) -> bool {
        self.newest().is_none_or(|newest| newest <= rev)
    }

    /// The profile that was in force as revision `rev`, if the auditor has it.
    pub(super) fn profile(&self, rev: u32) -> Option<Arc<Profile>> {
        let profile = self.profiles.get(&rev)?;
        (self.effective.get(&rev) == Some(&Hash(profile.hash().0))).then(|| Arc::clone(profile))
    }

    /// Whether the auditor has each of them.
    pub(super) fn knows_all(&self) -> bool {
        self.effective.keys().all(|rev| self.profile(*rev).is_some())
    }

    /// Whether one of those that the auditor has `is` so.
    pub(super) fn any(&self, is: impl Fn(&Profile) -> bool) -> bool {
        self.effective.keys().filter_map(|rev| self.profile(*rev)).any(|profile| is(&profile))
    }

    /// What changed from the profile `before` to the one `after`.
    pub(super) fn changes(&mut self, before: &Profile, after: &Profile) -> &Diff {
        let changes = || diff(before.document(), after.document());
        self.changes.entry((before.rev(), after.rev())).or_insert_with(changes)
    }

    /// Whether somebody who agreed to `purpose` under revision `agreed` stays governed by that while `newest` is in force, because
    /// what came since touches it; [`None`] where that cannot be told.
    pub(super) fn stays_under(&mut self, agreed: u32, newest: u32, purpose: Purpose) -> Option<bool> {
        let (before, after) = (self.profile(agreed)?, self.profile(newest)?);
        let is_kept = self.effective.range(agreed..).count() <= OLDER_MAX + 1;
        (agreed <= newest && is_kept).then(|| self.changes(&before, &after).touches(purpose))
    }
}
