//! Why a calendar does not answer, and why a text is not a calendar.

use jiff::civil::Date;

use crate::Error;
use crate::error::Place;
use crate::profile::TomlText;

/// A day that a calendar does not cover was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeyondCalendar {
    /// The clock starts outside of it.
    #[error(
        "calendar {calendar} covers {valid_from} to {valid_through}, not {date}; name one in the profile that covers it"
    )]
    Starts {
        /// The calendar's name.
        calendar: String,
        /// The day on which the clock starts.
        date: Date,
        /// The first day covered.
        valid_from: Date,
        /// The last day covered.
        valid_through: Date,
    },
    /// The last working day would come after its end.
    #[error(
        "calendar {calendar} ends on {valid_through}, before {count} working days after {date} are over; name one in the profile that goes further"
    )]
    Ends {
        /// The calendar's name.
        calendar: String,
        /// The day on which the clock starts.
        date: Date,
        /// How many working days were asked for.
        count: u16,
        /// The last day covered.
        valid_through: Date,
    },
}

/// What is wrong with a calendar file, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not TOML, an unknown key, a value of the wrong type, or something mandatory that is not there.
    #[error(transparent)]
    Format(#[from] Error),
    /// A mandatory text is empty.
    #[error("{0} is empty; write it")]
    Empty(&'static str),
    /// The time zone is not a rule.
    #[error(
        "time_zone `{0}` is not a POSIX TZ rule such as CST-8 or CET-1CEST,M3.5.0,M10.5.0/3; copy the last line of the zone's tzdata file"
    )]
    TimeZone(String),
    /// The calendar runs backwards, for too long, or outside of the years that moments are counted in.
    #[error(
        "valid_from {from} to valid_through {through} is not a stretch of 1 to {max_days} days between 1971 and 9000"
    )]
    Validity {
        /// `valid_from`.
        from: Date,
        /// `valid_through`.
        through: Date,
        /// The longest validity, in days.
        max_days: i32,
    },
    /// A holiday runs backwards or outside of the calendar's validity.
    #[error("holiday {name} runs from {from} through {through}; put the dates in order and within the validity")]
    Range {
        /// The holiday.
        name: String,
        /// Its first day.
        from: Date,
        /// Its last day.
        through: Date,
    },
    /// Two holidays share a day.
    #[error("{date} belongs to holiday {name} and to another one; shorten one of them")]
    Overlap {
        /// The later one in the file.
        name: String,
        /// The first shared day.
        date: Date,
    },
    /// A make-up day that makes up for nothing.
    #[error(
        "holiday {name}: make-up day {date} must be a weekly rest day within the validity, in no holiday and named once"
    )]
    MakeUp {
        /// The holiday.
        name: String,
        /// The day.
        date: Date,
    },
    /// More rest than lengths in working days are compared with.
    #[error(
        "{count} working days after {date} take {days} days, longer than the {max_days} that working days may take; check the rest days"
    )]
    TooMuchRest {
        /// How many working days.
        count: u16,
        /// The day on which the clock starts.
        date: Date,
        /// How many days they take.
        days: i32,
        /// The most they may take.
        max_days: u32,
    },
}

impl CalendarError {
    /// What is wrong, without where.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Self::Format(error) => error.problem.to_string(),
            other => other.to_string(),
        }
    }

    /// Where it is wrong in `text`, the file that was read.
    #[must_use]
    pub fn place(&self, text: &str) -> Place {
        let key = match self {
            Self::Format(error) => return error.place.clone(),
            Self::Empty(key) => key,
            Self::TimeZone(_) => "time_zone",
            Self::Validity { .. } => "valid_through",
            Self::Range { .. } | Self::Overlap { .. } | Self::MakeUp { .. } => "holiday",
            Self::TooMuchRest { .. } => "rest_days",
        };
        // what had no form at all was told of above
        TomlText::parse(text).map_or_else(|error| error.place, |text| text.place(key))
    }
}
