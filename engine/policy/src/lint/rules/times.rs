//! Rules about times: words that are none, and times that are longer than they may be.

use crate::law::Audience;
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::lint::rules::retention::says_never;
use crate::profile::RightKind;
use crate::words::spelled;
use crate::{Deadline, Period};

pub(in crate::lint) static VAGUE_TIME: Rule = Rule {
    id: "VAGUE_TIME",
    breach: "words such as \"promptly\" stand where a machine needs a number",
    source: "XZ-4.2, XZ-6.2, CA-5.2, AW-6.1, ZG-R1, clauses 1.6.6",
    waivable: true,
    look: vague,
};

fn vague(case: &Case<'_>) -> Found {
    let named = case.document.defaults.reasonable_time.as_ref().is_some_and(|time| time.period().is_some());
    let words = deadlines(case).into_iter().filter(|(_, deadline, sort)| {
        deadline.period().is_none() && !says_never(deadline) && !(named && *sort == Sort::Reasonable)
    });
    words
        .map(|(key, deadline, sort)| {
            let or = match sort {
                Sort::Reasonable => ", here or for all of them in defaults.reasonable_time",
                Sort::Exact => "",
            };
            (key, format!("\"{deadline}\" is no time that can be kept; write one such as \"P15WD\" or \"PT72H\"{or}"))
        })
        .collect()
}

pub(in crate::lint) static DEADLINE_TOO_LONG: Rule = Rule {
    id: "DEADLINE_TOO_LONG",
    breach: "a time is longer than a named law or the engine allows",
    source: "clauses 1.6.6, conflict C4; cn-pipl:50, cn-incident:4, gdpr:12-3, gdpr:33",
    waivable: false,
    look: too_long,
};

/// The longest that the engine allows whatever the profile says (clauses 1.6.6): fifteen working days are both the
/// longest answer that the five policies promise and the usual one in China; seventy-two hours are those of GDPR 33.
const LONGEST: [(&str, &str); 5] = [
    ("rights.respond_within", "P15WD"),
    ("rights.identity_within", "P5WD"),
    ("rights.offers.cancel.within", "P15WD"),
    ("minors.erase_on_discovery", "P3WD"),
    ("incident.subjects.within", "PT72H"),
];

fn too_long(case: &Case<'_>) -> Found {
    let mut found = Found::new();
    for (key, period) in periods(case) {
        let engine = LONGEST.iter().filter(|(limited, _)| *limited == key);
        let engine = engine.filter_map(|(_, limit)| Some((limit.parse().ok()?, "the engine's limit".to_owned())));
        let limit = engine.chain(by_law(case, &key)).find(|(limit, _)| period.may_exceed(*limit));
        if let Some((limit, src)) = limit {
            found.push((key, format!("{period} may be longer than {limit} ({src}); write {limit} or less")));
        }
    }
    found
}

/// What the named laws ask of the deadline at `key`.
fn by_law(case: &Case<'_>, key: &str) -> Vec<(Period, String)> {
    let tell = match key {
        "incident.subjects.within" => Audience::Subjects,
        "incident.regulator.within" => Audience::Regulator,
        // complaints are answered like requests; a right has a time of its own or the general one
        _ if key == "rights.respond_within" || is_right(key) => {
            return case.law.answers().iter().map(|rule| (rule.within, rule.src.to_string())).collect();
        }
        _ => return Vec::new(),
    };
    let rules = case.law.told_of_incidents(tell);
    rules.filter_map(|rule| Some((rule.within.period()?, rule.src.to_string()))).collect()
}

fn is_right(key: &str) -> bool {
    key.strip_prefix("rights.offers.").is_some_and(|rest| !rest.starts_with(&spelled(&RightKind::ShutdownNotice)))
}

/// Whose words count as `defaults.reasonable_time`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Reasonable,
    Exact,
}

