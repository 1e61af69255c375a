//! [`PurposeRule`]: what data is used for, and by what right.

use core::fmt;
use std::collections::BTreeSet;

use sayso_types::Purpose;
use serde::{Deserialize, Serialize};

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

impl fmt::Display for LegalBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One entry of the `purpose` list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeRule {
    /// Its name in this profile.
    pub id: Purpose,
    /// The DPV purpose that it is a case of.
    pub dpv: String,
    /// By what right.
    pub basis: LegalBasis,
    /// The clauses of the written policy that promise it.
    #[serde(default)]
    pub src: BTreeSet<String>,
}
