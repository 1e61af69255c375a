//! Stress marks in phoneme strings.

/// Main stress of a word; stands before the stressed vowel.
pub(super) const PRIMARY: char = 'ˈ';
/// Lesser stress.
pub(super) const SECONDARY: char = 'ˌ';

/// How strongly a word is to be spoken, compared with its dictionary form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stress {
    /// As in the dictionary.
    Given,
    /// Not stressed at all, as "point" in "three point five".
    Removed,
    /// One step weaker, as the second half of a compound.
    Weaker,
    /// Stressed at least a little, as a capitalised word.
    Audible,
    /// Stressed for sure, as a word in capitals.
    Strong,
}

impl Stress {
    /// `phonemes` spoken that strongly.
    pub(super) fn apply(self, phonemes: &str) -> String {
        let has = |mark: char| phonemes.contains(mark);
        match self {
            Self::Removed => phonemes.replace([PRIMARY, SECONDARY], ""),
            Self::Weaker if has(PRIMARY) => phonemes.replace(SECONDARY, "").replace(PRIMARY, "ˌ"),
            Self::Audible if !has(PRIMARY) && !has(SECONDARY) => mark_first_vowel(phonemes, SECONDARY),
            Self::Strong if !has(PRIMARY) && has(SECONDARY) => phonemes.replace(SECONDARY, "ˈ"),
            Self::Strong if !has(PRIMARY) => mark_first_vowel(phonemes, PRIMARY),
            Self::Given | Self::Weaker | Self::Audible | Self::Strong => phonemes.to_owned(),
        }
    }
}

fn mark_first_vowel(phonemes: &str, mark: char) -> String {
    let mut marked = phonemes.to_owned();
    if let Some(at) = phonemes.find(is_vowel) {
        marked.insert(at, mark);
    }
    marked
}

/// Whether `c` is a vowel; capital letters stand for diphthongs.
pub(super) fn is_vowel(c: char) -> bool {
    "AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ".contains(c)
}

/// Whether `c` is a consonant.
pub(super) fn is_consonant(c: char) -> bool {
    "bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ".contains(c)
}

/// How long `phonemes` take, roughly: diphthongs and affricates count double.
pub(super) fn weight(phonemes: &str) -> usize {
    phonemes.chars().map(|c| if "AIOQWYʤʧ".contains(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stress_moves_only_where_it_must() {
        for (stress, before, after) in [
            (Stress::Given, "həlˈO", "həlˈO"),
            (Stress::Removed, "pˈYnt", "pYnt"),
            (Stress::Weaker, "ˈIskɹˌim", "ˌIskɹim"),
            (Stress::Weaker, "ðə", "ðə"),
            (Stress::Audible, "ðæt", "ðˌæt"),
            (Stress::Audible, "həlˈO", "həlˈO"),
            (Stress::Strong, "ˌɑn", "ˈɑn"),
            (Stress::Strong, "ðæt", "ðˈæt"),
            (Stress::Strong, "s", "s"),
        ] {
            assert_eq!(stress.apply(before), after, "{stress:?} {before}");
        }
    }
}
