//! Rules about the kinds of data.

use sayso_types::ProcessorKind;

use crate::error::Nearest;
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{AtRest, CategoryRule, Identifies, ProcessorState, ProhibitedPurpose, Sensitivity};
use crate::words::spelled;
use crate::{Redaction, Vocabulary};

pub(in crate::lint) static CATEGORY_UNDEFINED: Rule = Rule {
    id: "CATEGORY_UNDEFINED",
    breach: "a category does not say what is in it or what it is for",
    source: "AW-1.2.1, CA-1.0; cn-pipl:6, cn-pipl:17, gdpr:13-1-c",
    waivable: false,
    look: undefined,
};

/// The vocabularies that terms are taken from.
const VOCABULARIES: [&str; 3] = ["dpv:", "pd:", "sayso:"];
/// Words by which a list of fields stays open.
const OPEN: [&str; 7] = ["etc", "etc.", "other", "others", "...", "…", "*"];

fn undefined(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    for (id, rule) in &case.document.category {
        let at = |key: &str| format!("category.{id}.{key}");
        let known = |term: &str| {
            VOCABULARIES.iter().any(|v| term.strip_prefix(v).is_some_and(|name| name.starts_with(char::is_alphabetic)))
        };
        match rule.dpv.iter().find(|term| !known(term)) {
            Some(term) => {
                let message =
                    format!("`{term}` is no term of a vocabulary; write one as pd:Picture, dpv:NAME or sayso:NAME");
                found.push((at("dpv"), message));
            }
            None if rule.dpv.is_empty() => {
                found.push((at("dpv"), "no term says what it is; write one as pd:Picture or sayso:NAME".to_owned()));
            }
            None => {}
        }
        if let Some(open) = rule.attrs.iter().find(|field| OPEN.contains(&field.to_lowercase().as_str())) {
            let message = format!("`{open}` leaves the list open; name every field");
            found.push((at("attrs"), message));
        }
        if rule.purposes.is_empty() {
            found.push((at("purposes"), "it is for nothing; name a purpose or remove the category".to_owned()));
        }
    }
    found
}

pub(in crate::lint) static TERM_UNKNOWN: Rule = Rule {
    id: "TERM_UNKNOWN",
    breach: "a term is named that DPV 2.3 does not have",
    source: "dpv 2.3; what nobody else knows cannot be compared, exported or prohibited",
    waivable: false,
    look: unknown_term,
};

fn unknown_term(case: &Case<'_>) -> Found {
    let vocabulary = Vocabulary::dpv();
    let message = |term: &str, known: &[&str]| {
        let nearest = Nearest::to(term, known.iter().copied());
        format!("DPV 2.3 has no `{term}`{nearest}; write one that it has, or a sayso:NAME of your own")
    };
    let data: Vec<_> = vocabulary.terms().filter(|term| vocabulary.sensitivity(term).is_some()).collect();
    let purposes: Vec<_> = vocabulary.purposes().collect();
    let is_dpv = |term: &str| term.starts_with("dpv:") || term.starts_with("pd:");
    let is_foreign = |term: &str| !term.starts_with("sayso:") && !vocabulary.has_purpose(term);
    let mut found = Found::new();
    for (id, rule) in &case.document.category {
        for term in rule.dpv.iter().filter(|term| is_dpv(term) && !vocabulary.has(term)) {
            found.push((format!("category.{id}.dpv"), message(term, &data)));
        }
    }
    for rule in case.document.purpose.values().filter(|rule| is_foreign(&rule.dpv)) {
        found.push((format!("purpose.{}.dpv", rule.id), message(&rule.dpv, &purposes)));
    }
    for rule in &case.document.prohibition {
        if let Some(ProhibitedPurpose::Dpv(term)) = &rule.purpose
            && is_foreign(term)
        {
            found.push(("prohibition".to_owned(), message(term, &purposes)));
        }
    }
    found
}

pub(in crate::lint) static SENSITIVITY_BELOW_TERM: Rule = Rule {
    id: "SENSITIVITY_BELOW_TERM",
    breach: "data is called less sensitive than what it says it is",
    source: "clauses 1.6.1, XZ-1.8; cn-pipl:28, gdpr:9-1, gdpr:4-1",
    waivable: false,
    look: below_term,
};

/// Terms of what somebody said or wrote to somebody, which can be anything.
const INTIMATE: [&str; 3] = ["pd:EmailContent", "pd:VoiceCommunicationRecording", "pd:VoiceMail"];

