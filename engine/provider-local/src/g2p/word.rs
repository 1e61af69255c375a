//! How one word is read: function words by their surroundings, dictionary words, endings, initialisms.

use super::context::{Next, Sound};
use super::lexicon::{Found, Lexicon};
use super::stress::{PRIMARY, SECONDARY, Stress};
use super::suffix::{self, Ending};

impl Lexicon {
    /// How `word`, used as the Penn Treebank tag `tag` and followed by `next`, is pronounced; `None` when the
    /// dictionaries do not help.
    pub(super) fn read(&self, word: &str, tag: &str, next: Next) -> Option<String> {
        if let Some(phonemes) = self.function_word(word, tag, next) {
            return Some(phonemes);
        }
        let stress = match (is_lower(word), is_upper(word)) {
            (true, _) => Stress::Given,
            (false, true) => Stress::Strong,
            (false, false) => Stress::Audible,
        };
        let lower = word.to_lowercase();
        let word = if self.is_cased_by_chance(word, &lower, tag) { lower.as_str() } else { word };
        if self.knows(word) {
            return self.dictionary_word(word, tag, stress, next);
        }
        if let Some(owner) = word.strip_suffix('\'') {
            if let Some(singular) = owner.strip_suffix('s').map(|stem| format!("{stem}'s")).filter(|w| self.knows(w)) {
                return self.dictionary_word(&singular, tag, stress, next);
            }
            if self.knows(owner) {
                return self.dictionary_word(owner, tag, stress, next);
            }
        }
        self.with_ending(word, tag, stress, next)
    }

    /// `word` as the dictionaries have it, whatever stands around it.
    pub(super) fn read_plain(&self, word: &str) -> Option<String> {
        let next = Next { sound: Sound::Consonant, is_to: false };
        self.dictionary_word(word, "", Stress::Given, next).or_else(|| self.with_ending(word, "", Stress::Given, next))
    }

    /// Words that depend on what they do or what follows.
    fn function_word(&self, word: &str, tag: &str, next: Next) -> Option<String> {
        let plain = |word: &str| self.dictionary_word(word, tag, Stress::Given, next);
        let fixed = |phonemes: &str| Some(phonemes.to_owned());
        match word {
            "%" => plain("percent"),
            "&" => plain("and"),
            "+" => plain("plus"),
            "@" => plain("at"),
            "a" | "A" => fixed(if tag == "DT" { "ɐ" } else { "ˈA" }),
            "an" | "An" => fixed("ɐn"),
            "am" if next.sound != Sound::Pause && !tag.starts_with("NN") => fixed("ɐm"),
            "am" | "Am" | "AM" if tag.starts_with("NN") => self.spell(word),
            "by" | "By" | "BY" if tag.starts_with("RB") => fixed("bˈI"),
            "I" if tag == "PRP" => fixed("ˌI"),
            "in" | "In" if tag == "IN" && next.sound != Sound::Pause => fixed("ɪn"),
            "in" | "In" => fixed("ˈɪn"),
            "the" | "The" | "THE" => fixed(if next.sound == Sound::Vowel { "ði" } else { "ðə" }),
            "to" | "To" | "TO" => match next.sound {
                Sound::Vowel => fixed("tʊ"),
                Sound::Consonant => fixed("tə"),
                Sound::Pause => plain("to"),
            },
            // "I used to swim" has another "used" than "I used soap"
            "used" | "Used" => {
                let habit = next.is_to && matches!(tag, "VBD" | "JJ");
                self.dictionary_word("used", if habit { "VBD" } else { "DEFAULT" }, Stress::Given, next)
            }
            _ if is_dotted_initialism(word) => self.spell(word),
            _ => None,
        }
    }

    /// Whether the capitals of `word` say nothing about how it is read: "Cats" at the start of a sentence, or a
    /// shouted "STOPPED".
    fn is_cased_by_chance(&self, word: &str, lower: &str, tag: &str) -> bool {
        let letters = word.chars().count();
        letters > 1
            && word != lower
            && word.chars().all(|c| c.is_alphabetic() || c == '\'')
            // a short name is itself, even where a common word is spelled the same
            && (tag != "NNP" || letters > 7)
            && !self.has(word)
            && (is_upper(word) || word.chars().skip(1).all(|c| !c.is_uppercase()))
            && (self.has(lower) || self.with_ending(lower, tag, Stress::Given, Next::END).is_some())
    }

    /// Whether `word` itself can be read: from a dictionary, or letter by letter.
    fn knows(&self, word: &str) -> bool {
        if self.has(word) {
            return true;
        }
        let mut letters = word.chars();
        word.bytes().all(|b| b.is_ascii_alphabetic())
            && letters.next().is_some()
            && letters.all(|c| c.is_ascii_uppercase())
    }

    fn dictionary_word(&self, word: &str, tag: &str, stress: Stress, next: Next) -> Option<String> {
        let shouted = is_upper(word) && !self.is_checked(word);
        let folded = if shouted { word.to_lowercase() } else { word.to_owned() };
        // "US" the country is no shouted "us": names in capitals are spelled unless the dictionary stresses them
        let is_name = shouted && tag == "NNP";
        let found = if is_name && !self.is_checked(&folded) { None } else { self.find(&folded, tag, next) };
        match found {
            Some(Found::Phonemes(phonemes)) if !is_name || phonemes.contains(PRIMARY) => Some(stress.apply(phonemes)),
            _ => self.spell(word),
        }
    }

    /// `word` letter by letter, the last one stressed: "p m".
    fn spell(&self, word: &str) -> Option<String> {
        let mut phonemes = String::new();
        for letter in word.chars().filter(|c| c.is_alphabetic()) {
            let letter = letter.to_uppercase().to_string();
            match self.find(&letter, "", Next::END)? {
                Found::Phonemes(letter) => phonemes.push_str(letter),
                Found::Spelled => return None,
            }
        }
        let mut phonemes = Stress::Weaker.apply(&phonemes);
        let last = phonemes.rfind(SECONDARY)?;
        phonemes.replace_range(last..last + SECONDARY.len_utf8(), "ˈ");
        Some(phonemes)
    }

    fn with_ending(&self, word: &str, tag: &str, stress: Stress, next: Next) -> Option<String> {
        for ending in [Ending::S, Ending::Ed, Ending::Ing] {
            let Some(stem) = suffix::stems(word, ending).into_iter().find(|stem| self.knows(stem)) else { continue };
            let stress = if ending == Ending::Ing && stress == Stress::Given { Stress::Audible } else { stress };
            return self.dictionary_word(&stem, tag, stress, next).map(|stem| ending.append(&stem));
        }
        None
    }
}

fn is_lower(word: &str) -> bool {
    !word.chars().any(char::is_uppercase)
}

fn is_upper(word: &str) -> bool {
    !word.chars().any(char::is_lowercase)
}

/// Whether `word` is letters with points between them, as "U.S." or "p.m".
fn is_dotted_initialism(word: &str) -> bool {
    let parts: Vec<&str> = word.trim_matches('.').split('.').collect();
    parts.len() > 1 && parts.iter().all(|part| part.chars().count() <= 2 && part.chars().all(char::is_alphabetic))
}
