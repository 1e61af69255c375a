//! Which passages of a person's documents speak of what they ask: BM25 over words, and over pairs of characters where a
//! script puts no space between words.

use std::collections::{HashMap, HashSet};

/// How soon more of the same word counts less, and how much the length of a passage counts (Robertson and Zaragoza, 2009).
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Characters of a passage: a paragraph, which a model takes in at a glance.
const PASSAGE_CHARS: usize = 600;

/// The passages of `texts` that speak of `question`, at most `count` of them, the best first. One that shares no word with it
/// is none.
pub(crate) fn passages(texts: &[&str], question: &str, count: usize) -> Vec<String> {
    let asked: HashSet<String> = terms(question).into_iter().collect();
    let passages: Vec<Passage<'_>> =
        texts.iter().flat_map(|text| split(text)).map(|text| Passage::of(text, &asked)).collect();
    if asked.is_empty() || passages.is_empty() {
        return Vec::new();
    }
    let many = passages.len() as f64;
    let usual = passages.iter().map(|passage| passage.length).sum::<usize>() as f64 / many;
    let rarity: HashMap<&str, f64> = asked
        .iter()
        .map(|term| {
            let having = passages.iter().filter(|passage| passage.counts.contains_key(term)).count() as f64;
            (term.as_str(), (1.0 + (many - having + 0.5) / (having + 0.5)).ln())
        })
        .collect();
    let score = |passage: &Passage<'_>| {
        let length = K1 * (1.0 - B + B * passage.length as f64 / usual.max(1.0));
        let of_term = |(term, count): (&String, &u32)| {
            let count = f64::from(*count);
            rarity.get(term.as_str()).copied().unwrap_or_default() * count * (K1 + 1.0) / (count + length)
        };
        passage.counts.iter().map(of_term).sum::<f64>()
    };
    let mut scored: Vec<_> = passages.iter().map(|passage| (score(passage), passage.text)).collect();
    scored.retain(|(score, _)| *score > 0.0);
    // of equals the first: the sort is stable
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    scored.into_iter().take(count).map(|(_, text)| text.to_owned()).collect()
}

/// A passage, and how often it has which of the words that are asked for.
struct Passage<'a> {
    text: &'a str,
    counts: HashMap<String, u32>,
    length: usize,
}

impl<'a> Passage<'a> {
    fn of(text: &'a str, asked: &HashSet<String>) -> Self {
        let terms = terms(text);
        let (length, mut counts) = (terms.len(), HashMap::new());
        for term in terms.into_iter().filter(|term| asked.contains(term)) {
            *counts.entry(term).or_insert(0) += 1;
        }
        Self { text, counts, length }
    }
}

/// Paragraphs, and parts of those that are longer than a passage, cut at the end of a sentence or a word where there is one.
fn split(text: &str) -> Vec<&str> {
    let mut passages = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut rest = paragraph.trim();
        while let Some((limit, _)) = rest.char_indices().nth(PASSAGE_CHARS) {
            let head = &rest[..limit];
            let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n' | '。' | '！' | '？');
            let end = head.char_indices().rev().find(|(_, c)| ends(*c)).map(|(at, c)| at + c.len_utf8());
            let space = || head.char_indices().rev().find(|(_, c)| c.is_whitespace()).map(|(at, c)| at + c.len_utf8());
            let (passage, left) = rest.split_at(end.or_else(space).unwrap_or(limit));
            passages.push(passage.trim());
            rest = left.trim_start();
        }
        passages.push(rest);
    }
    passages.retain(|passage| !passage.is_empty());
    passages
}

/// The words of `text` in lower case, and pairs of characters of scripts that write words without spaces.
fn terms(text: &str) -> Vec<String> {
    let (mut terms, mut word, mut before) = (Vec::new(), String::new(), None);
    for c in text.chars().chain([' ']) {
        if is_unspaced(c) {
            if let Some(before) = before {
                terms.push([before, c].iter().collect());
            }
            before = Some(c);
        } else {
            before = None;
        }
        if c.is_alphanumeric() && !is_unspaced(c) {
            word.extend(c.to_lowercase());
        } else if !word.is_empty() {
            terms.push(core::mem::take(&mut word));
        }
    }
    terms
}

/// Han, Hiragana, Katakana and Thai.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0e01}'..='\u{0e5b}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSE: &str =
        "The key of the house lies under the blue mat.\n\nThe alarm is off from eight to six. Its code is with Ben.";
    const TRIP: &str = "The train to Bern leaves at nine.\n\nThe hotel in Bern is the Krone.";
    const GARDEN: &str = "花园的钥匙在红色的盒子里。\n\n浇水每天早上七点。";

    #[test]
    fn the_passage_that_speaks_of_it_comes_first_whatever_the_script() {
        let texts = [HOUSE, TRIP, GARDEN];
        let first = |question: &str| passages(&texts, question, 2).into_iter().next();
        assert_eq!(first("Where is the KEY?").as_deref(), Some("The key of the house lies under the blue mat."));
        assert_eq!(first("which hotel in Bern").as_deref(), Some("The hotel in Bern is the Krone."));
        assert_eq!(first("花园钥匙在哪里").as_deref(), Some("花园的钥匙在红色的盒子里。"));
        assert_eq!(first("什么时候浇水").as_deref(), Some("浇水每天早上七点。"));
    }

    #[test]
    fn what_shares_no_word_is_not_found_and_no_more_than_asked_for_is() {
        assert_eq!(passages(&[TRIP], "umbrella", 3), Vec::<String>::new());
        assert_eq!(passages(&[], "Bern", 3), Vec::<String>::new());
        assert_eq!(passages(&[TRIP], "?!", 3), Vec::<String>::new());
        assert_eq!(passages(&[TRIP, TRIP, TRIP], "Bern", 3).len(), 3);
    }

    #[test]
    fn a_long_text_is_cut_at_its_sentences() {
        let long = "One sentence of some words. ".repeat(60);
        let cut = split(&long);
        assert!(cut.len() == 3 && cut.iter().all(|passage| passage.ends_with('.') && passage.chars().count() <= 600));
        let endless = "字".repeat(1_300);
        assert_eq!(split(&endless).iter().map(|passage| passage.chars().count()).collect::<Vec<_>>(), [600, 600, 100]);
    }
}
