//! [`Profile`]: a privacy policy as data. Parsed once, checked as a whole, then immutable.

mod canonical;
mod category;
mod check;
mod header;
mod notice;
mod processor;
mod prohibition;
mod purpose;

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, ProcessorId, Purpose};
use serde::{Deserialize, Serialize};

pub use canonical::ProfileHash;
pub use category::{AtRest, CategoryRule, Necessity, Retention, RetentionAction, Sensitivity, Trigger};
pub use check::{PERMIT_TTL_MAX, PERMIT_TTL_MIN};
pub use header::{Asks, Contact, Controller, Defaults, Format, Gate, Header, Language, Minors, UnknownAge};
pub use notice::{Notice, SPOKEN_MAX, speaking_time};
pub use processor::{DueDiligence, Processor, ProcessorState};
pub use prohibition::{ProhibitedPurpose, Prohibition, When};
pub use purpose::{LegalBasis, PurposeRule};

use crate::{AgeBand, ConsentType, Error};

/// A checked policy profile. Every name in it resolves, and its [hash](Self::hash) says exactly what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    document: Document,
    hash: ProfileHash,
}

/// The sections of a profile file, format 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    profile: Header,
    controller: Controller,
    defaults: Defaults,
    minors: Minors,
    #[serde(deserialize_with = "canonical::by_id")]
    purpose: BTreeMap<Purpose, PurposeRule>,
    category: BTreeMap<Category, CategoryRule>,
    #[serde(deserialize_with = "canonical::by_id")]
    processor: BTreeMap<ProcessorId, Processor>,
    #[serde(default)]
    prohibition: BTreeSet<Prohibition>,
    notice: BTreeMap<Language, Notice>,
    asks: Asks,
}

impl Profile {
    /// Reads and checks a profile written in TOML.
    ///
    /// # Errors
    /// [`Error`] names the line or key that is wrong and what to do about it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let document: Document = toml::from_str(text).map_err(|e| Error::from_toml(text, &e))?;
        check::check(&document)?;
        let hash = ProfileHash::of(&document);
        Ok(Self { document, hash })
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

    /// The least that consent to use `category` must be.
    #[must_use]
    pub fn min_consent_type(&self, category: &CategoryRule) -> ConsentType {
        category.min_consent_type.unwrap_or(self.document.defaults.min_consent_type)
    }

    /// The youngest that somebody of `age` can be, in years, as this profile counts an unknown age.
    #[must_use]
    pub fn youngest(&self, age: AgeBand) -> u8 {
        age.youngest().unwrap_or(match self.document.defaults.unknown_age {
            UnknownAge::Minor => 0,
            UnknownAge::Adult => 18,
        })
    }

    /// Whether a prohibition covers using `category` for `purpose` with somebody who may be `age_years` old.
    #[must_use]
    pub fn prohibits(&self, purpose: &PurposeRule, category: Category, age_years: u8) -> bool {
        self.document.prohibition.iter().any(|p| p.covers(purpose, category, age_years))
    }
}

#[cfg(test)]
mod tests;
