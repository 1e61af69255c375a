//! [`diff()`]: what a new revision of a policy changes for people, and whom it has to ask again.
//!
//! A change is *editorial* when it is of wording, names and the like: people are told. What is *less* than before, or
//! protects people better, holds for all. It is *material* when data, purpose, method, recipient, region or retention grow,
//! or a right or a protection shrinks: then the old revision goes on governing what a person agreed to until that person
//! has agreed anew (conflicts C1, C2 and clauses XZ-2.2, XZ-9.3, AW-8.1, XS-VI, ZG-U1). What rests on something else than
//! consent asks nobody: of that people are told before it holds, where the policy promises so.
//!
//! Every key is compared: each section is taken apart by name, so that a new key does not compile before somebody has said
//! what it does, and a key that differs and of which no comparison tells is material.

mod whole;

mod categories;
mod flows;
mod keeping;
mod part;
mod protections;
mod purposes;
mod rights;
mod terms;
mod unseen;

use core::fmt;
use std::collections::BTreeSet;

use sayso_types::{Cell, Purpose};
use serde::{Serialize, Serializer};

use crate::profile::{Document, ProcessorState};
use crate::{ConsentState, LegalBasis};

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Data is used for something new. Nobody agreed to it, so nothing is open, and nothing else is touched.
    PurposeAdded,
    /// What a purpose means, or the right that it rests on.
    Purpose,
    /// More data, or more of it.
    Data,
    /// Something more is done with it.
    Method,
    /// Somebody else gets it.
    Recipient,
    /// It goes further away.
    Region,
    /// It is kept for longer, or ends less thoroughly.
    Retention,
    /// People may ask for less, or wait longer.
    Right,
    /// Something protects people less.
    Protection,
    /// Nothing more than before: less, or people are better protected.
    Less,
    /// None of these: people are told.
    Editorial,
}

impl ChangeKind {
    /// Whether it lets somebody do more than before, or takes something away from people.
    #[must_use]
    pub const fn is_material(self) -> bool {
        !matches!(self, Self::PurposeAdded | Self::Less | Self::Editorial)
    }
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// What it does.
    pub kind: ChangeKind,
    /// The key that changed, as a dotted path.
    pub key: String,
    /// What it was and is, for people.
    pub what: String,
    /// The cells that it touches, of those that consent is what opens. A material change without any is about what rests
    /// on something else: nobody can be asked, and people are told.
    #[serde(serialize_with = "cells")]
    pub cells: BTreeSet<Cell>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

fn cells<S: Serializer>(cells: &BTreeSet<Cell>, s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(cells.iter().map(ToString::to_string))
}

/// What a new revision changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Every change, materials first.
    pub changes: Vec<Change>,
}

/// Works out what `new` changes against `old`, two texts of one policy. Neither need be fit to be put in force.
#[must_use]
pub fn diff(old: &Document, new: &Document) -> Diff {
    let mut changes = whole::changes(old, new);
    let unseen = unseen::keys(old, new, &changes).into_iter().map(|key| Change {
        kind: ChangeKind::Protection,
        key,
        what: "something else than wording".to_owned(),
        cells: consented_cells(old),
    });
    changes.extend(unseen.collect::<Vec<_>>());
    changes.sort_by_key(|change| (!change.kind.is_material(), change.kind, change.key.clone()));
    changes.dedup();
    if changes.is_empty() && old != new {
        let what = "wording, or how to reach somebody".to_owned();
        changes.push(Change { kind: ChangeKind::Editorial, key: "profile".to_owned(), what, cells: BTreeSet::new() });
    }
    Diff { changes }
}

/// The revision that `new` must be raised above before a node that has `old` in force takes it; [`None`] where it is, or where
/// the two say the same.
#[must_use]
pub fn rev_to_exceed(old: &Document, new: &Document) -> Option<u32> {
    let newest = old.profile.rev;
    (old != new && new.profile.rev <= newest).then_some(newest)
}

impl Diff {
    /// Whether anything is material: people who agreed to what it touches are asked again.
    #[must_use]
    pub fn is_material(&self) -> bool {
        self.changes.iter().any(|change| change.kind.is_material())
    }

    /// Whether what people agreed to for `purpose` is touched, so that the old revision governs it until they agree anew.
    #[must_use]
    pub fn touches(&self, purpose: Purpose) -> bool {
        self.reconsent().any(|cell| cell.purpose == purpose)
    }

    /// The cells that whoever agreed to them has to be asked for again.
    pub fn reconsent(&self) -> impl Iterator<Item = Cell> {
        self.changes.iter().filter(|change| change.kind.is_material()).flat_map(|change| change.cells.iter().copied())
    }

    /// What one person has to be asked again: the purposes they agreed to that are touched.
    #[must_use]
    pub fn asks(&self, state: &ConsentState) -> BTreeSet<Purpose> {
        let agreed = |purpose: &Purpose| state.status(*purpose).is_valid();
        self.reconsent().map(|cell| cell.purpose).filter(agreed).collect()
    }
}

/// The cells of a profile in which consent is what opens them, also those that are shut for the time being.
fn consented_cells(document: &Document) -> BTreeSet<Cell> {
    let flows = flows::flows(document, &[ProcessorState::Active, ProcessorState::Suspended]).into_values();
    flows.map(|flow| flow.cell).filter(|cell| rests_on_consent(document, cell)).collect()
}

fn rests_on_consent(document: &Document, cell: &Cell) -> bool {
    document.purpose.get(&cell.purpose).is_some_and(|rule| rule.basis == LegalBasis::Consent)
}

#[cfg(test)]
mod tests;
