//! Dates.

use regex::Captures;

use crate::g2p::number::ordinal;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Two-digit years up to this one are in this century.
const PIVOT: u64 = 30;

/// "March third", or "March third, 2026".
pub(super) fn of(year: Option<&str>, month: u64, day: u64) -> Option<String> {
    let month = MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1..=31).contains(&day) {
        return None;
    }
    let year = year.map(|year| format!(", {year}")).unwrap_or_default();
    Some(format!("{month} {}{year}", ordinal(day)))
}

/// "2026-03-14" and "3/14/26"; a first number that is no month is the day.
pub(super) fn numeric(found: &Captures<'_>) -> Option<String> {
    let (month, day): (u64, u64) = (found["month"].parse().ok()?, found["day"].parse().ok()?);
    let (month, day) = if month > 12 { (day, month) } else { (month, day) };
    let year = match found["year"].parse().ok()? {
        year @ 0..=PIVOT => format!("20{year:02}"),
        year @ 0..100u64 => format!("19{year}"),
        _ => found["year"].to_owned(),
    };
    of(Some(&year), month, day)
}

pub(super) fn month_day_pattern() -> String {
    format!(r"({})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(,? \d{{4}})?", months())
}

/// "March 3rd, 2024" is "March third, 2024".
pub(super) fn month_day(found: &Captures<'_>) -> Option<String> {
    let day: u64 = found[2].parse().ok().filter(|day| (1..=31).contains(day))?;
    let year = found.get(3).map_or("", |year| year.as_str());
    Some(format!("{} {}{year}", month(&found[1])?, ordinal(day)))
}

pub(super) fn day_month_pattern() -> String {
    format!(r"(?:the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({})", months())
}

/// "21 June" is "the twenty first of June".
pub(super) fn day_month(found: &Captures<'_>) -> Option<String> {
    let day: u64 = found[1].parse().ok().filter(|day| (1..=31).contains(day))?;
    Some(format!("the {} of {}", ordinal(day), month(&found[2])?))
}

fn month(text: &str) -> Option<&'static str> {
    MONTHS.into_iter().find(|month| month.starts_with(&text[..3]))
}

/// Full names first: the first alternative that matches wins.
fn months() -> String {
    let short: Vec<&str> = MONTHS.iter().map(|month| &month[..3]).collect();
    format!("{}|Sept|{}", MONTHS.join("|"), short.join("|"))
}
