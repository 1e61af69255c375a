//! [`Minors`]: who needs a guardian, and what is stricter for them.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::Category;
use serde::{Deserialize, Serialize};

use super::Src;
use crate::{Deadline, Period};

/// The age, in years, below which somebody is a child in every profile, whatever it says itself (PIPL 28, 31).
pub const CHILD_BELOW: u8 = 14;

/// `[minors]`: who needs a guardian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minors {
    /// Below this age, in years, no personal data moves before a guardian is verified; 0 is never.
    pub guardian_required_below: u8,
    /// Below this age, in years, the special rules for children hold, whoever agreed.
    #[serde(default)]
    pub special_regime_below: u8,
    /// How a guardian is verified.
    #[serde(default)]
    pub verify_methods: BTreeSet<String>,
    /// What is stricter for minors, also with a guardian's consent.
    #[serde(default)]
    pub overrides: BTreeMap<Category, MinorRule>,
    /// How soon data goes that was collected from a minor without a guardian.
    #[serde(default)]
    pub erase_on_discovery: Option<Deadline>,
    /// The clauses that say so.
    #[serde(default)]
    pub src: Src,
}

impl Minors {
    /// The age, in years, below which the rules for minors hold by this alone: never less than [`CHILD_BELOW`].
    #[must_use]
    pub fn protected_below(&self) -> u8 {
        self.guardian_required_below.max(self.special_regime_below).max(CHILD_BELOW)
    }
}

/// What is stricter for minors about one category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MinorRule {
    /// It is not used at all.
    pub forbidden: bool,
    /// It is used but not stored.
    pub no_store: bool,
    /// It is kept no longer than this.
    pub after: Option<Period>,
}
