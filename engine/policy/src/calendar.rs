//! [`WorkingCalendar`]: which days people work on, as data.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sayso_types::WallTime;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod document;
mod error;

use self::document::Document;
pub use error::{BeyondCalendar, CalendarError};

/// The calendars that come with Sayso, from `engine/policy/calendars`.
const EMBEDDED: [&str; 1] = [include_str!("../calendars/cn-2026.toml")];

/// The working days of one place between two dates, with weekly rest days, public holidays and the rest days that are
/// worked to make up for them.
///
/// It answers only for the days that it covers: holidays are decreed year by year, so a day outside of it is refused,
/// never guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingCalendar {
    /// What its file says.
    said: Document,
    time_zone: TimeZone,
    /// Ascending.
    working_days: Vec<WorkingDay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WorkingDay {
    date: Date,
    /// The midnight that ends it.
    end: WallTime,
}

impl WorkingCalendar {
    /// The calendar called `name` among those that come with Sayso.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::embedded().iter().find(|calendar| calendar.name() == name)
    }

    /// The calendars that come with Sayso.
    #[must_use]
    pub fn embedded() -> &'static [Self] {
        static CALENDARS: LazyLock<Vec<WorkingCalendar>> = LazyLock::new(|| {
            EMBEDDED.iter().map(|text| WorkingCalendar::parse(text).expect("a test parses each")).collect()
        });
        &CALENDARS
    }

    /// Reads a calendar file: TOML with the keys of `calendars/cn-2026.toml`.
    ///
    /// # Errors
    ///
    /// When a key is unknown, missing or of the wrong type, when a range runs backwards or leaves the validity, when
    /// a day is said to be two things, or when so little is worked that [`longest_days`](Self::longest_days) would
    /// not hold.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        document::read(text)
    }

    /// What profiles call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.said.name
    }

    /// Where its days are decreed.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.said.src
    }

    /// The first day that it covers.
    #[must_use]
    pub const fn valid_from(&self) -> Date {
        self.said.valid_from
    }

    /// The last day that it covers.
    #[must_use]
    pub const fn valid_through(&self) -> Date {
        self.said.valid_through
    }

    /// Whether any day is a rest day here that is worked in `other`.
    pub(crate) fn rests_more_than(&self, other: &Self) -> bool {
        other.working_days.iter().any(|day| self.is_working_day(day.date) == Some(false))
    }

    /// The day that it is at `moment`, where this calendar is kept.
    #[must_use]
    pub fn date_of(&self, moment: WallTime) -> Date {
        let timestamp = i64::try_from(moment.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        timestamp.unwrap_or(Timestamp::MAX).to_zoned(self.time_zone.clone()).date()
    }

    /// Whether `date` is worked; [`None`] for a day that is not covered.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> Option<bool> {
        let covered = self.valid_from() <= date && date <= self.valid_through();
        covered.then(|| self.working_days.binary_search_by_key(&date, |day| day.date).is_ok())
    }

    /// The end of the working day that is `count` working days after the day of `start`: the midnight, in the time
    /// zone of this calendar, before which something due within `count` working days must be done.
    ///
    /// The day on which the clock starts does not count, whether it is worked or not. No working days are no time at
    /// all: they end at `start`.
    ///
    /// # Errors
    ///
    /// When the first or the last of these days is not covered.
    pub fn end_of(&self, count: u16, start: WallTime) -> Result<WallTime, BeyondCalendar> {
        let first = self.date_of(start);
        let (calendar, valid_from, valid_through) = (self.name(), self.valid_from(), self.valid_through());
        if first < valid_from || valid_through < first {
            let calendar = calendar.to_owned();
            return Err(BeyondCalendar::Starts { calendar, date: first, valid_from, valid_through });
        }
        let Some(more) = count.checked_sub(1) else { return Ok(start) };
        let next = self.working_days.partition_point(|day| day.date <= first);
        match self.working_days.get(next + usize::from(more)) {
            Some(last) => Ok(last.end),
            None => Err(BeyondCalendar::Ends { calendar: calendar.to_owned(), date: first, count, valid_through }),
        }
    }

    /// The most days, the first one included, that `count` working days take in any calendar: eight for every five of
    /// them (a week of two rest days with a holiday in it, and no country has one in every week), and the longest
    /// series of holidays once more. A calendar that takes longer is refused when it is read.
    #[must_use]
    pub const fn longest_days(count: u16) -> u32 {
        /// A Spring Festival of nine days, and the day before it on which the clock starts.
        const HOLIDAY_SERIES_DAYS: u32 = 10;
        if count == 0 { 0 } else { count.div_ceil(5) as u32 * 8 + HOLIDAY_SERIES_DAYS }
    }
}

impl Serialize for WorkingCalendar {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.said.serialize(s)
    }
}

impl<'de> Deserialize<'de> for WorkingCalendar {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Document::deserialize(d)?.worked_out().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
