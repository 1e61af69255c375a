//! [`Forgetter`]: deletes what its processor was given.

use core::fmt;
use core::time::Duration;

use async_trait::async_trait;

use crate::Error;

/// What is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forget {
    /// What this order is called: the same each time that it is given.
    pub id: [u8; 16],
    /// Why: `erasure`, or `rectification` when what was given was wrong.
    pub why: &'static str,
    /// The [ids](crate::Call::id) of the calls whose data it is. At least one.
    pub calls: Vec<[u8; 16]>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// It says that everything is deleted.
    Everything {
        /// SHA-256 of its answer.
        answer: [u8; 32],
    },
    /// It has taken the order and is not done yet: ask again.
    NotYet,
}

/// Deletes what its processor was given. An order may be given again at any time and MUST come to the same.
#[async_trait]
pub trait Forgetter: Send + Sync + fmt::Debug {
    /// Has the processor delete what `order` names.
    ///
    /// # Errors
    /// As [`Error`] says: then nothing is known, and it is asked again.
    async fn forget(&self, order: &Forget) -> Result<Forgotten, Error>;
}
