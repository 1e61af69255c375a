//! [`LawFloor`]: the least that the law asks, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

mod citation;
mod rule;

pub use citation::{Citation, CitationError, Mark};
pub use rule::{
    AnswerRule, Assessed, AssessmentRule, Audience, BasisRule, ConsentRule, ExemptionRule, GuardianRule, IncidentRule,
    KeepRule, Kept, Matter, RetentionRule, RightRule, Severity, TransferRule,
};

use crate::country::{is_country, no_country};
use crate::profile::{Mechanism, TomlText};
use crate::{ConsentType, Covered, Error};

/// The laws that come with Sayso, from `engine/policy/law`.
const EMBEDDED: [&str; 6] = [
    include_str!("../law/cn-pipl.toml"),
    include_str!("../law/cn-xborder.toml"),
    include_str!("../law/cn-incident.toml"),
    include_str!("../law/cn-anthropomorphic.toml"),
    include_str!("../law/gdpr.toml"),
    include_str!("../law/coppa.toml"),
];

/// What holds for every profile, whichever law it names.
const COMMON: &str = include_str!("../law/common.toml");

/// In `binds`: every place.
const ANYWHERE: &str = "*";

/// What one law, or several together, ask at the least. A profile may promise more, never less.
///
/// Each rule says where it stands and how that is known. Several laws together are the rules of all of them; what is
/// asked for one number answers with the strictest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LawFloor {
    laws: BTreeMap<String, Scope>,
    rules: Rules,
}

/// Whom a law binds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scope {
    /// Whoever serves people in one of these places, named by the profile or not: ISO 3166 codes, and `EU`; or [`ANYWHERE`].
    places: BTreeSet<String>,
    /// Only those that keep up an emotional relation with people.
    companions_only: bool,
}

/// The rules of a law file, by what they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rules {
    basis: Vec<BasisRule>,
    right: Vec<RightRule>,
    exemption: Vec<ExemptionRule>,
    guardian: Vec<GuardianRule>,
    consent: Vec<ConsentRule>,
    assessment: Vec<AssessmentRule>,
    answer: Vec<AnswerRule>,
    incident: Vec<IncidentRule>,
    retention: Vec<RetentionRule>,
    keep: Vec<KeepRule>,
    transfer: Vec<TransferRule>,
}

/// A law file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: String,
    binds: BTreeSet<String>,
    #[serde(default)]
    companions_only: bool,
    rules: Rules,
}

/// Why a text is not a law file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LawError {
    /// Not TOML, an unknown key, a value of the wrong type, or something mandatory that is not there.
    #[error(transparent)]
    Format(#[from] Error),
    /// The name does not say which version of the law this is.
    #[error("id `{0}` is not NAME@VERSION, such as cn-pipl@2021")]
    Id(String),
    /// It binds nobody, anywhere.
    #[error("binds: names no place; write where the law binds by itself, such as [\"CN\"]")]
    Nowhere,
    /// It binds somewhere that is no place.
    #[error("binds: {}", no_country(.0))]
    Place(String),
}

