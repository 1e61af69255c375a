//! [`Month`]: a month of a year, which says when somebody grows out of an age band and not when they were born.

use core::fmt;
use core::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sayso_types::WallTime;

/// A month of a year, from January 1970 on, as ISO 8601 writes it (`2031-03`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: Date,
    end: WallTime,
}

/// A text is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no month of a year from 1970 on; write one such as 2031-03")]
pub struct NoMonth;

impl Month {
    /// The first moment after it, in UTC.
    #[must_use]
    pub const fn end(self) -> WallTime {
        self.end
    }
}

impl FromStr for Month {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        let (year, month) = text.split_once('-').filter(|(year, _)| year.len() == 4).ok_or(NoMonth)?;
        if month.len() != 2 || !(year.bytes().chain(month.bytes())).all(|digit| digit.is_ascii_digit()) {
            return Err(NoMonth);
        }
        let first = Date::new(year.parse().map_err(|_| NoMonth)?, month.parse().map_err(|_| NoMonth)?, 1);
        let first = first.map_err(|_| NoMonth)?;
        let next = first.checked_add(1.month()).and_then(|next| next.to_zoned(TimeZone::UTC)).map_err(|_| NoMonth)?;
        let end = u64::try_from(next.timestamp().as_millisecond()).ok().filter(|end| *end > 0).ok_or(NoMonth)?;
        Ok(Self { first, end: WallTime(end) })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_with_the_next() {
        for (text, end) in [("2026-11", 1_796_083_200_000), ("2026-12", 1_798_761_600_000), ("1970-01", 2_678_400_000)]
        {
            let month: Month = text.parse().unwrap();
            assert_eq!((month.end(), month.to_string().as_str()), (WallTime(end), text));
        }
    }

    #[test]
    fn nothing_else_is_a_month() {
        for wrong in ["", "2026", "2026-1", "2026-13", "2026-00", "2026-11-22", "soon", "1969-12", "9999-12", "+026-01"]
        {
            assert_eq!(wrong.parse::<Month>(), Err(NoMonth), "{wrong}");
        }
    }
}
