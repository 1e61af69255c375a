//! Rules about the clauses of the written policy.

use std::collections::BTreeSet;

use crate::lint::rule::Found;
use crate::profile::{ClauseId, Document};

/// A clause of the written policy that nothing keeps and nobody has said to be outside.
pub(in crate::lint) fn unreferenced(document: &Document) -> Found {
    let cited: BTreeSet<ClauseId> = document.cited().flat_map(|(_, src)| src.iter().map(ClauseId::whole)).collect();
    let forgotten = document
        .clause
        .values()
        .filter(|clause| clause.engine.is_none() && clause.outside.is_none() && !cited.contains(&clause.id));
    forgotten
        .map(|clause| {
            let id = &clause.id;
            let message =
                format!("no `src` names {id}; cite it where it is kept, or say in `outside` why it cannot be");
            (format!("clause.{id}"), message)
        })
        .collect()
}
