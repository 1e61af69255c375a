//! What is said about purposes and categories, of two revisions compared.

use core::cmp::Ordering;
use core::time::Duration;
use std::collections::BTreeSet;

use sayso_types::{Category, Cell, Purpose};

use super::flows::{more, names};
use super::{Change, ChangeKind, consented_cells, is_later, shown};
use crate::profile::{AtRest, CategoryRule, Document, Identifies, Necessity, PurposeRule, Retention, RetentionAction};
use crate::{LegalBasis, Period};

pub(super) fn changes(old: &Document, new: &Document) -> Vec<Change> {
    // what people agreed to lies in the cells that both revisions have
    let cells = consented_cells(old);
    let mut changes = Vec::new();
    for is in new.purpose.values() {
        let Some(was) = old.purpose.get(&is.id) else { continue };
        let touched: BTreeSet<Cell> = cells.iter().filter(|c| c.purpose == is.id).copied().collect();
        changes.extend(purpose(was, is).into_iter().map(|(kind, key, what)| Change {
            kind,
            key: format!("purpose.{}.{key}", is.id),
            what,
            cells: touched.clone(),
        }));
    }
    for (&id, is) in &new.category {
        let Some(was) = old.category.get(&id) else { continue };
        let touched: BTreeSet<Cell> = cells.iter().filter(|c| c.category == id).copied().collect();
        let found =
            category(was, is).into_iter().chain(consent(old, new, (was, is))).chain(keeping(old, new, (was, is)));
        changes.extend(found.map(|(kind, key, what)| Change {
            kind,
            key: format!("category.{id}.{key}"),
            what,
            cells: touched.clone(),
        }));
        changes.extend(necessity((id, was, is), &cells));
    }
    changes
}

