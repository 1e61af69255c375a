//! A privacy policy as data: [`Document`] is what a file says, [`Draft`] a file whose parts fit together, [`Profile`]
//! one that may be put in force.

mod canonical;
mod category;
mod check;
mod cited;
mod clause;
mod controller;
mod date;
mod defaults;
mod draft;
mod duties;
mod exemption;
mod header;
mod minors;
mod notice;
mod opening;
mod overlay;
mod places;
mod processing;
mod processor;
mod prohibition;
mod purpose;
mod registry;
mod retention;
mod rights;
mod role;
mod security;
mod source;
mod tenants;
mod toml_text;
mod visits;
mod waiver;

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, ProcessorId, Purpose};
use serde::{Deserialize, Serialize};

pub use canonical::ProfileHash;
pub use category::{AtRest, CategoryRule, DataSubject, Identifies, Necessity, Provenance, Sensitivity, Stricter};
pub use check::{CELLS_MAX, ITEMS_MAX, PERMIT_TTL_MAX, PERMIT_TTL_MIN};
pub use cited::{Cited, Src};
pub use clause::{Clause, ClauseId};
pub use controller::{Contact, Controller, ControllerRole, Responsible};
pub use date::Date;
pub use defaults::{Asks, Defaults, GateDefault, UnknownAge, WithdrawMode};
pub use draft::Draft;
pub use duties::{
    Acceptance, Carrier, Incident, IncidentField, IncidentNotice, NoticeChannel, NoticeDuty, NoticeForm,
    NoticeOccasion, Revision,
};
pub use exemption::{Exemption, ExemptionCode, ExemptionScope};
pub use header::{Deployment, Format, Header, Language};
pub use minors::{CHILD_BELOW, MinorRule, Minors};
pub use notice::{Notice, SPOKEN_MAX, speaking_time};
pub use processing::Processing;
pub use processor::{DueDiligence, Mechanism, Processor, ProcessorState, Volume};
pub use prohibition::{ProhibitedPurpose, Prohibition, When};
pub use purpose::{ImpactAssessment, LegalBasis, PurposeRule};
pub use registry::{RegistryRules, Routing, Transfers};
pub use retention::{Retention, RetentionAction, RetentionDefaults, Trigger, Triggers};
pub use rights::{ClockStart, ErasureGround, Refusal, Right, RightChannel, RightKind, Rights};
pub use role::{PartnerType, ProcessorRole};
pub use security::{GoverningLaw, Measure, Security};
pub use source::SourceDocument;
pub use tenants::Tenants;
pub use toml_text::TomlText;
pub use visits::{VISIT_MAX, Visits};
pub use waiver::{LintRules, Waiver};

use crate::{AgeBand, ConsentType, Error, LawFloor, WorkingCalendar};

/// The sections of a profile file, format 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Which policy it is.
    pub profile: Header,
    /// The written policy, in each of its languages.
    #[serde(default)]
    pub source: BTreeSet<SourceDocument>,
    /// The promises of the written policy.
    #[serde(default, deserialize_with = "canonical::by_id")]
    pub clause: BTreeMap<ClauseId, Clause>,
    /// The working days, where they are counted on a calendar of the operator's own: what the file that comes beside the
    /// profile says is part of it, so that it is stored, hashed and signed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<WorkingCalendar>,
    /// Who answers for the processing.
    pub controller: Controller,
    /// What holds where nothing more specific is said.
    pub defaults: Defaults,
    /// What data is used for.
    #[serde(deserialize_with = "canonical::by_id")]
    pub purpose: BTreeMap<Purpose, PurposeRule>,
    /// What no consent opens.
    #[serde(default)]
    pub prohibition: BTreeSet<Prohibition>,
    /// The kinds of data.
    pub category: BTreeMap<Category, CategoryRule>,
    /// What ends when, where a category does not say.
    #[serde(default)]
    pub retention: RetentionDefaults,
    /// Who may receive data.
    #[serde(deserialize_with = "canonical::by_id")]
    pub processor: BTreeMap<ProcessorId, Processor>,
    /// What is promised of all processors.
    #[serde(default)]
    pub registry: RegistryRules,
    /// Where data may stand.
    #[serde(default)]
    pub transfers: Transfers,
    /// In which order receivers are chosen.
    #[serde(default)]
    pub routing: Routing,
    /// The grounds on which the policy processes without consent.
    #[serde(default, deserialize_with = "canonical::by_id")]
    pub exemption: BTreeMap<ExemptionCode, Exemption>,
    /// Who needs a guardian.
    pub minors: Minors,
    /// What people may ask for.
    #[serde(default)]
    pub rights: Rights,
    /// When people are told something.
    #[serde(default, deserialize_with = "canonical::by_word")]
    pub notify: BTreeMap<NoticeOccasion, NoticeDuty>,
    /// What is done when data got where it should not.
    #[serde(default)]
    pub incident: Incident,
    /// How the policy changes.
    #[serde(default)]
    pub revision: Revision,
    /// The measures that the policy promises.
    #[serde(default)]
    pub security: Security,
    /// The law that it stands under.
    #[serde(default)]
    pub law: GoverningLaw,
    /// What people hear and read, in each language.
    pub notice: BTreeMap<Language, Notice>,
    /// What people are asked.
    pub asks: Asks,
    /// What holds while a guest is spoken with.
    #[serde(default, skip_serializing_if = "Visits::is_usual")]
    pub visits: Visits,
    /// What is asked of tenants.
    #[serde(default, skip_serializing_if = "Tenants::is_usual")]
    pub tenants: Tenants,
    /// What the linter is told.
    #[serde(default)]
    pub lint: LintRules,
}

