//! What must hold between the parts of a profile before anything can be said about it: names resolve, nothing is its
//! own source, people can be asked. Whether its promises can be kept is for the linter to say.

use core::time::Duration;
use std::collections::BTreeSet;

use sayso_types::{Category, ProcessorKind, Purpose, RegionClass};

use super::{
    AtRest, Document, Language, LegalBasis, Necessity, Notice, ProhibitedPurpose, PurposeRule, SPOKEN_MAX, Src,
    VISIT_MAX, speaking_time,
};
use crate::error::{Nearest, Problem};
use crate::words::spelled;

/// A shorter permit could not be renewed in time through one slow commit.
pub const PERMIT_TTL_MIN: Duration = Duration::from_millis(500);
/// A longer permit would let a holder that lost its connection go on for longer than a person waits for "stop".
pub const PERMIT_TTL_MAX: Duration = Duration::from_secs(60);

/// Uses of categories times processors: what a table of decisions has an entry of 16 bytes for. The largest of the five
/// policies that Sayso was made for has some thousand.
pub const CELLS_MAX: usize = 32_768;

/// Entries of one list, such as purposes: what the linter compares with one another. The largest of the five policies that Sayso
/// was made for has some fifty.
pub const ITEMS_MAX: usize = 1_024;

/// A problem and the key that it is at.
type At = (String, Problem);

pub(super) fn check(document: &Document) -> Result<(), At> {
    items(document)?;
    controller(document)?;
    languages(document)?;
    calendar(document)?;
    permit_ttl(document)?;
    visits(document)?;
    said(document)?;
    references(document)?;
    cells(document)?;
    fields(document)?;
    clauses(document)?;
    lineage(document)?;
    order(document)?;
    consent_question(document)
}

fn items(document: &Document) -> Result<(), At> {
    for (key, found) in [
        ("purpose", document.purpose.len()),
        ("category", document.category.len()),
        ("processor", document.processor.len()),
        ("prohibition", document.prohibition.len()),
        ("clause", document.clause.len()),
    ] {
        if found > ITEMS_MAX {
            return Err((key.to_owned(), Problem::Items { found, max: ITEMS_MAX }));
        }
    }
    Ok(())
}

fn controller(document: &Document) -> Result<(), At> {
    if document.controller.name.trim().is_empty() {
        let remedy = "name the person or organisation that answers for the processing";
        return Err(("controller.name".to_owned(), Problem::Empty(remedy)));
    }
    if let Some((key, _)) = document.controller.others().find(|(_, who)| who.name.trim().is_empty()) {
        return Err((format!("{key}.name"), Problem::Empty("name the person or organisation")));
    }
    if document.profile.supervisor.as_ref().is_some_and(|name| name.trim().is_empty()) {
        return Err(("profile.supervisor".to_owned(), Problem::Empty("name the authority, or leave the key out")));
    }
    Ok(())
}

fn languages(document: &Document) -> Result<(), At> {
    let languages = &document.profile.languages;
    if languages.is_empty() {
        let remedy = "list the languages that the notices are written in";
        return Err(("profile.languages".to_owned(), Problem::Empty(remedy)));
    }
    for language in languages {
        for (key, there) in [
            ("profile.title", document.profile.title.contains_key(language)),
            ("notice", document.notice.contains_key(language)),
        ] {
            if !there {
                return Err((key.to_owned(), Problem::Language(language.to_string())));
            }
        }
    }
    for (language, notice) in &document.notice {
        if !languages.contains(language) {
            return Err(("profile.languages".to_owned(), Problem::Language(language.to_string())));
        }
        for (key, text) in notice.texts() {
            if text.trim().is_empty() {
                let remedy = "write what the person is to hear or read";
                return Err((format!("notice.{language}.{key}"), Problem::Empty(remedy)));
            }
        }
        listened_to(*language, notice)?;
    }
    Ok(())
}

