//! [`Finding`]: one thing that the linter found.

use core::fmt;

use super::Rule;
use crate::error::Place;

/// One thing that the linter found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// Where.
    pub place: Place,
    /// What is wrong and what to change.
    pub message: String,
    /// Why it is accepted, if it is.
    pub waived: Option<String>,
}

/// Where it is, what is wrong and what to change, and in brackets the clauses and articles that it comes from.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} [{}]", self.place, self.rule.id(), self.message, self.rule.source())?;
        self.waived.as_ref().map_or(Ok(()), |why| write!(f, " (waived: {why})"))
    }
}
