//! The calendar file and what is checked in it.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use sayso_types::WallTime;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CalendarError, WorkingCalendar, WorkingDay};
use crate::profile::TomlText;

/// Holidays are decreed a year ahead, weekly rest days by law: ten years and their leap days are more than a file can
/// know, and bound what is kept of it.
const MAX_DAYS: i32 = 3653;

/// What a calendar file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) name: String,
    /// A POSIX TZ rule (RFC 9636, section 3.3.1): a pure function of the moment, unlike a name in the time-zone
    /// database of the machine. A calendar covers few years, so one rule is enough.
    time_zone: String,
    #[serde(deserialize_with = "day", serialize_with = "spelled")]
    pub(super) valid_from: Date,
    #[serde(deserialize_with = "day", serialize_with = "spelled")]
    pub(super) valid_through: Date,
    rest_days: BTreeSet<RestDay>,
    pub(super) src: String,
    #[serde(default)]
    holiday: Vec<Holiday>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    #[serde(deserialize_with = "day", serialize_with = "spelled")]
    from: Date,
    #[serde(deserialize_with = "day", serialize_with = "spelled")]
    through: Date,
    /// Weekly rest days that are worked for it.
    #[serde(default)]
    make_up: Vec<Day>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Day(#[serde(deserialize_with = "day", serialize_with = "spelled")] Date);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RestDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<RestDay> for Weekday {
    fn from(day: RestDay) -> Self {
        match day {
            RestDay::Monday => Self::Monday,
            RestDay::Tuesday => Self::Tuesday,
            RestDay::Wednesday => Self::Wednesday,
            RestDay::Thursday => Self::Thursday,
            RestDay::Friday => Self::Friday,
            RestDay::Saturday => Self::Saturday,
            RestDay::Sunday => Self::Sunday,
        }
    }
}

fn spelled<S: Serializer>(day: &Date, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(day)
}

fn day<'de, D: Deserializer<'de>>(d: D) -> Result<Date, D::Error> {
    let text = toml::value::Datetime::deserialize(d)?.to_string();
    // jiff takes the date of a date-time, too
    let day = if text.len() == "2026-01-01".len() { text.parse().ok() } else { None };
    day.ok_or_else(|| D::Error::custom(format_args!("`{text}` is not a date such as 2026-01-31")))
}

/// Reads `text`.
pub(super) fn read(text: &str) -> Result<WorkingCalendar, CalendarError> {
    TomlText::parse(text)?.read::<Document>()?.worked_out()
}

impl Document {
    pub(super) fn worked_out(self) -> Result<WorkingCalendar, CalendarError> {
        for (place, value) in [("name", &self.name), ("src", &self.src)] {
            if value.trim().is_empty() {
                return Err(CalendarError::Empty(place));
            }
        }
        let time_zone =
            TimeZone::posix(&self.time_zone).map_err(|_| CalendarError::TimeZone(self.time_zone.clone()))?;
        self.check_validity()?;
        let holidays = self.holidays()?;
        let made_up = self.made_up(&holidays)?;
        let mut working_days = Vec::new();
        for date in days(self.valid_from, self.valid_through) {
            if !holidays.contains(&date) && (!self.rests_weekly(date) || made_up.contains(&date)) {
                working_days.push(WorkingDay { date, end: end(date, &time_zone) });
            }
        }
        check_rest(self.valid_from, &working_days)?;
        Ok(WorkingCalendar { said: self, time_zone, working_days })
    }

    fn check_validity(&self) -> Result<(), CalendarError> {
        let (from, through) = (self.valid_from, self.valid_through);
        let length = days_through(from, through);
        if (1..=MAX_DAYS).contains(&length) && from >= date(1971, 1, 1) && through <= date(9000, 12, 31) {
            Ok(())
        } else {
            Err(CalendarError::Validity { from, through, max_days: MAX_DAYS })
        }
    }

    fn covers(&self, date: Date) -> bool {
        self.valid_from <= date && date <= self.valid_through
    }

    fn rests_weekly(&self, date: Date) -> bool {
        self.rest_days.iter().any(|day| Weekday::from(*day) == date.weekday())
    }

    /// Every day of every holiday.
    fn holidays(&self) -> Result<BTreeSet<Date>, CalendarError> {
        let mut holidays = BTreeSet::new();
        for Holiday { name, from, through, .. } in &self.holiday {
            if name.trim().is_empty() {
                return Err(CalendarError::Empty("holiday.name"));
            }
            if from > through || !self.covers(*from) || !self.covers(*through) {
                return Err(CalendarError::Range { name: name.clone(), from: *from, through: *through });
            }
            for date in days(*from, *through) {
                if !holidays.insert(date) {
                    return Err(CalendarError::Overlap { name: name.clone(), date });
                }
            }
        }
        Ok(holidays)
    }

    /// The rest days that are worked.
    fn made_up(&self, holidays: &BTreeSet<Date>) -> Result<BTreeSet<Date>, CalendarError> {
        let mut made_up = BTreeSet::new();
        for Holiday { name, make_up, .. } in &self.holiday {
            for Day(date) in make_up.iter() {
                let rests = self.covers(*date) && self.rests_weekly(*date) && !holidays.contains(date);
                if !rests || !made_up.insert(*date) {
                    return Err(CalendarError::MakeUp { name: name.clone(), date: *date });
                }
            }
        }
        Ok(made_up)
    }
}

/// Checks that [`WorkingCalendar::longest_days`] holds for every start: it takes longest from a working day, which
/// does not count, or from the first day.
fn check_rest(valid_from: Date, working_days: &[WorkingDay]) -> Result<(), CalendarError> {
    let starts = core::iter::once((valid_from, working_days)).chain(
        // the days after the one on which the clock starts
        (1..=working_days.len()).map(|next| (working_days[next - 1].date, &working_days[next..])),
    );
    for (date, following) in starts {
        for (count, last) in (1_u16..).zip(following) {
            let days = days_through(date, last.date);
            let max_days = WorkingCalendar::longest_days(count);
            if days.unsigned_abs() > max_days {
                return Err(CalendarError::TooMuchRest { count, date, days, max_days });
            }
        }
    }
    Ok(())
}

/// From `from` through `through`, which lies in the years that are checked.
fn days(from: Date, through: Date) -> impl Iterator<Item = Date> {
    from.series(jiff::Span::new().days(1)).take_while(move |date| *date <= through)
}

/// How many days that are, the first and the last included.
fn days_through(from: Date, through: Date) -> i32 {
    from.until(through).map_or(i32::MAX, |span| span.get_days() + 1)
}

/// The midnight at which `date` is over.
fn end(date: Date, time_zone: &TimeZone) -> WallTime {
    let midnight = date.tomorrow().and_then(|next| time_zone.to_timestamp(next.at(0, 0, 0, 0)));
    let midnight = midnight.expect("the validity was checked to lie within what jiff represents");
    WallTime(midnight.as_millisecond().unsigned_abs())
}
