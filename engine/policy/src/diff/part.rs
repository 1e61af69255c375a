//! [`Part`]: what is found in one part of two revisions.

use core::fmt;
use std::collections::BTreeSet;

use sayso_types::Cell;
use serde::Serialize;

use super::{Change, ChangeKind};
use crate::Deadline;
use crate::words::spelled;

/// A part of a profile, such as one category, with what was found in it.
pub(super) struct Part {
    key: String,
    /// What people agreed to that lies in it.
    cells: BTreeSet<Cell>,
    found: Vec<Change>,
}

impl Part {
    pub(super) fn new(key: String, cells: BTreeSet<Cell>) -> Self {
        Self { key, cells, found: Vec::new() }
    }

    /// Compares one key of it. `more` says what is more than before, or protects people less, if anything is; any other
    /// change is less.
    pub(super) fn compare<T: PartialEq>(
        &mut self,
        kind: ChangeKind,
        key: &str,
        (was, is): (&T, &T),
        more: Option<String>,
    ) {
        if was == is {
            return;
        }
        match more {
            Some(what) => self.say(kind, key, what),
            None => self.say(ChangeKind::Less, key, "no more than before, or better protected".to_owned()),
        }
    }

    /// Says what became of a key of it.
    pub(super) fn say(&mut self, kind: ChangeKind, key: &str, what: String) {
        let cells = self.cells.clone();
        self.say_of(kind, key, what, cells);
    }

    /// Says what became of a key that touches these cells only.
    pub(super) fn say_of(&mut self, kind: ChangeKind, key: &str, what: String, cells: BTreeSet<Cell>) {
        let whole = self.key.as_str();
        let key = if whole.is_empty() || key.is_empty() { format!("{whole}{key}") } else { format!("{whole}.{key}") };
        let cells = if kind.is_material() { cells } else { BTreeSet::new() };
        self.found.push(Change { kind, key, what, cells });
    }

    pub(super) fn found(self) -> Vec<Change> {
        self.found
    }
}

/// `what`, if it is so.
pub(super) fn when(is_so: bool, what: &str) -> Option<String> {
    is_so.then(|| what.to_owned())
}

/// What is in `is` and not in `was`.
pub(super) fn more<T: Ord + ToString>(was: &BTreeSet<T>, is: &BTreeSet<T>) -> Option<String> {
    let added: Vec<String> = is.difference(was).map(ToString::to_string).collect();
    if added.is_empty() { None } else { Some(added.join(", ")) }
}

/// The words of the format that stand for the members of a set, to compare and to show.
pub(super) fn names<T: Serialize>(set: &BTreeSet<T>) -> BTreeSet<String> {
    set.iter().map(spelled).collect()
}

/// Whether `new` may come later than `old`. Words promise nothing, so they come later than any number.
pub(super) fn is_later(old: Option<&Deadline>, new: Option<&Deadline>) -> bool {
    match (old.and_then(Deadline::period), new.and_then(Deadline::period)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => old != new && new.may_exceed(old),
    }
}

pub(super) fn shown<T: fmt::Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}
