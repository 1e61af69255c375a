//! [`Guardian`]: who answers for a child, from when they were asked for until they are verified or turn out not to be.
//!
//! ```text
//!            request               verify
//!  (nobody) ─────────▶ Requested ─────────▶ Verified
//!                       ▲   └──── fail ───────┴──────▶ Failed
//!                       └────────── request ──────────────┘
//! ```
//!
//! Nothing personal of a child moves before a guardian is verified: `decide()` sees to that by the state's
//! `guardian_verified`. Which ages are a child's is the profile's `minors.guardian_required_below`, and the laws'.
//!
//! Whoever is said to be a child ([`Said`]) without a verified guardian is *found*: every gate closes, their consent is
//! withdrawn, and what there is of theirs is erased. What is agreed to for a child ends when they have grown out of needing a
//! guardian, and is asked of them anew.

pub(crate) mod age;
pub(crate) mod ward;

use sayso_audit::Reference;
use sayso_policy::Profile;
use sayso_types::{Name, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

pub use self::age::{NoAge, Said};
pub use self::ward::Guardianship;
use crate::Error as RegisterError;

/// A person's guardian, as it is stored with the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardian {
    /// What the log calls them.
    #[serde(with = "hex")]
    pub id: [u8; 16],
    /// How they are verified: one of the profile's `minors.verify_methods`.
    pub method: Name,
    /// When they were asked for.
    pub requested_at: WallTime,
    /// How far it has come.
    pub standing: Standing,
}

/// How far the verification of a guardian has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// They were asked for.
    Requested,
    /// They are the guardian, and agree.
    Verified {
        /// Since when.
        at: WallTime,
        /// SHA-256 of what shows it.
        #[serde(with = "hex")]
        evidence_sha256: [u8; 32],
    },
    /// They are not, or do not agree, or not any more.
    Failed {
        /// Since when.
        at: WallTime,
    },
}

/// What becomes of a guardian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// They are asked for, to be verified by this method.
    Request(Name),
    /// They are the guardian, and agree; of what shows it, the SHA-256.
    Verify([u8; 32]),
    /// They are not, or do not agree, or not any more.
    Fail,
}

/// Why a step cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The policy knows no such way.
    #[error("the policy verifies no guardian by {0}; its minors.verify_methods lists how it does")]
    Method(Name),
    /// Somebody is asked for already, or verified.
    #[error("a guardian was asked for already; say what became of that first")]
    Asked,
    /// Nobody is asked for.
    #[error("no guardian was asked for; request one first")]
    NotAsked,
    /// They are verified.
    #[error("the guardian is verified; say that they fail if they are not any more")]
    Verified,
}

/// Why nothing came of a step, or of what was said of a person's age.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The step is not the next one.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// What is said of the age is not what can be.
    #[error(transparent)]
    Age(#[from] NoAge),
}

impl Guardian {
    /// The guardian after `step`, taken at `now` under `profile`, where there was `before`.
    ///
    /// # Errors
    /// [`NotNow`]; nothing has changed.
    pub fn after(before: Option<&Self>, step: Step, profile: &Profile, now: WallTime) -> Result<Self, NotNow> {
        let standing = before.map(|guardian| guardian.standing);
        match (step, before) {
            (Step::Request(_), Some(_)) if !matches!(standing, Some(Standing::Failed { .. })) => Err(NotNow::Asked),
            (Step::Request(method), _) => {
                if !profile.minors().verify_methods.contains(method.as_str()) {
                    return Err(NotNow::Method(method));
                }
                Ok(Self { id: SubjectId::random().0, method, requested_at: now, standing: Standing::Requested })
            }
            (Step::Verify(evidence_sha256), Some(guardian)) if standing == Some(Standing::Requested) => {
                Ok(Self { standing: Standing::Verified { at: now, evidence_sha256 }, ..guardian.clone() })
            }
            (Step::Fail, Some(guardian)) if !matches!(guardian.standing, Standing::Failed { .. }) => {
                Ok(Self { standing: Standing::Failed { at: now }, ..guardian.clone() })
            }
            (Step::Verify(_), Some(guardian)) if guardian.is_verified() => Err(NotNow::Verified),
            (Step::Verify(_) | Step::Fail, _) => Err(NotNow::NotAsked),
        }
    }

    /// What the log calls them.
    #[must_use]
    pub const fn reference(&self) -> Reference {
        Reference(self.id)
    }

    /// Whether they are verified.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        matches!(self.standing, Standing::Verified { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime(1_780_000_000_000);
    const IN_PERSON: Name = Name::constant("in_person");

    fn profile() -> Profile {
        Profile::parse(include_str!("../tests/profile.toml")).unwrap()
    }

    fn after(before: Option<&Guardian>, step: Step) -> Result<Guardian, NotNow> {
        Guardian::after(before, step, &profile(), NOW)
    }

    #[test]
    fn a_guardian_is_asked_for_and_verified_in_that_order() {
        assert_eq!(after(None, Step::Verify([7; 32])), Err(NotNow::NotAsked));
        assert_eq!(after(None, Step::Fail), Err(NotNow::NotAsked));
        let requested = after(None, Step::Request(IN_PERSON)).unwrap();
        assert!(!requested.is_verified());
        assert_eq!(after(Some(&requested), Step::Request(IN_PERSON)), Err(NotNow::Asked));
        let verified = after(Some(&requested), Step::Verify([7; 32])).unwrap();
        assert!(verified.is_verified() && verified.id == requested.id);
        assert_eq!(after(Some(&verified), Step::Verify([7; 32])), Err(NotNow::Verified));
        assert_eq!(after(Some(&verified), Step::Request(IN_PERSON)), Err(NotNow::Asked));
        for guardian in [requested, verified] {
            let failed = after(Some(&guardian), Step::Fail).unwrap();
            assert!(!failed.is_verified());
            assert_eq!(after(Some(&failed), Step::Fail), Err(NotNow::NotAsked));
            let again = after(Some(&failed), Step::Request(IN_PERSON)).unwrap();
            assert_ne!(again.id, failed.id, "somebody else");
        }
    }

    #[test]
    fn only_ways_that_the_policy_names_verify_anybody() {
        let word = Name::constant("their_word");
        assert_eq!(after(None, Step::Request(word)), Err(NotNow::Method(word)));
    }
}
