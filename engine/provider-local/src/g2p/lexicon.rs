//! [`Lexicon`]: the pronouncing dictionaries.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::context::{Next, Sound};
use crate::Error;

/// How a word is pronounced.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    /// Always the same.
    One(Box<str>),
    /// By part of speech (`VERB`, `NOUN`, `VBD`, ...), before a pause (`None`), or else (`DEFAULT`). Null stands for
    /// "letter by letter".
    ByTag(HashMap<Box<str>, Option<Box<str>>>),
}

/// A dictionary in which a lower-case word also answers to its capitalised form and the other way round, unless
/// that form has an entry of its own.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Dictionary(HashMap<Box<str>, Entry>);

impl Dictionary {
    fn get(&self, word: &str) -> Option<&Entry> {
        self.0.get(word).or_else(|| {
            let mut rest = word.chars();
            let first = rest.next()?;
            let rest = rest.as_str();
            if rest.is_empty() || rest.chars().any(char::is_uppercase) {
                None
            } else if first.is_uppercase() {
                self.0.get(word.to_lowercase().as_str())
            } else {
                self.0.get(format!("{}{rest}", first.to_uppercase()).as_str())
            }
        })
    }
}

/// What the dictionaries say about a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// It is pronounced so.
    Phonemes(&'a str),
    /// It is spelled out.
    Spelled,
}

/// Two dictionaries: one checked by people, asked first, and a larger one made by machine.
#[derive(Debug)]
pub(super) struct Lexicon {
    gold: Dictionary,
    silver: Dictionary,
}

impl Lexicon {
    /// Loads `lexicon_us_gold.json.gz` and `lexicon_us_silver.json.gz` in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, Error> {
        Ok(Self {
            gold: read_json_gz(&dir.join("lexicon_us_gold.json.gz"))?,
            silver: read_json_gz(&dir.join("lexicon_us_silver.json.gz"))?,
        })
    }

    /// Whether the checked dictionary has `word`.
    pub(super) fn is_checked(&self, word: &str) -> bool {
        self.gold.get(word).is_some()
    }

    /// Whether either dictionary has `word`.
    pub(super) fn has(&self, word: &str) -> bool {
        self.is_checked(word) || self.silver.get(word).is_some()
    }

    /// How `word`, used as `tag` and followed by `next`, is pronounced.
    pub(super) fn find(&self, word: &str, tag: &str, next: Next) -> Option<Found<'_>> {
        let entry = self.gold.get(word).or_else(|| self.silver.get(word))?;
        let phonemes = match entry {
            Entry::One(phonemes) => Some(phonemes),
            Entry::ByTag(readings) => {
                let before_pause = if next.sound == Sound::Pause { readings.get("None") } else { None };
                before_pause
                    .or_else(|| readings.get(tag))
                    .or_else(|| readings.get(word_class(tag)))
                    .or_else(|| readings.get("DEFAULT"))?
                    .as_ref()
            }
        };
        Some(phonemes.map_or(Found::Spelled, |p| Found::Phonemes(p)))
    }
}

/// The class that the dictionaries know for a Penn Treebank tag.
fn word_class(tag: &str) -> &str {
    match tag.get(..2) {
        Some("VB") => "VERB",
        Some("NN") => "NOUN",
        Some("RB") => "ADV",
        Some("JJ") => "ADJ",
        _ => tag,
    }
}

/// Reads a gzipped JSON file of the voice package.
pub(super) fn read_json_gz<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let packed = std::fs::read(path).map_err(|e| Error::unreadable(path, e))?;
    let mut json = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut json).map_err(|e| Error::damaged(path, e))?;
    serde_json::from_slice(&json).map_err(|e| Error::damaged(path, e))
}
