//! Rules about what is assessed before it begins.

use super::consent::{may_get, uses};
use crate::law::{Assessed, Matter};
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{Processing, PurposeRule};

pub(in crate::lint) static PIA_MISSING: Rule = Rule {
    id: "PIA_MISSING",
    breach: "data is used in a way that a named law has assessed first, and no assessment is on record",
    source: "XZ-4.6a, CA-3.1, AW-4.1; cn-pipl:55, cn-pipl:56, gdpr:35",
    waivable: false,
    look: missing,
};

fn missing(case: &Case<'_>) -> Found {
    let effective = case.document.profile.effective_at.moment();
    let mut found = Found::new();
    for purpose in case.document.purpose.values() {
        let Some((what, src)) = assessed(case, purpose) else { continue };
        let problem = match &purpose.impact_assessment {
            Some(done) if effective.is_some_and(|from| done.at > from) => {
                "was made after the policy holds; assess it first, or have the policy hold later"
            }
            Some(_) => continue,
            None => "is not said; write impact_assessment = { reference = \"...\", at = 2026-01-31 }",
        };
        let message = format!("{problem} ({what} must be assessed before it begins: {src})");
        found.push((format!("purpose.{}.impact_assessment", purpose.id), message));
    }
    found
}

/// The first use of data for `purpose` that a law wants to have been assessed, and where it says so.
fn assessed(case: &Case<'_>, purpose: &PurposeRule) -> Option<(String, String)> {
    let uses = uses(case, |other| other.id == purpose.id).into_iter().filter_map(|used| {
        let of = match used.law {
            Matter::SpecialCategory => Assessed::SpecialCategory,
            Matter::Provision => Assessed::Provision,
            Matter::Publication => Assessed::Publication,
            Matter::Overseas => Assessed::Overseas,
            Matter::Training => return None,
        };
        Some((of, format!("{} of {}", used.what, used.category)))
    });
    uses.chain(others(case, purpose)).find_map(|(of, what)| {
        let rule = case.law.assessments(of).next()?;
        Some((what, rule.src.to_string()))
    })
}

/// What needs no consent of its own.
fn others<'a>(case: &'a Case<'_>, purpose: &'a PurposeRule) -> impl Iterator<Item = (Assessed, String)> {
    let used = move || case.personal().filter(move |(_, category)| category.purposes.contains(&purpose.id));
    let strangers = case.document.processor.values().filter(|receiver| !receiver.is_own());
    let entrusted = strangers.flat_map(move |receiver| {
        let sent = used().filter(move |(id, _)| may_get(receiver, id, &[purpose]));
        sent.map(move |(id, _)| (Assessed::Entrusting, format!("giving {id} to {}", receiver.id)))
    });
    let profiled = used().filter(move |_| purpose.processing.contains(&Processing::Profiling));
    let profiled = profiled.map(|(id, _)| (Assessed::Profiling, format!("judging people by {id}")));
    entrusted.chain(profiled)
}
