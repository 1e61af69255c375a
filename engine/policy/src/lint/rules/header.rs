//! Rules about the head of the profile: its dates, and who runs the deployment.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{Date, Deployment};

pub(in crate::lint) static DATE_INCOMPLETE: Rule = Rule {
    id: "DATE_INCOMPLETE",
    breach: "a date says less than a day",
    source: "CA-10, defect D4",
    waivable: false,
    look: incomplete,
};

fn incomplete(case: &Case<'_>) -> Found {
    let header = &case.document.profile;
    let dates =
        [("profile.effective_at", Some(&header.effective_at)), ("profile.published_at", header.published_at.as_ref())];
    let dates = dates.into_iter().filter_map(|(key, date)| Some((key.to_owned(), date?)));
    let measures = case.document.security.measures.iter();
    let evidence = measures.filter_map(|(id, rule)| {
        Some((format!("security.measures.{id}.evidence_until"), rule.evidence_until.as_ref()?))
    });
    dates
        .chain(evidence)
        .filter_map(|(key, date)| match date {
            Date::Moment(_) => None,
            Date::Incomplete(words) => {
                Some((key, format!("`{words}` is not a day; write year, month and day, as in 2026-02-27")))
            }
        })
        .collect()
}

pub(in crate::lint) static EVIDENCE_EXPIRED: Rule = Rule {
    id: "EVIDENCE_EXPIRED",
    breach: "a measure is promised whose evidence no longer holds when the policy does",
    source: "ZG-P3; gdpr:32-1",
    waivable: false,
    look: expired,
};

fn expired(case: &Case<'_>) -> Found {
    let Some(effective) = case.document.profile.effective_at.moment() else { return Found::new() };
    let measures = case.document.security.measures.iter();
    let expired = measures.filter(|(_, rule)| {
        rule.evidence_until.as_ref().and_then(Date::moment).is_some_and(|until| until <= effective)
    });
    expired
        .map(|(id, _)| {
            let message = "has run out when the policy comes into force; have it renewed, or promise it no longer";
            (format!("security.measures.{id}.evidence_until"), message.to_owned())
        })
        .collect()
}

pub(in crate::lint) static EFFECTIVE_BEFORE_NOTICE: Rule = Rule {
    id: "EFFECTIVE_BEFORE_NOTICE",
    breach: "the policy holds before people could know it",
    source: "XZ-9.2, AW-8.2; cn-pipl:17",
    waivable: false,
    look: before_notice,
};

fn before_notice(case: &Case<'_>) -> Found {
    let header = &case.document.profile;
    let found = |message: String| vec![("profile.effective_at".to_owned(), message)];
    let (Some(effective), Some(published)) =
        (header.effective_at.moment(), header.published_at.as_ref().and_then(Date::moment))
    else {
        return match header.notice_lead {
            Some(_) if header.published_at.is_none() => {
                let message = "a lead is promised from a day that is not said; write `published_at`";
                vec![("profile.notice_lead".to_owned(), message.to_owned())]
            }
            _ => Found::new(),
        };
    };
    let lead = header.notice_lead.map_or(core::time::Duration::ZERO, |lead| lead.longest());
    let earliest = u128::from(published.0) + lead.as_millis();
    if u128::from(effective.0) >= earliest {
        return Found::new();
    }
    match header.notice_lead {
        None => found("lies before `published_at`; people must know the policy first, so move it behind".to_owned()),
        Some(lead) => found(format!(
            "comes sooner than {lead} after `published_at`; move it later, or publish earlier (working days count as \
             long as they can take)"
        )),
    }
}

pub(in crate::lint) static TEST_PLATFORM_NO_MAX_AGE: Rule = Rule {
    id: "TEST_PLATFORM_NO_MAX_AGE",
    breach: "a test platform does not say how long it keeps anything at most",
    source: "XZ-4.5",
    waivable: false,
    look: no_max_age,
};

fn no_max_age(case: &Case<'_>) -> Found {
    let max = case.document.retention.test_platform_max.as_ref();
    if !is_test(case) || max.is_some_and(|max| max.period().is_some()) {
        return Found::new();
    }
    let message = "a test platform is cleared at intervals; say how long anything is kept, such as \"P7D\"";
    vec![("retention.test_platform_max".to_owned(), message.to_owned())]
}

pub(in crate::lint) static TEST_PLATFORM_SENSITIVE: Rule = Rule {
    id: "TEST_PLATFORM_SENSITIVE",
    breach: "a test platform takes in pictures, or data of a special category",
    source: "XZ-4.5",
    waivable: false,
    look: sensitive,
};

fn sensitive(case: &Case<'_>) -> Found {
    if !is_test(case) {
        return Found::new();
    }
    let barred = case.document.category.iter().filter(|(id, rule)| rule.is_barred_from_trials(**id));
    barred
        .map(|(id, _)| {
            let message =
                "no picture and nothing of a special category belongs on a test platform; remove the category";
            (format!("category.{id}"), message.to_owned())
        })
        .collect()
}

fn is_test(case: &Case<'_>) -> bool {
    case.document.profile.deployment == Deployment::TestPlatform
}
