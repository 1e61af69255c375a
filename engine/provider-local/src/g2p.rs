//! [`G2p`]: American English text to the phonemes of the voice.
//!
//! ```text
//! text ─ normal ▸ words ─ token ▸ tokens ─ tagger ▸ tagged ─ right to left, as "the" depends on what follows:
//!                                                              word (function words, lexicon, suffix) │
//!                                                              figure (number)                        ├▸ phonemes
//!                                                              guess (a network for unknown words)    │
//! ```
//!
//! The data (lexicon, tagger, network) and the phoneme conventions are those of the `hibari-tts` package, which takes
//! them from misaki and Kokoro (all Apache-2.0): one character a phoneme, capital letters for diphthongs, `ˈ` and `ˌ`
//! before stressed vowels, punctuation kept for its pauses.

mod context;
mod figure;
mod guess;
mod lexicon;
mod normal;
mod number;
mod stress;
mod suffix;
mod tagger;
mod token;
mod word;

use core::ops::Range;
use std::path::Path;

use zeroize::Zeroizing;

use self::context::Next;
use self::figure::Place;
use self::guess::Guesser;
use self::lexicon::Lexicon;
use self::stress::{PRIMARY, Stress};
use self::tagger::Tagger;
use crate::Error;

/// Turns text into phonemes.
#[derive(Debug)]
pub struct G2p {
    lexicon: Lexicon,
    tagger: Tagger,
    guesser: Guesser,
}

/// A part of a text that is read as one: a mark, or all that stands between two spaces or marks.
enum Unit<'t> {
    Mark { sound: &'t str, spaced: bool },
    Word { pieces: Vec<Piece<'t>>, spaced: bool },
}

/// The smallest part that a dictionary may know.
struct Piece<'t> {
    /// In bytes of the text.
    at: Range<usize>,
    /// Its Penn Treebank tag.
    tag: &'t str,
}

impl G2p {
    /// Loads the files of the `hibari-tts` package in `dir`.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::Damaged`] names the file.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        Ok(Self { lexicon: Lexicon::load(dir)?, tagger: Tagger::load(dir)?, guesser: Guesser::load(dir)? })
    }

    /// The phonemes of `text`, a sentence or less. What cannot be spoken (emoji, other scripts) is left out.
    ///
    /// # Errors
    /// [`Error::Inference`] when the network for unknown words breaks.
    pub fn phonemes(&self, text: &str) -> Result<String, Error> {
        let text = Zeroizing::new(normal::spoken(text));
        let mut next = Next::END;
        let mut sounds = Vec::new();
        for unit in self.units(&text).iter().rev() {
            let (sound, spaced) = match unit {
                Unit::Mark { sound, spaced } => ((*sound).to_owned(), *spaced),
                Unit::Word { pieces, spaced } => (self.word(&text, pieces, next)?, *spaced),
            };
            let word = if let Unit::Word { pieces, .. } = unit { &text[span(pieces)] } else { "" };
            next = next.before(word, &sound);
            // two spaces would be two pauses: what is silent may stand between them
            if spaced && sounds.last().is_none_or(|after| after != " ") {
                sounds.push(" ".to_owned());
            }
            if !sound.is_empty() {
                sounds.push(sound);
            }
        }
        sounds.reverse();
        // the voice writes the tapped t of "water" as T and knows no glottal stop
        Ok(sounds.concat().trim().replace('ɾ', "T").replace('ʔ', "t"))
    }

    fn units<'t>(&'t self, text: &'t str) -> Vec<Unit<'t>> {
        let tokens = token::tokens(text);
        let words: Vec<&str> = tokens.iter().map(|token| &text[token.at.clone()]).collect();
        let tags = self.tagger.tag(&words);
        let mut units: Vec<Unit<'t>> = Vec::new();
        for (token, tag) in tokens.into_iter().zip(tags) {
            let word = &text[token.at.clone()];
            if let Some(sound) = mark(word, token.spaced) {
                units.push(Unit::Mark { sound, spaced: token.spaced });
                continue;
            }
            let start = token.at.start;
            let cut = token::pieces(word).into_iter().map(|at| Piece { at: start + at.start..start + at.end, tag });
            match units.last_mut() {
                Some(Unit::Word { pieces, spaced }) if !*spaced => {
                    pieces.extend(cut);
                    *spaced = token.spaced;
                }
                _ => units.push(Unit::Word { pieces: cut.collect(), spaced: token.spaced }),
            }
        }
        units
    }

    /// Reads a word from its end: the longest part that is known, then the longest part before that.
    fn word(&self, text: &str, pieces: &[Piece<'_>], mut next: Next) -> Result<String, Error> {
        let mut parts: Vec<(&str, String)> = Vec::new();
        let mut end = pieces.len();
        while end > 0 {
            let longest = (0..end).find_map(|start| {
                let part = &text[span(&pieces[start..end])];
                let place = if start == 0 { Place::Head } else { Place::Tail };
                let sound = self.known(part, dominant_tag(text, &pieces[start..end]), place, next)?;
                Some((start, part, sound))
            });
            if let Some((start, part, sound)) = longest {
                next = next.before(part, &sound);
                parts.push((part, sound));
                end = start;
            } else if text[pieces[end - 1].at.clone()].chars().all(is_silent) {
                end -= 1;
            } else {
                return self.unknown(&text[span(pieces)]);
            }
        }
        parts.reverse();
        Ok(join(&text[span(pieces)], parts))
    }

    fn known(&self, part: &str, tag: &str, place: Place, next: Next) -> Option<String> {
        self.lexicon.read(part, tag, next).or_else(|| self.figure(part, place))
    }

    fn figure(&self, part: &str, place: Place) -> Option<String> {
        let reading = figure::read(part, place)?;
        let mut sounds = Vec::new();
        for word in reading.words.split([' ', '-']) {
            let sound = self.lexicon.read_plain(word)?;
            sounds.push(if word == "point" { Stress::Removed.apply(&sound) } else { sound });
        }
        let sound = sounds.join(" ");
        Some(reading.ending.map_or_else(|| sound.clone(), |ending| ending.append(&sound)))
    }

    /// Words that are not known as they stand: letters are guessed, figures read, all else left out.
    fn unknown(&self, word: &str) -> Result<String, Error> {
        let mut sounds = Vec::new();
        for run in word.split(|c: char| !c.is_alphanumeric() && c != '\'') {
            for at in token::pieces(run) {
                let piece = &run[at];
                sounds.push(match figure::read(piece, Place::Tail) {
                    Some(_) => self.figure(piece, Place::Tail).unwrap_or_default(),
                    None => self.guesser.guess(piece)?,
                });
            }
        }
        sounds.retain(|sound| !sound.is_empty());
        Ok(sounds.join(" "))
    }
}

