//! Lengths of time in words.

use crate::{Deadline, Period, Tongue};

/// `PT72H` as `72 hours`, `P15WD` as `15 working days`, no time at all as `at once`.
pub(crate) fn period(period: Period, tongue: Tongue) -> String {
    if period.is_zero() {
        return tongue.pick("at once", "立即").to_owned();
    }
    let text = period.to_string();
    let text = text.trim_start_matches('P');
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let date = parts(date).into_iter().map(|(count, unit)| counted(count, date_unit(unit), tongue));
    let time = parts(time).into_iter().map(|(count, unit)| counted(count, time_unit(unit), tongue));
    date.chain(time).collect::<Vec<_>>().join(tongue.pick(" and ", ""))
}

/// A deadline: its length, or the words of the policy.
pub(crate) fn deadline(deadline: &Deadline, tongue: Tongue) -> String {
    match deadline {
        Deadline::Within(within) => period(*within, tongue),
        Deadline::Vague(words) => words.clone(),
    }
}

/// The numbers of an ISO 8601 duration with the letters behind each.
fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let (count, behind) = rest.split_at(end);
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        parts.push((count, &behind[..letters]));
        rest = &behind[letters..];
    }
    parts
}

fn date_unit(letters: &str) -> [&'static str; 2] {
    match letters {
        "Y" => ["year", "年"],
        "M" => ["month", "个月"],
        "W" => ["week", "周"],
        "WD" => ["working day", "个工作日"],
        _ => ["day", "天"],
    }
}

fn time_unit(letters: &str) -> [&'static str; 2] {
    match letters {
        "H" => ["hour", "小时"],
        "M" => ["minute", "分钟"],
        _ => ["second", "秒"],
    }
}

fn counted(count: &str, [english, chinese]: [&str; 2], tongue: Tongue) -> String {
    let plural = if count == "1" { "" } else { "s" };
    match tongue {
        Tongue::English => format!("{count} {english}{plural}"),
        Tongue::Chinese => format!("{count}{chinese}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_out() {
        let said = |text: &str, tongue| period(text.parse().unwrap(), tongue);
        for (text, english, chinese) in [
            ("PT0S", "at once", "立即"),
            ("PT72H", "72 hours", "72小时"),
            ("P1Y", "1 year", "1年"),
            ("P15WD", "15 working days", "15个工作日"),
            ("P1M2DT5M", "1 month and 2 days and 5 minutes", "1个月2天5分钟"),
        ] {
            assert_eq!(said(text, Tongue::English), english);
            assert_eq!(said(text, Tongue::Chinese), chinese);
        }
        assert_eq!(deadline(&Deadline::Vague("promptly".into()), Tongue::Chinese), "promptly");
    }
}
