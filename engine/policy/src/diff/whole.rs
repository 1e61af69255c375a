//! What is said about everything at once, of two revisions compared. What shrinks here touches whatever anybody agreed
//! to.

use std::collections::BTreeSet;

use super::flows::{more, names};
use super::{Change, ChangeKind, consented_cells, is_later};
use crate::profile::{Document, MinorRule, Minors, Prohibition, Right, UnknownAge};
use crate::words::spelled;

pub(super) fn changes(was: &Document, is: &Document) -> Vec<Change> {
    let cells = consented_cells(was);
    let found = [rights(was, is), minors(was, is), protections(was, is), places(was, is), controller(was, is)];
    let changes = found.into_iter().flatten().map(|(kind, key, what)| {
        let cells = if kind.is_material() { cells.clone() } else { BTreeSet::new() };
        Change { kind, key, what, cells }
    });
    changes.collect()
}

type Found = Vec<(ChangeKind, String, String)>;

fn rights(was: &Document, is: &Document) -> Found {
    let (was, is) = (&was.rights, &is.rights);
    let mut found = Found::new();
    let mut less = |key: String, what: String| found.push((ChangeKind::Right, format!("rights.{key}"), what));
    if is_later(was.respond_within.as_ref(), is.respond_within.as_ref()) {
        less("respond_within".to_owned(), "is answered later".to_owned());
    }
    if more(&names(&is.clock_start), &names(&was.clock_start)).is_some() {
        less("clock_start".to_owned(), "the clock starts later".to_owned());
    }
    if is.fee_when_repeated && !was.fee_when_repeated {
        less("fee_when_repeated".to_owned(), "may now cost something".to_owned());
    }
    if let Some(added) = more(&names(&was.refusals), &names(&is.refusals)) {
        less("refusals".to_owned(), format!("may now be refused for {added}"));
    }
    for (kind, right) in &was.offers {
        let key = format!("offers.{}", spelled(kind));
        match is.offers.get(kind).map(|now| smaller(right, now)) {
            None => less(key, "is no longer offered".to_owned()),
            Some(Some(what)) => less(key, what),
            Some(None) => {}
        }
    }
    found
}

fn smaller(was: &Right, is: &Right) -> Option<String> {
    if is_later(was.within.as_ref(), is.within.as_ref()) {
        return Some("is answered later".to_owned());
    }
    if let Some(lost) = more(&is.channel, &was.channel) {
        return Some(format!("can no longer be had by {lost}"));
    }
    more(&names(&is.grounds), &names(&was.grounds)).map(|lost| format!("no longer on the ground {lost}"))
}

fn minors(was: &Document, is: &Document) -> Found {
    let mut found = Found::new();
    let mut less = |key: &str, what: String| found.push((ChangeKind::Protection, key.to_owned(), what));
    let Minors { guardian_required_below, special_regime_below, verify_methods, overrides, erase_on_discovery, .. } =
        &is.minors;
    if *guardian_required_below < was.minors.guardian_required_below {
        less("minors.guardian_required_below", format!("a guardian is needed below {guardian_required_below} only"));
    }
    if *special_regime_below < was.minors.special_regime_below {
        less("minors.special_regime_below", format!("children's rules hold below {special_regime_below} only"));
    }
    if let Some(added) = more(&was.minors.verify_methods, verify_methods) {
        less("minors.verify_methods", format!("a guardian may also be verified by {added}"));
    }
    if is_later(was.minors.erase_on_discovery.as_ref(), erase_on_discovery.as_ref()) {
        less("minors.erase_on_discovery", "goes later once it is found".to_owned());
    }
    for (category, rule) in &was.minors.overrides {
        if weaker(rule, overrides.get(category)) {
            less(&format!("minors.overrides.{category}"), "protects minors less".to_owned());
        }
    }
    if is.defaults.unknown_age == UnknownAge::Adult && was.defaults.unknown_age != UnknownAge::Adult {
        less("defaults.unknown_age", "somebody of unknown age now counts as grown up".to_owned());
    }
    found
}

fn weaker(was: &MinorRule, is: Option<&MinorRule>) -> bool {
    let is = is.copied().unwrap_or_default();
    let longer = was.after.is_some_and(|was| is.after.is_none_or(|is| was != is && is.may_exceed(was)));
    let keeps = |rule: &MinorRule| !rule.forbidden && !rule.no_store;
    was.forbidden && !is.forbidden || !keeps(was) && keeps(&is) || longer && keeps(&is)
}