fn span(pieces: &[Piece<'_>]) -> Range<usize> {
    match pieces {
        [first, .., last] => first.at.start..last.at.end,
        [only] => only.at.clone(),
        [] => 0..0,
    }
}

/// The tag of the weightiest piece; capitals weigh double.
fn dominant_tag<'t>(text: &str, pieces: &[Piece<'t>]) -> &'t str {
    let weight = |piece: &&Piece<'_>| -> usize {
        text[piece.at.clone()].chars().map(|c| if c.is_uppercase() { 2 } else { 1 }).sum()
    };
    // the first of the weightiest
    pieces.iter().rev().max_by_key(weight).map_or("", |piece| piece.tag)
}

/// How a punctuation mark sounds: as the pause or tune that the voice knows it for.
fn mark(token: &str, spaced: bool) -> Option<&str> {
    Some(match token {
        "\"" | "“" | "”" | "«" | "»" => "",
        "(" | "[" | "{" => "(",
        ")" | "]" | "}" => ")",
        "-" if spaced => "—",
        "–" | "—" => "—",
        ";" | ":" | "," | "." | "!" | "?" | "…" => token,
        "。" => ".",
        "，" | "、" => ",",
        "！" => "!",
        "？" => "?",
        "；" => ";",
        "：" => ":",
        _ => return None,
    })
}

/// Whether `c` stands in words without a sound.
fn is_silent(c: char) -> bool {
    "',-._‘’/".contains(c)
}

/// Joins the parts of `word`: those of "MP3" with a space between, those of "ice-cream" as one word, which has no
/// more than half of its parts fully stressed.
fn join(word: &str, mut parts: Vec<(&str, String)>) -> String {
    let kind = |c: char| (c.is_alphabetic(), c.is_ascii_digit());
    let mut kinds: Vec<_> = word.chars().filter(|c| !is_silent(*c)).map(kind).collect();
    kinds.dedup();
    parts.retain(|(_, sound)| !sound.is_empty());
    if kinds.len() > 1 || word.contains('/') {
        return parts.into_iter().map(|(_, sound)| sound).collect::<Vec<_>>().join(" ");
    }
    let stressed = parts.iter().filter(|(_, sound)| sound.contains(PRIMARY)).count();
    if let [(letter, _), (_, second)] = parts.as_mut_slice()
        && letter.chars().count() == 1
    {
        *second = Stress::Weaker.apply(second);
    } else if parts.len() > 1 && stressed > parts.len().div_ceil(2) {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|&at| (parts[at].1.contains(PRIMARY), stress::weight(&parts[at].1)));
        for &at in &order[..parts.len() / 2] {
            parts[at].1 = Stress::Weaker.apply(&parts[at].1);
        }
    }
    parts.into_iter().map(|(_, sound)| sound).collect()
}
