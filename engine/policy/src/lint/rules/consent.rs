//! Rules about what consent must be: how clear, and whether asked apart from everything else.

use std::collections::BTreeMap;

use sayso_types::RegionClass;

use crate::ConsentType;
use crate::law::Matter;
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::{CategoryRule, LegalBasis, Processing, Processor, ProcessorState, PurposeRule, Sensitivity};

pub(in crate::lint) static BASIS_IMPLIED_FOR_SENSITIVE: Rule = Rule {
    id: "BASIS_IMPLIED_FOR_SENSITIVE",
    breach: "going on to use the service counts as consent to sensitive data",
    source: "XZ-0.2, AW-0.1, ZG-0.1, conflict C1; cn-pipl:14, cn-pipl:29, gdpr:4-11",
    waivable: false,
    look: implied,
};

fn implied(case: &Case<'_>) -> Found {
    let sensitive: Vec<_> = case
        .personal()
        .filter(|(_, rule)| rule.sensitivity >= Sensitivity::High && case.agreed(rule).next().is_some())
        .collect();
    let mut found = Found::new();
    if case.document.asks.consent_type == ConsentType::Implied && !sensitive.is_empty() {
        let what = sensitive.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ");
        let message = format!("using the service is no consent to {what}; ask, and write \"ExpressedConsent\" or more");
        found.push(("asks.consent_type".to_owned(), message));
    }
    for (id, rule) in sensitive {
        if case.document.min_consent_type(rule) == ConsentType::Implied {
            let message = "is sensitive, so consent to it must be at least \"ExpressedConsent\"; write that here";
            found.push((format!("category.{id}.min_consent_type"), message.to_owned()));
        }
    }
    found
}

pub(in crate::lint) static CONSENT_BELOW_LAW: Rule = Rule {
    id: "CONSENT_BELOW_LAW",
    breach: "less clear a consent is enough than a named law asks for",
    source: "conflict C1; cn-pipl:14, cn-pipl:23, cn-pipl:25, cn-pipl:29, cn-pipl:39, gdpr:9-2-a",
    waivable: false,
    look: below_law,
};

fn below_law(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for matter in matters(case) {
        let Some((least, _)) = case.law.consent(matter.law) else { continue };
        if matter.min_type < least {
            let src = articles(case, matter.law);
            let message = format!("{} asks for {} ({src}); write that here", matter.what, spelled(least));
            found.entry(matter.type_key).or_insert(message);
        }
    }
    found.into_iter().collect()
}

pub(in crate::lint) static SEPARATE_MISSING: Rule = Rule {
    id: "SEPARATE_MISSING",
    breach: "consent that must be asked apart from everything else need not be",
    source: "XZ-1.8, XZ-4.6a, XS-II.3, ZG-D2, conflict C1; cn-pipl:23, cn-pipl:25, cn-pipl:29, cn-pipl:39",
    waivable: false,
    look: separate,
};

fn separate(case: &Case<'_>) -> Found {
    let mut found = BTreeMap::new();
    for matter in matters(case).into_iter().filter(|matter| !matter.separate) {
        // where no law says anything about special categories, the engine does
        let asked = case.law.consent(matter.law).map_or(matter.law == Matter::SpecialCategory, |(_, apart)| apart);
        if asked {
            let src = articles(case, matter.law);
            let src = if src.is_empty() { String::new() } else { format!(" ({src})") };
            let message = format!("{} needs a consent of its own{src}; write `separate = true`", matter.what);
            found.entry(matter.separate_key).or_insert(message);
        }
    }
    found.into_iter().collect()
}

pub(in crate::lint) static BASIS_CONTRADICTED: Rule = Rule {
    id: "BASIS_CONTRADICTED",
    breach: "what rests on something else than consent waits for consent to another purpose",
    source: "ZG-0.2; cn-pipl:16, gdpr:7-4",
    waivable: true,
    look: contradicted,
};

