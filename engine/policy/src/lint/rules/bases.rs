//! Rules about by what right data is used, where that is not asked.

use std::collections::BTreeMap;

use super::consent::uses;
use crate::LegalBasis;
use crate::law::{LawFloor, Matter};
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::PurposeRule;

pub(in crate::lint) static BASIS_NOT_IN_LAW: Rule = Rule {
    id: "BASIS_NOT_IN_LAW",
    breach: "data about people is used by a right that a named law does not give, or nobody says where it does",
    source: "AW-1.2.1, clauses 1.6.5; cn-pipl:13, gdpr:6-1, gdpr:13-1-c",
    waivable: false,
    look: not_in_law,
};

/// What other laws than those that are named can give: a duty, or a task.
const ELSEWHERE: [LegalBasis; 2] = [LegalBasis::LegalObligation, LegalBasis::OfficialAuthority];

fn not_in_law(case: &Case<'_>) -> Found {
    let laws: Vec<_> = case.laws.iter().filter(|law| !law.bases().is_empty()).collect();
    let mut found = Found::new();
    for purpose in case.document.purpose.values().filter(|purpose| is_about_people(case, purpose)) {
        if let Some(law) = laws.iter().find(|law| law.bases().iter().all(|rule| rule.basis != purpose.basis)) {
            let message = format!(
                "{} gives no such right; ask for consent, or name another right that it gives, or use for it what is about \
                 nobody",
                named(law)
            );
            found.push((format!("purpose.{}.basis", purpose.id), message));
        } else if let Some(message) = unwritten(purpose, &laws) {
            found.push((format!("purpose.{}.basis_code", purpose.id), message));
        }
    }
    found
}

fn is_about_people(case: &Case<'_>, purpose: &PurposeRule) -> bool {
    case.personal().any(|(_, category)| category.purposes.contains(&purpose.id))
}

/// What is wrong with where `purpose` says that its right is written.
fn unwritten(purpose: &PurposeRule, laws: &[&&'static LawFloor]) -> Option<String> {
    let given = |law: &LawFloor| -> Vec<String> {
        let rules = law.bases().iter().filter(|rule| rule.basis == purpose.basis);
        rules.flat_map(|rule| &rule.codes).map(|code| format!("{}:{code}", law_id(law))).collect()
    };
    let all: Vec<_> = laws.iter().flat_map(|law| given(law)).collect();
    let first = all.first()?;
    let Some((law, article)) = purpose.basis_code.as_deref().and_then(|code| code.split_once(':')) else {
        return Some(format!("nothing says where {} is written; write a code such as `{first}`", purpose.basis));
    };
    match laws.iter().find(|named| law_id(named) == law) {
        Some(named) if !given(named).contains(&format!("{law}:{article}")) => {
            Some(format!("{law} has no {} there; write {}", purpose.basis, given(named).join(" or ")))
        }
        None if !ELSEWHERE.contains(&purpose.basis) => {
            Some(format!("{law} is no law that the profile names; write {}", all.join(" or ")))
        }
        _ => None,
    }
}

/// The name of a law without its version: `cn-pipl`.
fn law_id(law: &LawFloor) -> &str {
    named(law).split('@').next().unwrap_or_default()
}

fn named(law: &LawFloor) -> &str {
    law.laws().next().unwrap_or_default()
}

pub(in crate::lint) static CONSENT_AVOIDED: Rule = Rule {
    id: "CONSENT_AVOIDED",
    breach: "nobody is asked for what a law asks a consent of its own for",
    source: "XZ-1.8, ZG-D2, conflict C1; cn-pipl:23, cn-pipl:25, cn-pipl:29, cn-pipl:39, gdpr:9-1",
    waivable: false,
    look: avoided,
};

fn avoided(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    // what a law demands nobody can refuse, and whose life depends on something may not be able to answer
    let excused = [LegalBasis::Consent, LegalBasis::LegalObligation, LegalBasis::VitalInterest];
    let unasked = case.document.purpose.values().filter(|purpose| !excused.contains(&purpose.basis));
    for purpose in unasked {
        for used in uses(case, |other| other.id == purpose.id) {
            let src: Vec<_> = case.law.consent_rules(used.law).map(|rule| rule.src.to_string()).collect();
            // where no law says anything about special categories, the engine does
            if src.is_empty() && used.law != Matter::SpecialCategory {
                continue;
            }
            let src = if src.is_empty() { String::new() } else { format!(" ({})", src.join("; ")) };
            let message = format!(
                "{} of {} needs consent{src}, and this rests on {}; write basis = \"Consent\", or leave that out of it",
                used.what, used.category, purpose.basis
            );
            found.entry(format!("purpose.{}.basis", purpose.id)).or_insert(message);
        }
    }
    found.into_iter().collect()
}
