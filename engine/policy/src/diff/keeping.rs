//! How long data is kept and how it ends, of two revisions compared.

use std::collections::BTreeSet;

use sayso_types::{Category, Cell};

use super::part::{Part, is_later, more, shown};
use super::{Change, ChangeKind};
use crate::ending::TOLERANCE;
use crate::profile::{CategoryRule, Document, LegalBasis, Retention, RetentionAction};
use crate::{Deadline, Period};

pub(super) fn changes(
    (old, new): (&Document, &Document),
    (id, was, is): (Category, &CategoryRule, &CategoryRule),
    touched: BTreeSet<Cell>,
) -> Vec<Change> {
    let is_own = was.retention.is_some() || is.retention.is_some();
    let (key, name) =
        if is_own { (format!("category.{id}"), "retention") } else { ("retention".to_owned(), "default") };
    let mut part = Part::new(key, touched);
    let before = (old.retention_of(was), least(old, was));
    let now = (new.retention_of(is), least(new, is));
    part.compare(ChangeKind::Retention, name, (&before, &now), longer(before, now));
    part.found()
}

/// How long it is kept at the least, where that counts: for a purpose that a law demands.
fn least(document: &Document, rule: &CategoryRule) -> Option<Period> {
    let by_law = |purpose| document.purpose.get(purpose).is_some_and(|rule| rule.basis == LegalBasis::LegalObligation);
    let retention = document.retention_of(rule).filter(|retention| retention.min_basis.is_some());
    retention.filter(|_| rule.purposes.iter().any(by_law))?.min
}

type Kept<'a> = (Option<&'a Retention>, Option<Period>);

fn longer((was, least_was): Kept<'_>, (is, least_is): Kept<'_>) -> Option<String> {
    if least_is.is_some_and(|is| least_was.is_none_or(|was| was != is && is.may_exceed(was))) {
        return Some(format!("is kept for at least {}", shown(least_is.as_ref())));
    }
    let made = |retention: Option<&Retention>| retention.and_then(|retention| retention.transformation());
    if made(is).is_some() && made(is).map(|(by, _)| by) != made(was).map(|(by, _)| by) {
        return Some("something else is made of it in the end".to_owned());
    }
    let (was, is) = match (was, is) {
        (None, _) => return None,
        (Some(_), None) => return Some("is kept for no stated time".to_owned()),
        (Some(was), Some(is)) => (was, is),
    };
    let Retention {
        trigger,
        after,
        action,
        by: _,
        k: _,
        min: _,
        min_basis: _,
        max,
        tolerance,
        on_withdraw,
        cascade,
        processors_must_confirm,
    } = is;
    if is_later(Some(&was.after), Some(after)) {
        return Some(format!("is kept for {after} instead of {}", was.after));
    }
    if !was.trigger.iter().all(|before| trigger.contains(before)) {
        return Some(format!("ends after {trigger} instead of {}", was.trigger));
    }
    if is_later(was.max.map(Deadline::from).as_ref(), max.map(Deadline::from).as_ref()) {
        return Some(format!("is kept for up to {} instead of {}", shown(max.as_ref()), shown(was.max.as_ref())));
    }
    if is_more_tolerant(was.tolerance, *tolerance) {
        return Some(format!("may end {} late", tolerance.map_or_else(|| "PT1H".to_owned(), |late| late.to_string())));
    }
    let ends = |retention: &Retention| retention.on_withdraw.unwrap_or(retention.action);
    if was.on_withdraw.is_some() && on_withdraw.is_none() {
        return Some("nothing is said of its end when consent is withdrawn".to_owned());
    }
    if thorough(*action) < thorough(was.action) || thorough(ends(is)) < thorough(ends(was)) {
        return Some("ends less thoroughly".to_owned());
    }
    let alike = |retention: &Retention| retention.transformation().map(|(_, k)| k);
    if alike(was).zip(alike(is)).is_some_and(|(was, is)| is < was) {
        return Some("fewer people are alike in what is left of it".to_owned());
    }
    if was.processors_must_confirm && !processors_must_confirm {
        return Some("ends without its receivers' confirming it".to_owned());
    }
    more(cascade, &was.cascade).map(|kept| format!("{kept} no longer ends with it"))
}

/// Whether it may come later; an hour late where nothing is said.
fn is_more_tolerant(was: Option<Period>, is: Option<Period>) -> bool {
    match (was, is) {
        (Some(was), Some(is)) => was != is && is.may_exceed(was),
        (was, is) => is.map_or(TOLERANCE, Period::longest) > was.map_or(TOLERANCE, Period::shortest),
    }
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
