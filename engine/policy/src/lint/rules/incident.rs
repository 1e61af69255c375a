//! Rules about what is told when data got where it should not.

use crate::law::Audience;
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{IncidentField, IncidentNotice};

pub(in crate::lint) static INCIDENT_UNTOLD: Rule = Rule {
    id: "INCIDENT_UNTOLD",
    breach: "an incident is not told to somebody whom a named law has told, or not all that counts is",
    source: "XZ-4.4, CA-4.5, XS-III.3.5, ZG-P5; cn-pipl:57, cn-incident:4, gdpr:33, gdpr:34",
    waivable: false,
    look: untold,
};

/// What people are told at the least: what happened and what it may lead to, what was done, and what they can do.
const SUBJECTS: [IncidentField; 3] = [IncidentField::Situation, IncidentField::Impact, IncidentField::Measures];

fn untold(case: &Case<'_>) -> Found {
    let incident = &case.document.incident;
    let mut found = Found::new();
    for (tell, key, notice) in [
        (Audience::Regulator, "incident.regulator", &incident.regulator),
        (Audience::Subjects, "incident.subjects", &incident.subjects),
    ] {
        let by_law: Vec<_> =
            case.law.told_of_incidents(tell).map(|rule| format!("{} ({})", rule.within, rule.src)).collect();
        if by_law.is_empty() {
            continue;
        }
        let Some(notice) = notice else {
            let message = format!("must be told by law: {}; write [{key}] with `within`", by_law.join(", "));
            found.push((key.to_owned(), message));
            continue;
        };
        if let Some(field) = left_out(notice).filter(|_| tell == Audience::Subjects) {
            let message = format!("leaves out `{}`; add it", crate::words::spelled(&field));
            found.push((format!("{key}.fields"), message));
        }
    }
    found
}

fn left_out(notice: &IncidentNotice) -> Option<IncidentField> {
    SUBJECTS.into_iter().find(|field| !notice.fields.contains(field))
}