/// Every deadline of the profile that is a length of time, with its key.
pub(super) fn periods(case: &Case<'_>) -> Vec<(String, Period)> {
    let deadlines = deadlines(case).into_iter().filter_map(|(key, deadline, _)| Some((key, deadline.period()?)));
    let identity = case.document.rights.identity_within.map(|period| ("rights.identity_within".to_owned(), period));
    let lead = case.document.profile.notice_lead.map(|period| ("profile.notice_lead".to_owned(), period));
    let tenants = case.document.rights.offers.iter().filter_map(|(kind, right)| {
        Some((format!("rights.offers.{}.tenant_first", spelled(kind)), right.tenant_first?))
    });
    deadlines.chain(identity).chain(lead).chain(tenants).chain(lengths(case)).collect()
}

/// Every length of time that is no deadline of anybody's, with its key.
fn lengths(case: &Case<'_>) -> impl Iterator<Item = (String, Period)> {
    let document = case.document;
    let lasts =
        document.purpose.values().map(|rule| (format!("purpose.{}.consent_lasts", rule.id), rule.consent_lasts));
    let kept = document
        .category
        .iter()
        .filter_map(|(id, rule)| Some((format!("category.{id}.retention"), rule.retention.as_ref()?)));
    let general = document.retention.default.as_ref().map(|rule| ("retention.default".to_owned(), rule));
    let kept = kept.chain(general).flat_map(|(key, rule)| {
        [("min", rule.min), ("max", rule.max), ("tolerance", rule.tolerance)]
            .map(|(name, time)| (format!("{key}.{name}"), time))
    });
    let minors = document.minors.overrides.iter();
    let minors = minors.map(|(id, rule)| (format!("minors.overrides.{id}.after"), rule.after));
    let granted = document.exemption.values().map(|rule| (format!("exemption.{}.max", rule.code), Some(rule.max)));
    let others = [
        ("registry.due_diligence_valid".to_owned(), document.registry.due_diligence_valid),
        ("security.audit_retention".to_owned(), document.security.audit_retention),
    ];
    let all = lasts.chain(kept).chain(minors).chain(granted).chain(others);
    all.filter_map(|(key, time)| Some((key, time?)))
}

/// Every deadline of the profile, with its key.
fn deadlines<'a>(case: &Case<'a>) -> Vec<(String, &'a Deadline, Sort)> {
    let document = case.document;
    let at = |key: &str, deadline: Option<&'a Deadline>, sort| Some((key.to_owned(), deadline?, sort));
    let retention = &document.retention;
    let incident = &document.incident;
    let single = [
        at("defaults.reasonable_time", document.defaults.reasonable_time.as_ref(), Sort::Exact),
        at("retention.default.after", retention.default.as_ref().map(|rule| &rule.after), Sort::Reasonable),
        at("retention.test_platform_max", retention.test_platform_max.as_ref(), Sort::Exact),
        at("retention.backup_purge", retention.backup_purge.as_ref(), Sort::Reasonable),
        at("minors.erase_on_discovery", document.minors.erase_on_discovery.as_ref(), Sort::Exact),
        at("rights.respond_within", document.rights.respond_within.as_ref(), Sort::Exact),
        at("incident.subjects.within", incident.subjects.as_ref().map(|told| &told.within), Sort::Exact),
        at("incident.regulator.within", incident.regulator.as_ref().map(|told| &told.within), Sort::Exact),
    ];
    let categories = document.category.iter().filter_map(|(id, rule)| {
        Some((format!("category.{id}.retention.after"), &rule.retention.as_ref()?.after, Sort::Reasonable))
    });
    let processors = document.processor.iter().filter_map(|(id, rule)| {
        Some((format!("processor.{id}.declared_retention"), rule.declared_retention.as_ref()?, Sort::Exact))
    });
    let rights = document.rights.offers.iter().filter_map(|(kind, right)| {
        Some((format!("rights.offers.{}.within", spelled(kind)), right.within.as_ref()?, Sort::Reasonable))
    });
    let notices = document.notify.iter().filter_map(|(occasion, duty)| {
        Some((format!("notify.{}.within", spelled(occasion)), duty.within.as_ref()?, Sort::Reasonable))
    });
    single.into_iter().flatten().chain(categories).chain(processors).chain(rights).chain(notices).collect()
}
