//! Rules about data that leaves the jurisdiction.

use sayso_types::{ProcessorKind, RegionClass};

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{Mechanism, Processor, ProcessorState, Sensitivity};

fn overseas<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Processor> {
    let processors = case.document.processor.values();
    processors.filter(|p| p.region_class == RegionClass::Overseas && p.state == ProcessorState::Active)
}

pub(in crate::lint) static XBORDER_NO_MECHANISM: Rule = Rule {
    id: "XBORDER_NO_MECHANISM",
    breach: "an active overseas processor has no legal means of transfer",
    source: "XZ-4.6b; cn-pipl:38, gdpr:44",
    waivable: false,
    look: no_mechanism,
};

fn no_mechanism(case: &Case<'_>) -> Found {
    let without = overseas(case).filter(|p| p.mechanism.as_ref().is_none_or(|m| *m == Mechanism::None));
    without
        .map(|p| {
            let message = "is active and overseas but has no transfer mechanism; name one or set state = \"draft\"";
            (format!("processor.{}.mechanism", p.id), message.to_owned())
        })
        .collect()
}

pub(in crate::lint) static XBORDER_MECHANISM_WEAK: Rule = Rule {
    id: "XBORDER_MECHANISM_WEAK",
    breach: "so many people's data may go overseas that the law asks for another means of transfer",
    source: "XZ-4.6b; cn-xborder:7, cn-xborder:8",
    waivable: false,
    look: weak,
};

fn weak(case: &Case<'_>) -> Found {
    let cap = case.document.transfers.sensitive_subjects_max;
    let mut found = Found::new();
    for p in overseas(case) {
        let sensitive = p.accepts.iter().filter_map(|id| case.document.category.get(id));
        let sensitive = sensitive.into_iter().any(|rule| rule.sensitivity >= Sensitivity::High);
        let Some(mechanism) = p.mechanism.as_ref().filter(|_| sensitive) else { continue };
        if matches!(mechanism, Mechanism::None | Mechanism::Exempt(_)) {
            continue;
        }
        let people = cap.map_or(u64::MAX, u64::from);
        if let Some(rule) = case.law.transfers(people, people).find(|rule| !rule.any_of.contains(mechanism)) {
            let enough = rule.any_of.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            let message = format!(
                "sensitive data of {} people or more needs {enough} ({}); get that, or write fewer into \
                 transfers.sensitive_subjects_max",
                rule.sensitive_persons, rule.src
            );
            found.push((format!("processor.{}.mechanism", p.id), message));
        }
    }
    found
}

pub(in crate::lint) static XBORDER_CONTRADICTS_LOCATION: Rule = Rule {
    id: "XBORDER_CONTRADICTS_LOCATION",
    breach: "data goes where the policy says that it does not",
    source: "AW-3.1, XS-III.1, ZG-S2, conflict C3; gdpr:13-1-f",
    waivable: false,
    look: contradicts_location,
};

fn contradicts_location(case: &Case<'_>) -> Found {
    let transfers = &case.document.transfers;
    let mut found = Found::new();
    if !transfers.overseas {
        for p in overseas(case) {
            let message = "is overseas, and the policy lets nothing leave; set state = \"draft\", or tell people and \
                           write transfers.overseas = true";
            found.push((format!("processor.{}.region_class", p.id), message.to_owned()));
        }
    }
    let stores = case.document.processor.values().filter(|p| p.kind == ProcessorKind::Database);
    let stores = stores.filter(|p| p.state == ProcessorState::Active);
    for p in stores.filter(|p| !transfers.lets_store_in(&p.region)) {
        let message =
            format!("a store in {} is none of transfers.storage; tell people and add it, or move it", p.region);
        found.push((format!("processor.{}.region", p.id), message));
    }
    found
}
