//! [`LegalMinimum`]: what a law demands to be kept for longer.

use sayso_audit::{Event, Hash, Reference};
use sayso_policy::ending::Floor;
use sayso_types::{Category, Name, WallTime};
use serde::{Deserialize, Serialize};

use crate::journal::{About, Noted};

/// What was to be erased, and is kept for as long as a law demands: sealed, used for nothing, and ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalMinimum {
    /// What it is.
    pub category: Category,
    /// The law, as `min_basis` of the policy names it.
    pub law: String,
    /// From then on it is gone.
    pub until: WallTime,
}

impl LegalMinimum {
    pub(crate) fn of(category: Category, floor: Floor) -> Self {
        Self { category, law: floor.law, until: floor.at }
    }

    /// What the leaf `retention.held` calls `law`: the first 16 bytes of the SHA-256 of its name.
    pub(crate) fn reference(law: &str) -> Reference {
        let Hash(hash) = Hash::of(law.as_bytes());
        Reference(core::array::from_fn(|at| hash[at]))
    }

    /// That the law keeps it from what would have ended it.
    pub(crate) fn kept(&self, about: About, from: Name) -> Noted {
        about.event(Event::RetentionHeld { hold: Self::reference(&self.law), category: self.category, from })
    }
}
