//! [`LawFloor`]: the least that the law asks, as data.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

mod citation;
mod rule;

pub use citation::{Citation, CitationError, Mark};
pub use rule::{
    AnswerRule, Audience, ConsentRule, GuardianRule, IncidentRule, KeepRule, Kept, Matter, Mechanism, RetentionRule,
    Right, RightRule, Severity, TransferRule,
};

use crate::{ConsentType, Error};

/// The laws that come with Sayso, from `engine/policy/law`.
const EMBEDDED: [&str; 6] = [
    include_str!("../law/cn-pipl.toml"),
    include_str!("../law/cn-xborder.toml"),
    include_str!("../law/cn-incident.toml"),
    include_str!("../law/cn-anthropomorphic.toml"),
    include_str!("../law/gdpr.toml"),
    include_str!("../law/coppa.toml"),
];

/// What one law, or several together, ask at the least. A profile may promise more, never less.
///
/// Each rule says where it stands and how that is known. Several laws together are the rules of all of them; what is
/// asked for one number answers with the strictest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LawFloor {
    laws: BTreeSet<String>,
    rules: Rules,
}

/// The rules of a law file, by what they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rules {
    right: Vec<RightRule>,
    guardian: Vec<GuardianRule>,
    consent: Vec<ConsentRule>,
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
}

impl LawFloor {
    /// The law called `name` (`cn-pipl@2021`) among those that come with Sayso.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::embedded().iter().find(|floor| floor.laws.contains(name))
    }

    /// The laws that come with Sayso.
    #[must_use]
    pub fn embedded() -> &'static [Self] {
        static LAWS: LazyLock<Vec<LawFloor>> =
            LazyLock::new(|| EMBEDDED.iter().map(|text| LawFloor::parse(text).expect("a test parses each")).collect());
        &LAWS
    }

    /// Reads a law file: TOML with the keys of `law/cn-pipl.toml`.
    ///
    /// # Errors
    ///
    /// When a key is unknown, missing or of the wrong type, or a rule has no source.
    pub fn parse(text: &str) -> Result<Self, LawError> {
        let Document { id, rules } = toml::from_str(text).map_err(|e| Error::from_toml(text, &e))?;
        match id.split_once('@') {
            Some((name, version)) if !name.is_empty() && !version.is_empty() => {
                Ok(Self { laws: BTreeSet::from([id]), rules })
            }
            _ => Err(LawError::Id(id)),
        }
    }

    /// What `floors` ask together.
    #[must_use]
    pub fn strictest<'a>(floors: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for floor in floors {
            // a law that is named twice asks once
            if floor.laws.is_subset(&all.laws) {
                continue;
            }
            all.laws.extend(floor.laws.iter().cloned());
            all.rules.extend(&floor.rules);
        }
        all
    }

    /// The names of the laws.
    pub fn laws(&self) -> impl Iterator<Item = &str> {
        self.laws.iter().map(String::as_str)
    }

    /// The rights that must be offered. A right that several laws give is there once for each.
    #[must_use]
    pub fn rights(&self) -> &[RightRule] {
        &self.rules.right
    }

    /// The highest age below which a guardian must agree.
    #[must_use]
    pub fn guardian(&self) -> Option<&GuardianRule> {
        self.rules.guardian.iter().max_by_key(|rule| rule.below)
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

    /// The strictest mechanism that sending data of `persons` people abroad in one calendar year asks for, sensitive
    /// data of `sensitive` among them; [`None`] below every threshold.
    #[must_use]
    pub fn transfer(&self, persons: u64, sensitive: u64) -> Option<&TransferRule> {
        let reached = self.rules.transfer.iter().filter(|rule| rule.is_reached(persons, sensitive));
        reached.max_by_key(|rule| rule.mechanism)
    }
}

impl Rules {
    fn extend(&mut self, more: &Self) {
        // no `..`: a new sort of rule must be merged, too
        let Self { right, guardian, consent, answer, incident, retention, keep, transfer } = more;
        self.right.extend_from_slice(right);
        self.guardian.extend_from_slice(guardian);
        self.consent.extend_from_slice(consent);
        self.answer.extend_from_slice(answer);
        self.incident.extend_from_slice(incident);
        self.retention.extend_from_slice(retention);
        self.keep.extend_from_slice(keep);
        self.transfer.extend_from_slice(transfer);
    }
}

#[cfg(test)]
mod tests;
