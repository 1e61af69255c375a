//! [`Security`] and [`GoverningLaw`]: the measures that the policy promises, and the law that it stands under.

use std::collections::BTreeMap;

use sayso_types::Name;
use serde::{Deserialize, Serialize};

use super::{Date, Src};
use crate::Period;

/// `[security]`: the measures that the policy promises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// The measures, by name: `[security.measures.in_transit]`.
    pub measures: BTreeMap<Name, Measure>,
    /// How long the audit log is kept at the least. The engine never takes anything out of it.
    pub audit_retention: Option<Period>,
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// How it is done.
    pub how: String,
    /// Until when the evidence for it holds, for certificates and the like.
    #[serde(default)]
    pub evidence_until: Option<Date>,
    /// The clauses that say so.
    #[serde(default)]
    pub src: Src,
}

/// `[law]`: the law that the policy stands under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GoverningLaw {
    /// Which law governs.
    pub governing: Option<String>,
    /// Whether a clause that conflicts with the law yields to it, and the rest stays.
    pub severable: bool,
    /// The clauses that say so.
    pub src: Src,
}
