//! Rules about the laws and calendars that the profile names.

use crate::error::Nearest;
use crate::law::LawFloor;
use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::lint::rules::times;
use crate::{Period, WorkingCalendar};

pub(in crate::lint) static LAW_FLOOR_UNKNOWN: Rule = Rule {
    id: "LAW_FLOOR_UNKNOWN",
    breach: "a law is named that the engine does not know",
    source: "XZ-11.1, XZ-11.2",
    waivable: false,
    look: unknown,
};

fn unknown(case: &Case<'_>) -> Found {
    let floor = case.document.profile.law_floor.iter().map(|name| ("profile.law_floor".to_owned(), name));
    let incident = &case.document.incident;
    let told = [("subjects", &incident.subjects), ("regulator", &incident.regulator)];
    let told =
        told.into_iter().filter_map(|(key, told)| Some((format!("incident.{key}.law"), told.as_ref()?.law.as_ref()?)));
    let unknown = floor.chain(told).filter(|(_, name)| LawFloor::named(name).is_none());
    unknown
        .map(|(key, name)| {
            let nearest = Nearest::to(name, names());
            let all = names().collect::<Vec<_>>().join(", ");
            (key, format!("there is no law `{name}`{nearest}; write one of {all}"))
        })
        .collect()
}

fn names() -> impl Iterator<Item = &'static str> {
    LawFloor::embedded().iter().flat_map(LawFloor::laws)
}

pub(in crate::lint) static LAW_FLOOR_MISSING: Rule = Rule {
    id: "LAW_FLOOR_MISSING",
    breach: "a law that binds whoever serves people there is not named",
    source: "XZ-11.1, XZ-11.2",
    waivable: false,
    look: missing,
};

fn missing(case: &Case<'_>) -> Found {
    let header = &case.document.profile;
    let binding = LawFloor::embedded().iter().filter(|law| law.binds(&header.jurisdiction, header.companion));
    let unnamed = binding.flat_map(LawFloor::laws).filter(|name| !header.law_floor.contains(*name));
    unnamed
        .map(|name| {
            let message = format!("{name} binds whoever serves people in {}; add it", header.jurisdiction);
            ("profile.law_floor".to_owned(), message)
        })
        .collect()
}

pub(in crate::lint) static CALENDAR_MISSING: Rule = Rule {
    id: "CALENDAR_MISSING",
    breach: "working days are promised and no calendar says which those are",
    source: "XS-VII, ZG-C1; nothing is computed beyond a calendar",
    waivable: false,
    look: calendar,
};

fn calendar(case: &Case<'_>) -> Found {
    let header = &case.document.profile;
    let key = "profile.working_days".to_owned();
    let known = || WorkingCalendar::embedded().iter().map(WorkingCalendar::name);
    let Some(name) = &header.working_days else {
        let promised = times::periods(case).into_iter().find(|(_, period)| is_working_days(*period));
        return promised
            .map(|(at, period)| {
                let all = known().collect::<Vec<_>>().join(", ");
                vec![(key, format!("{at} promises {period}; name the calendar of those days ({all})"))]
            })
            .unwrap_or_default();
    };
    let Some(calendar) = case.calendar else {
        let nearest = Nearest::to(name.as_str(), known());
        let all = known().collect::<Vec<_>>().join(", ");
        let message = format!(
            "there is no calendar `{name}`{nearest}; write one of {all}, or put your own beside the profile as \
             calendars/{name}.toml"
        );
        return vec![(key, message)];
    };
    match header.effective_at.moment().map(|at| calendar.date_of(at)) {
        Some(day) if calendar.valid_through() < day => {
            let through = calendar.valid_through();
            vec![(
                key,
                format!("`{name}` ends on {through}, and the policy holds from {day}; name one that goes further"),
            )]
        }
        _ => Found::new(),
    }
}

const fn is_working_days(period: Period) -> bool {
    matches!(period, Period::WorkingDays(_))
}
