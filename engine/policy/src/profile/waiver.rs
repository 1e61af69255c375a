//! [`Waiver`]: a finding of the linter that somebody takes the responsibility for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// `[lint]`: what the linter is told. Part of the profile's hash, like everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LintRules {
    /// The findings that are accepted.
    pub waive: Vec<Waiver>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The rule, such as `RET_TOO_LONG`.
    pub rule: String,
    /// The keys that it is accepted at; all of them when empty.
    #[serde(default)]
    pub at: BTreeSet<String>,
    /// Why.
    pub why: String,
}
