//! [`Header`]: which policy this is.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::Name;
use serde::{Deserialize, Serialize};

use super::{Date, Src};
use crate::Period;

/// A language tag in lower case (BCP 47): `en`, `zh`, `pt-br`.
pub type Language = Name;

/// `[profile]`: which policy this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its name, the same through all revisions.
    pub id: Name,
    /// Its revision; goes up with every change.
    pub rev: u32,
    /// The version of this file format: 1.
    pub format: Format,
    /// What people call it, in each language.
    pub title: BTreeMap<Language, String>,
    /// Where it serves people, and so whose law it is written for: an ISO 3166 code, or `*` where it is meant for any.
    pub jurisdiction: String,
    /// The laws that hold whatever the policy says, by the names of the law floors that this crate ships.
    #[serde(default)]
    pub law_floor: BTreeSet<String>,
    /// The calendar that working days are counted on.
    #[serde(default)]
    pub working_days: Option<Name>,
    /// The languages it is offered in; the first is the one for everybody else.
    pub languages: Vec<Language>,
    /// When people were first told of this revision.
    #[serde(default)]
    pub published_at: Option<Date>,
    /// From when it holds.
    pub effective_at: Date,
    /// How long before it holds people are told of it.
    #[serde(default)]
    pub notice_lead: Option<Period>,
    /// Where people read it: a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who runs the deployment.
    #[serde(default)]
    pub deployment: Deployment,
    /// Whether the service keeps up an emotional relation with the person, as toys and companions do; laws ask more of
    /// those.
    #[serde(default)]
    pub companion: bool,
    /// The authority that supervises it, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<String>,
    /// The clauses that say so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub src: Src,
}

/// The versions of the file format that this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Format {
    /// The first.
    V1,
}

impl TryFrom<u32> for Format {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        match version {
            1 => Ok(Self::V1),
            other => Err(format!("profile format {other} is not known; this version reads format 1")),
        }
    }
}

impl From<Format> for u32 {
    fn from(format: Format) -> Self {
        match format {
            Format::V1 => 1,
        }
    }
}

/// Who runs the deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deployment {
    /// Whoever uses it.
    #[default]
    SelfHosted,
    /// The controller, for trying it out: nothing sensitive belongs there, and everything is cleared at intervals.
    TestPlatform,
    /// The controller, for others.
    Hosted,
}
