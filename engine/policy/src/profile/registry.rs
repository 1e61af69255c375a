//! [`RegistryRules`]: what the policy promises about its processors as a whole, where data may stand, and in which
//! order receivers are chosen.

use std::collections::BTreeSet;

use sayso_types::{ProcessorKind, RegionClass};
use serde::{Deserialize, Serialize};

use super::Src;
use crate::Period;

/// `[registry]`: the promises about all processors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryRules {
    /// The sorts of receivers that the policy's functions hand data to.
    pub uses: BTreeSet<ProcessorKind>,
    /// The sorts of receivers that the policy names.
    pub announces: BTreeSet<ProcessorKind>,
    /// Whether the list of processors is public, and changes there before a new one gets anything.
    pub published: bool,
    /// Whether a processor that nobody has looked at may not be active.
    pub due_diligence_required: bool,
    /// How long having looked at one holds.
    pub due_diligence_valid: Option<Period>,
    /// Whether consent to hand data on must name who receives it.
    pub named_recipients: bool,
    /// The clauses that say so.
    pub src: Src,
}

/// `[transfers]`: where data may stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transfers {
    /// Where it is stored: ISO 3166 codes, or words.
    pub storage: BTreeSet<String>,
    /// Whether any of it may leave the jurisdiction.
    pub overseas: bool,
    /// How many people's sensitive data may go to one overseas processor in a calendar year before an authority has to
    /// have assessed it.
    pub sensitive_subjects_max: Option<u32>,
    /// The clauses that say so.
    pub src: Src,
}

impl Transfers {
    /// Whether data may be stored in `place`: of one person at a gate, or of everybody where a whole store, a replica or a backup
    /// of it stands.
    #[must_use]
    pub fn lets_store_in(&self, place: &str) -> bool {
        self.storage.is_empty() || self.storage.contains(place)
    }
}

/// `[routing]`: in which order receivers are chosen. A fallback never goes further than what a person allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// The regions in the order in which they are tried.
    pub prefer: Vec<RegionClass>,
    /// The clauses that say so.
    pub src: Src,
}

impl Routing {
    /// The place of a region in the order: what is not named comes last, nearest first.
    #[must_use]
    pub fn place(&self, region: RegionClass) -> (usize, RegionClass) {
        (self.prefer.iter().position(|r| *r == region).unwrap_or(self.prefer.len()), region)
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self { prefer: vec![RegionClass::Local, RegionClass::Domestic, RegionClass::Overseas], src: Src::new() }
    }
}
