//! [`Defaults`]: what holds where nothing more specific is said.

use core::time::Duration;
use std::collections::BTreeSet;

use sayso_types::{Category, Purpose};
use serde::{Deserialize, Serialize};

use super::Src;
use super::canonical::iso_duration;
use crate::{ConsentType, Deadline};

/// `[defaults]`: what holds where nothing more specific is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// What a gate does with what no rule allows.
    pub gate: GateDefault,
    /// When a withdrawal is answered with OK.
    #[serde(default)]
    pub withdraw_mode: WithdrawMode,
    /// How long a permit lives unless renewed: the most that a withdrawal can take when a holder is out of reach.
    #[serde(with = "iso_duration")]
    pub permit_ttl: Duration,
    /// The least that consent must be, where a category does not say.
    pub min_consent_type: ConsentType,
    /// How to decide about somebody whose age is not known.
    pub unknown_age: UnknownAge,
    /// What the policy's "reasonable time" is.
    #[serde(default)]
    pub reasonable_time: Option<Deadline>,
    /// The clauses that say so.
    #[serde(default)]
    pub src: Src,
}

/// What a gate does by default. There is one answer; the key is there so that a reader of a profile sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateDefault {
    /// What no rule allows is refused.
    Deny,
}

/// When a withdrawal is answered with OK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawMode {
    /// When every holder of data has let go, or is known to be at its end; never because time ran out.
    #[default]
    Strict,
    /// Also when nothing was heard of a holder outside of the node until its permit had run out. One that was stopped meanwhile
    /// may still send what it was about to send.
    Expiry,
}

/// How to decide about somebody whose age is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAge {
    /// As about the youngest: for devices that children use.
    Minor,
    /// As about the youngest, until the person or a guardian has said.
    Ask,
    /// As about somebody of 18.
    Adult,
}

/// `[asks]`: what the person is asked, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// The purposes that one "yes" to the spoken question grants. Each gets a record of its own and can be withdrawn
    /// alone.
    pub spoken: BTreeSet<Purpose>,
    /// How clear the agreement is that the policy asks for: `ImpliedConsent` where going on to use the service counts.
    #[serde(default = "Asks::expressed")]
    pub consent_type: ConsentType,
    /// The category under which the sound of a spoken answer is kept as evidence, sealed; nothing is kept of it where none is
    /// named. Its retention says for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Category>,
    /// The clauses that say so.
    #[serde(default)]
    pub src: Src,
}

impl Asks {
    const fn expressed() -> ConsentType {
        ConsentType::Expressed
    }
}
