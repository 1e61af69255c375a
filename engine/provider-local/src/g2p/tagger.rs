//! [`Tagger`]: which part of speech a word is, so that "read", "live" and "record" are read right.
//!
//! An averaged perceptron (Collins 2002): words with one dominant tag are looked up, all others get the tag whose
//! weights over the features of the word and its neighbours sum up highest. Tags are those of the Penn Treebank.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;

use super::lexicon::read_json_gz;
use crate::Error;

#[derive(Deserialize)]
struct File {
    tags: Vec<Box<str>>,
    tagdict: HashMap<Box<str>, Box<str>>,
    vocab: HashSet<Box<str>>,
    weights: HashMap<Box<str>, HashMap<Box<str>, f32>>,
}

/// The trained model.
pub(super) struct Tagger {
    /// In ascending order, as ties go to the last.
    tags: Vec<Box<str>>,
    dominant: HashMap<Box<str>, Box<str>>,
    vocabulary: HashSet<Box<str>>,
    /// Feature → (index of a tag, weight).
    weights: HashMap<Box<str>, Box<[(u8, f32)]>>,
}

impl Tagger {
    /// Loads `tagger.json.gz` in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("tagger.json.gz");
        let mut file: File = read_json_gz(&path)?;
        file.tags.sort();
        let index = |tag: &str| {
            let at = file.tags.iter().position(|t| **t == *tag).and_then(|at| u8::try_from(at).ok());
            at.ok_or_else(|| Error::damaged(&path, "it weighs a tag that it does not list"))
        };
        let mut weights = HashMap::with_capacity(file.weights.len());
        for (feature, by_tag) in file.weights {
            let by_tag: Result<_, Error> = by_tag.into_iter().map(|(tag, weight)| Ok((index(&tag)?, weight))).collect();
            weights.insert(feature, by_tag?);
        }
        Ok(Self { tags: file.tags, dominant: file.tagdict, vocabulary: file.vocab, weights })
    }

    /// The tag of each of the words and marks of a sentence.
    pub(super) fn tag(&self, words: &[&str]) -> Vec<&str> {
        let mut window: Vec<String> = vec!["-START2-".into(), "-START-".into()];
        window.extend(words.iter().map(|word| self.known_form(word)));
        window.extend(["-END-".into(), "-END2-".into()]);
        let (mut before, mut previous) = ("-START2-", "-START-");
        let mut tags = Vec::with_capacity(words.len());
        for (at, word) in words.iter().enumerate() {
            let tag = match self.dominant.get(*word) {
                Some(tag) => tag,
                None => self.predict(at, word, &window[at..at + 5], previous, before),
            };
            tags.push(tag);
            (before, previous) = (previous, tag);
        }
        tags
    }

    /// `window` is the word's known form between two on each side.
    fn predict(&self, at: usize, word: &str, window: &[String], previous: &str, before: &str) -> &str {
        let first = word.chars().next().unwrap_or_default();
        let mut scores = vec![0.0; self.tags.len()];
        let mut score = |feature: &str| {
            for &(tag, weight) in self.weights.get(feature).into_iter().flatten() {
                scores[usize::from(tag)] += weight;
            }
        };
        score("b");
        score(if at == 0 { "i0" } else { "i+" });
        for feature in [
            format!("s3={}", ending(word)),
            format!("p1={first}"),
            format!("sh={}", shape(word)),
            format!("t-1={previous}"),
            format!("t-2={before}"),
            format!("t-12={previous},{before}"),
            format!("w-2={}", window[0]),
            format!("w-1={}", window[1]),
            format!("s3-1={}", ending(&window[1])),
            format!("w={}", window[2]),
            format!("w+1={}", window[3]),
            format!("s3+1={}", ending(&window[3])),
            format!("w+2={}", window[4]),
        ] {
            score(&feature);
        }
        let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(tag, _)| tag);
        &self.tags[best]
    }

    /// `word` in lower case, or what sort of word it is when the tagger never met it.
    fn known_form(&self, word: &str) -> String {
        let form = if word.contains('-') && !word.starts_with('-') {
            "!HYPHEN".to_owned()
        } else if word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) {
            "!YEAR".to_owned()
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            "!DIGITS".to_owned()
        } else {
            word.to_lowercase()
        };
        if self.vocabulary.contains(form.as_str()) { form } else { format!("<{}>", shape(word)) }
    }
}

impl core::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tagger").field("tags", &self.tags.len()).field("features", &self.weights.len()).finish()
    }
}

/// The last three characters.
fn ending(word: &str) -> &str {
    word.char_indices().rev().nth(2).map_or(word, |(at, _)| &word[at..])
}

/// What `word` looks like: `x` lower case, `Xx` capitalised, `XX` in capitals, `d` a number, ...
fn shape(word: &str) -> String {
    let all = |is: fn(char) -> bool| word.chars().all(is);
    if all(char::is_alphabetic) {
        let rest_is_lower = word.chars().skip(1).all(char::is_lowercase);
        let shape = match (word.starts_with(char::is_uppercase), word.chars().count()) {
            (false, _) if rest_is_lower => "x",
            (true, 1) => "X1",
            (true, _) if all(char::is_uppercase) => "XX",
            (true, _) if rest_is_lower => "Xx",
            _ => "xX",
        };
        return shape.to_owned();
    }
    if all(|c| c.is_ascii_digit()) {
        return "d".to_owned();
    }
    let class = |c: char| match c {
        _ if c.is_numeric() => 'd',
        _ if c.is_alphabetic() => 'x',
        _ => c,
    };
    word.chars().take(4).map(class).collect()
}
