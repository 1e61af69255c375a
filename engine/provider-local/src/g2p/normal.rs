//! Written forms that are not read as they stand: times, dates, money, units, abbreviations, symbols.
//!
//! Each becomes words, or figures that read right by themselves: "$3.50" is "3 dollars and 50 cents".

mod date;
mod money;
mod table;
mod time;

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::number;

/// A written form.
struct Rule {
    pattern: Regex,
    /// What to say for a match; `None` leaves it as it is.
    say: fn(&Captures<'_>) -> Option<String>,
}

impl Rule {
    fn new(pattern: &str, say: fn(&Captures<'_>) -> Option<String>) -> Self {
        Self { pattern: Regex::new(pattern).expect("the patterns are constants, and every one is used in a test"), say }
    }

    /// Says every match in `text` that stands alone: no letter, digit or point before it, no letter or digit after.
    fn apply(&self, text: &str) -> String {
        let replaced = self.pattern.replace_all(text, |found: &Captures<'_>| {
            let range = found.get_match().range();
            let touched = text[..range.start].ends_with(|c: char| c.is_alphanumeric() || c == '.')
                || text[range.end..].starts_with(char::is_alphanumeric);
            let words = if touched { None } else { (self.say)(found) };
            words.unwrap_or_else(|| found[0].to_owned())
        });
        replaced.into_owned()
    }
}

/// In the order in which they apply: a date must be seen before its slashes look like a fraction.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    vec![
        Rule::new(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s?([AaPp])\.?[Mm]\b)?", time::clock),
        Rule::new(r"(\d{1,2})\s?([AaPp])\.?[Mm]\b", time::hour),
        Rule::new(r"(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})", date::numeric),
        Rule::new(r"(?<month>\d{1,2})/(?<day>\d{1,2})/(?<year>\d{4}|\d{2})", date::numeric),
        Rule::new(&date::month_day_pattern(), date::month_day),
        Rule::new(&date::day_month_pattern(), date::day_month),
        Rule::new(
            r"([$£€¥₹])\s?(\d+(?:,\d{3})*)(?:\.(\d+))?(?:\s?(hundred|thousand|million|billion|trillion|[kKmMbB]\b))?",
            money::amount,
        ),
        Rule::new(r"(\d+)\s?¢", |c| Some(plural(&c[1], "cent", "cents"))),
        Rule::new(r"(-?\d+(?:\.\d+)?)\s?°\s?([CF])?", degrees),
        Rule::new(&table::unit_pattern(), unit),
        Rule::new(&table::title_pattern(), |c| table::title(&c[1]).map(|title| format!("{title} {}", &c[2]))),
        Rule::new(&table::abbreviation_pattern(), abbreviation),
        Rule::new(r"(?:[Nn]o\. ?|#)(\d+)", |c| Some(format!("number {}", &c[1]))),
        Rule::new(r"(?:\d{3}-)?\d{3}-\d{4}", |c| Some(phone(&c[0]))),
        Rule::new(r"(\d{1,2})/(\d{1,2})", fraction),
        Rule::new(r"(\d{1,4})\s?[-–]\s?(\d{1,4})", |c| Some(format!("{} to {}", &c[1], &c[2]))),
        Rule::new(r"([\w-]+)\.(com|org|net|edu|gov|io|ai)", |c| Some(format!("{} dot {}", &c[1], &c[2]))),
    ]
});

/// `text` with its written forms in words.
pub(super) fn spoken(text: &str) -> String {
    let text: String = text.chars().map(plain).collect();
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for rule in RULES.iter() {
        text = rule.apply(&text);
    }
    symbols(&text)
}

/// Look-alikes as the character that the rules know.
fn plain(c: char) -> char {
    match c {
        '’' | '‘' | 'ʼ' => '\'',
        '‐' | '‑' | '‒' | '−' => '-',
        '―' => '—',
        // full-width forms, as Chinese keyboards type them, are laid out like ASCII
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ if c.is_control() => ' ',
        _ => c,
    }
}

/// `text` with its symbols in words. One between figures ("2 * 3") is arithmetic, elsewhere it may be decoration.
fn symbols(text: &str) -> String {
    let mut spoken = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let counts = |side: Option<char>| side.is_some_and(|c| c.is_ascii_digit());
        let before = text[..at].trim_end().chars().next_back();
        let after = text[at + c.len_utf8()..].trim_start().chars().next();
        let word = match c {
            '*' | '^' | '<' | '>' | '=' if !(counts(before) && counts(after)) => Some(""),
            '*' => Some("times"),
            '+' if counts(after) => Some("plus"),
            _ => table::symbol(c),
        };
        match word {
            Some(word) => {
                spoken.push(' ');
                spoken.push_str(word);
                spoken.push(' ');
            }
            None => spoken.push(c),
        }
    }
    let mut spoken = spoken.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in [",", ".", ";", ":", "!", "?"] {
        spoken = spoken.replace(&format!(" {mark}"), mark);
    }
    spoken
}

