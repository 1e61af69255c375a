//! Coverage as a table of text.

use core::fmt;

use super::{ClauseCoverage, Coverage, Totals};

/// How wide the column of clause ids is at least; longer ids push their line to the right.
const ID_WIDTH: usize = 12;

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} revision {}: {}", self.profile, self.rev, self.totals)?;
        self.clauses.iter().try_for_each(|clause| write!(f, "\n{clause}"))
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clauses, kept, untested, awaits, outside, open } = self;
        write!(
            f,
            "{clauses} clauses: {kept} kept and tested, {untested} kept without a test, {awaits} awaiting, {outside} \
             outside of the engine, {open} open"
        )
    }
}

impl fmt::Display for ClauseCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<ID_WIDTH$}{:<10}{}", self.id.as_str(), self.standing.as_str(), self.says)?;
        let mut line = |what: &str, text: &str| write!(f, "\n{:ID_WIDTH$}{what:<10}{text}", "");
        if !self.items.is_empty() {
            line("by", &self.items.join(", "))?;
        }
        self.engine.iter().try_for_each(|engine| line("engine", engine))?;
        self.tests.iter().try_for_each(|test| line("test", test))?;
        self.awaits.iter().try_for_each(|awaits| line("awaits", awaits))?;
        self.outside.iter().try_for_each(|outside| line("because", outside))
    }
}