fn below_term(case: &Case<'_>) -> Found {
    let least = |term: &str| {
        let said = INTIMATE.contains(&term).then_some(Sensitivity::High);
        Vocabulary::dpv().sensitivity(term).max(said)
    };
    let mut found = Found::new();
    // what leads to nobody any more is about nobody, whatever it was made from; what merely seems to has a rule of its own
    let is_told = |rule: &CategoryRule| match rule.identifies {
        Identifies::Directly => true,
        Identifies::Pseudonymised => rule.is_personal(),
        Identifies::Anonymised => false,
    };
    for (id, rule) in case.document.category.iter().filter(|(_, rule)| is_told(rule)) {
        let most = rule.dpv.iter().filter_map(|term| Some((least(term)?, term))).max();
        if let Some((least, term)) = most.filter(|(least, _)| rule.sensitivity < *least) {
            let message = format!("{term} is more sensitive than that; write \"{}\"", spelled(&least));
            found.push((format!("category.{id}.sensitivity"), message));
        }
    }
    found
}

pub(in crate::lint) static NECESSITY_UNFLAGGED: Rule = Rule {
    id: "NECESSITY_UNFLAGGED",
    breach: "a category does not say whether the service can do without it",
    source: "XZ-1, AW-1.2, CA-1, conflict C13; cn-pipl:16, gdpr:13-2-e",
    waivable: true,
    look: unflagged,
};

fn unflagged(case: &Case<'_>) -> Found {
    let without = case.personal().filter(|(_, rule)| rule.necessity.is_none());
    without
        .map(|(id, _)| {
            let message = "people are not told whether they must give it (until then they need not); write \
                           \"Required\", \"Required_for:PURPOSE\" or \"Optional\"";
            (format!("category.{id}.necessity"), message.to_owned())
        })
        .collect()
}

pub(in crate::lint) static DEIDENT_AS_ANON: Rule = Rule {
    id: "DEIDENT_AS_ANON",
    breach: "data that can be traced back to a person counts as free",
    source: "CA-3.4.8, conflict C9; cn-pipl:4, cn-pipl:73, gdpr:recital-26",
    waivable: false,
    look: de_identified,
};

fn de_identified(case: &Case<'_>) -> Found {
    let document = case.document;
    let exemptions = document.exemption.values().filter(|exemption| exemption.de_identified_counts);
    let exemptions = exemptions.map(|exemption| {
        let message = "what is merely de-identified is still about a person; free only what is anonymised, and write \
                       `de_identified_counts = false`";
        (format!("exemption.{}.de_identified_counts", exemption.code), message.to_owned())
    });
    let categories = document
        .category
        .iter()
        .filter(|(_, rule)| rule.identifies == Identifies::Pseudonymised && !rule.is_personal());
    let categories = categories.map(|(id, _)| {
        let message = "what is pseudonymised is still about a person; write \"normal\" or more";
        (format!("category.{id}.sensitivity"), message.to_owned())
    });
    exemptions.chain(categories).collect()
}

pub(in crate::lint) static AT_REST_CONTRADICTED: Rule = Rule {
    id: "AT_REST_CONTRADICTED",
    breach: "a store accepts what must not be stored",
    source: "XZ-1.10 (to process is not to keep)",
    waivable: false,
    look: at_rest,
};

fn at_rest(case: &Case<'_>) -> Found {
    let document = case.document;
    let stores = document.processor.values().filter(|processor| processor.kind == ProcessorKind::Database);
    let mut found = Found::new();
    for store in stores.filter(|store| store.state != ProcessorState::Terminated) {
        for category in &store.accepts {
            if document.category.get(category).is_some_and(|rule| rule.at_rest == AtRest::Forbidden) {
                let message = format!(
                    "{category} must not be stored; remove it here, or write `at_rest = \"allowed\"` in [category.{category}]"
                );
                found.push((format!("processor.{}.accepts", store.id), message));
            }
        }
    }
    found
}

pub(in crate::lint) static REDACTION_UNKNOWN: Rule = Rule {
    id: "REDACTION_UNKNOWN",
    breach: "something is to be taken out of data that nothing knows how to find",
    source: "XZ-10.1; gdpr:5-1-f",
    waivable: false,
    look: redaction_unknown,
};

fn redaction_unknown(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    for (id, rule) in &case.document.category {
        for name in rule.redact.iter().filter(|name| Redaction::named(name).is_none()) {
            let known = Redaction::ALL.map(Redaction::name).join(", ");
            let message = format!("nothing finds `{name}` in a text; what can be taken out is {known}");
            found.push((format!("category.{id}.redact"), message));
        }
    }
    found
}