/// What is read out in one go is short enough to be listened to: by itself, and behind what tells that something changes.
fn listened_to(language: Language, notice: &Notice) -> Result<(), At> {
    let too_long = |text: &str| {
        let seconds = u64::try_from(speaking_time(text).as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
        (speaking_time(text) > SPOKEN_MAX).then_some((seconds, SPOKEN_MAX.as_secs()))
    };
    let more = notice.more.iter().enumerate().map(|(i, text)| (format!("more.{i}"), text));
    let alone = [("spoken".to_owned(), &notice.spoken), ("changed".to_owned(), &notice.changed)];
    for (key, text) in alone.into_iter().chain(more) {
        if let Some((seconds, max)) = too_long(text) {
            return Err((format!("notice.{language}.{key}"), Problem::SpokenTooLong { seconds, max }));
        }
    }
    let key = if notice.changed.is_empty() { "spoken" } else { "changed" };
    for (text, with) in [
        (
            notice.spoken_again(language),
            "the question and what is said before it to whoever agreed to an earlier revision",
        ),
        (notice.spoken_ahead(language), "this and what is said before it to whoever is told of the revision ahead"),
    ] {
        if let Some((seconds, max)) = too_long(&text) {
            return Err((format!("notice.{language}.{key}"), Problem::SpokenTogetherTooLong { with, seconds, max }));
        }
    }
    Ok(())
}

/// A calendar that is not counted on would be part of the profile for nothing.
fn calendar(document: &Document) -> Result<(), At> {
    let Some(own) = &document.calendar else { return Ok(()) };
    let named = document.profile.working_days.as_ref();
    declared(
        named.is_some_and(|name| name.as_str() == own.name()),
        "profile.working_days".to_owned(),
        "calendar",
        own.name(),
        || named.map(|name| name.as_str()).into_iter(),
    )
}

fn permit_ttl(document: &Document) -> Result<(), At> {
    let ttl = document.defaults.permit_ttl;
    if (PERMIT_TTL_MIN..=PERMIT_TTL_MAX).contains(&ttl) {
        return Ok(());
    }
    let (min, max) = (PERMIT_TTL_MIN.as_millis(), PERMIT_TTL_MAX.as_millis());
    let problem = Problem::PermitTtl { found_ms: ttl.as_millis(), min_ms: min, max_ms: max };
    Err(("defaults.permit_ttl".to_owned(), problem))
}

fn visits(document: &Document) -> Result<(), At> {
    let lasts = document.visits.lasts;
    if !lasts.is_zero() && lasts <= VISIT_MAX {
        return Ok(());
    }
    let problem = Problem::VisitLasts { found_s: lasts.as_secs(), max_s: VISIT_MAX.as_secs() };
    Err(("visits.lasts".to_owned(), problem))
}

/// Every purpose and category that is named must be declared.
fn references(document: &Document) -> Result<(), At> {
    let purpose = |key: String, id: &Purpose| {
        let known = || document.purpose.keys().map(Purpose::as_str);
        declared(document.purpose.contains_key(id), key, "purpose", id.as_str(), known)
    };
    let category = |key: String, id: &Category| {
        let known = || document.category.keys().map(Category::as_str);
        declared(document.category.contains_key(id), key, "category", id.as_str(), known)
    };

    for (id, rule) in &document.purpose {
        rule.requires.iter().try_for_each(|p| purpose(format!("purpose.{id}.requires"), p))?;
    }
    for (id, rule) in &document.category {
        rule.purposes.iter().try_for_each(|p| purpose(format!("category.{id}.purposes"), p))?;
        rule.derived_from.iter().try_for_each(|c| category(format!("category.{id}.derived_from"), c))?;
        if let Some(Necessity::RequiredFor(p)) = &rule.necessity {
            purpose(format!("category.{id}.necessity"), p)?;
        }
    }
    for (id, rule) in &document.processor {
        rule.accepts.iter().try_for_each(|c| category(format!("processor.{id}.accepts"), c))?;
        rule.fields.keys().try_for_each(|c| category(format!("processor.{id}.fields"), c))?;
        rule.volume.keys().try_for_each(|c| category(format!("processor.{id}.volume"), c))?;
        rule.purposes.iter().try_for_each(|p| purpose(format!("processor.{id}.purposes"), p))?;
    }
    for rule in &document.prohibition {
        if let Some(ProhibitedPurpose::Id(p)) = &rule.purpose {
            purpose("prohibition".to_owned(), p)?;
        }
        if let Some(c) = &rule.category {
            category("prohibition".to_owned(), c)?;
        }
    }
    for (code, rule) in &document.exemption {
        rule.categories.iter().try_for_each(|c| category(format!("exemption.{code}.categories"), c))?;
    }
    document.minors.overrides.keys().try_for_each(|c| category("minors.overrides".to_owned(), c))?;
    document.asks.evidence.iter().try_for_each(|c| category("asks.evidence".to_owned(), c))?;
    document.asks.spoken.iter().try_for_each(|p| purpose("asks.spoken".to_owned(), p))
}

/// Who gets data stands somewhere, and an assessment that is named can be found.
fn said(document: &Document) -> Result<(), At> {
    if let Some(rule) = document.processor.values().find(|rule| rule.region.trim().is_empty()) {
        let remedy = "say where it stands: an ISO 3166 code such as \"CN\", or words such as \"the device\"";
        return Err((format!("processor.{}.region", rule.id), Problem::Empty(remedy)));
    }
    let unnamed = |rule: &&PurposeRule| {
        rule.impact_assessment.as_ref().is_some_and(|assessment| assessment.reference.trim().is_empty())
    };
    if let Some(rule) = document.purpose.values().find(unnamed) {
        let remedy = "write the name or number of the assessment";
        return Err((format!("purpose.{}.impact_assessment.reference", rule.id), Problem::Empty(remedy)));
    }
    Ok(())
}

fn declared<'a, I: Iterator<Item = &'a str>>(
    there: bool,
    key: String,
    sort: &'static str,
    name: &str,
    known: impl FnOnce() -> I,
) -> Result<(), At> {
    if there {
        return Ok(());
    }
    Err((key, Problem::Reference { sort, name: name.to_owned(), nearest: Nearest::to(name, known()) }))
}

fn cells(document: &Document) -> Result<(), At> {
    let uses: usize = document.category.values().map(|rule| rule.purposes.len()).sum();
    let found = uses * document.processor.len();
    if found <= CELLS_MAX {
        return Ok(());
    }
    Err(("processor".to_owned(), Problem::Cells { found, max: CELLS_MAX }))
}

/// A processor's field masks are made of the fields that the category has.
fn fields(document: &Document) -> Result<(), At> {
    for (id, rule) in &document.processor {
        for (category, fields) in &rule.fields {
            let known = &document.category[category].attrs;
            if let Some(field) = fields.iter().find(|field| !known.contains(*field)) {
                return Err((format!("processor.{id}.fields"), Problem::Field(field.clone())));
            }
        }
    }
    Ok(())
}

/// Every clause that is cited must be one of the written policy. Profiles that turn no written policy into data have
/// no clauses, and cite none.
fn clauses(document: &Document) -> Result<(), At> {
    for (key, src) in document.cited() {
        for cited in src {
            let Some(id) = cited.clause() else { continue };
            let known = || document.clause.keys().map(super::ClauseId::as_str);
            declared(document.clause.contains_key(&id), key.clone(), "clause", &cited.to_string(), known)?;
        }
    }
    Ok(())
}

impl Document {
    /// Everything that cites clauses, with its key.
    pub fn cited(&self) -> impl Iterator<Item = (String, &Src)> {
        let one = |key: &str, src| (key.to_owned(), src);
        let sections = [
            one("profile", &self.profile.src),
            one("controller", &self.controller.src),
            one("defaults", &self.defaults.src),
            one("retention", &self.retention.src),
            one("registry", &self.registry.src),
            one("transfers", &self.transfers.src),
            one("routing", &self.routing.src),
            one("minors", &self.minors.src),
            one("rights", &self.rights.src),
            one("incident", &self.incident.src),
            one("revision", &self.revision.src),
            one("law", &self.law.src),
            one("asks", &self.asks.src),
            one("visits", &self.visits.src),
            one("tenants", &self.tenants.src),
        ];
        let incident = [("subjects", &self.incident.subjects), ("regulator", &self.incident.regulator)];
        let incident =
            incident.into_iter().filter_map(|(key, told)| Some((format!("incident.{key}"), &told.as_ref()?.src)));
        sections
            .into_iter()
            .chain(self.purpose.iter().map(|(id, rule)| (format!("purpose.{id}"), &rule.src)))
            .chain(self.prohibition.iter().map(|rule| ("prohibition".to_owned(), &rule.src)))
            .chain(self.category.iter().map(|(id, rule)| (format!("category.{id}"), &rule.src)))
            .chain(self.processor.iter().map(|(id, rule)| (format!("processor.{id}"), &rule.src)))
            .chain(self.exemption.iter().map(|(id, rule)| (format!("exemption.{id}"), &rule.src)))
            .chain(
                self.rights.offers.iter().map(|(kind, right)| (format!("rights.offers.{}", spelled(kind)), &right.src)),
            )
            .chain(self.notify.iter().map(|(on, duty)| (format!("notify.{}", spelled(on)), &duty.src)))
            .chain(incident)
            .chain(self.security.measures.iter().map(|(id, rule)| (format!("security.measures.{id}"), &rule.src)))
            .chain(self.notice.iter().map(|(lang, texts)| (format!("notice.{lang}"), &texts.src)))
    }
}

/// No category may be its own source.
fn lineage(document: &Document) -> Result<(), At> {
    for start in document.category.keys() {
        let mut seen = BTreeSet::new();
        let mut queue = vec![start];
        while let Some(id) = queue.pop() {
            for source in &document.category[id].derived_from {
                if source == start {
                    let (name, why) = (start.to_string(), "data cannot be its own source");
                    return Err((format!("category.{start}.derived_from"), Problem::Cycle { name, why }));
                }
                if seen.insert(source) {
                    queue.push(source);
                }
            }
        }
    }
    Ok(())
}

/// What must be agreed to first can be agreed to, and before what it is for.
fn order(document: &Document) -> Result<(), At> {
    for (id, rule) in &document.purpose {
        let key = || format!("purpose.{id}.requires");
        if let Some(other) = rule.requires.iter().find(|other| document.purpose[*other].basis != LegalBasis::Consent) {
            return Err((key(), Problem::NothingToAsk(other.to_string())));
        }
        if rule.consent_lasts.is_some() && rule.basis != LegalBasis::Consent {
            return Err((format!("purpose.{id}.consent_lasts"), Problem::NothingToAsk(id.to_string())));
        }
        if document.required(rule).contains(id) {
            let (name, why) = (id.to_string(), "consent to it would have to come before itself");
            return Err((key(), Problem::Cycle { name, why }));
        }
    }
    Ok(())
}

/// The answer to the consent question is heard before there is consent: by what finds and recognises speech here, and not kept.
fn consent_question(document: &Document) -> Result<(), At> {
    for (id, rule) in &document.processor {
        let hears = matches!(rule.kind, ProcessorKind::Vad | ProcessorKind::Asr);
        let is_here = rule.region_class == RegionClass::Local;
        if rule.purposes.contains(&Purpose::CONSENT_ANSWER) && !(hears && is_here) {
            return Err((format!("processor.{id}.purposes"), Problem::ConsentAnswerLeaves));
        }
    }
    for (id, rule) in &document.category {
        if rule.purposes.contains(&Purpose::CONSENT_ANSWER) && rule.at_rest != AtRest::Forbidden {
            return Err((format!("category.{id}.at_rest"), Problem::ConsentAnswerStored));
        }
    }
    for id in &document.asks.spoken {
        if document.purpose[id].basis != LegalBasis::Consent {
            return Err(("asks.spoken".to_owned(), Problem::NothingToAsk(id.to_string())));
        }
    }
    Ok(())
}
