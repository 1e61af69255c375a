//! [`Revisions`]: which revision of the policy governs what a person agreed to.
//!
//! A person agreed to a purpose under one revision. As long as nothing that came since touches that purpose materially,
//! the newest revision governs it. Otherwise the one that the person agreed to goes on governing it, narrowed by whatever
//! the newest forbids, until the person agrees anew. A person is never held to a text they did not agree to, and never
//! loses a protection that everybody else has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_types::{Purpose, WallTime};

use crate::{ConsentState, Diff, Profile, ProfileHash, diff};

/// Older revisions that are kept. Whoever agreed to one that came before is asked again: eight revisions are more than a
/// year of a policy that changes often.
pub const OLDER_MAX: usize = 8;

/// Why a profile is not taken as the next revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    /// It is another policy.
    #[error("profile.id is `{found}`, but the policy in force is `{expected}`; a node keeps to one policy")]
    OtherProfile {
        /// The policy in force.
        expected: String,
        /// The one that was given.
        found: String,
    },
    /// It is older than the one in force.
    #[error(
        "profile.rev is {found}, but revision {newest} is in force; a revision is never rolled back, publish a new one"
    )]
    RolledBack {
        /// The revision in force.
        newest: u32,
        /// The one that was given.
        found: u32,
    },
    /// Its number is taken.
    #[error("revision {0} is in force and says something else; raise profile.rev")]
    SameRevision(u32),
    /// It does not hold yet.
    #[error("revision {rev} holds from {from_ms} ms after 1970 on; until then the one in force stays")]
    NotYet {
        /// The revision.
        rev: u32,
        /// From when it holds, in Unix milliseconds.
        from_ms: u64,
    },
}

/// The newest revision of a policy, and the older ones that somebody may still be governed by.
#[derive(Clone, Debug)]
pub struct Revisions {
    newest: Arc<Profile>,
    /// By their number, with what changed from each to the newest.
    older: BTreeMap<u32, (Arc<Profile>, Diff)>,
}

impl Revisions {
    /// A policy of which there is one revision.
    #[must_use]
    pub const fn new(newest: Arc<Profile>) -> Self {
        Self { newest, older: BTreeMap::new() }
    }

    /// The revision in force for everybody new.
    #[must_use]
    pub const fn newest(&self) -> &Arc<Profile> {
        &self.newest
    }

    /// Every revision, the newest last.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.older.values().map(|(profile, _)| profile).chain([&self.newest])
    }

    /// These revisions with `next` as the newest, and what it changes. The same profile again changes nothing.
    ///
    /// # Errors
    /// [`RevisionError`] says why `next` is not the next revision; these stay as they are.
    pub fn publish(&self, next: Arc<Profile>, now: WallTime) -> Result<(Self, Diff), RevisionError> {
        let (newest, header) = (self.newest.header(), next.header());
        if newest.id != header.id {
            let (expected, found) = (newest.id.to_string(), header.id.to_string());
            return Err(RevisionError::OtherProfile { expected, found });
        }
        if next.hash() == self.newest.hash() {
            return Ok((self.clone(), Diff::default()));
        }
        if header.rev == newest.rev {
            return Err(RevisionError::SameRevision(header.rev));
        }
        if header.rev < newest.rev {
            return Err(RevisionError::RolledBack { newest: newest.rev, found: header.rev });
        }
        // an accepted profile has a moment; without one it would hold from never
        let from = header.effective_at.moment().unwrap_or(WallTime(u64::MAX));
        if now < from {
            return Err(RevisionError::NotYet { rev: header.rev, from_ms: from.0 });
        }
        let mut older: BTreeMap<_, _> =
            self.all().map(|profile| (profile.rev(), (Arc::clone(profile), diff(profile, &next)))).collect();
        while older.len() > OLDER_MAX {
            older.pop_first();
        }
        let changes = diff(&self.newest, &next);
        Ok((Self { newest: next, older }, changes))
    }

    /// The revision that governs using `purpose` with a person, and how the person stands in its terms.
    #[must_use]
    pub fn governing<'a>(
        &'a self,
        purpose: Purpose,
        state: &'a ConsentState,
    ) -> (&'a Arc<Profile>, Cow<'a, ConsentState>) {
        let agreed = state.consents.get(&purpose).filter(|given| given.status.is_valid());
        let Some((profile, changes)) = agreed.and_then(|given| self.older.get(&given.profile_rev)) else {
            return (&self.newest, Cow::Borrowed(state));
        };
        if changes.touches(purpose) {
            return (profile, Cow::Borrowed(state));
        }
        let mut carried = state.clone();
        if let Some(given) = carried.consents.get_mut(&purpose) {
            given.profile_rev = self.newest.rev();
        }
        (&self.newest, Cow::Owned(carried))
    }

    /// The purposes that the person has to be asked again, because what they agreed to has changed or is forgotten.
    #[must_use]
    pub fn asks(&self, state: &ConsentState) -> Vec<Purpose> {
        let changed = |purpose: Purpose, rev: u32| match self.older.get(&rev) {
            Some((_, changes)) => changes.touches(purpose),
            None => rev != self.newest.rev(),
        };
        let agreed = state.consents.iter().filter(|(_, given)| given.status.is_valid());
        agreed.filter(|(purpose, given)| changed(**purpose, given.profile_rev)).map(|(purpose, _)| *purpose).collect()
    }

    /// The revision of this hash, if it is kept.
    #[must_use]
    pub fn find(&self, hash: ProfileHash) -> Option<&Arc<Profile>> {
        self.all().find(|profile| profile.hash() == hash)
    }
}
