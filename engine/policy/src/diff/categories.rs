//! What is said about categories, of two revisions compared.

use std::collections::BTreeSet;

use sayso_types::{Category, Cell, Purpose};

use super::flows::cells;
use super::keeping;
use super::part::{Part, more, when};
use super::{Change, ChangeKind};
use crate::profile::{AtRest, CategoryRule, Document, Identifies, Necessity, Stricter};

pub(super) fn changes(old: &Document, new: &Document, agreed: &BTreeSet<Cell>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (&id, is) in &new.category {
        let was = old.category.get(&id);
        changes.extend(uses(old, new, (id, was, is)));
        let Some(was) = was else { continue };
        // what people agreed to lies in the cells that both revisions have
        let touched: BTreeSet<Cell> = agreed.iter().filter(|c| c.category == id).copied().collect();
        changes.extend(category((old, new), (id, was, is), &touched));
        changes.extend(keeping::changes((old, new), (id, was, is), touched));
    }
    for gone in old.category.keys().filter(|id| !new.category.contains_key(id)) {
        let mut part = Part::new(format!("category.{gone}"), BTreeSet::new());
        part.say(ChangeKind::Less, "", "it is not used any more".to_owned());
        changes.extend(part.found());
    }
    changes
}

/// What it is used for that it was not. What it is newly used for is nobody's agreement, however far it goes.
fn uses(
    old: &Document,
    new: &Document,
    (id, was, is): (Category, Option<&CategoryRule>, &CategoryRule),
) -> Vec<Change> {
    let key = if was.is_some() { "purposes" } else { "" };
    let before = was.map(|rule| rule.purposes.clone()).unwrap_or_default();
    let mut part = Part::new(format!("category.{id}"), BTreeSet::new());
    for purpose in is.purposes.difference(&before) {
        let touched = cells(new, |cell| (cell.purpose, cell.category) == (*purpose, id));
        if old.purpose.contains_key(purpose) {
            part.say_of(ChangeKind::Data, key, format!("{id} is now used for {purpose}"), touched);
        } else {
            part.say(ChangeKind::PurposeAdded, key, format!("{id} is for {purpose}, which is new"));
        }
    }
    let found = part.found();
    if !found.is_empty() || was.is_some_and(|rule| rule.purposes == is.purposes) {
        return found;
    }
    let mut part = Part::new(format!("category.{id}"), BTreeSet::new());
    part.say(ChangeKind::Less, key, "it is used for nothing more".to_owned());
    part.found()
}

