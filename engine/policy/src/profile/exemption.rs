//! [`Exemption`]: the grounds on which a policy processes without consent.

use core::fmt;
use std::collections::BTreeSet;

use sayso_types::Category;
use serde::{Deserialize, Serialize};

use super::Src;
use crate::Period;

/// The fourteen grounds that policies list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ExemptionCode {
    /// National security and defence.
    X01,
    /// Public safety, public health, major public interest.
    X02,
    /// Investigating crimes, prosecution, trial, enforcement.
    X03,
    /// Life, property or major rights, where consent is hard to get.
    X04,
    /// The person published it.
    X05,
    /// It comes from sources that were lawfully published.
    X06,
    /// A contract with the person.
    X07,
    /// A duty by law.
    X08,
    /// Keeping the service stable and safe.
    X09,
    /// Public-health emergencies.
    X10,
    /// News reporting and opinion supervision.
    X11,
    /// Research statistics in the public interest.
    X12,
    /// Data that was anonymised or de-identified.
    X13,
    /// Another law.
    X14,
}

impl ExemptionCode {
    /// Every ground.
    pub const ALL: [Self; 14] = [
        Self::X01,
        Self::X02,
        Self::X03,
        Self::X04,
        Self::X05,
        Self::X06,
        Self::X07,
        Self::X08,
        Self::X09,
        Self::X10,
        Self::X11,
        Self::X12,
        Self::X13,
        Self::X14,
    ];

    /// Its name, as profiles spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        const NAMES: [&str; 14] =
            ["X01", "X02", "X03", "X04", "X05", "X06", "X07", "X08", "X09", "X10", "X11", "X12", "X13", "X14"];
        NAMES[self as usize]
    }

    /// How many people must approve a use of it: two where one person's word would be too easily had.
    #[must_use]
    pub const fn approvers_min(self) -> u8 {
        match self {
            Self::X01 | Self::X02 | Self::X03 | Self::X04 | Self::X10 => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for ExemptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an exemption lets one do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExemptionScope {
    /// Collect and use.
    CollectUse,
    /// Share, transfer or publish.
    SharePublish,
}

/// One entry of the `exemption` list: a ground that the policy keeps for itself. It opens nothing; each use needs a
/// live grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// The ground.
    pub code: ExemptionCode,
    /// What it lets one do.
    pub scope: BTreeSet<ExemptionScope>,
    /// Where the law says so, such as `cn-pipl:13-4`.
    #[serde(default)]
    pub basis_code: Option<String>,
    /// How many people must approve a use.
    #[serde(default = "Exemption::one")]
    pub approvers: u8,
    /// How long a grant may last.
    pub max: Period,
    /// The categories that it may be used for; any where nothing is said.
    #[serde(default)]
    pub categories: BTreeSet<Category>,
    /// Whether the policy counts data as free when it is merely de-identified.
    #[serde(default)]
    pub de_identified_counts: bool,
    /// The clauses that say so.
    #[serde(default)]
    pub src: Src,
}

impl Exemption {
    const fn one() -> u8 {
        1
    }
}