fn protections(was: &Document, is: &Document) -> Found {
    let mut found = Found::new();
    let mut less = |key: &str, what: String| found.push((ChangeKind::Protection, key.to_owned(), what));
    let says = |rule: &Prohibition| Prohibition { src: BTreeSet::new(), ..rule.clone() };
    let now: BTreeSet<Prohibition> = is.prohibition.iter().map(says).collect();
    if was.prohibition.iter().map(says).any(|rule| !now.contains(&rule)) {
        less("prohibition", "something that was forbidden no longer is".to_owned());
    }
    if is.defaults.permit_ttl > was.defaults.permit_ttl {
        less("defaults.permit_ttl", "a withdrawal may take longer".to_owned());
    }
    if is_later(was.retention.backup_purge.as_ref(), is.retention.backup_purge.as_ref()) {
        less("retention.backup_purge", "stays in backups for longer".to_owned());
    }
    if is_later(was.defaults.reasonable_time.as_ref(), is.defaults.reasonable_time.as_ref()) {
        less("defaults.reasonable_time", "what is done in reasonable time is done later".to_owned());
    }
    if is.asks.consent_type < was.asks.consent_type {
        less("asks.consent_type", "people are asked less clearly".to_owned());
    }
    if is.revision.material < was.revision.material {
        less("revision.material", "changes hold for people who did not agree to them".to_owned());
    }
    let told = |document: &Document| document.incident.subjects.as_ref().map(|told| told.within.clone());
    if is_later(told(was).as_ref(), told(is).as_ref()) {
        less("incident.subjects", "people are told of incidents later".to_owned());
    }
    if let Some(dropped) = more(&keys(&is.security.measures), &keys(&was.security.measures)) {
        less("security.measures", format!("{dropped} is no longer promised"));
    }
    if let Some(added) = more(&keys(&was.exemption), &keys(&is.exemption)) {
        less("exemption", format!("{added} now goes without consent"));
    }
    for (code, rule) in &is.exemption {
        let Some(earlier) = was.exemption.get(code) else { continue };
        let anything = !earlier.categories.is_empty() && rule.categories.is_empty();
        let wider = more(&names(&earlier.scope), &names(&rule.scope)).is_some()
            || more(&earlier.categories, &rule.categories).is_some() && !earlier.categories.is_empty()
            || rule.approvers < earlier.approvers
            || rule.max != earlier.max && rule.max.may_exceed(earlier.max);
        if wider || anything {
            less(&format!("exemption.{code}"), "reaches further".to_owned());
        }
    }
    if was.registry.due_diligence_required && !is.registry.due_diligence_required {
        less("registry.due_diligence_required", "nobody has to look at receivers any more".to_owned());
    }
    if was.registry.named_recipients && !is.registry.named_recipients {
        less("registry.named_recipients", "receivers need not be named any more".to_owned());
    }
    if let Some(dropped) = more(&is.profile.law_floor, &was.profile.law_floor) {
        less("profile.law_floor", format!("{dropped} is no longer held to"));
    }
    found
}

fn places(was: &Document, is: &Document) -> Found {
    let mut found = Found::new();
    if is.transfers.overseas && !was.transfers.overseas {
        let what = "data may now leave the jurisdiction".to_owned();
        found.push((ChangeKind::Region, "transfers.overseas".to_owned(), what));
    }
    if let Some(added) =
        more(&was.transfers.storage, &is.transfers.storage).filter(|_| !was.transfers.storage.is_empty())
    {
        found.push((ChangeKind::Region, "transfers.storage".to_owned(), format!("is now also stored in {added}")));
    }
    if was.profile.jurisdiction != is.profile.jurisdiction {
        let what = format!("{} instead of {}", is.profile.jurisdiction, was.profile.jurisdiction);
        found.push((ChangeKind::Protection, "profile.jurisdiction".to_owned(), what));
    }
    found
}

/// Whoever takes over is bound by what was promised (PIPL 22): people are told.
fn controller(was: &Document, is: &Document) -> Found {
    let (was, is) = (&was.controller, &is.controller);
    if was.name == is.name && was.id == is.id {
        return Found::new();
    }
    vec![(ChangeKind::Editorial, "controller".to_owned(), format!("{} instead of {}", is.name, was.name))]
}

fn keys<K: ToString, V>(map: &std::collections::BTreeMap<K, V>) -> BTreeSet<String> {
    map.keys().map(ToString::to_string).collect()
}
