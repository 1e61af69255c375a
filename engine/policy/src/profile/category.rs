//! [`CategoryRule`]: a kind of data, what it may be used for and how long it lives.

use std::collections::BTreeSet;

use sayso_types::{Category, Purpose};
use serde::{Deserialize, Serialize};

use crate::{ConsentType, Period};

/// One `[category.NAME]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryRule {
    /// The DPV (or `sayso:`) terms for it.
    pub dpv: BTreeSet<String>,
    /// How much harm it can do.
    pub sensitivity: Sensitivity,
    /// What it may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// Whether the service can do without.
    pub necessity: Necessity,
    /// Whether it may be stored. Where nothing is said, it may not.
    #[serde(default)]
    pub at_rest: AtRest,
    /// The least that consent must be, where it differs from `defaults.min_consent_type`.
    #[serde(default)]
    pub min_consent_type: Option<ConsentType>,
    /// Whether consent to it must have been asked apart from everything else.
    #[serde(default)]
    pub separate: bool,
    /// The categories that it is made from.
    #[serde(default)]
    pub derived_from: BTreeSet<Category>,
    /// When it ends.
    pub retention: Retention,
    /// The clauses of the written policy that promise it.
    #[serde(default)]
    pub src: BTreeSet<String>,
}

impl CategoryRule {
    /// Whether it says anything about a person.
    #[must_use]
    pub const fn is_personal(&self) -> bool {
        !matches!(self.sensitivity, Sensitivity::None)
    }
}

/// How much harm a kind of data can do to the person it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// It is about nobody.
    None,
    /// It is about somebody.
    Normal,
    /// Its content can be intimate.
    High,
    /// The law names it as special: biometrics, health, ...
    Special,
}

/// Whether the service can do without a kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Necessity {
    /// No.
    Required,
    /// One purpose cannot; the rest can.
    RequiredFor(Purpose),
    /// Yes; it makes the service better.
    Optional,
}

const REQUIRED_FOR: &str = "Required_for:";

impl TryFrom<String> for Necessity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "Required" => Ok(Self::Required),
            "Optional" => Ok(Self::Optional),
            other => match other.strip_prefix(REQUIRED_FOR) {
                Some(purpose) => purpose.parse().map(Self::RequiredFor).map_err(|e| format!("{text}: {e}")),
                None => Err(format!("necessity is `Required`, `Optional` or `{REQUIRED_FOR}PURPOSE`, not `{text}`")),
            },
        }
    }
}

impl From<Necessity> for String {
    fn from(necessity: Necessity) -> Self {
        match necessity {
            Necessity::Required => "Required".to_owned(),
            Necessity::Optional => "Optional".to_owned(),
            Necessity::RequiredFor(purpose) => format!("{REQUIRED_FOR}{purpose}"),
        }
    }
}

/// Whether data may be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtRest {
    /// Never: it lives in memory for its purpose only.
    #[default]
    Forbidden,
    /// For as long as its retention rule says.
    Allowed,
}

/// When data ends, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The event that the clock starts at.
    pub trigger: Trigger,
    /// How long after it.
    pub after: Period,
    /// What is done then.
    pub action: RetentionAction,
}

/// The events that retention counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// It was collected.
    #[serde(rename = "collected")]
    Collected,
    /// The turn it belongs to ended.
    #[serde(rename = "turn.end")]
    TurnEnd,
    /// The session it belongs to ended.
    #[serde(rename = "session.end")]
    SessionEnd,
    /// Consent to its purpose was withdrawn.
    #[serde(rename = "withdraw")]
    Withdraw,
    /// The feature it serves was switched off.
    #[serde(rename = "feature.disabled")]
    FeatureDisabled,
    /// The person deleted this item.
    #[serde(rename = "user.deleted_item")]
    ItemDeleted,
    /// The device was given up.
    #[serde(rename = "device.unbound")]
    DeviceUnbound,
    /// The account was closed.
    #[serde(rename = "account.cancelled")]
    AccountCancelled,
}

/// What is done to data when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionAction {
    /// Made unreadable for good in every store.
    Erase,
    /// Stripped of everything that leads to a person.
    Anonymise,
    /// Stripped of what names the person.
    Pseudonymise,
    /// Kept but used for nothing.
    Restrict,
    /// Overwritten in memory; it never was anywhere else.
    Zeroise,
}
