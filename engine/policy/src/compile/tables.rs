//! [`Tables`]: the tables of the states that occur.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Compiled;
use super::shape::Shape;
use super::table::Table;
use crate::{ConsentState, InForce};

/// Shapes of consent states whose tables are kept: many more than there are ways to answer a spoken question, age bands
/// and regions included, and at most some tens of megabytes for a large profile.
pub const SHAPES_MAX: usize = 1_024;

/// The tables under one [`InForce`], made when they are first asked for. New rules need new tables.
#[derive(Debug)]
pub struct Tables {
    in_force: Arc<InForce>,
    by_shape: Mutex<HashMap<Shape, Arc<Table>>>,
}

impl Tables {
    /// No tables yet.
    #[must_use]
    pub fn new(in_force: Arc<InForce>) -> Self {
        Self { in_force, by_shape: Mutex::default() }
    }

    /// The rules that the tables are made from.
    #[must_use]
    pub const fn in_force(&self) -> &Arc<InForce> {
        &self.in_force
    }

    /// What `state` allows. A shape that was never seen is compiled; when there are [`SHAPES_MAX`], all are forgotten,
    /// and those in use come back with their next question.
    #[must_use]
    pub fn compiled<'a>(&self, state: &'a ConsentState) -> Compiled<'a> {
        let shape = Shape::of(state, self.in_force.profile().rev());
        let known = self.lock().get(&shape).cloned();
        let table = known.unwrap_or_else(|| {
            // outside of the lock: two who find nothing make the same
            let table = Arc::new(Table::new(Arc::clone(&self.in_force), state));
            let mut by_shape = self.lock();
            if by_shape.len() >= SHAPES_MAX {
                by_shape.clear();
            }
            by_shape.insert(shape, Arc::clone(&table));
            table
        });
        Compiled { table, state }
    }

    /// How many shapes have been seen.
    #[must_use]
    pub fn shapes(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Shape, Arc<Table>>> {
        // nothing panics while it is held
        self.by_shape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sayso_types::{Category, ConsentVersion, Label, Part, Purpose, SubjectId, TenantId, TurnId, WallTime};

    use super::*;
    use crate::{ConsentStatus, ConsentType, Gate, PartStatus, Profile, PurposeConsent, Question, Registry};

    fn home() -> Tables {
        let home = include_str!("../../../../deploy/profiles/home.toml");
        Tables::new(Arc::new(InForce::new(Arc::new(Profile::in_force_before(home).unwrap()))))
    }

    fn answered(status: ConsentStatus, profile_rev: u32) -> ConsentState {
        let consent = PurposeConsent {
            status,
            consent_type: ConsentType::Expressed,
            separate: false,
            written: false,
            given_at: ConsentVersion(1),
            profile_rev,
            expires_at: None,
        };
        ConsentState { consents: [(Purpose::MEMORY, consent)].into(), ..ConsentState::new() }
    }

    #[test]
    fn an_answer_that_opens_nothing_has_no_table_of_its_own() {
        let tables = home();
        let nothing = [answered(ConsentStatus::Refused, 1), answered(ConsentStatus::Given, 7), ConsentState::new()];
        for state in &nothing {
            drop(tables.compiled(state));
        }
        assert_eq!(tables.shapes(), 1);
        drop(tables.compiled(&answered(ConsentStatus::Given, 1)));
        assert_eq!(tables.shapes(), 2);
        assert!(format!("{tables:?}").contains("Table(6 uses x 5 processors)"), "{tables:?}");
    }

    /// A person whose consent is over, who took a part of it back, or whose tenant is switched off.
    #[test]
    fn whoever_is_first_of_a_shape_does_not_answer_for_the_others() {
        let (subject, turn, cv) = (SubjectId([1; 16]), TurnId(1), ConsentVersion(1));
        let label = Label { subject, category: Category::MEMORY_SUMMARY, purpose: Purpose::MEMORY, turn, cv };
        let question =
            Question { label, gate: Gate::Memory, processor: "store-local".parse().unwrap(), now: WallTime(1) };
        let agreed = answered(ConsentStatus::Given, 1);
        let mut over = agreed.clone();
        over.consents.get_mut(&Purpose::MEMORY).unwrap().expires_at = Some(WallTime(0));
        let part = Part { purpose: Some(Purpose::MEMORY), ..Part::default() };
        let back = ConsentState { parts: [(part, PartStatus::Withdrawn)].into(), ..agreed.clone() };
        let acme: TenantId = "acme".parse().unwrap();
        let off = ConsentState { tenant: Some(acme.clone()), ..agreed.clone() };
        for first in [over, back, off] {
            let switched_off = Registry::default().without_tenants([acme.clone()]);
            let under = InForce::clone(home().in_force()).with_registry(switched_off);
            let tables = Tables::new(Arc::new(under));
            assert!(!tables.compiled(&first).permits(&question), "{first:?}");
            assert!(tables.compiled(&agreed).permits(&question), "after {first:?}");
            assert_eq!(tables.shapes(), 1);
        }
    }

    #[test]
    fn so_many_tables_are_kept_and_no_more() {
        let tables = home();
        for kept in 1..=SHAPES_MAX + 1 {
            let restricted: Category = format!("category_{kept}").parse().unwrap();
            drop(tables.compiled(&ConsentState { restricted: [restricted].into(), ..ConsentState::new() }));
            assert_eq!(tables.shapes(), if kept > SHAPES_MAX { 1 } else { kept });
        }
    }
}
