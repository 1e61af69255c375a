//! [`PurposeRule`]: what data is used for, and by what right.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Purpose, WallTime};
use serde::{Deserialize, Serialize};

use super::canonical::wall_time;
use super::{Date, Language, Processing, Src};
use crate::Period;

/// The right to process, in DPV's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LegalBasis {
    /// The person agreed.
    Consent,
    /// A contract with the person cannot be fulfilled without.
    ContractPerformance,
    /// A step that the person asked for before there is a contract.
    EnterIntoContract,
    /// A law demands it.
    LegalObligation,
    /// A life depends on it.
    VitalInterest,
    /// A task in the public interest.
    PublicInterest,
    /// An official task.
    OfficialAuthority,
    /// An interest that outweighs the person's.
    LegitimateInterest,
}

impl LegalBasis {
    /// Its DPV term, as profiles spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "Consent",
            Self::ContractPerformance => "ContractPerformance",
            Self::EnterIntoContract => "EnterIntoContract",
            Self::LegalObligation => "LegalObligation",
            Self::VitalInterest => "VitalInterest",
            Self::PublicInterest => "PublicInterest",
            Self::OfficialAuthority => "OfficialAuthority",
            Self::LegitimateInterest => "LegitimateInterest",
        }
    }
}

impl LegalBasis {
    /// Whether it is there for as long as the person has an account, and ends with it.
    #[must_use]
    pub const fn is_contract(self) -> bool {
        matches!(self, Self::ContractPerformance | Self::EnterIntoContract)
    }
}

impl fmt::Display for LegalBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An assessment of what a use of data may do to people, made before it begins (PIPL 55 and 56, GDPR 35).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImpactAssessment {
    /// Its name or number.
    pub reference: String,
    /// When it was made.
    #[serde(deserialize_with = "wall_time")]
    pub at: WallTime,
}

impl fmt::Display for ImpactAssessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Date::Moment(self.at).to_string();
        write!(f, "{} ({})", self.reference, at.split('T').next().unwrap_or_default())
    }
}

/// One entry of the `purpose` list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeRule {
    /// Its name in this profile.
    pub id: Purpose,
    /// The DPV purpose that it is a case of, such as `ServicePersonalisation`; what prohibits that, or a broader one, is about it.
    pub dpv: String,
    /// What people call it, in each language.
    #[serde(default)]
    pub title: BTreeMap<Language, String>,
    /// By what right.
    pub basis: LegalBasis,
    /// Where that right is written, such as `cn-pipl:13-1` or `gdpr:6-1-b`.
    #[serde(default)]
    pub basis_code: Option<String>,
    /// Whether consent to it must have been asked apart from everything else.
    #[serde(default)]
    pub separate: bool,
    /// The purposes that the person must have agreed to first: data is used for this one only while consent to each of
    /// them is valid, to what they require in turn as well.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub requires: BTreeSet<Purpose>,
    /// How long consent to it lasts; then the person is asked again. Without it, until they take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_lasts: Option<Period>,
    /// What is done with data for it, beyond passing it to its processors: `Profiling`, `Publish`, ...
    #[serde(default)]
    pub processing: BTreeSet<Processing>,
    /// Where it was assessed what this may do to people, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact_assessment: Option<ImpactAssessment>,
    /// The clauses of the written policy that promise it.
    #[serde(default)]
    pub src: Src,
}
