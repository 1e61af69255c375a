//! Rules about the clauses of the written policy.

use std::collections::BTreeSet;

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{ClauseId, Language};

pub(in crate::lint) static CLAUSE_UNREFERENCED: Rule = Rule {
    id: "CLAUSE_UNREFERENCED",
    breach: "nothing in the profile keeps a clause of the written policy",
    source: "every promise is kept or said not to be",
    waivable: false,
    look: unreferenced,
};

fn unreferenced(case: &Case<'_>) -> Found {
    let cited: BTreeSet<ClauseId> =
        case.document.cited().flat_map(|(_, src)| src.iter().map(ClauseId::whole)).collect();
    let clauses = case.document.clause.values();
    let forgotten =
        clauses.filter(|clause| clause.engine.is_none() && clause.outside.is_none() && !cited.contains(&clause.id));
    forgotten
        .map(|clause| {
            let id = &clause.id;
            let message =
                format!("no `src` names {id}; cite it where it is kept, or say in `outside` why it cannot be");
            (format!("clause.{id}"), message)
        })
        .collect()
}

pub(in crate::lint) static LANG_DIVERGENCE: Rule = Rule {
    id: "LANG_DIVERGENCE",
    breach: "a promise stands in some languages of the written policy and not in others",
    source: "AW (Chinese and English differ), conflict C14; cn-pipl:17, gdpr:12-1",
    waivable: true,
    look: divergence,
};

fn divergence(case: &Case<'_>) -> Found {
    let languages: BTreeSet<Language> = case.document.source.iter().map(|source| source.lang).collect();
    let mut found = Found::new();
    for clause in case.document.clause.values().filter(|clause| !clause.languages.is_empty()) {
        let without: Vec<_> = languages.difference(&clause.languages).map(ToString::to_string).collect();
        if !without.is_empty() {
            let without = without.join(", ");
            let message = format!(
                "the text in {without} does not hold it; publish it there, too, then remove `languages` (until then \
                 people are promised what any language says)"
            );
            found.push((format!("clause.{}.languages", clause.id), message));
        }
    }
    found
}
