//! Countries by their codes: ISO 3166-1, and `EU` for the union.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const CODES: &str = include_str!("../terms/iso-3166.tsv");
/// The European Union: ISO 3166 reserves the code, DPV has a term for it.
pub(crate) const UNION: &str = "EU";

/// The name of each country, by its code.
fn names() -> &'static BTreeMap<&'static str, &'static str> {
    static NAMES: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
        let lines = CODES.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once('\t')).chain([(UNION, "European Union")]).collect()
    });
    &NAMES
}

/// Whether `code` is one.
pub(crate) fn is_country(code: &str) -> bool {
    names().contains_key(code)
}

/// Whether `code` is written like one.
pub(crate) fn is_like_a_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The code of what `words` mean: a code in small letters, or the country's name.
pub(crate) fn meant(words: &str) -> Option<&'static str> {
    let words = words.trim();
    let found = names().iter().find(|(code, name)| {
        // as in `Britain (UK)`
        let name = name.split(" (").next().unwrap_or(name);
        code.eq_ignore_ascii_case(words) || name.eq_ignore_ascii_case(words)
    });
    found.map(|(code, _)| *code)
}

/// What is said of a place that is no country.
pub(crate) fn no_country(place: &str) -> String {
    match meant(place) {
        Some(code) => format!("`{place}` is no code of a country (ISO 3166); did you mean `{code}`?"),
        None => format!("`{place}` is no code of a country (ISO 3166); write one, such as CN"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_country_by_its_code_and_its_name() {
        assert_eq!(names().len(), 250);
        assert!(["CN", "DE", "HK", "US", "EU"].into_iter().all(is_country));
        assert!(!["ZZ", "cn", "UK", "China", "home", "*", ""].into_iter().any(is_country));
        for (words, code) in [("cn", "CN"), ("China", "CN"), ("united states", "US"), ("Britain", "GB"), ("eu", "EU")] {
            assert_eq!(meant(words), Some(code));
        }
        assert_eq!((meant("ZZ"), meant("the device"), meant("")), (None, None, None));
    }
}
