//! The sorts of rules that a law file holds. Each names its source.

use core::num::NonZeroU64;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Citation;
use crate::profile::{ErasureGround, ExemptionCode, LegalBasis, Mechanism, RightKind};
use crate::{ConsentType, Deadline, Period};

/// A right that must be offered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightRule {
    /// Which.
    pub kind: RightKind,
    /// For erasure: the grounds on which it must be done at the least.
    #[serde(default)]
    pub grounds: BTreeSet<ErasureGround>,
    /// Where it stands.
    pub src: Citation,
}

/// A right to process that a law knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasisRule {
    /// Which.
    pub basis: LegalBasis,
    /// The articles that give it, as `basis_code` names them behind the law: `13-1`.
    pub codes: BTreeSet<String>,
    /// Where it stands.
    pub src: Citation,
}

/// An age below which a guardian must agree.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardianRule {
    /// In years.
    pub below: u8,
    /// Whether the law also asks for special rules about the data of people below it.
    #[serde(default)]
    pub special_rules: bool,
    /// Where it stands.
    pub src: Citation,
}

/// A ground on which a law lets one process without consent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExemptionRule {
    /// Which.
    pub code: ExemptionCode,
    /// Where it stands.
    pub src: Citation,
}

/// What consent to a matter must be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRule {
    /// To what.
    pub matter: Matter,
    /// The least it must be.
    pub min_type: ConsentType,
    /// Whether it must be asked apart from everything else.
    pub separate: bool,
    /// Where it stands.
    pub src: Citation,
}

/// What laws ask a consent of its own for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Using data of a special category: biometrics, health, ...
    SpecialCategory,
    /// Providing data to others who decide for themselves what to do with it.
    Provision,
    /// Making data public.
    Publication,
    /// Sending data overseas.
    Overseas,
    /// Training models.
    Training,
}

/// A use of data that must be assessed before it begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssessmentRule {
    /// Which.
    pub of: Assessed,
    /// Where it stands.
    pub src: Citation,
}

/// What laws ask an assessment for, of what it may do to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assessed {
    /// Using data of a special category.
    SpecialCategory,
    /// Judging people by machine.
    Profiling,
    /// Having others process data on instruction.
    Entrusting,
    /// Providing data to others who decide for themselves what to do with it.
    Provision,
    /// Making data public.
    Publication,
    /// Sending data overseas.
    Overseas,
}

/// How soon a request must be answered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRule {
    /// From when it was received.
    pub within: Period,
    /// Where it stands.
    pub src: Citation,
}

/// How soon somebody must be told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentRule {
    /// Who must be told.
    pub tell: Audience,
    /// From which severity on, or by which operator.
    pub when: Severity,
    /// From when it was found; words where the law has no number.
    pub within: Deadline,
    /// Where it stands.
    pub src: Citation,
}

/// Who is told of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The authority in charge.
    Regulator,
    /// The people whom the data is about.
    Subjects,
}

/// Which incidents a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Every one.
    Any,
    /// One that is likely to harm people much.
    HighRisk,
    /// "Relatively major" and above, in the grades of the Chinese reporting measures.
    RelativelyMajor,
    /// The same, at a central state body.
    RelativelyMajorStateBody,
    /// The same, at an operator of critical information infrastructure.
    RelativelyMajorCriticalInfrastructure,
}

/// How long personal data may be kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// At the most; words where the law has no number.
    pub at_most: Deadline,
    /// Where it stands.
    pub src: Citation,
}

/// Something that must be kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepRule {
    /// What.
    pub what: Kept,
    /// How long at the least.
    pub at_least: Period,
    /// Where it stands.
    pub src: Citation,
}

/// What laws ask to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Logs of the network.
    NetworkLogs,
    /// Impact assessments and the records of processing that go with them.
    ProcessingRecords,
}

/// From how many people on sending data abroad needs a mechanism. Counted by calendar year.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferRule {
    /// The mechanisms of which one must be there.
    pub any_of: BTreeSet<Mechanism>,
    /// From this many people on, whatever the data.
    pub persons: NonZeroU64,
    /// From this many people on whose sensitive data is sent.
    pub sensitive_persons: NonZeroU64,
    /// Where it stands.
    pub src: Citation,
}

impl TransferRule {
    /// Whether data of `persons` people, sensitive data of `sensitive` among them, reaches it. Laws that count people
    /// with sensitive data apart are reached a little later than this says.
    #[must_use]
    pub const fn is_reached(&self, persons: u64, sensitive: u64) -> bool {
        persons >= self.persons.get() || sensitive >= self.sensitive_persons.get()
    }
}
