//! [`Tenants`]: what is asked of tenants whose own products people use.

use serde::{Deserialize, Serialize};

use super::Src;
use crate::IsoPeriod;

/// `[tenants]`: what is asked of tenants before, and while, data of the users of their own products is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tenants {
    /// Whether a tenant first attests where such data comes from, and that it may pass it on. Until then, none passes a gate.
    pub attest: bool,
    /// The longest that a tenant has to show evidence of it once that is demanded; nothing of such data passes after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_within: Option<IsoPeriod>,
    /// The clauses that say so.
    pub src: Src,
}

impl Tenants {
    /// Whether it says what holds where nothing is said: then it is no part of the canonical form.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
