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
