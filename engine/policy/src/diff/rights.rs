//! What people may ask for, and what they are told, of two revisions compared.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::Cell;
use serde::Serialize;

use super::part::{Part, is_later, more, names, when};
use super::{Change, ChangeKind};
use crate::Deadline;
use crate::profile::{
    ClockStart, Document, Incident, IncidentNotice, NoticeChannel, NoticeDuty, NoticeOccasion, Revision, Right,
    RightKind, Rights,
};
use crate::words::spelled;

pub(super) fn changes(old: &Document, new: &Document, agreed: &BTreeSet<Cell>) -> Vec<Change> {
    let part = |key: &str| Part::new(key.to_owned(), agreed.clone());
    let [mut rights, mut told, mut incidents, mut revised] = ["rights", "notify", "incident", "revision"].map(part);
    asked(&mut rights, &old.rights, &new.rights);
    occasions(&mut told, &old.notify, &new.notify);
    incident(&mut incidents, &old.incident, &new.incident);
    revision(&mut revised, &old.revision, &new.revision);
    [rights, told, incidents, revised].into_iter().flat_map(Part::found).collect()
}

fn asked(part: &mut Part, was: &Rights, is: &Rights) {
    let Rights { respond_within, clock_start, identity_within, offers, fee_when_repeated, refusals, src: _ } = is;
    let later = when(is_later(was.respond_within.as_ref(), respond_within.as_ref()), "is answered later");
    part.compare(ChangeKind::Right, "respond_within", (&was.respond_within, respond_within), later);
    // receiving it starts the clock where nothing is said; proving who one is comes no sooner
    let waits = |starts: &BTreeSet<ClockStart>| !starts.is_empty() && !starts.contains(&ClockStart::Received);
    let later = when(waits(clock_start) && !waits(&was.clock_start), "the clock starts later");
    part.compare(ChangeKind::Right, "clock_start", (&was.clock_start, clock_start), later);
    let [before, now] = [was.identity_within, *identity_within].map(|within| within.map(Deadline::from));
    let later = when(is_later(before.as_ref(), now.as_ref()), "proving who one is may take longer");
    part.compare(ChangeKind::Right, "identity_within", (&before, &now), later);
    let costs = when(*fee_when_repeated, "may now cost something");
    part.compare(ChangeKind::Right, "fee_when_repeated", (&was.fee_when_repeated, fee_when_repeated), costs);
    let refused = more(&names(&was.refusals), &names(refusals)).map(|added| format!("may now be refused for {added}"));
    part.compare(ChangeKind::Right, "refusals", (&was.refusals, refusals), refused);
    let kinds: BTreeSet<&RightKind> = was.offers.keys().chain(offers.keys()).collect();
    for kind in kinds {
        let key = format!("offers.{}", spelled(kind));
        match (was.offers.get(kind), offers.get(kind)) {
            (Some(before), Some(now)) => right(part, &key, (was, before), (is, now)),
            (Some(_), None) => part.say(ChangeKind::Right, &key, "is no longer offered".to_owned()),
            (None, _) => part.say(ChangeKind::Less, &key, "is now offered".to_owned()),
        }
    }
}

fn right(part: &mut Part, key: &str, (all_was, was): (&Rights, &Right), (all, is): (&Rights, &Right)) {
    let Right { channel, within, tenant_first, grounds, src: _ } = is;
    // where a right says nothing itself, what is said of all holds: who has none of either is told above
    let before = was.within.as_ref().or(all_was.respond_within.as_ref());
    let later = when(is_later(before, within.as_ref().or(all.respond_within.as_ref())), "is answered later");
    part.compare(ChangeKind::Right, &format!("{key}.within"), (&was.within, within), later);
    let lost = more(&names(channel), &names(&was.channel)).map(|lost| format!("can no longer be had by {lost}"));
    part.compare(ChangeKind::Right, &format!("{key}.channel"), (&was.channel, channel), lost);
    let [before, now] = [was.tenant_first, *tenant_first].map(|first| first.map(Deadline::from));
    let is_longer = now.is_some() && before.is_none() || is_later(before.as_ref(), now.as_ref()) && now.is_some();
    let waits = when(is_longer, "somebody else is asked first, or for longer");
    part.compare(ChangeKind::Right, &format!("{key}.tenant_first"), (&before, &now), waits);
    // no list is every ground
    let lost = match (was.grounds.is_empty(), grounds.is_empty()) {
        (_, true) => None,
        (true, false) => Some(format!("only on the grounds {}", list(grounds))),
        (false, false) => {
            more(&names(grounds), &names(&was.grounds)).map(|lost| format!("no longer on the ground {lost}"))
        }
    };
    part.compare(ChangeKind::Right, &format!("{key}.grounds"), (&was.grounds, grounds), lost);
}

