//! Where to cut a text so that each part can be spoken by itself.

/// Words whose point does not end a sentence.
const TITLES: [&str; 15] =
    ["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Mt", "Gen", "Gov", "Sen", "Capt", "Lt", "Col", "Sgt", "Rev"];

/// The sentences of `text`, trimmed, none empty.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    for line in text.lines() {
        let mut from = 0;
        for (at, c) in line.char_indices() {
            let end = at + c.len_utf8();
            if is_end(line, at, c) {
                let closed = end + closers(&line[end..]);
                sentences.push(&line[from..closed]);
                from = closed;
            }
        }
        sentences.push(&line[from.min(line.len())..]);
    }
    sentences.into_iter().map(str::trim).filter(|sentence| !sentence.is_empty()).collect()
}

/// Whether the mark `c` at `at` ends a sentence.
fn is_end(line: &str, at: usize, c: char) -> bool {
    let after = &line[at + c.len_utf8()..];
    match c {
        '。' | '！' | '？' => true,
        '.' | '!' | '?' | '…' => {
            let after = &after[closers(after)..];
            let next = after.trim_start().chars().next();
            let spaced = after.starts_with(char::is_whitespace);
            spaced && next.is_some_and(|next| !next.is_lowercase()) && !(c == '.' && is_abbreviation(&line[..at]))
        }
        _ => false,
    }
}

/// Whether the point after `before` is that of "Dr." or of the initial "J."
fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    TITLES.contains(&word) || (initial && !before.ends_with(".M") && !before.ends_with(" I"))
}

/// Bytes of the quotes and brackets that `rest` starts with.
fn closers(rest: &str) -> usize {
    rest.len() - rest.trim_start_matches(['"', '”', '’', ')', ']', '」']).len()
}

/// `phonemes` in parts of at most `max` characters: at marks where there are some, else between words, else anywhere.
pub(super) fn clauses(phonemes: &str, max: usize) -> Vec<&str> {
    let mut clauses = Vec::new();
    let mut rest = phonemes;
    while let Some((limit, _)) = rest.char_indices().nth(max) {
        let window = &rest[..limit];
        let after_mark =
            window.rfind([',', ';', ':', '—']).map(|at| at + window[at..].chars().next().map_or(1, char::len_utf8));
        let cut = after_mark.or_else(|| window.rfind(' ')).filter(|&cut| cut > 0).unwrap_or(limit);
        clauses.push(rest[..cut].trim());
        rest = rest[cut..].trim_start();
    }
    clauses.push(rest);
    clauses
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_end_at_their_marks() {
        for (text, sentences) in [
            ("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"][..]),
            ("Dr. Smith met J. K. Rowling. Really.", &["Dr. Smith met J. K. Rowling.", "Really."]),
            ("It costs 3.50 now. ok", &["It costs 3.50 now. ok"]),
            ("He said \"Stop.\" Then he left.", &["He said \"Stop.\"", "Then he left."]),
            ("line one\n\n  line two ", &["line one", "line two"]),
            ("你好。再见！", &["你好。", "再见！"]),
            ("It is me and I. Come.", &["It is me and I.", "Come."]),
            ("  ", &[]),
        ] {
            assert_eq!(split(text), sentences, "{text}");
        }
    }

    #[test]
    fn long_phonemes_are_cut_at_pauses_first() {
        assert_eq!(clauses("aa bb, cc dd", 8), ["aa bb,", "cc dd"]);
        assert_eq!(clauses("aaaa bbbb cccc", 9), ["aaaa", "bbbb cccc"]);
        assert_eq!(clauses("aaaaaa", 4), ["aaaa", "aa"]);
        assert_eq!(clauses("aaaa", 4), ["aaaa"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "(\\PC|[.!? \n]){0,80}", max in 1usize..20) {
            let without_space = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(without_space(&split(&text).concat()), without_space(&text));
            let clauses = clauses(&text, max);
            prop_assert!(clauses.iter().all(|clause| clause.chars().count() <= max));
            prop_assert_eq!(without_space(&clauses.concat()), without_space(&text));
        }
    }
}
