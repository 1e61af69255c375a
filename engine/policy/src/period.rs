//! [`Period`]: a length of time as laws and policies write it.

use core::fmt;
use core::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{SpanFieldwise, Timestamp};
use sayso_types::WallTime;
use serde::{Deserialize, Serialize};

/// An ISO 8601 duration (`PT0S`, `P30D`, `P1Y`), counted on the calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period(SpanFieldwise);

/// Why a text is not a [`Period`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It is not an ISO 8601 duration.
    #[error("`{0}` is not an ISO 8601 duration such as PT10M, P30D or P1Y")]
    Format(String),
    /// It goes backwards.
    #[error("`{0}` is negative; a period runs forward")]
    Negative(String),
}

impl Period {
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
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        // jiff also reads "3 days"; a profile has one spelling only
        if !text.trim_start_matches('-').starts_with('P') {
            return Err(PeriodError::Format(text.to_owned()));
        }
        let span: jiff::Span = text.parse().map_err(|_| PeriodError::Format(text.to_owned()))?;
        if span.is_negative() {
            return Err(PeriodError::Negative(text.to_owned()));
        }
        Ok(Self(span.fieldwise()))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31T00:00:00Z
    const JANUARY_31: WallTime = WallTime(1_769_817_600_000);

    #[test]
    fn counts_on_the_calendar() {
        let after = |p: &str| p.parse::<Period>().unwrap().after(JANUARY_31).0;
        assert_eq!(after("PT0S"), JANUARY_31.0);
        assert_eq!(after("PT10M"), JANUARY_31.0 + 600_000);
        assert_eq!(after("P30D"), JANUARY_31.0 + 30 * 86_400_000);
        assert_eq!(after("P1M"), JANUARY_31.0 + 28 * 86_400_000, "the last day of February");
        assert_eq!(after("P9999Y"), u64::MAX);
    }

    #[test]
    fn says_what_is_wrong() {
        for text in ["30 days", "soon", "", "P", "P15WD"] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError::Format(text.into())), "{text}");
        }
        assert_eq!("-P1D".parse::<Period>(), Err(PeriodError::Negative("-P1D".into())));
    }
}
