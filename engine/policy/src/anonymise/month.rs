//! [`Month`]: a month of the calendar, in universal time.

use core::fmt;
use core::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sayso_types::WallTime;
use serde::{Deserialize, Serialize};

/// A month, counted from January of the year 0. Written as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(u32);

impl Month {
    /// The month that `at` is in.
    #[must_use]
    pub fn of(at: WallTime) -> Self {
        let at = Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX);
        let date = at.to_zoned(TimeZone::UTC).date();
        // from 1970 on, neither is negative
        Self(u32::from(date.year().unsigned_abs()) * 12 + u32::from(date.month().unsigned_abs()) - 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

/// A text is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no month; write one as 2026-11")]
pub struct NoMonth(String);

impl FromStr for Month {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        let parts = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
        let parts = parts.and_then(|(year, month)| Some((year.parse::<u32>().ok()?, month.parse::<u32>().ok()?)));
        match parts {
            Some((year, month @ 1..=12)) => Ok(Self(year * 12 + month - 1)),
            _ => Err(NoMonth(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Month {
    type Error = NoMonth;

    fn try_from(text: String) -> Result<Self, NoMonth> {
        text.parse()
    }
}
