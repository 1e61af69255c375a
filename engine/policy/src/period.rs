//! [`Period`]: a length of time as laws and policies write it.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use sayso_types::WallTime;
use serde::{Deserialize, Serialize};

use crate::calendar::{BeyondCalendar, WorkingCalendar};

mod iso;

pub use iso::IsoPeriod;

/// An ISO 8601 duration (`PT0S`, `P30D`, `P1Y`), or a number of working days (`P15WD`).
///
/// ISO 8601 has no working days: `P15WD` is Sayso's own spelling. A calendar must say which days those are, so a
/// length that has to be known without one is an [`IsoPeriod`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// Counted on the calendar in UTC.
    Iso(IsoPeriod),
    /// Counted in days on which people work.
    WorkingDays(u16),
}

/// Why a text is not a [`Period`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It is neither an ISO 8601 duration nor a number of working days.
    #[error("`{0}` is not an ISO 8601 duration such as PT10M, P30D or P1Y, nor working days such as P15WD")]
    Format(String),
    /// It goes backwards.
    #[error("`{0}` is negative; a period runs forward")]
    Negative(String),
    /// It counts working days where no calendar says which days those are.
    #[error(
        "`{0}` counts working days, which no calendar defines here; write an ISO 8601 duration such as P30D or P1Y"
    )]
    WorkingDays(String),
}

impl Period {
    /// No time at all, on any calendar.
    pub const NONE: Self = Self::WorkingDays(0);

    /// The moment this long after `start`. Working days are those of `calendar`, by the rule of
    /// [`WorkingCalendar::end_of`]; an ISO period ends where [`IsoPeriod::after`] says.
    ///
    /// # Errors
    ///
    /// When working days start or end on a day that the calendar does not cover.
    pub fn after_in(self, start: WallTime, calendar: &WorkingCalendar) -> Result<WallTime, BeyondCalendar> {
        match self {
            Self::Iso(period) => Ok(period.after(start)),
            Self::WorkingDays(count) => calendar.end_of(count, start),
        }
    }

    /// Whether it is no time at all.
    #[must_use]
    pub fn is_zero(self) -> bool {
        match self {
            Self::Iso(period) => period.is_zero(),
            Self::WorkingDays(count) => count == 0,
        }
    }

    /// Whether it may turn out longer than `other`, for some start.
    ///
    /// Working days compare with working days by their count, and ISO periods of as many months by the rest.
    /// Everything else compares [the longest](Self::longest) of this with [the shortest](Self::shortest) of the
    /// other, so that `P30D` may exceed `P1M` (in February) and `P1M` may exceed `P30D` (in March).
    #[must_use]
    pub fn may_exceed(self, other: Self) -> bool {
        match (self, other) {
            (Self::WorkingDays(count), Self::WorkingDays(others)) => count > others,
            (Self::Iso(period), Self::Iso(others)) if period.months() == others.months() => {
                period.beyond_months() > others.beyond_months()
            }
            _ => self.longest() > other.shortest(),
        }
    }

    /// The shortest time that it can take, in days of 24 hours: a month counts 28 days, twelve of them 365, and a
    /// working day one (that the clock is put forward within it is left out).
    #[must_use]
    pub fn shortest(self) -> Duration {
        match self {
            Self::Iso(period) => period.shortest(),
            Self::WorkingDays(count) => days(u64::from(count)),
        }
    }

    /// The longest time that it can take, in days of 24 hours: a month counts 31 days, twelve of them 366, and working
    /// days what [`WorkingCalendar::longest_days`] allows them.
    #[must_use]
    pub fn longest(self) -> Duration {
        match self {
            Self::Iso(period) => period.longest(),
            Self::WorkingDays(count) => days(u64::from(WorkingCalendar::longest_days(count))),
        }
    }
}

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}

/// The digits of `P15WD`.
fn working_days(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('P')?.strip_suffix("WD")?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

impl From<IsoPeriod> for Period {
    fn from(period: IsoPeriod) -> Self {
        Self::Iso(period)
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        if text.strip_prefix('-').and_then(working_days).is_some() {
            return Err(PeriodError::Negative(text.to_owned()));
        }
        match working_days(text) {
            Some(digits) => digits.parse().map(Self::WorkingDays).map_err(|_| PeriodError::Format(text.to_owned())),
            None => text.parse().map(Self::Iso),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iso(period) => period.fmt(f),
            Self::WorkingDays(count) => write!(f, "P{count}WD"),
        }
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

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn reads_and_writes_both_spellings() {
        assert_eq!(period("P15WD"), Period::WorkingDays(15));
        for text in ["P0WD", "P15WD", "P65535WD", "PT0S", "PT10M", "P30D", "P1Y2M3W4DT5H"] {
            assert_eq!(period(text).to_string(), text);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for text in ["30 days", "soon", "", "P", "PWD", "P+3WD", "P1.5WD", "P65536WD", "P15wd", "P1MWD", "15WD"] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError::Format(text.into())), "{text}");
        }
        for text in ["-P1D", "-P3WD"] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError::Negative(text.into())), "{text}");
        }
    }

    #[test]
    fn compares_by_what_may_happen() {
        for (longer, shorter) in [
            ("P16WD", "P15WD"),
            ("P1M1D", "P1M"),
            ("P2M", "P1M"),
            ("P1Y", "P6M"),
            ("PT73H", "P3D"),
            ("P8D", "P1W"),
            ("P3M", "P15WD"),
        ] {
            assert!(period(longer).may_exceed(period(shorter)), "{longer} {shorter}");
            assert!(!period(shorter).may_exceed(period(longer)), "{shorter} {longer}");
        }
        for (one, other) in [("P1M", "P30D"), ("P15WD", "P21D"), ("P15WD", "P1M")] {
            assert!(period(one).may_exceed(period(other)), "{one} {other}");
            assert!(period(other).may_exceed(period(one)), "{other} {one}");
        }
        for (one, other) in [("P1Y", "P12M"), ("P1W", "P7D"), ("PT24H", "P1D"), ("P15WD", "P15WD"), ("P1M", "P1M")] {
            assert!(!period(one).may_exceed(period(other)), "{one} {other}");
            assert!(!period(other).may_exceed(period(one)), "{other} {one}");
        }
    }

    #[test]
    fn bounds_what_it_takes() {
        for (text, shortest, longest) in [
            ("PT0S", 0, 0),
            ("P30D", 30, 30),
            ("P1M", 28, 31),
            ("P14M", 365 + 56, 366 + 62),
            ("P2Y1D", 731, 733),
            ("P0WD", 0, 0),
            ("P15WD", 15, 34),
        ] {
            assert_eq!(period(text).shortest(), days(shortest), "{text}");
            assert_eq!(period(text).longest(), days(longest), "{text}");
        }
    }
}