impl Document {
    /// Whether a tenant attests what it does with data of this category before any of it is used.
    #[must_use]
    pub fn is_attested(&self, rule: &CategoryRule) -> bool {
        self.tenants.attest && rule.subject == DataSubject::TenantUser
    }

    /// The retention rule of a category: its own, or the one for all.
    #[must_use]
    pub fn retention_of<'a>(&'a self, rule: &'a CategoryRule) -> Option<&'a Retention> {
        rule.retention.as_ref().or(self.retention.default.as_ref())
    }

    /// The purposes that must have been agreed to before data is used for `purpose`: those that it requires, and those
    /// that they require in turn.
    #[must_use]
    pub fn required(&self, purpose: &PurposeRule) -> BTreeSet<Purpose> {
        let mut required = BTreeSet::new();
        let mut queue: Vec<_> = purpose.requires.iter().copied().collect();
        while let Some(id) = queue.pop() {
            if required.insert(id) {
                queue.extend(self.purpose.get(&id).into_iter().flat_map(|rule| &rule.requires));
            }
        }
        required
    }

    /// The calendar that working days are counted on: its own, or the one of that name that comes with Sayso.
    #[must_use]
    pub fn calendar(&self) -> Option<&WorkingCalendar> {
        let name = self.profile.working_days.as_ref()?;
        self.calendar.as_ref().or_else(|| WorkingCalendar::named(name.as_str()))
    }

    /// The least that consent to use a category must be: its own, or the one for all.
    #[must_use]
    pub fn min_consent_type(&self, rule: &CategoryRule) -> ConsentType {
        rule.min_consent_type.unwrap_or(self.defaults.min_consent_type)
    }
}

/// A policy profile that may be put in force: every name in it resolves, the linter has found nothing that nobody has
/// waived, and its [hash](Self::hash) says exactly what it is.
#[derive(Clone, Debug)]
pub struct Profile {
    document: Document,
    hash: ProfileHash,
    text: String,
    /// What the laws that it names ask together.
    law: LawFloor,
}

/// Two profiles are equal when they say the same, however they are written.
impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Profile {}

