//! [`Deadline`]: how soon a policy says that something happens.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::period::{Period, PeriodError};

/// A length of time, or only words where the written policy gives none.
///
/// Words cannot be kept by a machine. They are read all the same, so that a linter can point at them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Deadline {
    /// Within this time.
    Within(Period),
    /// "promptly", "as soon as possible", "within a reasonable time", as the policy says it.
    Vague(String),
}

/// Why a text is not a [`Deadline`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// It looks like a period and is none.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// It says nothing.
    #[error("a deadline is empty; write a period such as PT72H or P15WD, or the words of the policy")]
    Empty,
}

impl Deadline {
    /// The length of time, where the policy gives one.
    #[must_use]
    pub const fn period(&self) -> Option<Period> {
        match self {
            Self::Within(period) => Some(*period),
            Self::Vague(_) => None,
        }
    }
}

/// Whether somebody meant a period: "P", perhaps negative, before a digit or the "T" of a time.
fn looks_like_period(text: &str) -> bool {
    let length = text.trim_start_matches('-').strip_prefix('P');
    length.is_some_and(|rest| rest.starts_with(|c: char| c == 'T' || c.is_ascii_digit()))
}

impl FromStr for Deadline {
    type Err = DeadlineError;

    fn from_str(text: &str) -> Result<Self, DeadlineError> {
        match text.trim() {
            "" => Err(DeadlineError::Empty),
            period if looks_like_period(period) => Ok(Self::Within(period.parse()?)),
            words => Ok(Self::Vague(words.to_owned())),
        }
    }
}

impl From<Period> for Deadline {
    fn from(period: Period) -> Self {
        Self::Within(period)
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(period) => period.fmt(f),
            Self::Vague(words) => words.fmt(f),
        }
    }
}

impl Serialize for Deadline {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Deadline {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_periods_from_words() {
        for text in ["PT72H", "P15WD", "P1M"] {
            let read: Deadline = text.parse().unwrap();
            assert_eq!(read, Deadline::Within(text.parse().unwrap()));
            assert_eq!(read.to_string(), text);
        }
        for text in ["promptly", "Promptly", "as soon as possible", "及时", "15 working days"] {
            let read: Deadline = text.parse().unwrap();
            assert_eq!(read, Deadline::Vague(text.to_owned()));
            assert_eq!(read.period(), None);
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn refuses_a_period_that_is_wrong() {
        for text in ["P15", "PT", "P3wd", "P15 days"] {
            assert_eq!(text.parse::<Deadline>(), Err(PeriodError::Format(text.into()).into()), "{text}");
        }
        assert_eq!("-PT1H".parse::<Deadline>(), Err(PeriodError::Negative("-PT1H".into()).into()));
        assert_eq!("  ".parse::<Deadline>(), Err(DeadlineError::Empty));
    }
}