fn contradicted(case: &Case<'_>) -> Found {
    let waiting = case.document.purpose.values().filter(|purpose| !purpose.requires.is_empty());
    let contradicted = waiting.filter(|purpose| purpose.basis != LegalBasis::Consent);
    contradicted
        .map(|purpose| {
            let message = format!("rests on {}, which nobody has to agree to; remove it", purpose.basis);
            (format!("purpose.{}.requires", purpose.id), message)
        })
        .collect()
}

/// A use of data that laws may ask a consent of its own for, and what the profile asks.
pub(super) struct Use {
    pub(super) law: Matter,
    pub(super) what: String,
    pub(super) category: String,
    min_type: ConsentType,
    separate: bool,
    type_key: String,
    separate_key: String,
}

fn matters(case: &Case<'_>) -> Vec<Use> {
    uses(case, |purpose| purpose.basis == LegalBasis::Consent)
}

/// Those for the purposes that `is_meant`.
pub(super) fn uses(case: &Case<'_>, is_meant: impl Fn(&PurposeRule) -> bool) -> Vec<Use> {
    let mut uses = Vec::new();
    for (id, category) in case.personal() {
        let purposes: Vec<_> = case.purposes(category).filter(|purpose| is_meant(purpose)).collect();
        if purposes.is_empty() {
            continue;
        }
        let plain = |law, what: String| Use {
            law,
            what,
            category: id.clone(),
            min_type: case.document.min_consent_type(category),
            separate: category.separate || purposes.iter().all(|purpose| purpose.separate),
            type_key: format!("category.{id}.min_consent_type"),
            separate_key: format!("category.{id}.separate"),
        };
        if category.sensitivity == Sensitivity::Special {
            uses.push(plain(Matter::SpecialCategory, "a special category".to_owned()));
        }
        for receiver in case.document.processor.values().filter(|receiver| may_get(receiver, &id, &purposes)) {
            if receiver.region_class == RegionClass::Overseas {
                let stricter = category.in_region.get(&RegionClass::Overseas).copied().unwrap_or_default();
                let what = format!("sending it overseas, to {}", receiver.id);
                let here = plain(Matter::Overseas, what);
                uses.push(Use {
                    min_type: stricter.min_consent_type.map_or(here.min_type, |more| more.max(here.min_type)),
                    separate: here.separate || stricter.separate,
                    type_key: format!("category.{id}.in_region.overseas.min_consent_type"),
                    separate_key: format!("category.{id}.in_region.overseas.separate"),
                    ..here
                });
            }
            if receiver.independent_controller {
                let what = format!("giving it to {}, who decides what to do with it,", receiver.id);
                uses.push(plain(Matter::Provision, what));
            }
            if receiver.trains_on_data == Some(true) {
                uses.push(plain(Matter::Training, format!("training at {}", receiver.id)));
            }
        }
        for purpose in &purposes {
            for processing in &purpose.processing {
                let law = match processing {
                    Processing::Publish => Matter::Publication,
                    Processing::Share => Matter::Provision,
                    Processing::Train => Matter::Training,
                    _ => continue,
                };
                let what = format!("{processing:?} in purpose {}", purpose.id);
                uses.push(Use {
                    separate: category.separate || purpose.separate,
                    separate_key: format!("purpose.{}.separate", purpose.id),
                    ..plain(law, what)
                });
            }
        }
    }
    uses
}

/// Whether `receiver` may get data of `category` for one of `purposes`, now or once it is let again.
pub(super) fn may_get(receiver: &Processor, category: &str, purposes: &[&PurposeRule]) -> bool {
    matches!(receiver.state, ProcessorState::Active | ProcessorState::Suspended)
        && receiver.accepts.iter().any(|accepted| accepted.as_str() == category)
        && purposes.iter().any(|purpose| receiver.purposes.contains(&purpose.id))
}

fn articles(case: &Case<'_>, matter: Matter) -> String {
    case.law.consent_rules(matter).map(|rule| rule.src.to_string()).collect::<Vec<_>>().join("; ")
}

fn spelled(least: ConsentType) -> String {
    crate::words::spelled(&least)
}

/// Whether consent to `category` must be asked apart from everything else.
pub(super) fn is_apart(category: &CategoryRule) -> bool {
    category.separate || category.sensitivity == Sensitivity::Special
}
