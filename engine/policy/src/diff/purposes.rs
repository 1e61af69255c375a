//! What is said about purposes, of two revisions compared.

use core::cmp::Ordering;
use core::time::Duration;
use std::collections::BTreeSet;

use sayso_types::Cell;

use super::flows::cells;
use super::part::{Part, more, names, when};
use super::{Change, ChangeKind};
use crate::LegalBasis;
use crate::profile::{Document, Processing, PurposeRule};

pub(super) fn changes(old: &Document, new: &Document, agreed: &BTreeSet<Cell>) -> Vec<Change> {
    let mut changes = Vec::new();
    for is in new.purpose.values() {
        match old.purpose.get(&is.id) {
            Some(was) => changes.extend(purpose(old, (was, is), agreed)),
            None => changes.push(added(new, is)),
        }
    }
    for gone in old.purpose.values().filter(|was| !new.purpose.contains_key(&was.id)) {
        let mut part = Part::new(format!("purpose.{}", gone.id), BTreeSet::new());
        part.say(ChangeKind::Less, "", "nothing is used for it any more".to_owned());
        changes.extend(part.found());
    }
    changes
}

/// A purpose that was not there. Where it rests on consent it opens nothing for anybody who was not asked.
fn added(new: &Document, rule: &PurposeRule) -> Change {
    let (kind, what) = match rule.basis {
        LegalBasis::Consent => {
            let what = "a new purpose; nothing is used for it before people agree".to_owned();
            (ChangeKind::PurposeAdded, what)
        }
        basis => (ChangeKind::Purpose, format!("a new purpose that rests on {basis}: nobody is asked")),
    };
    Change { kind, key: format!("purpose.{}", rule.id), what, cells: cells(new, |cell| cell.purpose == rule.id) }
}

fn purpose(old: &Document, (was, is): (&PurposeRule, &PurposeRule), agreed: &BTreeSet<Cell>) -> Vec<Change> {
    let PurposeRule {
        id,
        dpv,
        title: _,
        basis,
        basis_code: _,
        separate,
        requires,
        consent_lasts,
        processing,
        // what is written about a use is not the use
        impact_assessment: _,
        src: _,
    } = is;
    let of = |cell: &&Cell| cell.purpose == *id;
    let mut part = Part::new(format!("purpose.{id}"), agreed.iter().filter(of).copied().collect());
    part.compare(ChangeKind::Purpose, "dpv", (&was.dpv, dpv), Some(format!("{dpv} instead of {}", was.dpv)));
    let unasked = match (was.basis, basis) {
        (_, LegalBasis::Consent) => None,
        (LegalBasis::Consent, _) => Some(format!("rests on {basis}; people are no longer asked")),
        (was, _) => Some(format!("rests on {basis} instead of {was}")),
    };
    part.compare(ChangeKind::Purpose, "basis", (&was.basis, basis), unasked);
    // whatever needs it first opens by it as well
    let needs = |cell: &&Cell| {
        old.purpose.get(&cell.purpose).is_some_and(|rule| rule.id == *id || old.required(rule).contains(id))
    };
    match (was.separate, separate) {
        (true, false) => {
            let touched = agreed.iter().filter(needs).copied().collect();
            part.say_of(ChangeKind::Protection, "separate", "is no longer asked for apart".to_owned(), touched);
        }
        _ => part.compare(ChangeKind::Protection, "separate", (&was.separate, separate), None),
    }
    let dropped = more(requires, &was.requires).map(|dropped| format!("no longer needs consent to {dropped} first"));
    part.compare(ChangeKind::Protection, "requires", (&was.requires, requires), dropped);
    let lasts = |rule: &PurposeRule| rule.consent_lasts.map_or(Duration::MAX, |lasts| lasts.longest());
    // also where it is sooner: what they agreed to was for longer, and ends when that says until they agree to less
    let (kind, what) = match lasts(is).cmp(&lasts(was)) {
        Ordering::Less => (ChangeKind::Purpose, Some("people are asked again sooner".to_owned())),
        Ordering::Equal => (ChangeKind::Purpose, None),
        Ordering::Greater => (ChangeKind::Protection, Some("people are asked again later, or not at all".to_owned())),
    };
    part.compare(kind, "consent_lasts", (&was.consent_lasts, consent_lasts), what);
    part.compare(ChangeKind::Method, "processing", (&was.processing, processing), processes(old, was, is));
    part.found()
}

/// What is done for it that was not, or what is not any more that somebody stood against: without it, it opens.
fn processes(old: &Document, was: &PurposeRule, is: &PurposeRule) -> Option<String> {
    let added = more(&names(&was.processing), &names(&is.processing)).map(|added| format!("also {added}"));
    let asks_more = |done: &Processing| matches!(done, Processing::Share | Processing::Publish | Processing::Train);
    let stood_against =
        |done: &Processing| asks_more(done) || old.prohibition.iter().any(|p| p.processing == Some(*done));
    let ended: BTreeSet<Processing> =
        was.processing.difference(&is.processing).copied().filter(stood_against).collect();
    added.or_else(|| when(!ended.is_empty(), "no longer does what it was shut for, or took a clearer consent for"))
}