/// `count` of something.
fn plural(count: &str, one: &str, many: &str) -> String {
    let noun = if matches!(count, "1" | "-1" | "1.0") { one } else { many };
    format!("{count} {noun}")
}

fn degrees(found: &Captures<'_>) -> Option<String> {
    let scale = match found.get(2).map(|scale| scale.as_str()) {
        Some("C") => " Celsius",
        Some(_) => " Fahrenheit",
        None => "",
    };
    Some(format!("{}{scale}", plural(&found[1], "degree", "degrees")))
}

fn unit(found: &Captures<'_>) -> Option<String> {
    let (one, many) = table::unit(&found[2])?;
    Some(plural(&found[1], one, many))
}

/// The point of an abbreviation at the end of the text also ends the sentence.
fn abbreviation(found: &Captures<'_>) -> Option<String> {
    let words = table::abbreviation(&found[1])?;
    let ends = found[1].ends_with('.') && found.name("end").is_some();
    Some(if ends { format!("{words}.") } else { words.to_owned() })
}

/// Digit by digit, with a pause where the hyphens are.
fn phone(text: &str) -> String {
    text.split('-').map(number::digits).collect::<Vec<_>>().join(", ")
}

fn fraction(found: &Captures<'_>) -> Option<String> {
    let (above, below): (u64, u64) = (found[1].parse().ok()?, found[2].parse().ok()?);
    let name = match below {
        2 => "half".to_owned(),
        4 => "quarter".to_owned(),
        3..=10 => number::ordinal(below),
        _ => return date::of(None, above, below).or_else(|| Some(format!("{above} slash {below}"))),
    };
    if above == 0 || above >= below {
        return date::of(None, above, below);
    }
    let name = if above == 1 { name } else { format!("{name}s") };
    Some(format!("{} {name}", number::cardinal(above)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn written_forms_become_words() {
        for (text, words) in [
            ("at 7:30 pm.", "at seven thirty P.M."),
            ("at 7:05", "at seven oh five"),
            ("at 12:00", "at twelve o'clock"),
            ("at 5 p.m. sharp", "at five P.M. sharp"),
            ("at 10am", "at ten A.M"),
            ("25:99", "25:99"),
            ("on 2026-03-14", "on March fourteenth, 2026"),
            ("on 3/14/26", "on March fourteenth, 2026"),
            ("on March 3rd, 2024", "on March third, 2024"),
            ("on Mar. 3", "on March third"),
            ("on 21 June", "on the twenty-first of June"),
            ("on the 4th of July", "on the fourth of July"),
            ("$3.50", "3 dollars and 50 cents"),
            ("$1", "1 dollar"),
            ("$1500", "1,500 dollars"),
            ("£0.99", "99 pence"),
            ("€5 million", "5 million euros"),
            ("$2.5k", "2.5 thousand dollars"),
            ("5¢", "5 cents"),
            ("-5°C", "-5 degrees Celsius"),
            ("70°", "70 degrees"),
            ("5 km", "5 kilometers"),
            ("1kg", "1 kilogram"),
            ("60 mph", "60 miles per hour"),
            ("Dr. Smith", "Doctor Smith"),
            ("St. Paul", "Saint Paul"),
            ("Main St.", "Main Street."),
            ("Main St. now", "Main Street now"),
            ("cats vs. dogs", "cats versus dogs"),
            ("No. 5", "number 5"),
            ("call 555-1234", "call five five five, one two three four"),
            ("1/2", "one half"),
            ("3/4 cup", "three quarters cup"),
            ("5-10 people", "5 to 10 people"),
            ("example.com", "example dot com"),
            ("yes or no.", "yes or no."),
            ("2 + 2 = 4", "2 plus 2 equals 4"),
            ("6 × 7", "6 times 7"),
            ("6 * 7", "6 times 7"),
            ("*note*", "note"),
            ("½ an hour", "one half an hour"),
            ("it’s", "it's"),
            ("a\u{0}b\nc", "a b c"),
            ("", ""),
        ] {
            assert_eq!(spoken(text), words, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "[0-9A-Za-z:/$.,°%+*=<># -]{0,40}|\\PC{0,40}") {
            let once = spoken(&text);
            prop_assert_eq!(once.trim(), &once);
        }
    }
}