fn category(
    (old, new): (&Document, &Document),
    (id, was, is): (Category, &CategoryRule, &CategoryRule),
    touched: &BTreeSet<Cell>,
) -> Vec<Change> {
    // what it is for is told as its uses, and how long it is kept as its keeping
    let CategoryRule {
        dpv,
        title: _,
        attrs,
        sensitivity,
        identifies,
        provenance,
        subject,
        purposes: _,
        necessity,
        at_rest,
        content_free,
        min_consent_type,
        separate,
        written,
        in_region,
        redact,
        capability,
        refusal_effect: _,
        derived_from,
        retention: _,
        src: _,
    } = is;
    let mut part = Part::new(format!("category.{id}"), touched.clone());
    let also = |added: Option<String>, what: &str| added.map(|added| format!("{what} {added}"));
    part.compare(ChangeKind::Data, "dpv", (&was.dpv, dpv), also(more(&was.dpv, dpv), "is now also"));
    part.compare(ChangeKind::Data, "attrs", (&was.attrs, attrs), also(more(&was.attrs, attrs), "also"));
    let milder = when(*sensitivity < was.sensitivity, "counts as less sensitive, and is protected as that");
    part.compare(ChangeKind::Protection, "sensitivity", (&was.sensitivity, sensitivity), milder);
    let leads = match identifies {
        Identifies::Anonymised => Some("counts as leading to nobody"),
        _ => (rank(*identifies) > rank(was.identifies)).then_some("leads to the person more closely"),
    };
    part.compare(ChangeKind::Data, "identifies", (&was.identifies, identifies), leads.map(str::to_owned));
    let elsewhere = Some("comes from somewhere else".to_owned());
    part.compare(ChangeKind::Method, "provenance", (&was.provenance, provenance), elsewhere);
    part.compare(ChangeKind::Data, "subject", (&was.subject, subject), Some("may be about somebody else".to_owned()));
    let stored = when(*at_rest == AtRest::Allowed, "may now be stored");
    part.compare(ChangeKind::Method, "at_rest", (&was.at_rest, at_rest), stored);
    let logged = when(*content_free, "may now be logged");
    part.compare(ChangeKind::Method, "content_free", (&was.content_free, content_free), logged);
    let weaker = when(new.min_consent_type(is) < old.min_consent_type(was), "a weaker consent is enough");
    // of what it says itself, and of what the one for all makes of it
    let least = |document: &Document, rule: &CategoryRule| document.min_consent_type(rule);
    let types = ((was.min_consent_type, least(old, was)), (*min_consent_type, least(new, is)));
    part.compare(ChangeKind::Protection, "min_consent_type", (&types.0, &types.1), weaker);
    let together = when(!separate, "is no longer asked for apart");
    part.compare(ChangeKind::Protection, "separate", (&was.separate, separate), together);
    let said = when(!written, "is no longer asked for in writing");
    part.compare(ChangeKind::Protection, "written", (&was.written, written), said);
    let nearer = when(is_weaker_in_a_region(was, is), "a weaker consent is enough further away");
    part.compare(ChangeKind::Protection, "in_region", (&was.in_region, in_region), nearer);
    // what it is made from says as well what is taken out
    let taken = |document: &Document| document.redactions(id).iter().map(|r| r.name()).collect::<BTreeSet<_>>();
    let (then, now) = (taken(old), taken(new));
    let left = more(&now, &then).map(|dropped| format!("{dropped} is no longer taken out"));
    part.compare(ChangeKind::Protection, "redact", (&(&was.redact, then), &(redact, now)), left);
    let needs = also(more(&was.capability, capability), "also needs");
    let needs = needs.or_else(|| {
        let lost = more(capability, &was.capability)?;
        Some(format!("no longer ends when {lost} is taken away in the device's settings"))
    });
    part.compare(ChangeKind::Data, "capability", (&was.capability, capability), needs);
    let made = also(more(&was.derived_from, derived_from), "is now also made from");
    part.compare(ChangeKind::Method, "derived_from", (&was.derived_from, derived_from), made);
    if was.necessity != *necessity {
        needed(&mut part, was, is, touched);
    }
    part.found()
}

/// How closely data leads to a person.
const fn rank(identifies: Identifies) -> u8 {
    match identifies {
        Identifies::Anonymised => 0,
        Identifies::Pseudonymised => 1,
        Identifies::Directly => 2,
    }
}

fn is_weaker_in_a_region(was: &CategoryRule, is: &CategoryRule) -> bool {
    was.in_region.iter().any(|(region, was)| {
        let Stricter { min_consent_type, separate } = is.in_region.get(region).copied().unwrap_or_default();
        min_consent_type < was.min_consent_type || was.separate && !separate
    })
}

/// Who could do without it must not find that they no longer can.
fn needed(part: &mut Part, was: &CategoryRule, is: &CategoryRule, cells: &BTreeSet<Cell>) {
    let (before, now) = (needed_for(was), needed_for(is));
    if before == now || now.is_none() || before == Some(None) {
        part.compare(ChangeKind::Right, "necessity", (&was.necessity, &is.necessity), None);
        return;
    }
    let touched = |cell: &&Cell| now.flatten().is_none_or(|purpose| cell.purpose == purpose);
    let what = "can no longer be refused without losing the service".to_owned();
    part.say_of(ChangeKind::Right, "necessity", what, cells.iter().filter(touched).copied().collect());
}

/// For which purpose data is needed: `Some(None)` for all.
fn needed_for(rule: &CategoryRule) -> Option<Option<Purpose>> {
    match rule.necessity {
        Some(Necessity::Required) => Some(None),
        Some(Necessity::RequiredFor(purpose)) => Some(Some(purpose)),
        Some(Necessity::Optional) | None => None,
    }
}
