//! [`Mailing`]: what the people whom an incident concerns are sent.

use std::collections::BTreeMap;

use sayso_policy::Profile;
use sayso_policy::law::Audience as Told;
use sayso_types::{Name, SubjectId, WallTime};

use super::affected::Affected;
use super::incident::{Incident, Notice};
use crate::notices::notice::PEOPLE_MAX;
use crate::notices::{Audience, Channel, Draft, NoticeKind, Text};

/// By when people are told where the policy gives no time in numbers, in ms: as soon as the authority, by GDPR 33(1).
const TELL_WITHIN_MS: u64 = 72 * 60 * 60 * 1_000;

/// The notice of an incident, and whom it goes to.
#[derive(Debug)]
pub(super) struct Mailing {
    /// What is said, by when, and through what.
    pub(super) draft: Draft,
    /// Those who are affected; where they are more than one notice names, everybody among whom they are.
    pub(super) audience: Audience,
    /// Those whom it names.
    pub(super) people: Vec<SubjectId>,
}

impl Mailing {
    /// What tells `affected` of `incident` through `channels` from `now` on; [`None`] when nobody is left whom somebody could tell.
    pub(super) fn of(
        incident: &Incident,
        affected: &Affected,
        channels: Vec<Channel>,
        profile: &Profile,
        now: WallTime,
    ) -> Option<Self> {
        let mut people: Vec<_> = affected.people.iter().map(|person| person.subject).collect();
        if people.is_empty() {
            return None;
        }
        people.sort_unstable();
        let audience = if people.len() <= PEOPLE_MAX {
            Audience::People { count: people.len() as u64 }
        } else {
            people.clear();
            incident.tenant.clone().map_or(Audience::Everybody, Audience::Tenant)
        };
        let due = incident.tellings.get(&Told::Subjects).and_then(|telling| Some(telling.due.as_ref()?.at));
        let by = match (due, NoticeKind::Incident.within(profile)) {
            (Some(due), _) if due > now => Some(due),
            // its day has passed: the policy's own time runs anew, for whoever is late tells people late, not never
            (_, Some(_)) => None,
            (_, None) => Some(WallTime(now.0.saturating_add(TELL_WITHIN_MS))),
        };
        let draft = Draft { kind: NoticeKind::Incident, texts: texts(&incident.notices), by, channels };
        Some(Self { draft, audience, people })
    }
}

/// What is said aloud, and all of it for whoever reads.
fn texts(notices: &BTreeMap<Name, Notice>) -> BTreeMap<Name, Text> {
    let text = |notice: &Notice| {
        let Notice { spoken, situation, impact, measures, self_protection, remedies, contact } = notice;
        let said = [situation, impact, measures, self_protection, remedies, contact];
        let said: Vec<_> = said.into_iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        Text { spoken: spoken.clone(), written: said.join("\n\n") }
    };
    notices.iter().map(|(language, notice)| (*language, text(notice))).collect()
}