fn list<T: Serialize>(set: &BTreeSet<T>) -> String {
    names(set).into_iter().collect::<Vec<_>>().join(", ")
}

type Occasions = BTreeMap<NoticeOccasion, NoticeDuty>;

fn occasions(part: &mut Part, was: &Occasions, is: &Occasions) {
    let occasions: BTreeSet<&NoticeOccasion> = was.keys().chain(is.keys()).collect();
    for occasion in occasions {
        let key = spelled(occasion);
        let (before, now) = match (was.get(occasion), is.get(occasion)) {
            (Some(before), Some(now)) => (before, now),
            (Some(_), None) => {
                part.say(ChangeKind::Right, &key, "people are no longer told".to_owned());
                continue;
            }
            (None, _) => {
                part.say(ChangeKind::Less, &key, "people are now told".to_owned());
                continue;
            }
        };
        let NoticeDuty { within, form, channels, src: _ } = now;
        let is_worse = if is_foreseen(*occasion) {
            is_shorter(before.within.as_ref(), within.as_ref())
        } else {
            is_later(before.within.as_ref(), within.as_ref())
        };
        let later = when(is_worse, "people are told later");
        part.compare(ChangeKind::Right, &format!("{key}.within"), (&before.within, within), later);
        let lost = more(&names(form), &names(&before.form)).map(|lost| format!("people are no longer told by {lost}"));
        part.compare(ChangeKind::Right, &format!("{key}.form"), (&before.form, form), lost);
        let lost = fewer(&before.channels, channels).map(|lost| format!("people are no longer told by {lost}"));
        part.compare(ChangeKind::Right, &format!("{key}.channels"), (&before.channels, channels), lost);
    }
}

/// Whether people are told before it.
const fn is_foreseen(occasion: NoticeOccasion) -> bool {
    !matches!(occasion, NoticeOccasion::Refusal | NoticeOccasion::RequestOutcome | NoticeOccasion::ExemptionUsed)
}

/// Whether people may have less time before it. Words promise none.
pub(super) fn is_shorter(was: Option<&Deadline>, is: Option<&Deadline>) -> bool {
    match (was.and_then(Deadline::period), is.and_then(Deadline::period)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(was), Some(is)) => was != is && was.may_exceed(is),
    }
}

fn fewer(was: &[NoticeChannel], is: &[NoticeChannel]) -> Option<String> {
    let [was, is] = [was, is].map(|channels| channels.iter().copied().collect::<BTreeSet<_>>());
    more(&names(&is), &names(&was))
}

fn incident(part: &mut Part, was: &Incident, is: &Incident) {
    let Incident { report_endpoint, subjects, regulator, src: _ } = is;
    let silent = when(!report_endpoint, "people can no longer report one");
    part.compare(ChangeKind::Right, "report_endpoint", (&was.report_endpoint, report_endpoint), silent);
    for (key, kind, who, was, is) in [
        ("subjects", ChangeKind::Right, "people are", &was.subjects, subjects),
        ("regulator", ChangeKind::Protection, "the authority is", &was.regulator, regulator),
    ] {
        let less = match (was, is) {
            (Some(_), None) => Some(format!("{who} no longer told of incidents")),
            (Some(was), Some(is)) => told_less(was, is).map(|less| format!("{who} told of incidents {less}")),
            (None, _) => None,
        };
        part.compare(kind, key, (was, is), less);
    }
}

fn told_less(was: &IncidentNotice, is: &IncidentNotice) -> Option<String> {
    let IncidentNotice { within, fields, channels, law: _, src: _ } = is;
    if is_later(Some(&was.within), Some(within)) {
        return Some("later".to_owned());
    }
    let silent = more(&names(fields), &names(&was.fields)).map(|lost| format!("without {lost}"));
    silent.or_else(|| fewer(&was.channels, channels).map(|lost| format!("no longer by {lost}")))
}

fn revision(part: &mut Part, was: &Revision, is: &Revision) {
    let Revision { material, editorial, src: _ } = is;
    let silent = when(*material < was.material, "changes hold for people who did not agree to them");
    part.compare(ChangeKind::Protection, "material", (&was.material, material), silent);
    let silent = when(*editorial < was.editorial, "wording changes for people with less of their doing");
    part.compare(ChangeKind::Protection, "editorial", (&was.editorial, editorial), silent);
}
