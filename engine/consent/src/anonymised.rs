//! [`Statistic`]: what became of people's data that was to be anonymised when its time was over.
//!
//! ```text
//! a person's last entry ends ──▶ one more in its class; keys destroyed ──▶ the month is over ──▶ released, with its report
//!  (one batch; once a person)     numbers, no pseudonyms                                    └──▶ too few were alike: erased
//! ```
//!
//! That each person counts once needs nobody's name: what is counted is the end of what lay under the *first* key that they
//! ever had for it, and that key is destroyed by it. Whoever withdrew, dropped something, had its use restricted or let their
//! consent run out is not counted: their data is erased, as always.

use sayso_policy::AnonymisedData;
use sayso_policy::anonymise::{Class, Counted, Entries};
use sayso_store::{Error as StoreError, Key, TypedKey};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tables::{AnonymisedCountKey, AnonymisedKey};

/// What a month has come to, for a tenant, a category and a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistic {
    /// The month, such as `2026-11`.
    pub month: String,
    /// Whose devices people spoke to.
    pub tenant: String,
    /// What ended.
    pub category: String,
    /// What it had been used for.
    pub purpose: String,
    /// By which transformation.
    pub by: String,
    /// How many people had to be alike.
    pub k: u64,
    /// What was released; [`None`] when too few people were alike, and it was erased instead.
    pub data: Option<AnonymisedData>,
}

/// The stored form, schema version 1: JSON.
#[derive(Serialize, Deserialize)]
struct Body {
    k: u64,
    data: Option<AnonymisedData>,
}

/// How many people there are in a class so far. The stored form, schema version 1, is JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) people: u64,
    /// How many have to be alike: what the strictest of the revisions says under which somebody was counted.
    pub(crate) k: u64,
}

impl Tally {
    pub(crate) fn encode(self) -> Vec<u8> {
        serde_json::to_vec(&self).expect("numbers are JSON")
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map_err(|e| damaged("anonymised_count", &e))
    }
}

impl Statistic {
    /// How its result is stored.
    pub(crate) fn encode(k: u64, data: Option<&AnonymisedData>) -> Vec<u8> {
        serde_json::to_vec(&Body { k, data: data.cloned() }).expect("plain values are JSON")
    }

    /// The one that is stored as `body` under `key`. What was released is tested again.
    pub(crate) fn decode(key: &Key, body: &[u8]) -> Result<Self, Error> {
        let AnonymisedKey { month, tenant, category, purpose, by } =
            AnonymisedKey::parse(key).map_err(StoreError::from)?;
        let Body { k, data } = serde_json::from_slice(body).map_err(|e| damaged("anonymised", &e))?;
        Ok(Self { month, tenant, category, purpose, by, k, data })
    }

    /// The classes that were released.
    #[must_use]
    pub fn classes(&self) -> &[Counted] {
        self.data.as_ref().map_or(&[], AnonymisedData::classes)
    }
}

impl AnonymisedKey {
    /// Where the result is stored of the people of `class`, counted by the transformation `by`.
    pub(crate) fn of(class: &Class, by: String) -> Self {
        let Class { month, tenant, category, purpose, entries: _ } = class;
        let [month, tenant] = [month.to_string(), tenant.to_string()];
        Self { month, tenant, category: category.to_string(), purpose: purpose.to_string(), by }
    }
}

impl AnonymisedCountKey {
    /// Where the people of `class` are counted by the transformation `by`.
    pub(crate) fn of(class: &Class, by: String) -> Self {
        let AnonymisedKey { month, tenant, category, purpose, by } = AnonymisedKey::of(class, by);
        Self { month, tenant, category, purpose, by, entries: class.entries.name().to_owned() }
    }

    /// What it counts.
    pub(crate) fn class(&self) -> Result<Class, Error> {
        let Self { month, tenant, category, purpose, by: _, entries } = self;
        let entries = Entries::ALL.into_iter().find(|size| size.name() == entries);
        let read = || {
            Some(Class {
                month: month.parse().ok()?,
                tenant: tenant.parse().ok()?,
                category: category.parse().ok()?,
                purpose: purpose.parse().ok()?,
                entries: entries?,
            })
        };
        read().ok_or_else(|| Error::Damaged { what: "anonymised_count", found: "a class that cannot be read".into() })
    }
}

fn damaged(what: &'static str, e: &serde_json::Error) -> Error {
    Error::Damaged { what, found: format!("{:?} at column {}", e.classify(), e.column()) }
}
