//! What is said about everything at once, of two revisions compared. What shrinks here touches whatever anybody agreed
//! to. Every section is named, so that a new one does not compile before somebody has said who compares it.

use std::collections::BTreeSet;

use sayso_types::Cell;
use serde_json::Value;

use super::part::{Part, is_later, more, when};
use super::rights::is_shorter;
use super::{Change, ChangeKind, categories, consented_cells, flows, protections, purposes, rights};
use crate::profile::{
    Asks, Controller, Defaults, Deployment, Document, GoverningLaw, Header, Responsible, Tenants, UnknownAge, Visits,
    WithdrawMode,
};
use crate::words::spelled;
use crate::{Deadline, Period};

pub(super) fn changes(old: &Document, new: &Document) -> Vec<Change> {
    let agreed = consented_cells(old);
    let Document {
        profile,
        source: _,
        clause: _,
        calendar: _,
        controller,
        defaults,
        purpose: _,
        prohibition: _,
        category: _,
        retention: _,
        processor: _,
        registry: _,
        transfers: _,
        routing: _,
        exemption: _,
        minors: _,
        rights: _,
        notify: _,
        incident: _,
        revision: _,
        security: _,
        law,
        notice: _,
        asks,
        visits,
        tenants,
        lint: _,
    } = new;
    let mut part = Part::new(String::new(), agreed.clone());
    header(&mut part, (old, &old.profile), (new, profile));
    answers(&mut part, &old.controller, controller);
    default(&mut part, old, defaults);
    governing(&mut part, &old.law, law);
    asked(&mut part, old, asks);
    guests(&mut part, &old.visits, visits);
    answering_for(&mut part, &old.tenants, tenants);
    let mut changes = part.found();
    changes.extend(flows::changes(old, new));
    changes.extend(purposes::changes(old, new, &agreed));
    changes.extend(categories::changes(old, new, &agreed));
    changes.extend(protections::changes(old, new, &agreed));
    changes.extend(rights::changes(old, new, &agreed));
    changes
}

/// What tenants answer for protects the users of their products.
fn answering_for(part: &mut Part, was: &Tenants, is: &Tenants) {
    let Tenants { attest, evidence_within, src: _ } = is;
    let unattested = when(!attest, "a tenant's word for where data comes from is no longer asked for");
    part.compare(ChangeKind::Protection, "tenants.attest", (&was.attest, attest), unattested);
    let [before, now] =
        [was.evidence_within, *evidence_within].map(|within| within.map(|within| Deadline::from(Period::Iso(within))));
    let later = when(is_later(before.as_ref(), now.as_ref()), "tenants have longer to show evidence");
    part.compare(ChangeKind::Protection, "tenants.evidence_within", (&before, &now), later);
}

/// Each guest is asked anew; what changes is how long what is kept of them is.
fn guests(part: &mut Part, was: &Visits, is: &Visits) {
    let Visits { lasts, end_with_session, src: _ } = is;
    let longer = || Some("what is kept of a guest is kept for longer".to_owned());
    let key = "visits.lasts";
    part.compare(ChangeKind::Retention, key, (&was.lasts, lasts), longer().filter(|_| *lasts > was.lasts));
    let (key, ends) = ("visits.end_with_session", (&was.end_with_session, end_with_session));
    part.compare(ChangeKind::Retention, key, ends, longer().filter(|_| !end_with_session));
}

fn header(part: &mut Part, (old, was): (&Document, &Header), (new, is): (&Document, &Header)) {
    let Header {
        id: _,
        rev: _,
        format: _,
        title: _,
        jurisdiction,
        law_floor,
        working_days,
        languages,
        published_at: _,
        effective_at: _,
        notice_lead,
        url,
        deployment,
        companion,
        supervisor: _,
        src: _,
    } = is;
    let other = Some(format!("{jurisdiction} instead of {}", was.jurisdiction));
    part.compare(ChangeKind::Protection, "profile.jurisdiction", (&was.jurisdiction, jurisdiction), other);
    let dropped = more(law_floor, &was.law_floor).map(|dropped| format!("{dropped} is no longer held to"));
    part.compare(ChangeKind::Protection, "profile.law_floor", (&was.law_floor, law_floor), dropped);
    let counts = [old, new].iter().any(|text| serde_json::to_value(text).is_ok_and(|text| counts_working_days(&text)));
    // where there is no calendar every day counts as worked; a year that is decreed later was promised before
    let rests = match (old.calendar(), new.calendar()) {
        (Some(before), Some(now)) => now.rests_more_than(before),
        (before, now) => before.is_none() && now.is_some(),
    };
    let other = when(counts && rests, "days that counted as worked no longer do");
    part.compare(ChangeKind::Right, "profile.working_days", (&was.working_days, working_days), other.clone());
    part.compare(ChangeKind::Right, "calendar", (&old.calendar, &new.calendar), other);
    let [before, now] = [&was.languages, languages].map(|languages| languages.iter().copied().collect());
    let silent = more(&now, &before).map(|lost| format!("nobody is told in {lost} any more"));
    part.compare(ChangeKind::Right, "profile.languages", (&was.languages, languages), silent);
    let [before, now] = [was.notice_lead, *notice_lead].map(|lead| lead.map(Deadline::from));
    let later = when(is_shorter(before.as_ref(), now.as_ref()), "people are told of changes later");
    part.compare(ChangeKind::Right, "profile.notice_lead", (&before, &now), later);
    let nowhere = when(was.url.is_some() && url.is_none(), "people are no longer told where they read it");
    part.compare(ChangeKind::Right, "profile.url", (&was.url, url), nowhere);
    let others = match (was.deployment, deployment) {
        (Deployment::TestPlatform, _) => Some("what is closed and cleared on a test platform is so no more"),
        (Deployment::SelfHosted, _) => Some("others run it"),
        (Deployment::Hosted, _) => None,
    };
    let run = (&was.deployment, deployment);
    part.compare(ChangeKind::Protection, "profile.deployment", run, others.map(str::to_owned));
    let friend = if *companion {
        "keeps up an emotional relation"
    } else {
        "no longer counts as a companion, by the laws on those"
    };
    part.compare(ChangeKind::Method, "profile.companion", (&was.companion, companion), Some(friend.to_owned()));
}

