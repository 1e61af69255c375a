//! Rules about the clauses of the written policy.

use std::collections::BTreeSet;

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{
    Cited, ClauseId, Document, GoverningLaw, Incident, Language, RegistryRules, RetentionDefaults, Revision, Rights,
    Routing, Src, Tenants, Transfers, Visits,
};

pub(in crate::lint) static CLAUSE_UNREFERENCED: Rule = Rule {
    id: "CLAUSE_UNREFERENCED",
    breach: "nothing in the profile keeps a clause of the written policy",
    source: "every promise is kept or said not to be",
    waivable: false,
    look: unreferenced,
};

fn unreferenced(case: &Case<'_>) -> Found {
    let cited: BTreeSet<ClauseId> =
        case.document.cited().flat_map(|(_, src)| src.iter().filter_map(Cited::clause)).collect();
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

pub(in crate::lint) static SRC_MISSING: Rule = Rule {
    id: "SRC_MISSING",
    breach: "nobody can tell which clause an item of the profile keeps",
    source: "every promise is traced to where it is written; cn-pipl:17, gdpr:5-2",
    waivable: true,
    look: untraced,
};

fn untraced(case: &Case<'_>) -> Found {
    // a profile that turns no written policy into data has nothing to cite
    if case.document.clause.is_empty() {
        return Found::new();
    }
    let silent = silent(case.document);
    let said = case.document.cited().filter(|(key, _)| !silent.contains(&key.as_str()));
    said.filter_map(|(key, src)| Some((key, untraceable(case, src)?))).collect()
}

/// What is wrong with what an item cites, if anything is.
fn untraceable(case: &Case<'_>, src: &Src) -> Option<String> {
    let laws: BTreeSet<&str> =
        case.laws.iter().flat_map(|law| law.laws()).filter_map(|law| law.split('@').next()).collect();
    if src.is_empty() {
        return Some(
            "cites nothing; name in `src` the clauses that promise it, or, where the policy does not, the article of the \
             law that demands it, such as `cn-pipl:45`"
                .to_owned(),
        );
    }
    let is_foreign = |cited: &&Cited| matches!(cited, Cited::Article { law, .. } if !laws.contains(law.as_str()));
    let foreign = src.iter().find(is_foreign)?;
    Some(format!("{foreign} is of no law that `profile.law_floor` names; name that law there, or cite what holds here"))
}

/// The sections that say nothing, or only what their parts cite for themselves.
fn silent(document: &Document) -> BTreeSet<&'static str> {
    let Document { retention, registry, transfers, routing, rights, incident, revision, law, visits, tenants, .. } =
        document;
    [
        ("retention", *retention == RetentionDefaults::default()),
        ("registry", *registry == RegistryRules::default()),
        ("transfers", *transfers == Transfers::default()),
        ("routing", *routing == Routing::default()),
        ("rights", *rights == Rights { offers: rights.offers.clone(), ..Rights::default() }),
        ("incident", {
            let Incident { subjects, regulator, .. } = incident.clone();
            *incident == Incident { subjects, regulator, ..Incident::default() }
        }),
        ("revision", *revision == Revision::default()),
        ("law", *law == GoverningLaw::default()),
        ("visits", *visits == Visits::default()),
        ("tenants", *tenants == Tenants::default()),
    ]
    .into_iter()
    .filter_map(|(section, is_silent)| is_silent.then_some(section))
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
