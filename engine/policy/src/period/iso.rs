//! [`IsoPeriod`]: a length of time that needs no calendar of holidays.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Span, SpanFieldwise, SpanRelativeTo, Timestamp};
use sayso_types::WallTime;
use serde::{Deserialize, Serialize};

use super::{PeriodError, days, working_days};

/// An ISO 8601 duration (`PT0S`, `P30D`, `P1Y`), counted on the calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IsoPeriod(SpanFieldwise);

impl IsoPeriod {
    /// `count` years.
    #[must_use]
    pub fn years(count: u8) -> Self {
        Self(Span::new().years(count).fieldwise())
    }

    /// The moment this long after `start`; the last representable one when that lies beyond the calendar.
    #[must_use]
    pub fn after(self, start: WallTime) -> WallTime {
        let end = i64::try_from(start.0).ok().and_then(|ms| {
            let start = Timestamp::from_millisecond(ms).ok()?.to_zoned(TimeZone::UTC);
            start.checked_add(self.0.0).ok()
        });
        WallTime(end.map_or(u64::MAX, |end| end.timestamp().as_millisecond().unsigned_abs()))
    }

    /// Whether it is no time at all.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.0.is_zero()
    }

    /// Its years and months, in months.
    pub(super) fn months(self) -> u64 {
        let months = i64::from(self.0.0.get_years()) * 12 + i64::from(self.0.0.get_months());
        months.unsigned_abs()
    }

    /// Its weeks, days and time, in days of 24 hours.
    pub(super) fn beyond_months(self) -> Duration {
        let rest: Span = self.0.0.years(0).months(0);
        let rest = rest.to_duration(SpanRelativeTo::days_are_24_hours());
        rest.map_or(Duration::MAX, |rest| rest.unsigned_abs())
    }

    /// With a month of 28 days and a year of 365.
    pub(super) fn shortest(self) -> Duration {
        let (years, months) = (self.months() / 12, self.months() % 12);
        days(years * 365 + months * 28).saturating_add(self.beyond_months())
    }

    /// With a month of 31 days and a year of 366.
    pub(super) fn longest(self) -> Duration {
        let (years, months) = (self.months() / 12, self.months() % 12);
        days(years * 366 + months * 31).saturating_add(self.beyond_months())
    }
}

impl FromStr for IsoPeriod {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        if working_days(text).is_some() {
            return Err(PeriodError::WorkingDays(text.to_owned()));
        }
        // jiff also reads "3 days"; a profile has one spelling only
        if !text.trim_start_matches('-').starts_with('P') {
            return Err(PeriodError::Format(text.to_owned()));
        }
        let span: Span = text.parse().map_err(|_| PeriodError::Format(text.to_owned()))?;
        if span.is_negative() {
            return Err(PeriodError::Negative(text.to_owned()));
        }
        Ok(Self(span.fieldwise()))
    }
}

impl fmt::Display for IsoPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

impl Serialize for IsoPeriod {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IsoPeriod {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;
    /// 2026-01-31T00:00:00Z
    const JANUARY_31: WallTime = WallTime(1_769_817_600_000);
    /// 2024-02-29T00:00:00Z
    const LEAP_DAY: WallTime = WallTime(1_709_164_800_000);

    #[test]
    fn counts_on_the_calendar() {
        let after = |p: &str| p.parse::<IsoPeriod>().unwrap().after(JANUARY_31).0;
        assert_eq!(after("PT0S"), JANUARY_31.0);
        assert_eq!(after("PT10M"), JANUARY_31.0 + 600_000);
        assert_eq!(after("P30D"), JANUARY_31.0 + 30 * DAY_MS);
        assert_eq!(after("P1M"), JANUARY_31.0 + 28 * DAY_MS, "the last day of February");
        assert_eq!(after("P9999Y"), u64::MAX);
        let year = "P1Y".parse::<IsoPeriod>().unwrap().after(LEAP_DAY).0;
        assert_eq!(year, LEAP_DAY.0 + 365 * DAY_MS, "the last day of February 2025");
        assert_eq!(IsoPeriod::years(1).after(LEAP_DAY).0, year);
    }

    #[test]
    fn years_and_months_add_up() {
        let of = |p: &str| p.parse::<IsoPeriod>().unwrap();
        assert_eq!((of("P1Y2M").months(), of("P1Y2M3D").beyond_months()), (14, days(3)));
    }

    #[test]
    fn takes_no_working_days() {
        let refused = "P15WD".parse::<IsoPeriod>();
        assert_eq!(refused, Err(PeriodError::WorkingDays("P15WD".into())));
        for text in ["30 days", "soon", "", "P"] {
            assert_eq!(text.parse::<IsoPeriod>(), Err(PeriodError::Format(text.into())), "{text}");
        }
        assert_eq!("-P1D".parse::<IsoPeriod>(), Err(PeriodError::Negative("-P1D".into())));
    }
}