fn counts_working_days(value: &Value) -> bool {
    match value {
        Value::String(text) => matches!(text.parse(), Ok(Period::WorkingDays(1..))),
        Value::Array(entries) => entries.iter().any(counts_working_days),
        Value::Object(map) => map.values().any(counts_working_days),
        _ => false,
    }
}

/// Whoever takes over is bound by what was promised (PIPL 22): people are told. Who decides what data is used for, and on
/// whose instructions, is another matter: people agree to that anew.
fn answers(part: &mut Part, was: &Controller, is: &Controller) {
    let Controller { id, name, role, contact: _, joint, representative, dpo, src: _ } = is;
    if (&was.id, &was.name) != (id, name) {
        part.say(ChangeKind::Editorial, "controller", format!("{name} instead of {}", was.name));
    }
    let other = format!("{name} acts as {} instead of {}", spelled(role), spelled(&was.role));
    part.compare(ChangeKind::Method, "controller.role", (&was.role, role), Some(other));
    let names = |all: &BTreeSet<Responsible>| all.iter().map(|one| one.name.clone()).collect::<BTreeSet<_>>();
    if !names(joint).is_subset(&names(&was.joint)) {
        part.say(ChangeKind::Method, "controller.joint", "others decide together with it".to_owned());
    } else if was.joint != *joint {
        part.say(
            ChangeKind::Editorial,
            "controller.joint",
            "fewer decide together with it, or are reached otherwise".to_owned(),
        );
    }
    for (key, same, what) in [
        ("controller.representative", was.representative == *representative, "somebody else speaks for it, or nobody"),
        ("controller.dpo", was.dpo == *dpo, "somebody else looks after the protection of data, or nobody"),
    ] {
        if !same {
            part.say(ChangeKind::Editorial, key, what.to_owned());
        }
    }
}

fn default(part: &mut Part, old: &Document, is: &Defaults) {
    let was = &old.defaults;
    // of the first there is one
    let Defaults { gate: _, withdraw_mode, permit_ttl, min_consent_type, unknown_age, reasonable_time, src: _ } = is;
    let hasty =
        when(*withdraw_mode == WithdrawMode::Expiry, "a withdrawal does not wait for those of whom nothing is heard");
    part.compare(ChangeKind::Protection, "defaults.withdraw_mode", (&was.withdraw_mode, withdraw_mode), hasty);
    let longer = when(*permit_ttl > was.permit_ttl, "a withdrawal may take longer");
    part.compare(ChangeKind::Protection, "defaults.permit_ttl", (&was.permit_ttl, permit_ttl), longer);
    let key = "defaults.min_consent_type";
    if *min_consent_type < was.min_consent_type {
        // of data it is told as its own; here it is what one purpose asks of consent to another
        let needs = |cell: &Cell| old.purpose.get(&cell.purpose).is_some_and(|rule| !rule.requires.is_empty());
        let touched = consented_cells(old).into_iter().filter(needs).collect();
        part.say_of(ChangeKind::Protection, key, "a weaker consent is enough".to_owned(), touched);
    } else {
        part.compare(ChangeKind::Protection, key, (&was.min_consent_type, min_consent_type), None);
    }
    let grown = when(*unknown_age == UnknownAge::Adult, "somebody of unknown age now counts as grown up");
    part.compare(ChangeKind::Protection, "defaults.unknown_age", (&was.unknown_age, unknown_age), grown);
    let later = is_later(was.reasonable_time.as_ref(), reasonable_time.as_ref());
    let later = when(later, "what is done in reasonable time is done later");
    part.compare(ChangeKind::Protection, "defaults.reasonable_time", (&was.reasonable_time, reasonable_time), later);
}

fn governing(part: &mut Part, was: &GoverningLaw, is: &GoverningLaw) {
    let GoverningLaw { governing, severable, src: _ } = is;
    let other = when(was.governing.is_some(), "another law governs");
    part.compare(ChangeKind::Protection, "law.governing", (&was.governing, governing), other);
    let stands = when(!severable, "what conflicts with the law no longer yields to it alone");
    part.compare(ChangeKind::Protection, "law.severable", (&was.severable, severable), stands);
}

fn asked(part: &mut Part, old: &Document, is: &Asks) {
    let was = &old.asks;
    let Asks { spoken, consent_type, evidence, src: _ } = is;
    // what anybody agreed to stands, each by itself
    match more(&was.spoken, spoken) {
        Some(added) => {
            part.say(ChangeKind::Editorial, "asks.spoken", format!("the spoken question is about {added}, too"))
        }
        None => part.compare(ChangeKind::Protection, "asks.spoken", (&was.spoken, spoken), None),
    }
    let weaker = when(*consent_type < was.consent_type, "people are asked less clearly");
    part.compare(ChangeKind::Protection, "asks.consent_type", (&was.consent_type, consent_type), weaker);
    let kept = evidence.map(|category| format!("the sound of answers is kept, as {category}"));
    part.compare(ChangeKind::Data, "asks.evidence", (&was.evidence, evidence), kept);
}