impl Profile {
    /// Reads, checks and lints a profile written in TOML that extends no other.
    ///
    /// # Errors
    /// [`Error`] names the line and key that is wrong and what to do about it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Draft::parse(text, None)?.accept()
    }

    /// Reads a profile that was in force before, by its [`text`](Self::text). It is not linted: rules that came later do
    /// not undo what people agreed to then.
    ///
    /// # Errors
    /// [`Error`] when it is none.
    pub fn in_force_before(text: &str) -> Result<Self, Error> {
        Draft::parse(text, None).map(Draft::unlinted)
    }

    /// Everything that it says.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// SHA-256 of the canonical form: equal for two texts exactly when they say the same.
    #[must_use]
    pub const fn hash(&self) -> ProfileHash {
        self.hash
    }

    /// The canonical form: RFC 8785 JSON of the profile with its defaults filled in (keys sorted, no white space).
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical::canonical(&self.document)
    }

    /// It as one TOML file that extends no other: what [`parse`](Self::parse) reads as the same profile.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What somebody signs who puts it in force: which profile, which revision, and the hash of all that it says.
    #[must_use]
    pub fn statement(&self) -> String {
        let Header { id, rev, .. } = self.header();
        format!("sayso-profile/v1\n{id}\n{rev}\n{}\n", self.hash)
    }

    /// Identity, revision, languages.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.document.profile
    }

    /// The revision: what consents and audit leaves refer to.
    #[must_use]
    pub const fn rev(&self) -> u32 {
        self.document.profile.rev
    }

    /// Who answers for the processing.
    #[must_use]
    pub const fn controller(&self) -> &Controller {
        &self.document.controller
    }

    /// What holds where nothing more specific is said.
    #[must_use]
    pub const fn defaults(&self) -> &Defaults {
        &self.document.defaults
    }

    /// Who needs a guardian.
    #[must_use]
    pub const fn minors(&self) -> &Minors {
        &self.document.minors
    }

    /// What is asked for.
    #[must_use]
    pub const fn asks(&self) -> &Asks {
        &self.document.asks
    }

    /// What holds while a guest is spoken with.
    #[must_use]
    pub const fn visits(&self) -> &Visits {
        &self.document.visits
    }

    /// What is said about `purpose`.
    #[must_use]
    pub fn purpose(&self, purpose: Purpose) -> Option<&PurposeRule> {
        self.document.purpose.get(&purpose)
    }

    /// Every purpose, by id.
    pub fn purposes(&self) -> impl Iterator<Item = &PurposeRule> {
        self.document.purpose.values()
    }

    /// What is said about `category`.
    #[must_use]
    pub fn category(&self, category: Category) -> Option<&CategoryRule> {
        self.document.category.get(&category)
    }

    /// Whether somebody reads of a person what is of `category`: what is about nobody, or has nothing in it that people said,
    /// wrote or showed, is not read of them. Of what the profile does not know, that is not known.
    #[must_use]
    pub fn is_content(&self, category: Category) -> bool {
        self.category(category).is_none_or(|rule| rule.is_personal() && !rule.content_free)
    }

    /// As what, and for what, the sound of spoken answers is kept, if it is.
    #[must_use]
    pub fn evidence(&self) -> Option<(Category, Purpose)> {
        let category = self.document.asks.evidence?;
        Some((category, *self.category(category)?.purposes.first()?))
    }

    /// Every category, by id.
    pub fn categories(&self) -> impl Iterator<Item = (Category, &CategoryRule)> {
        self.document.category.iter().map(|(id, rule)| (*id, rule))
    }

    /// The processor registered as `id`.
    #[must_use]
    pub fn processor(&self, id: ProcessorId) -> Option<&Processor> {
        self.document.processor.get(&id)
    }

    /// Every processor, by id.
    pub fn processors(&self) -> impl Iterator<Item = &Processor> {
        self.document.processor.values()
    }

    /// The texts in `language`, or in the profile's first language when it has none in that one.
    #[must_use]
    pub fn notice(&self, language: Language) -> &Notice {
        let texts = &self.document.notice;
        texts.get(&language).unwrap_or_else(|| &texts[&self.document.profile.languages[0]])
    }

    /// The cell that sending `category` for `purpose` to `processor` falls into, when all three are declared.
    #[must_use]
    pub fn cell(&self, purpose: Purpose, category: Category, processor: ProcessorId) -> Option<Cell> {
        self.purpose(purpose)?;
        self.category(category)?;
        let receiver = self.processor(processor)?;
        Some(Cell { purpose, category, kind: receiver.kind, region: receiver.region_class })
    }

    /// The youngest that somebody of `age` can be, in years, as this profile counts an unknown age.
    #[must_use]
    pub fn youngest(&self, age: AgeBand) -> u8 {
        age.youngest().unwrap_or(match self.document.defaults.unknown_age {
            UnknownAge::Minor | UnknownAge::Ask => 0,
            UnknownAge::Adult => 18,
        })
    }

    /// What the laws that it names in `profile.law_floor` ask at the least, with what is common to every profile.
    #[must_use]
    pub const fn law(&self) -> &LawFloor {
        &self.law
    }

    /// The days that its working days are counted on; [`None`] when it names no calendar.
    #[must_use]
    pub fn calendar(&self) -> Option<&WorkingCalendar> {
        self.document.calendar()
    }

    /// The age, in years, below which a guardian must agree: its own, or a higher one of the law.
    #[must_use]
    pub fn guardian_required_below(&self) -> u8 {
        let by_law = self.law.guardian().map_or(0, |rule| rule.below);
        self.document.minors.guardian_required_below.max(by_law)
    }

    /// The age, in years, below which the rules for minors hold, whoever agreed: never less than [`CHILD_BELOW`].
    #[must_use]
    pub fn protected_below(&self) -> u8 {
        self.guardian_required_below().max(self.document.minors.protected_below())
    }
}

#[cfg(test)]
mod tests;
