//! [`Processor`]: a receiver of data, and what it was told it may have.

use core::fmt;
use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, ProcessorId, ProcessorKind, Purpose, RegionClass, WallTime};
use serde::{Deserialize, Serialize};

use super::canonical::wall_time;
use super::{PartnerType, ProcessorRole, Src};
use crate::{Deadline, IsoPeriod};

/// One entry of the `processor` list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// Its name in this profile; the configuration of providers uses the same.
    pub id: ProcessorId,
    /// What sort of service it is.
    pub kind: ProcessorKind,
    /// Who runs it.
    pub party: String,
    /// What they are to whoever answers for the data, where they are not merely hired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ProcessorRole>,
    /// Of a partner, in which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_type: Option<PartnerType>,
    /// How to reach them.
    #[serde(default)]
    pub contact: Option<String>,
    /// Their privacy policy.
    #[serde(default)]
    pub privacy_url: Option<String>,
    /// Where it stands: an ISO 3166 code, or words.
    pub region: String,
    /// How far that is.
    pub region_class: RegionClass,
    /// By what legal means data may go overseas; mandatory for an active overseas processor.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
    /// The categories it may receive.
    pub accepts: BTreeSet<Category>,
    /// Of a category, the fields that it may receive; all of them where nothing is said.
    #[serde(default)]
    pub fields: BTreeMap<Category, BTreeSet<String>>,
    /// Of a category, how much it may receive: what that takes which it is there for. More is stopped, and an alarm. Any amount
    /// where nothing is said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volume: BTreeMap<Category, Volume>,
    /// The purposes it may receive them for.
    pub purposes: BTreeSet<Purpose>,
    /// Whether it may receive anything now.
    pub state: ProcessorState,
    /// The agreement that binds it, by name or number. Who runs the deployment needs none with itself.
    #[serde(default)]
    pub contract: Option<String>,
    /// The instructions that it follows, by name or number. Whoever decides itself follows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions_ref: Option<String>,
    /// Whether it says that it trains models on what it receives.
    #[serde(default)]
    pub trains_on_data: Option<bool>,
    /// How long it says that it keeps what it receives.
    #[serde(default)]
    pub declared_retention: Option<Deadline>,
    /// Whether it was agreed that it keeps nothing.
    #[serde(default)]
    pub zero_retention: bool,
    /// Whom it passes data on to.
    #[serde(default)]
    pub sub_processors: BTreeSet<String>,
    /// Whether it decides itself what it does with the data: people are shown its own policy before it gets any.
    #[serde(default)]
    pub independent_controller: bool,
    /// Whether it can be told to delete.
    #[serde(default)]
    pub deletion_api: bool,
    /// Who looked at it, and until when that holds.
    #[serde(default)]
    pub due_diligence: Option<DueDiligence>,
    /// The clauses of the written policy that name it.
    #[serde(default)]
    pub src: Src,
}

impl Processor {
    /// The `party` of a processor that whoever runs the deployment runs too.
    pub const OPERATOR: &str = "operator";

    /// Whether it may receive anything at `now`.
    #[must_use]
    pub fn is_active(&self, now: WallTime) -> bool {
        self.state == ProcessorState::Active && self.examined_until().is_none_or(|end| now < end)
    }

    /// Whether whoever runs the deployment runs it too.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.party == Self::OPERATOR
    }

    /// The first moment at which its due diligence has run out; [`None`] when none is on record.
    #[must_use]
    pub fn examined_until(&self) -> Option<WallTime> {
        self.due_diligence.as_ref().map(|d| d.valid.after(d.at))
    }
}

/// The legal means by which data may leave the jurisdiction (PIPL 38 and the 2024 rules on cross-border flows; GDPR
/// 44-49 has its own names for the same).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mechanism {
    /// The authority assessed it.
    SecurityAssessment,
    /// The standard contract was concluded and filed.
    StandardContract,
    /// A certified body vouches for it.
    Certification,
    /// The receiving country is recognised.
    Adequacy,
    /// None is needed, for the reason given: [`few`](Self::FEW), or another one that the law knows.
    Exempt(String),
    /// There is none: nothing may go there.
    None,
}

const EXEMPT: &str = "exempt:";

impl Mechanism {
    /// The reason of an exemption that only counts for as long as the data is about few people: those below every threshold
    /// of the law. Of any other the law does not ask how many they are.
    pub const FEW: &str = "few";
}

impl FromStr for Mechanism {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "security_assessment" => Ok(Self::SecurityAssessment),
            "standard_contract" => Ok(Self::StandardContract),
            "certification" => Ok(Self::Certification),
            "adequacy" => Ok(Self::Adequacy),
            "none" => Ok(Self::None),
            other => match other.strip_prefix(EXEMPT).map(str::trim) {
                Some(reason) if !reason.is_empty() => Ok(Self::Exempt(reason.to_owned())),
                _ => Err(format!(
                    "`{text}` is not a transfer mechanism; write security_assessment, standard_contract, \
                     certification, adequacy, {EXEMPT}REASON or none"
                )),
            },
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecurityAssessment => f.write_str("security_assessment"),
            Self::StandardContract => f.write_str("standard_contract"),
            Self::Certification => f.write_str("certification"),
            Self::Adequacy => f.write_str("adequacy"),
            Self::Exempt(reason) => write!(f, "{EXEMPT}{reason}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl TryFrom<String> for Mechanism {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Mechanism> for String {
    fn from(mechanism: Mechanism) -> Self {
        mechanism.to_string()
    }
}

/// How much of a category a processor may receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Volume {
    /// Bytes in one call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_call: Option<u64>,
    /// Bytes of all calls that begin in one day, by UTC. Needs `per_call`: that much is set aside for each call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u64>,
}

/// Whether a processor may receive data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorState {
    /// Not yet.
    Draft,
    /// Yes.
    Active,
    /// Not for the time being.
    Suspended,
    /// Never again.
    Terminated,
}

/// A check of a processor's promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueDiligence {
    /// When.
    #[serde(deserialize_with = "wall_time")]
    pub at: WallTime,
    /// By whom.
    pub by: String,
    /// For how long it holds. Whether a processor may receive data must not depend on how far a calendar of holidays
    /// goes, so this is never in working days.
    pub valid: IsoPeriod,
}
