//! [`People`]: where consent stands with each person, and what is open of theirs.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Cell, ConsentVersion, Part, ProcessorId, Purpose};

use crate::{Reference, Scope, SubjectTag};

/// Where a purpose stands with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They agreed, with this version of their consent, to this revision of the policy.
    Given {
        at: ConsentVersion,
        rev: u32,
    },
    Withdrawn,
    /// Its time was over, or they said no.
    Over,
}

/// Everybody of whom the log tells, by their tags.
#[derive(Debug, Default)]
pub(super) struct People(BTreeMap<SubjectTag, Person>);

#[derive(Debug, Default)]
struct Person {
    consents: BTreeMap<Purpose, Standing>,
    /// What they took back of them, and have not given again.
    taken_back: BTreeSet<Part>,
    open: BTreeSet<Reference>,
}

impl People {
    /// Where `purpose` stands with a person, if they were ever asked and said yes.
    pub(super) fn standing(&self, whose: Option<SubjectTag>, purpose: Purpose) -> Option<Standing> {
        self.0.get(&whose?)?.consents.get(&purpose).copied()
    }

    pub(super) fn agreed(&mut self, whose: Option<SubjectTag>, purpose: Purpose, (at, rev): (ConsentVersion, u32)) {
        if let Some(whose) = whose {
            self.0.entry(whose).or_default().consents.insert(purpose, Standing::Given { at, rev });
        }
    }

    /// Consent to `purpose` ends otherwise than by withdrawal, if there was any; what is open of the person's then.
    pub(super) fn over(&mut self, whose: Option<SubjectTag>, purpose: Purpose) -> Vec<Reference> {
        let Some(person) = whose.and_then(|whose| self.0.get_mut(&whose)) else { return Vec::new() };
        match person.consents.get_mut(&purpose) {
            Some(standing @ Standing::Given { .. }) => *standing = Standing::Over,
            _ => return Vec::new(),
        }
        person.open.iter().copied().collect()
    }

    /// Consent to what `scope` covers is withdrawn; what is open of the person's then.
    pub(super) fn withdrawn(&mut self, whose: Option<SubjectTag>, scope: Scope) -> Vec<Reference> {
        let Some(person) = whose.map(|whose| self.0.entry(whose).or_default()) else { return Vec::new() };
        if let Scope::Part(part) = scope {
            person.taken_back.insert(part);
        }
        for (_, standing) in person.consents.iter_mut().filter(|(purpose, _)| scope.covers(**purpose)) {
            *standing = Standing::Withdrawn;
        }
        person.open.iter().copied().collect()
    }

    /// A person gives `part` again, and all that is in it.
    pub(super) fn gave_again(&mut self, whose: Option<SubjectTag>, part: Part) {
        if let Some(person) = whose.and_then(|whose| self.0.get_mut(&whose)) {
            person.taken_back.retain(|taken| !part.includes(taken));
        }
    }

    /// Whether a person took back that data of `cell` goes to `processor`.
    pub(super) fn took_back(&self, whose: Option<SubjectTag>, cell: &Cell, processor: ProcessorId) -> bool {
        let person = whose.and_then(|whose| self.0.get(&whose));
        person.is_some_and(|person| person.taken_back.iter().any(|part| part.covers(cell, processor)))
    }

    pub(super) fn opened(&mut self, whose: Option<SubjectTag>, segment: Reference) {
        if let Some(whose) = whose {
            self.0.entry(whose).or_default().open.insert(segment);
        }
    }

    pub(super) fn closed(&mut self, whose: Option<SubjectTag>, segment: Reference) {
        if let Some(person) = whose.and_then(|whose| self.0.get_mut(&whose)) {
            person.open.remove(&segment);
        }
    }
}