impl LawFloor {
    /// The law called `name` (`cn-pipl@2021`) among those that come with Sayso.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::embedded().iter().find(|floor| floor.laws.contains_key(name))
    }

    /// The laws that come with Sayso.
    #[must_use]
    pub fn embedded() -> &'static [Self] {
        static LAWS: LazyLock<Vec<LawFloor>> =
            LazyLock::new(|| EMBEDDED.iter().map(|text| LawFloor::parse(text).expect("a test parses each")).collect());
        &LAWS
    }

    /// What every profile is held to, whichever law it names and wherever it serves people.
    #[must_use]
    pub fn common() -> &'static Self {
        static FLOOR: LazyLock<LawFloor> = LazyLock::new(|| LawFloor::parse(COMMON).expect("a test parses it"));
        &FLOOR
    }

    /// What the laws of these names ask together, with what is common to every profile. Names that there are not ask nothing:
    /// the linter finds them.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        // the named ones first, so that whoever is told where something stands is told of their own law
        Self::strictest(names.into_iter().filter_map(Self::named).chain([Self::common()]))
    }

    /// Reads a law file: TOML with the keys of `law/cn-pipl.toml`.
    ///
    /// # Errors
    ///
    /// When a key is unknown, missing or of the wrong type, a rule has no source, or it binds nowhere.
    pub fn parse(text: &str) -> Result<Self, LawError> {
        let Document { id, binds: places, companions_only, rules } = TomlText::parse(text)?.read()?;
        if !id.split_once('@').is_some_and(|(name, version)| !name.is_empty() && !version.is_empty()) {
            return Err(LawError::Id(id));
        }
        if places.is_empty() {
            return Err(LawError::Nowhere);
        }
        if let Some(place) = places.iter().find(|place| *place != ANYWHERE && !is_country(place)) {
            return Err(LawError::Place(place.clone()));
        }
        Ok(Self { laws: BTreeMap::from([(id, Scope { places, companions_only })]), rules })
    }

    /// What `floors` ask together.
    #[must_use]
    pub fn strictest<'a>(floors: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for floor in floors {
            // a law that is named twice asks once
            if floor.laws.keys().all(|law| all.laws.contains_key(law)) {
                continue;
            }
            all.laws.extend(floor.laws.clone());
            all.rules.extend(&floor.rules);
        }
        all
    }

    /// The names of the laws.
    pub fn laws(&self) -> impl Iterator<Item = &str> {
        self.laws.keys().map(String::as_str)
    }

    /// Whether one of the laws binds whoever serves people in `place`, an ISO 3166 code or `EU`; `companion` says whether
    /// the service keeps up an emotional relation with people.
    #[must_use]
    pub fn binds(&self, place: &str, companion: bool) -> bool {
        let is_there = |scope: &Scope| scope.places.contains(place) || scope.places.contains(ANYWHERE);
        self.laws.values().any(|scope| is_there(scope) && (companion || !scope.companions_only))
    }

    /// The rights to process that the laws know, consent among them; none of laws that are about something else. A right that
    /// several laws give is there once for each.
    #[must_use]
    pub fn bases(&self) -> &[BasisRule] {
        &self.rules.basis
    }

    /// The grounds on which the laws let one process without consent. A ground that several laws give is there once
    /// for each.
    #[must_use]
    pub fn exemptions(&self) -> &[ExemptionRule] {
        &self.rules.exemption
    }

    /// The rights that must be offered. A right that several laws give is there once for each.
    #[must_use]
    pub fn rights(&self) -> &[RightRule] {
        &self.rules.right
    }

    /// The highest age below which a guardian must agree; of laws that say the same, the one named first.
    #[must_use]
    pub fn guardian(&self) -> Option<&GuardianRule> {
        self.rules.guardian.iter().rev().max_by_key(|rule| rule.below)
    }

    /// The highest age below which the data of people is under special rules.
    #[must_use]
    pub fn special_rules(&self) -> Option<&GuardianRule> {
        self.rules.guardian.iter().filter(|rule| rule.special_rules).max_by_key(|rule| rule.below)
    }

    /// The least that consent to `matter` must be, and whether it must be asked apart from everything else; [`None`]
    /// when no law asks for any.
    #[must_use]
    pub fn consent(&self, matter: Matter) -> Option<(ConsentType, bool)> {
        let rules = self.consent_rules(matter).map(|rule| (rule.min_type, rule.separate));
        rules.reduce(|(min_type, separate), (other, apart)| (min_type.max(other), separate || apart))
    }

    /// Where that is asked.
    pub fn consent_rules(&self, matter: Matter) -> impl Iterator<Item = &ConsentRule> {
        self.rules.consent.iter().filter(move |rule| rule.matter == matter)
    }

    /// Where it is asked that such a use is assessed before it begins.
    pub fn assessments(&self, of: Assessed) -> impl Iterator<Item = &AssessmentRule> {
        self.rules.assessment.iter().filter(move |rule| rule.of == of)
    }

    /// How soon a request must be answered. All of them hold: which is the shortest can depend on the day.
    #[must_use]
    pub fn answers(&self) -> &[AnswerRule] {
        &self.rules.answer
    }

    /// How soon whom must be told of an incident. All of them hold.
    #[must_use]
    pub fn incidents(&self) -> &[IncidentRule] {
        &self.rules.incident
    }

    /// Of those, the ones by which `tell` is told, whoever runs the service: what is for state bodies and for operators of
    /// critical infrastructure is for those who know to be one.
    pub fn told_of_incidents(&self, tell: Audience) -> impl Iterator<Item = &IncidentRule> {
        let whose = |when| matches!(when, Severity::Any | Severity::HighRisk | Severity::RelativelyMajor);
        self.incidents().iter().filter(move |rule| rule.tell == tell && whose(rule.when))
    }

    /// How long personal data may be kept at the most. All of them hold.
    #[must_use]
    pub fn retentions(&self) -> &[RetentionRule] {
        &self.rules.retention
    }

    /// What must be kept, and how long at the least. All of them hold.
    #[must_use]
    pub fn keeps(&self) -> &[KeepRule] {
        &self.rules.keep
    }

    /// What sending data of `persons` people abroad in one calendar year asks for, sensitive data of `sensitive` among
    /// them: of each of these rules one mechanism. None below every threshold.
    pub fn transfers(&self, persons: u64, sensitive: u64) -> impl Iterator<Item = &TransferRule> {
        self.rules.transfer.iter().filter(move |rule| rule.is_reached(persons, sensitive))
    }

    /// The most people whose data `mechanism` covers in one calendar year: fewer than from which on a law asks for another.
    #[must_use]
    pub fn covered_by(&self, mechanism: &Mechanism) -> Covered {
        let others = || self.rules.transfer.iter().filter(|rule| !rule.any_of.contains(mechanism));
        Covered {
            persons: others().map(|rule| rule.persons.get() - 1).min(),
            sensitive: others().map(|rule| rule.sensitive_persons.get() - 1).min(),
        }
    }
}

impl Rules {
    fn extend(&mut self, more: &Self) {
        // no `..`: a new sort of rule must be merged, too
        let Self {
            basis,
            right,
            exemption,
            guardian,
            consent,
            assessment,
            answer,
            incident,
            retention,
            keep,
            transfer,
        } = more;
        self.basis.extend_from_slice(basis);
        self.right.extend_from_slice(right);
        self.exemption.extend_from_slice(exemption);
        self.guardian.extend_from_slice(guardian);
        self.consent.extend_from_slice(consent);
        self.assessment.extend_from_slice(assessment);
        self.answer.extend_from_slice(answer);
        self.incident.extend_from_slice(incident);
        self.retention.extend_from_slice(retention);
        self.keep.extend_from_slice(keep);
        self.transfer.extend_from_slice(transfer);
    }
}

#[cfg(test)]
mod tests;
