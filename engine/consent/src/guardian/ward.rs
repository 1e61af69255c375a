//! [`Ward`]: what is known of a person as somebody who may need a guardian.

use std::collections::BTreeSet;

use sayso_policy::AgeBand;
use sayso_proto::consent::v1::GuardianEvidence;
use sayso_types::{Purpose, WallTime};
use serde::{Deserialize, Serialize};

use super::age::Age;
use super::{Guardian, Standing};

/// What is known of a person as somebody who may need a guardian. It is stored with their entry in the register, as JSON, and
/// nothing of it for those of whom nothing was ever said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ward {
    /// What was said of their age, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) age: Option<Age>,
    /// Who answers for them, if somebody was ever asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) guardian: Option<Guardian>,
    /// That they are a child without a verified guardian, since that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<Found>,
    /// The purposes that were agreed to while they needed a guardian: that ends when they do not any more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) agreed: BTreeSet<Purpose>,
}

/// That a person was found to be a child without a verified guardian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// What the log calls it.
    #[serde(with = "hex")]
    pub(crate) id: [u8; 16],
}

impl Ward {
    /// Whether nothing was ever said.
    pub(crate) fn is_nobodys(&self) -> bool {
        *self == Self::default()
    }

    /// SHA-256 of what shows their age; of nothing, where nothing was said.
    pub(crate) fn evidence_sha256(&self) -> [u8; 32] {
        self.age.as_ref().map_or([0; 32], |age| age.evidence_sha256)
    }

    /// What the record says of the guardian who agrees for them; [`None`] where nobody is verified.
    pub(crate) fn guardian_evidence(&self) -> Option<GuardianEvidence> {
        let guardian = self.guardian.as_ref()?;
        let Standing::Verified { at, evidence_sha256 } = guardian.standing else { return None };
        Some(GuardianEvidence {
            method: guardian.method.to_string(),
            evidence_sha256: evidence_sha256.to_vec(),
            verified_unix_ms: at.0,
            guardian_id: guardian.id.to_vec(),
        })
    }
}

/// A person's age and guardian, as far as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardianship {
    /// How old they are.
    pub age: AgeBand,
    /// When they will have grown out of that band, where that is known.
    pub age_ends: Option<WallTime>,
    /// Whether the policy asks for a guardian at that age. Of an unknown age it says itself how it is counted.
    pub needs_guardian: bool,
    /// Who answers for them, if somebody was ever asked for.
    pub guardian: Option<Guardian>,
    /// Whether they are a known child without a verified guardian: nothing of theirs is processed, and what there was is
    /// erased.
    pub is_alone: bool,
}
