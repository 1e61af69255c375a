//! Times of day.

use regex::Captures;

use crate::g2p::number::cardinal;

/// "7:30 pm" is "seven thirty P.M.", "7:05" is "seven oh five", "12:00" is "twelve o'clock".
pub(super) fn clock(found: &Captures<'_>) -> Option<String> {
    let hour: u64 = found[1].parse().ok()?;
    let minute: u64 = found[2].parse().ok()?;
    let second: Option<u64> = found.get(3).and_then(|s| s.as_str().parse().ok());
    if hour > 24 || minute > 59 || second.is_some_and(|s| s > 59) {
        return None;
    }
    let half = found.get(4).map(|half| half.as_str());
    let minutes = match minute {
        0 if half.is_none() && second.is_none() => " o'clock".to_owned(),
        0 => String::new(),
        1..10 => format!(" oh {}", cardinal(minute)),
        _ => format!(" {}", cardinal(minute)),
    };
    let seconds = match second {
        None => String::new(),
        Some(1) => " and one second".to_owned(),
        Some(second) => format!(" and {} seconds", cardinal(second)),
    };
    Some(format!("{}{minutes}{seconds}{}", cardinal(hour), half_of_day(half)))
}

/// "5 p.m" is "five P.M".
pub(super) fn hour(found: &Captures<'_>) -> Option<String> {
    let hour: u64 = found[1].parse().ok()?;
    (1..=12).contains(&hour).then(|| format!("{}{}", cardinal(hour), half_of_day(Some(&found[2]))))
}

/// Without its last point, which is the text's own or is not needed.
fn half_of_day(half: Option<&str>) -> &'static str {
    match half {
        Some("a" | "A") => " A.M",
        Some(_) => " P.M",
        None => "",
    }
}
