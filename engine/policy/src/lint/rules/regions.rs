//! Rules about where things are: places that there are, called by what they are.

use sayso_types::{ProcessorKind, RegionClass};

use crate::country::{UNION, is_country, is_like_a_country, no_country};
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::ProcessorState;
use crate::words::spelled;

pub(in crate::lint) static REGION_UNKNOWN: Rule = Rule {
    id: "REGION_UNKNOWN",
    breach: "a place is named that there is not, or that nobody else can tell",
    source: "XZ-4.6c, AW-3.1; cn-pipl:39, gdpr:13-1-f",
    waivable: false,
    look: unknown,
};

fn unknown(case: &Case<'_>) -> Found {
    let document = case.document;
    let mut found = Found::new();
    let jurisdiction = &document.profile.jurisdiction;
    if jurisdiction != "*" && !is_country(jurisdiction) {
        let message = format!("{}; or \"*\" for whichever holds where people are", no_country(jurisdiction));
        found.push(("profile.jurisdiction".to_owned(), message));
    }
    for p in document.processor.values() {
        // at whoever runs the deployment a word will do, such as `home`
        let is_abroad = p.region_class != RegionClass::Local && p.state == ProcessorState::Active;
        if !is_country(&p.region) && (is_abroad || is_like_a_country(&p.region)) {
            found.push((format!("processor.{}.region", p.id), no_country(&p.region)));
        }
    }
    let stores = || document.processor.values().filter(|p| p.kind == ProcessorKind::Database);
    for place in document.transfers.storage.iter().filter(|place| !is_country(place)) {
        if is_like_a_country(place) || !stores().any(|store| store.region == *place) {
            let message = format!("{}; or the `region` of a store", no_country(place));
            found.push(("transfers.storage".to_owned(), message));
        }
    }
    found
}

pub(in crate::lint) static PROC_REGION_MISLABELLED: Rule = Rule {
    id: "PROC_REGION_MISLABELLED",
    breach: "a processor abroad is called domestic, or the other way round, or somebody else's local",
    source: "XZ-4.6a, XZ-4.6d; cn-pipl:38, gdpr:44",
    waivable: false,
    look: mislabelled,
};

fn mislabelled(case: &Case<'_>) -> Found {
    let jurisdiction = &case.document.profile.jurisdiction;
    // of a union of countries no code says which belong to it
    let is_told = is_country(jurisdiction) && jurisdiction != UNION;
    let mut found = Found::new();
    for p in case.document.processor.values() {
        let is_local = p.region_class == RegionClass::Local;
        let is_placed = is_told && is_country(&p.region);
        let right = match () {
            () if is_placed && p.region != *jurisdiction => RegionClass::Overseas,
            () if is_placed && !is_local => RegionClass::Domestic,
            () if is_local && !p.is_own() => {
                let message = format!(
                    "{} runs it, so it is none of the operator's own machines; write \"domestic\" or \"overseas\"",
                    p.party
                );
                found.push((format!("processor.{}.region_class", p.id), message));
                continue;
            }
            () => continue,
        };
        if p.region_class != right {
            let right = spelled(&right);
            let message = format!("{} is {right} for {jurisdiction}; write \"{right}\", or change `region`", p.region);
            found.push((format!("processor.{}.region_class", p.id), message));
        }
    }
    found
}