type Found = Vec<(ChangeKind, &'static str, String)>;

fn purpose(was: &PurposeRule, is: &PurposeRule) -> Found {
    let mut found = Found::new();
    if was.dpv != is.dpv {
        found.push((ChangeKind::Purpose, "dpv", format!("{} instead of {}", is.dpv, was.dpv)));
    }
    if was.basis == LegalBasis::Consent && is.basis != LegalBasis::Consent {
        found.push((ChangeKind::Purpose, "basis", format!("rests on {}; people are no longer asked", is.basis)));
    }
    if was.separate && !is.separate {
        found.push((ChangeKind::Protection, "separate", "is no longer asked for apart".to_owned()));
    }
    if let Some(dropped) = more(&is.requires, &was.requires) {
        found.push((ChangeKind::Protection, "requires", format!("no longer needs consent to {dropped} first")));
    }
    let lasts = |rule: &PurposeRule| rule.consent_lasts.map_or(Duration::MAX, |lasts| lasts.longest());
    // also where it is sooner: what they agreed to was for longer, and ends when that says until they agree to less
    match lasts(is).cmp(&lasts(was)) {
        Ordering::Less => {
            found.push((ChangeKind::Purpose, "consent_lasts", "people are asked again sooner".to_owned()));
        }
        Ordering::Equal => {}
        Ordering::Greater => {
            let later = "people are asked again later, or not at all".to_owned();
            found.push((ChangeKind::Protection, "consent_lasts", later));
        }
    }
    if let Some(added) = more(&names(&was.processing), &names(&is.processing)) {
        found.push((ChangeKind::Method, "processing", format!("also {added}")));
    }
    found
}

fn category(was: &CategoryRule, is: &CategoryRule) -> Found {
    let mut found = Found::new();
    if let Some(added) = more(&was.attrs, &is.attrs) {
        found.push((ChangeKind::Data, "attrs", format!("also {added}")));
    }
    if let Some(added) = more(&was.capability, &is.capability) {
        found.push((ChangeKind::Data, "capability", format!("also needs {added}")));
    }
    if let Some(added) = more(&was.derived_from, &is.derived_from) {
        found.push((ChangeKind::Method, "derived_from", format!("is now also made from {added}")));
    }
    if was.provenance != is.provenance {
        found.push((ChangeKind::Method, "provenance", "comes from somewhere else".to_owned()));
    }
    if rank(is.identifies) > rank(was.identifies) {
        found.push((ChangeKind::Data, "identifies", "leads to the person more closely".to_owned()));
    }
    if was.at_rest == AtRest::Forbidden && is.at_rest == AtRest::Allowed {
        found.push((ChangeKind::Method, "at_rest", "may now be stored".to_owned()));
    }
    if !was.content_free && is.content_free {
        found.push((ChangeKind::Method, "content_free", "may now be logged".to_owned()));
    }
    if let Some(dropped) = more(&is.redact, &was.redact) {
        found.push((ChangeKind::Protection, "redact", format!("{dropped} is no longer taken out")));
    }
    found
}

/// How closely data leads to a person.
const fn rank(identifies: Identifies) -> u8 {
    match identifies {
        Identifies::Anonymised => 0,
        Identifies::Pseudonymised => 1,
        Identifies::Directly => 2,
    }
}

/// What consent has to be.
fn consent(old: &Document, new: &Document, (was, is): (&CategoryRule, &CategoryRule)) -> Found {
    let mut found = Found::new();
    if new.min_consent_type(is) < old.min_consent_type(was) {
        found.push((ChangeKind::Protection, "min_consent_type", "a weaker consent is enough".to_owned()));
    }
    if was.separate && !is.separate {
        found.push((ChangeKind::Protection, "separate", "is no longer asked for apart".to_owned()));
    }
    if was.written && !is.written {
        found.push((ChangeKind::Protection, "written", "is no longer asked for in writing".to_owned()));
    }
    let weaker = was.in_region.iter().any(|(region, was)| {
        let is = is.in_region.get(region).copied().unwrap_or_default();
        is.min_consent_type < was.min_consent_type || was.separate && !is.separate
    });
    if weaker {
        found.push((ChangeKind::Protection, "in_region", "a weaker consent is enough further away".to_owned()));
    }
    found
}

/// Who could do without it must not find that they no longer can.
fn necessity((id, was, is): (Category, &CategoryRule, &CategoryRule), cells: &BTreeSet<Cell>) -> Option<Change> {
    let (was, is) = (needed(was), needed(is));
    if is == was || is.is_none() || was == Some(None) {
        return None;
    }
    let touched = |cell: &&Cell| cell.category == id && is.flatten().is_none_or(|purpose| cell.purpose == purpose);
    Some(Change {
        kind: ChangeKind::Right,
        key: format!("category.{id}.necessity"),
        what: "can no longer be refused without losing the service".to_owned(),
        cells: cells.iter().filter(touched).copied().collect(),
    })
}

/// For which purpose data is needed: `Some(None)` for all.
fn needed(rule: &CategoryRule) -> Option<Option<Purpose>> {
    match rule.necessity {
        Some(Necessity::Required) => Some(None),
        Some(Necessity::RequiredFor(purpose)) => Some(Some(purpose)),
        Some(Necessity::Optional) | None => None,
    }
}

/// How long it is kept and how it ends.
fn keeping(old: &Document, new: &Document, (was, is): (&CategoryRule, &CategoryRule)) -> Found {
    let (was, is) = (old.retention_of(was), new.retention_of(is));
    let changed = match (was, is) {
        (None, _) => None,
        (Some(_), None) => Some("is kept for no stated time".to_owned()),
        (Some(was), Some(is)) => longer(was, is),
    };
    changed.map(|what| (ChangeKind::Retention, "retention", what)).into_iter().collect()
}

fn longer(was: &Retention, is: &Retention) -> Option<String> {
    if is_later(Some(&was.after), Some(&is.after)) {
        return Some(format!("is kept for {} instead of {}", is.after, was.after));
    }
    if !was.trigger.iter().all(|trigger| is.trigger.contains(trigger)) {
        return Some(format!("ends after {} instead of {}", is.trigger, was.trigger));
    }
    if uncapped(was.max, is.max) {
        return Some(format!("is kept for up to {} instead of {}", shown(is.max.as_ref()), shown(was.max.as_ref())));
    }
    if grew(was.min, is.min) {
        return Some(format!("is kept for at least {}", shown(is.min.as_ref())));
    }
    if grew(was.tolerance, is.tolerance) {
        return Some(format!("may end {} late", shown(is.tolerance.as_ref())));
    }
    let ends = |retention: &Retention| retention.on_withdraw.unwrap_or(retention.action);
    if thorough(is.action) < thorough(was.action) || thorough(ends(is)) < thorough(ends(was)) {
        return Some("ends less thoroughly".to_owned());
    }
    let least = |retention: &Retention| retention.transformation().map(|(_, k)| k);
    if least(was).zip(least(is)).is_some_and(|(was, is)| is < was) {
        return Some("fewer people are alike in what is left of it".to_owned());
    }
    if was.processors_must_confirm && !is.processors_must_confirm {
        return Some("ends without its receivers' confirming it".to_owned());
    }
    more(&is.cascade, &was.cascade).map(|kept| format!("{kept} no longer ends with it"))
}

/// Whether a bound from below, none where absent, went up.
fn grew(was: Option<Period>, is: Option<Period>) -> bool {
    is.is_some_and(|is| was.is_none_or(|was| was != is && is.may_exceed(was)))
}

/// Whether a bound from above, none where absent, went up.
fn uncapped(was: Option<Period>, is: Option<Period>) -> bool {
    was.is_some_and(|was| is.is_none_or(|is| was != is && is.may_exceed(was)))
}

/// How little is left.
const fn thorough(action: RetentionAction) -> u8 {
    match action {
        RetentionAction::Restrict => 0,
        RetentionAction::Pseudonymise => 1,
        RetentionAction::Anonymise => 2,
        RetentionAction::EraseOrAnonymise => 3,
        RetentionAction::Erase => 4,
        RetentionAction::Zeroise => 5,
    }
}
