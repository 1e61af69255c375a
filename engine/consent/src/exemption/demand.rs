//! [`Demand`]: what somebody may demand by law to be given.

use std::collections::BTreeSet;

use sayso_policy::profile::AtRest;
use sayso_policy::{IsoPeriod, Profile};
use sayso_types::{Category, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use super::proposal::{CELLS_MAX, Terms};
use crate::disclosure::sealed;
use crate::retention::Stored;

/// People whose data one demand is for: an inquiry into more is one demand for each few, which people can look at.
pub const PEOPLE_MAX: usize = 16;

/// Bytes of the name of an authority, of a file number and of a provision.
pub const WORDS_BYTES_MAX: usize = 200;

/// What an authority demands, as its document says, and how it is given that. What it may have are the categories of the
/// [`Terms`] that it is part of, and the document is what they are approved on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Who demands it.
    pub authority: String,
    /// What the document calls itself, such as a file number.
    pub reference: String,
    /// The provision that it rests on, such as `cn-cpl:136`.
    pub law: String,
    /// Whose data, 1 to [`PEOPLE_MAX`].
    pub people: BTreeSet<SubjectId>,
    /// Nothing from before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WallTime>,
    /// Nothing from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<WallTime>,
    /// By when they want it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<WallTime>,
    /// The X25519 public key that it is encrypted to.
    #[serde(with = "hex")]
    pub recipient: [u8; 32],
    /// How long after the last approval the people are told of what was given; [`None`] where the law forbids to tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell_after: Option<IsoPeriod>,
}

/// What is wrong with a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// Words that say nothing, or too much.
    #[error("{0}: give it in 1 to {WORDS_BYTES_MAX} bytes, as the document says it")]
    Words(&'static str),
    /// Nobody, or too many.
    #[error("people: a demand is for 1 to {PEOPLE_MAX} people, this one is for {0}")]
    People(usize),
    /// More than people can look at.
    #[error(
        "categories: of so many people so much is {0} decisions, and {CELLS_MAX} is the most; propose less at once"
    )]
    TooWide(usize),
    /// Nothing is demanded, or something that is not stored.
    #[error("categories: {}; what is stored is {}, and what the policy lets be stored", .0.map_or_else(|| "there is none".to_owned(), |c| format!("nothing of `{c}` is stored")), stored())]
    NotStored(Option<Category>),
    /// A span that ends before it begins.
    #[error("until: must be after from")]
    Span,
    /// A day that has passed.
    #[error("by: has passed")]
    By,
    /// Not a key that something can be encrypted to.
    #[error("recipient: not an X25519 public key that can be encrypted to")]
    Recipient,
    /// It would open gates, too.
    #[error("a demand opens no gate; leave purposes, processors and principal out")]
    Opens,
}

impl Demand {
    /// Whether it can be part of `terms` at `now` under `profile`.
    ///
    /// # Errors
    /// [`DemandError`] names the first thing against it.
    pub fn check(&self, terms: &Terms, profile: &Profile, now: WallTime) -> Result<(), DemandError> {
        for (field, words) in [("authority", &self.authority), ("reference", &self.reference), ("law", &self.law)] {
            if words.trim().is_empty() || words.len() > WORDS_BYTES_MAX {
                return Err(DemandError::Words(field));
            }
        }
        if terms.subject.is_some() || !terms.purposes.is_empty() || !terms.processors.is_empty() {
            return Err(DemandError::Opens);
        }
        let (people, categories) = (self.people.len(), terms.categories.len());
        if !(1..=PEOPLE_MAX).contains(&people) {
            return Err(DemandError::People(people));
        }
        let is_kept = |category| profile.category(category).is_some_and(|rule| rule.at_rest != AtRest::Forbidden);
        let is_stored = |category| Stored::in_category(category).is_some() || is_kept(category);
        let unknown = terms.categories.iter().find(|category| !is_stored(**category));
        if categories == 0 || unknown.is_some() {
            return Err(DemandError::NotStored(unknown.copied()));
        }
        if people * categories > CELLS_MAX {
            return Err(DemandError::TooWide(people * categories));
        }
        if self.from.zip(self.until).is_some_and(|(from, until)| from >= until) {
            return Err(DemandError::Span);
        }
        if self.by.is_some_and(|by| by <= now) {
            return Err(DemandError::By);
        }
        if sealed::is_key(&self.recipient) { Ok(()) } else { Err(DemandError::Recipient) }
    }

    /// Whether what is from `at` is demanded.
    pub(crate) fn spans(&self, at: WallTime) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// The categories of what is stored.
fn stored() -> String {
    let all = Stored::ALL.into_iter().filter(|stored| *stored != Stored::Kept);
    all.map(|stored| stored.category().to_string()).collect::<Vec<_>>().join(", ")
}
