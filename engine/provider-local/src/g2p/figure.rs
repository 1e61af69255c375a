//! Figures as words: "1,250", "3.14", "21st", "the 1990s", "-5", "version 1.2.3".

use super::number;
use super::suffix::Ending;

/// A figure in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Lower-case words with a space or hyphen between them.
    pub(super) words: String,
    /// What the last word ends on, as in "1990s".
    pub(super) ending: Option<Ending>,
}

/// Where a figure stands: that of "A320" is read otherwise than that of "320 people".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the start of its word.
    Head,
    /// Behind letters.
    Tail,
}

/// Most digits that are read as one number; longer ones are read digit by digit. 10^18 fits into a u64.
const DIGITS_MAX: usize = 18;

/// Reads `text`; `None` when it is no figure.
pub(super) fn read(text: &str, place: Place) -> Option<Reading> {
    let body = text.trim_end_matches(|c: char| c.is_ascii_lowercase() || c == '\'');
    let suffix = &text[body.len()..];
    let (negative, body) = match (place, body.strip_prefix('-')) {
        (Place::Head, Some(body)) => (true, body),
        _ => (false, body),
    };
    let is_figure =
        body.chars().all(|c| c.is_ascii_digit() || ",.".contains(c)) && body.contains(|c: char| c.is_ascii_digit());
    if !is_figure {
        return None;
    }
    let (ranked, ending) = match suffix {
        "" => (false, None),
        "st" | "nd" | "rd" | "th" => (true, None),
        "s" | "'s" => (false, Some(Ending::S)),
        "ed" | "'d" => (false, Some(Ending::Ed)),
        "ing" => (false, Some(Ending::Ing)),
        _ => return None,
    };
    let words = if ranked { value(body).map(number::ordinal)? } else { in_words(body, place, negative) };
    let words = if negative { format!("minus {words}") } else { words };
    Some(Reading { words, ending })
}

fn in_words(body: &str, place: Place, negative: bool) -> String {
    let plain = body.bytes().all(|b| b.is_ascii_digit());
    match (place, body.matches('.').count()) {
        (_, 0) if plain && body.len() == 4 && !negative && !body.starts_with('0') => year(body),
        (Place::Head, 0) => whole(body),
        (Place::Head, 1) => decimal(body),
        (Place::Tail, 0) => code(body),
        _ => body.split('.').filter(|part| !part.is_empty()).map(version_part).collect::<Vec<_>>().join(" "),
    }
}

fn year(body: &str) -> String {
    value(body).map_or_else(|| number::digits(body), number::year)
}

fn whole(body: &str) -> String {
    let coded = body.len() > 1 && body.starts_with('0');
    value(body).filter(|_| !coded).map_or_else(|| number::digits(body), number::cardinal)
}

fn decimal(body: &str) -> String {
    let (whole_part, fraction) = body.split_once('.').unwrap_or((body, ""));
    let fraction = fraction.trim_end_matches('0');
    match (whole_part, fraction) {
        ("", _) => format!("point {}", number::digits(fraction)),
        (_, "") => whole(whole_part),
        _ => format!(
            "{} point {}",
            value(whole_part).map_or_else(|| number::digits(whole_part), number::cardinal),
            number::digits(fraction)
        ),
    }
}

/// A number behind letters: "B 12", "A three twenty", "MP three".
fn code(body: &str) -> String {
    let digits: String = body.chars().filter(char::is_ascii_digit).collect();
    match digits.as_bytes() {
        [b'0', ..] | [_, _, _, _, ..] => number::digits(&digits),
        [_, b'0', b'0'] => whole(&digits),
        [_, b'0', _] => format!("{} oh {}", whole(&digits[..1]), whole(&digits[2..])),
        [_, _, _] => format!("{} {}", whole(&digits[..1]), whole(&digits[1..])),
        _ => whole(&digits),
    }
}

/// A part of "2.10.1": short ones as numbers, the rest digit by digit.
fn version_part(part: &str) -> String {
    let round = part.len() == 2 || part.chars().skip(1).all(|c| c == '0');
    if part.starts_with('0') || !round { number::digits(part) } else { whole(part) }
}

fn value(body: &str) -> Option<u64> {
    let digits: String = body.chars().filter(char::is_ascii_digit).collect();
    if digits.len() > DIGITS_MAX { None } else { digits.parse().ok() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_read_by_their_form() {
        for (text, words) in [
            ("0", "zero"),
            ("007", "zero zero seven"),
            ("42", "forty-two"),
            ("1984", "nineteen eighty-four"),
            ("1,984", "one thousand nine hundred eighty-four"),
            ("12345", "twelve thousand three hundred forty-five"),
            ("-5", "minus five"),
            ("3.14", "three point one four"),
            ("0.5", "zero point five"),
            (".25", "point two five"),
            ("10.0", "ten"),
            ("21st", "twenty-first"),
            ("1,000th", "one thousandth"),
            ("1.2.3", "one two three"),
            (
                "12345678901234567890",
                "one two three four five six seven eight nine zero one two three four five six seven \
                                      eight nine zero",
            ),
        ] {
            assert_eq!(read(text, Place::Head).map(|r| r.words).as_deref(), Some(words), "{text}");
        }
        assert_eq!(
            read("1990s", Place::Head),
            Some(Reading { words: "nineteen ninety".into(), ending: Some(Ending::S) })
        );
        for (text, words) in
            [("320", "three twenty"), ("305", "three oh five"), ("12", "twelve"), ("747", "seven forty-seven")]
        {
            assert_eq!(read(text, Place::Tail).map(|r| r.words).as_deref(), Some(words), "{text}");
        }
        for text in ["", "-", "s", "1a", "x2", ".", "5cats"] {
            assert_eq!(read(text, Place::Head), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_hold_no_figures(text in "-?[0-9.,]{1,30}(s|st|ing)?", tail: bool) {
            if let Some(reading) = read(&text, if tail { Place::Tail } else { Place::Head }) {
                prop_assert!(reading.words.chars().all(|c| c.is_ascii_lowercase() || " -".contains(c)), "{}", reading.words);
            }
        }
    }
}
