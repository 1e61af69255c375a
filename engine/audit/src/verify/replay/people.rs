//! [`People`]: where consent stands with each person, and what is open of theirs.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{ConsentVersion, Purpose};

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
        let Some(person) = whose.and_then(|whose| self.0.get_mut(&whose)) else { return Vec::new() };
        for (_, standing) in person.consents.iter_mut().filter(|(purpose, _)| scope.covers(**purpose)) {
            *standing = Standing::Withdrawn;
        }
        person.open.iter().copied().collect()
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
