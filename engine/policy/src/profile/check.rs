//! What must hold between the parts of a profile before anything may run under it.

use core::time::Duration;
use std::collections::BTreeSet;

use sayso_types::{Category, ProcessorKind, Purpose, RegionClass};

use super::{AtRest, Document, LegalBasis, Necessity, ProcessorState, ProhibitedPurpose, SPOKEN_MAX, speaking_time};
use crate::Error;
use crate::error::Nearest;

/// A shorter permit could not be renewed in time through one slow commit.
pub const PERMIT_TTL_MIN: Duration = Duration::from_millis(500);
/// A longer permit would let a holder that lost its connection go on for longer than a person waits for "stop".
pub const PERMIT_TTL_MAX: Duration = Duration::from_secs(60);

pub(super) fn check(document: &Document) -> Result<(), Error> {
    controller(document)?;
    languages(document)?;
    permit_ttl(document)?;
    references(document)?;
    lineage(document)?;
    processors(document)?;
    consent_question(document)
}

fn controller(document: &Document) -> Result<(), Error> {
    let who = &document.controller;
    if who.name.trim().is_empty() {
        return Err(Error::Empty {
            place: "controller.name".to_owned(),
            remedy: "name the person or organisation that answers for the processing",
        });
    }
    if who.contact.ways().next().is_none() {
        return Err(Error::Empty {
            place: "controller.contact".to_owned(),
            remedy: "give an address, email, phone or url at which people reach the controller",
        });
    }
    Ok(())
}

fn languages(document: &Document) -> Result<(), Error> {
    let languages = &document.profile.languages;
    if languages.is_empty() {
        return Err(Error::Empty {
            place: "profile.languages".to_owned(),
            remedy: "list the languages that the notices are written in",
        });
    }
    for language in languages {
        for (place, there) in [
            ("profile.title", document.profile.title.contains_key(language)),
            ("notice", document.notice.contains_key(language)),
        ] {
            if !there {
                return Err(Error::Language { place, language: language.to_string() });
            }
        }
    }
    for (language, notice) in &document.notice {
        if !languages.contains(language) {
            return Err(Error::Language { place: "profile.languages", language: language.to_string() });
        }
        for (key, text) in notice.texts() {
            if text.trim().is_empty() {
                return Err(Error::Empty {
                    place: format!("notice.{language}.{key}"),
                    remedy: "write what the person is to hear or read",
                });
            }
        }
        let length = speaking_time(&notice.spoken);
        if length > SPOKEN_MAX {
            return Err(Error::SpokenTooLong {
                language: language.to_string(),
                seconds: length.as_secs(),
                max: SPOKEN_MAX.as_secs(),
            });
        }
    }
    Ok(())
}

fn permit_ttl(document: &Document) -> Result<(), Error> {
    let ttl = document.defaults.permit_ttl;
    if (PERMIT_TTL_MIN..=PERMIT_TTL_MAX).contains(&ttl) {
        return Ok(());
    }
    Err(Error::PermitTtl {
        found_ms: ttl.as_millis(),
        min_ms: PERMIT_TTL_MIN.as_millis(),
        max_ms: PERMIT_TTL_MAX.as_millis(),
    })
}

/// Every purpose and category that is named must be declared.
fn references(document: &Document) -> Result<(), Error> {
    let purpose = |place: String, id: &Purpose| {
        if document.purpose.contains_key(id) {
            return Ok(());
        }
        let nearest = Nearest::to(id.as_str(), document.purpose.keys().map(Purpose::as_str));
        Err(Error::Reference { place, sort: "purpose", name: id.to_string(), nearest })
    };
    let category = |place: String, id: &Category| {
        if document.category.contains_key(id) {
            return Ok(());
        }
        let nearest = Nearest::to(id.as_str(), document.category.keys().map(Category::as_str));
        Err(Error::Reference { place, sort: "category", name: id.to_string(), nearest })
    };

    for (id, rule) in &document.category {
        rule.purposes.iter().try_for_each(|p| purpose(format!("category.{id}.purposes"), p))?;
        rule.derived_from.iter().try_for_each(|c| category(format!("category.{id}.derived_from"), c))?;
        if let Necessity::RequiredFor(p) = &rule.necessity {
            purpose(format!("category.{id}.necessity"), p)?;
        }
    }
    for (id, rule) in &document.processor {
        rule.accepts.iter().try_for_each(|c| category(format!("processor {id}: accepts"), c))?;
        rule.purposes.iter().try_for_each(|p| purpose(format!("processor {id}: purposes"), p))?;
    }
    for rule in &document.prohibition {
        if let Some(ProhibitedPurpose::Id(p)) = &rule.purpose {
            purpose("prohibition: purpose".to_owned(), p)?;
        }
        if let Some(c) = &rule.category {
            category("prohibition: category".to_owned(), c)?;
        }
    }
    document.asks.spoken.iter().try_for_each(|p| purpose("asks.spoken".to_owned(), p))
}

/// No category may be its own source.
fn lineage(document: &Document) -> Result<(), Error> {
    for start in document.category.keys() {
        let mut seen = BTreeSet::new();
        let mut queue = vec![start];
        while let Some(id) = queue.pop() {
            for source in &document.category[id].derived_from {
                if source == start {
                    return Err(Error::Cycle(start.to_string()));
                }
                if seen.insert(source) {
                    queue.push(source);
                }
            }
        }
    }
    Ok(())
}

fn processors(document: &Document) -> Result<(), Error> {
    for (id, rule) in &document.processor {
        let overseas = rule.region_class == RegionClass::Overseas && rule.state == ProcessorState::Active;
        if overseas && rule.mechanism.as_deref().is_none_or(|m| m.trim().is_empty()) {
            return Err(Error::NoTransferMechanism(id.to_string()));
        }
    }
    Ok(())
}

/// The answer to the consent question is heard before there is consent: by a local recogniser only, and not kept.
fn consent_question(document: &Document) -> Result<(), Error> {
    for (id, rule) in &document.processor {
        let local_asr = rule.kind == ProcessorKind::Asr && rule.region_class == RegionClass::Local;
        if rule.purposes.contains(&Purpose::CONSENT_ANSWER) && !local_asr {
            return Err(Error::ConsentAnswerLeaves(id.to_string()));
        }
    }
    for (id, rule) in &document.category {
        if rule.purposes.contains(&Purpose::CONSENT_ANSWER) && rule.at_rest != AtRest::Forbidden {
            return Err(Error::ConsentAnswerStored(id.to_string()));
        }
    }
    for id in &document.asks.spoken {
        if document.purpose[id].basis != LegalBasis::Consent {
            return Err(Error::NothingToAsk(id.to_string()));
        }
    }
    Ok(())
}
