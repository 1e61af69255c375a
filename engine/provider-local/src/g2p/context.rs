//! [`Next`]: what follows a word, on which the sound of "the", "to" and "a few" others depends.

use super::stress;

/// What sort of sound follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    /// A vowel: "the apple".
    Vowel,
    /// A consonant: "the pear".
    Consonant,
    /// Punctuation, or the end.
    Pause,
}

/// What follows a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// The first sound after it.
    pub(super) sound: Sound,
    /// Whether the word after it is "to".
    pub(super) is_to: bool,
}

impl Next {
    /// Nothing follows.
    pub(super) const END: Self = Self { sound: Sound::Pause, is_to: false };

    /// What the word before a word `text`, pronounced `phonemes`, has after it.
    pub(super) fn before(self, text: &str, phonemes: &str) -> Self {
        let sound = phonemes.chars().find_map(|c| match c {
            ';' | ':' | ',' | '.' | '!' | '?' | '—' | '…' => Some(Sound::Pause),
            _ if stress::is_vowel(c) => Some(Sound::Vowel),
            _ if stress::is_consonant(c) => Some(Sound::Consonant),
            _ => None,
        });
        Self { sound: sound.unwrap_or(self.sound), is_to: matches!(text, "to" | "To") }
    }
}
