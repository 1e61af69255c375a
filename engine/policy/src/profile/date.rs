//! [`Date`]: a moment as a policy gives it, which may be less than a moment.

use core::fmt;

use jiff::Timestamp;
use jiff::civil::{Date as Day, DateTime};
use sayso_types::WallTime;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// When something holds from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Date {
    /// A moment.
    Moment(WallTime),
    /// Words that are not one, such as "February 27th". Kept, so that the linter can say what is missing; a profile
    /// with one cannot be put in force.
    Incomplete(String),
}

impl Date {
    /// The moment, if it is one.
    #[must_use]
    pub const fn moment(&self) -> Option<WallTime> {
        match self {
            Self::Moment(at) => Some(*at),
            Self::Incomplete(_) => None,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moment(at) => match i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
                Some(timestamp) => timestamp.fmt(f),
                None => write!(f, "{} ms", at.0),
            },
            Self::Incomplete(words) => f.write_str(words),
        }
    }
}

/// A TOML date-time with an offset, a date (midnight UTC), or words that say less. The same written as a text is the
/// same: a value that was read once no longer knows which it was.
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(d)? {
            toml::Value::String(text) => text,
            toml::Value::Datetime(moment) => moment.to_string(),
            other => return Err(D::Error::custom(format_args!("`{other}` is not a date; write one as 2026-02-27"))),
        };
        // jiff takes the date of a date-time, too
        let is_day = text.len() == "2026-01-01".len() && text.parse::<Day>().is_ok();
        let with_time = if is_day { format!("{text}T00:00:00Z") } else { text.clone() };
        let Ok(timestamp) = with_time.parse::<Timestamp>() else {
            if text.parse::<DateTime>().is_ok() {
                return Err(D::Error::custom(format_args!(
                    "`{text}` is no moment without an offset; end it with Z or +08:00"
                )));
            }
            return Ok(Self::Incomplete(text));
        };
        let ms = u64::try_from(timestamp.as_millisecond()).map_err(|_| D::Error::custom("a time before 1970"))?;
        Ok(Self::Moment(WallTime(ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Date, String> {
        #[derive(Deserialize)]
        struct One {
            at: Date,
        }
        toml::from_str(&format!("at = {value}")).map(|one: One| one.at).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn tells_moments_from_words() {
        let new_year = Ok(Date::Moment(WallTime(1_767_225_600_000)));
        for same in ["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T08:00:00+08:00", "\"2026-01-01\""] {
            assert_eq!(read(same), new_year, "{same}");
        }
        assert_eq!(read("\"February 27th\""), Ok(Date::Incomplete("February 27th".into())));
        assert!(read("2026-01-01T00:00:00").unwrap_err().contains("without an offset"));
        assert!(read("2026").unwrap_err().contains("is not a date"));
        assert!(read("1969-01-01").unwrap_err().contains("before 1970"));
    }
}
