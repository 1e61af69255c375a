//! [`CategoryRule`]: a kind of data, what it may be used for and how long it lives.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Purpose, RegionClass};
use serde::{Deserialize, Serialize};

use super::{Language, Retention, Src};
use crate::{ConsentType, Vocabulary};

/// One `[category.NAME]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryRule {
    /// The DPV (or `sayso:`) terms for it.
    pub dpv: BTreeSet<String>,
    /// What people call it, in each language.
    #[serde(default)]
    pub title: BTreeMap<Language, String>,
    /// The fields that it is made of.
    #[serde(default)]
    pub attrs: BTreeSet<String>,
    /// How much harm it can do.
    pub sensitivity: Sensitivity,
    /// How closely it leads to the person.
    #[serde(default)]
    pub identifies: Identifies,
    /// Where it comes from (DPV's `...PersonalData` terms, shortened).
    #[serde(default)]
    pub provenance: Option<Provenance>,
    /// Whose data it is, when that need not be the owner of the device.
    #[serde(default)]
    pub subject: DataSubject,
    /// What it may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// Whether the service can do without. Where nothing is said, it can.
    #[serde(default)]
    pub necessity: Option<Necessity>,
    /// Whether it may be stored. Where nothing is said, it may not.
    #[serde(default)]
    pub at_rest: AtRest,
    /// Whether it holds nothing that a person said, wrote or showed, so that it may appear in logs.
    #[serde(default)]
    pub content_free: bool,
    /// The least that consent must be, where it differs from `defaults.min_consent_type`.
    #[serde(default)]
    pub min_consent_type: Option<ConsentType>,
    /// Whether consent to it must have been asked apart from everything else.
    #[serde(default)]
    pub separate: bool,
    /// Whether consent to it must have been given in writing.
    #[serde(default)]
    pub written: bool,
    /// What more consent must be for receivers as far away as this.
    #[serde(default, deserialize_with = "super::canonical::by_word")]
    pub in_region: BTreeMap<RegionClass, Stricter>,
    /// What is taken out of it, and of what is made from it, before it moves: see [`Redaction`](crate::Redaction).
    #[serde(default)]
    pub redact: BTreeSet<String>,
    /// What of the device it needs: `microphone`, `camera`, ... A permission that is taken away there withdraws it.
    #[serde(default)]
    pub capability: BTreeSet<String>,
    /// What a person who refuses it goes without, in each language.
    #[serde(default)]
    pub refusal_effect: BTreeMap<Language, String>,
    /// The categories that it is made from.
    #[serde(default)]
    pub derived_from: BTreeSet<Category>,
    /// When it ends, if not as `[retention] default` says.
    #[serde(default)]
    pub retention: Option<Retention>,
    /// The clauses of the written policy that promise it.
    #[serde(default)]
    pub src: Src,
}

/// What more consent must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stricter {
    /// The least that it must be.
    pub min_consent_type: Option<ConsentType>,
    /// Whether it must have been asked apart from everything else.
    pub separate: bool,
}

impl CategoryRule {
    /// Whether it says anything about a person.
    #[must_use]
    pub const fn is_personal(&self) -> bool {
        !matches!(self.sensitivity, Sensitivity::None)
    }

    /// Whether it is a picture: what a device shows (`image`), or what a term names as one.
    fn is_picture(&self, id: Category) -> bool {
        let shows = |term: &String| Vocabulary::dpv().is_within(term, "pd:Picture");
        self.is_personal() && (id == Category::IMAGE || self.dpv.iter().any(shows))
    }

    /// Whether a test platform takes in nothing of it, called `id`, of anybody: it is special, or a picture.
    pub(crate) fn is_barred_from_trials(&self, id: Category) -> bool {
        self.sensitivity == Sensitivity::Special || self.is_picture(id)
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

/// How closely data leads to a person. What is pseudonymised still does; only what is anonymised does not (PIPL 73).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identifies {
    /// It names the person, or hangs together with what does.
    #[default]
    Directly,
    /// Through something that is kept apart.
    Pseudonymised,
    /// Nobody can find the way back.
    Anonymised,
}

/// Where data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provenance {
    /// The person gave it.
    Provided,
    /// It was taken from somewhere else.
    Collected,
    /// It was seen or heard.
    Observed,
    /// It follows from other data.
    Derived,
    /// It was guessed from other data.
    Inferred,
    /// It was made up.
    Generated,
}

/// Whose data it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSubject {
    /// Whoever the device belongs to.
    #[default]
    Owner,
    /// Whoever speaks.
    Speaker,
    /// Whoever is in the picture.
    Pictured,
    /// Users of a tenant's own product.
    TenantUser,
}
