//! The sections of a profile that are about the whole of it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Name, Purpose, WallTime};
use serde::{Deserialize, Serialize};

use super::canonical::{iso_duration, wall_time};
use crate::ConsentType;

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
    /// Whose law it is written for, as an ISO 3166 code, or `*` where it is meant for any.
    pub jurisdiction: String,
    /// The languages it is offered in; the first is the one for everybody else.
    pub languages: Vec<Language>,
    /// From when it holds.
    #[serde(deserialize_with = "wall_time")]
    pub effective_at: WallTime,
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

/// `[controller]`: who answers for the processing. Nothing runs without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controller {
    /// A short id.
    pub id: Name,
    /// The person or organisation.
    pub name: String,
    /// Where to reach them; at least one way.
    pub contact: Contact,
}

/// Ways to reach the controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contact {
    /// A postal address, or words that lead there.
    pub address: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// A page.
    pub url: Option<String>,
}

impl Contact {
    /// The ways that are filled in.
    pub fn ways(&self) -> impl Iterator<Item = &str> {
        let all = [&self.address, &self.email, &self.phone, &self.url];
        all.into_iter().flatten().map(|way| way.trim()).filter(|way| !way.is_empty())
    }
}

/// `[defaults]`: what holds where nothing more specific is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// What a gate does with what no rule allows.
    pub gate: Gate,
    /// How long a permit lives unless renewed: the most that a withdrawal can take when a holder is out of reach.
    #[serde(with = "iso_duration")]
    pub permit_ttl: Duration,
    /// The least that consent must be, where a category does not say.
    pub min_consent_type: ConsentType,
    /// How to decide about somebody whose age is not known.
    pub unknown_age: UnknownAge,
}

/// What a gate does by default. There is one answer; the key is there so that a reader of a profile sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// What no rule allows is refused.
    Deny,
}

/// How to decide about somebody whose age is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAge {
    /// As about the youngest: for devices that children use.
    Minor,
    /// As about somebody of 18.
    Adult,
}

/// `[minors]`: who needs a guardian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minors {
    /// Below this age, in years, no personal data moves before a guardian is verified; 0 is never.
    pub guardian_required_below: u8,
}

/// `[asks]`: what the person is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// The purposes that one "yes" to the spoken question grants. Each gets a record of its own and can be withdrawn
    /// alone.
    pub spoken: BTreeSet<Purpose>,
}
