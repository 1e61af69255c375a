//! [`Compiled`]: the decisions under one consent state as bits, for asking often; and [`Tables`], which keeps the bits
//! of the states that occur.

mod shape;
mod table;
mod tables;

use std::sync::Arc;

use self::table::{Pair, Table};
use crate::decide::{Case, Decision, Grounds, agreed_until};
use crate::{BasisRef, ConsentState, InForce, LegalBasis, Question, decide};

pub use tables::{SHAPES_MAX, Tables};

/// The answers of [`decide()`] under one consent state, one profile and one registry: a bit for each purpose, category,
/// processor and gate. What depends on the asking (the age of the data, the time of day), and what the person was told of and took
/// back in part, is kept beside the bits.
///
/// The bits depend on the shape of the state only: which purposes have what sort of consent, region, age, guardian. Two
/// people who answered alike share them.
#[derive(Clone, Debug)]
pub struct Compiled<'a> {
    table: Arc<Table>,
    state: &'a ConsentState,
}

/// Compiles what `state` allows under `in_force`.
#[must_use]
pub fn compile<'a>(in_force: &Arc<InForce>, state: &'a ConsentState) -> Compiled<'a> {
    Compiled { table: Arc::new(Table::new(Arc::clone(in_force), state)), state }
}

impl Compiled<'_> {
    /// Whether data may go where `question` says: what [`decide()`] would say.
    #[must_use]
    pub fn permits(&self, question: &Question) -> bool {
        self.ground(question).is_some()
    }

    /// What [`decide()`] would say. A permit is read off; the reason of a denial is looked for.
    #[must_use]
    pub fn decide(&self, question: &Question) -> Decision {
        let in_force = self.table.in_force();
        match self.ground(question) {
            Some(grounds) => Decision::new(Ok(grounds), self.state, in_force),
            None => decide(question, self.state, in_force),
        }
    }

    fn ground(&self, question: &Question) -> Option<Grounds> {
        let in_force = self.table.in_force();
        // the bits are those of all tenants
        if in_force.registry().is_tenant_off(self.state.tenant.as_ref()) {
            return None;
        }
        let (entry, pair, receiver) = self.table.find(question)?;
        let instructions = in_force.registry().instructions_of(self.state.tenant.as_ref());
        let instructions = instructions.filter(|_| pair.basis != LegalBasis::LegalObligation);
        let label = question.label;
        if instructions.is_some_and(|given| !given.cover(label.purpose, label.category, question.now))
            || pair.is_attested && !instructions.is_some_and(|given| given.attested)
        {
            return None;
        }
        if receiver.examined_until.is_some_and(|end| question.now >= end) || !entry.admits.contains(question.gate) {
            return None;
        }
        let basis = if entry.rests.contains(question.gate) { self.basis(question, pair) } else { None };
        let is_back = || self.state.took_back(&receiver.cell(&label), question.processor, label.cv).is_some();
        let basis = basis.filter(|(basis, _)| *basis != LegalBasis::Consent || !is_back());
        let (basis, basis_ref, ends) = match basis {
            Some((basis, basis_ref)) => {
                let required = pair.required.iter().copied();
                (basis, basis_ref, agreed_until(basis_ref, question.label.purpose, required, self.state))
            }
            None if in_force.exemptions().is_empty() => return None,
            None => {
                let grant = Case::of(question, self.state, in_force).ok()?.exemption(question, in_force)?;
                (grant.code.basis(), BasisRef::Exemption(grant.id), Some(grant.not_after))
            }
        };
        // words about nobody go to anybody untold
        if pair.is_personal && receiver.introduction.is_some_and(|one| !self.state.told.contains(&one)) {
            return None;
        }
        let term = instructions.and_then(|given| given.until);
        let until = ends.into_iter().chain(receiver.examined_until).chain(term).min();
        Some(Grounds { cell: receiver.cell(&question.label), basis, basis_ref, obligations: entry.obligations, until })
    }

    /// The right that a cell rests on whose consents, if it needs any, are good enough.
    fn basis(&self, question: &Question, pair: &Pair) -> Option<(LegalBasis, BasisRef)> {
        let covering = |purpose| {
            let given = self.state.consents.get(purpose)?;
            given.covers(question.label.cv, question.now).then_some(given)
        };
        if !pair.required.iter().all(|first| covering(first).is_some()) {
            return None;
        }
        if pair.basis != LegalBasis::Consent {
            return Some((pair.basis, BasisRef::Profile(self.table.in_force().profile().rev())));
        }
        Some((pair.basis, BasisRef::Consent(covering(&question.label.purpose)?.given_at)))
    }
}
