//! [`Coverage`]: what became of each promise of the written policy.

mod view;

use serde::Serialize;

use crate::profile::{Clause, ClauseId, Document};

/// Every clause of a profile, and by what it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The profile.
    pub profile: String,
    /// Its revision.
    pub rev: u32,
    /// How many clauses stand where.
    pub totals: Totals,
    /// The clauses, by id.
    pub clauses: Vec<ClauseCoverage>,
}

/// By what one clause is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClauseCoverage {
    /// Which clause.
    pub id: ClauseId,
    /// What it promises.
    pub says: String,
    /// Where it stands.
    pub standing: Standing,
    /// The keys of the profile that cite it.
    pub items: Vec<String>,
    /// What in the engine keeps it whatever the profile says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The tests that show it, as `path/of/file.rs::test`.
    pub tests: Vec<String>,
    /// What is still to be built before it is kept in a running node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaits: Option<String>,
    /// Why no engine can keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
}

/// Where a clause stands. The first that applies is given, so that nothing counts as kept that waits for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing keeps it and nobody has said why not.
    Open,
    /// The profile declares it; nothing in a running node acts on it yet.
    Awaits,
    /// It is a duty that no engine can keep.
    Outside,
    /// An item of the profile or the engine keeps it, but no test is named that shows so.
    Untested,
    /// An item of the profile or the engine keeps it, and the tests that are named show so.
    Kept,
}

/// How many clauses stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All clauses.
    pub clauses: usize,
    /// [`Standing::Kept`].
    pub kept: usize,
    /// [`Standing::Untested`].
    pub untested: usize,
    /// [`Standing::Awaits`].
    pub awaits: usize,
    /// [`Standing::Outside`].
    pub outside: usize,
    /// [`Standing::Open`].
    pub open: usize,
}

impl Coverage {
    /// The coverage of `document`.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let clauses: Vec<_> = document.clause.values().map(|clause| ClauseCoverage::of(clause, document)).collect();
        let count = |standing| clauses.iter().filter(|clause| clause.standing == standing).count();
        let totals = Totals {
            clauses: clauses.len(),
            kept: count(Standing::Kept),
            untested: count(Standing::Untested),
            awaits: count(Standing::Awaits),
            outside: count(Standing::Outside),
            open: count(Standing::Open),
        };
        Self { profile: document.profile.id.to_string(), rev: document.profile.rev, totals, clauses }
    }
}

impl ClauseCoverage {
    fn of(clause: &Clause, document: &Document) -> Self {
        let cites =
            document.cited().filter(|(_, src)| src.iter().any(|cited| cited.clause().as_ref() == Some(&clause.id)));
        let mut items: Vec<_> = cites.map(|(key, _)| key).collect();
        items.dedup();
        Self {
            id: clause.id.clone(),
            says: clause.says.clone(),
            standing: Standing::of(clause, !items.is_empty()),
            items,
            engine: clause.engine.clone(),
            tests: clause.tests.iter().cloned().collect(),
            awaits: clause.awaits.clone(),
            outside: clause.outside.clone(),
        }
    }
}

impl Standing {
    fn of(clause: &Clause, cited: bool) -> Self {
        match clause {
            Clause { awaits: Some(_), .. } => Self::Awaits,
            Clause { outside: Some(_), .. } => Self::Outside,
            Clause { engine: None, .. } if !cited => Self::Open,
            Clause { tests, .. } if tests.is_empty() => Self::Untested,
            _ => Self::Kept,
        }
    }

    /// Its name, as JSON spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Awaits => "awaits",
            Self::Outside => "outside",
            Self::Untested => "untested",
            Self::Kept => "kept",
        }
    }
}

#[cfg(test)]
mod tests;
