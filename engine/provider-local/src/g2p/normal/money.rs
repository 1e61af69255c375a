//! Amounts of money.

use regex::Captures;

use super::plural;

/// "$3.50" is "3 dollars and 50 cents", "$5 million" is "5 million dollars".
pub(super) fn amount(found: &Captures<'_>) -> Option<String> {
    let (unit, units, part, parts) = match &found[1] {
        "$" => ("dollar", "dollars", "cent", "cents"),
        "£" => ("pound", "pounds", "penny", "pence"),
        "€" => ("euro", "euros", "cent", "cents"),
        "¥" => ("yen", "yen", "sen", "sen"),
        _ => ("rupee", "rupees", "paisa", "paise"),
    };
    let whole = found[2].replace(',', "");
    let fraction = found.get(3).map_or("", |fraction| fraction.as_str());
    if let Some(scale) = found.get(4) {
        let scale = match scale.as_str() {
            "k" | "K" => "thousand",
            "m" | "M" => "million",
            "b" | "B" => "billion",
            scale => scale,
        };
        let point = if fraction.is_empty() { "" } else { "." };
        return Some(format!("{whole}{point}{fraction} {scale} {units}"));
    }
    let minor: u64 = match fraction.len() {
        0 => 0,
        2 => fraction.parse().ok()?,
        _ => return Some(format!("{whole}.{fraction} {units}")),
    };
    let major = plural(&grouped(&whole), unit, units);
    let minor_words = plural(&minor.to_string(), part, parts);
    Some(match (whole.trim_start_matches('0'), minor) {
        (_, 0) => major,
        ("", _) => minor_words,
        _ => format!("{major} and {minor_words}"),
    })
}

/// With commas: four bare digits would be read as a year.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
