//! [`Notice`]: the words that a person hears and reads.

use core::time::Duration;
use std::collections::BTreeSet;

use sayso_types::Name;
use serde::{Deserialize, Serialize};

use super::Src;

/// The longest that the spoken question may take. People stop listening to a device after about that long, and what
/// was not listened to was not agreed to.
pub const SPOKEN_MAX: Duration = Duration::from_secs(20);

/// A calm reader's pace: 150 words a minute.
const WORD: Duration = Duration::from_millis(400);
/// The same where a character is a syllable or a word, in Chinese and Korean: 240 a minute.
const SYLLABLE: Duration = Duration::from_millis(250);
/// The same for Japanese syllables, which are shorter: 400 a minute.
const KANA: Duration = Duration::from_millis(150);
/// The same for letters of languages that leave no space between words, such as Thai: some five of them are a word.
const LETTER: Duration = Duration::from_millis(80);

/// `[notice.LANGUAGE]`: the texts of one language, each exactly as it is read out or shown. A consent record holds
/// the hash of the text that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Read out to ask; at most [`SPOKEN_MAX`], also together with what is said before it after a revision.
    pub spoken: String,
    /// Read out piece by piece to whoever says "tell me more" before they answer; each at most [`SPOKEN_MAX`].
    #[serde(default)]
    pub more: Vec<String>,
    /// Read out before the question to whoever agreed to an earlier revision: what has changed since. Without it they are
    /// told that something has. With [`spoken`](Self::spoken), before which it is read out, at most [`SPOKEN_MAX`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub changed: String,
    /// Shown to ask, with everything that the spoken question has no room for.
    pub screen: String,
    /// Read out after "yes".
    pub thanks: String,
    /// Read out after "no".
    pub refused: String,
    /// Read out after "not now".
    pub deferred: String,
    /// Read out once a withdrawal is in effect.
    pub withdrawn: String,
    /// Read out after an answer that was neither yes nor no.
    pub not_understood: String,
    /// The clauses that they tell people of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub src: Src,
}

impl Notice {
    /// The question as it is read out in `language` to whoever agreed to an earlier revision.
    #[must_use]
    pub fn spoken_again(&self, language: Name) -> String {
        let (changed, gap) = match language.as_str().split('-').next() {
            Some("zh") => ("你同意过的隐私条款有了变化。", ""),
            _ => ("The privacy terms that you agreed to have changed.", " "),
        };
        let changed = if self.changed.is_empty() { changed } else { &self.changed };
        format!("{changed}{gap}{}", self.spoken)
    }

    /// What is read out in `language` before the revision holds that these texts are of.
    #[must_use]
    pub fn spoken_ahead(&self, language: Name) -> String {
        let (soon, gap) = match language.as_str().split('-').next() {
            Some("zh") => ("你同意过的隐私条款即将变更。", ""),
            _ => ("The privacy terms that you agreed to are going to change.", " "),
        };
        if self.changed.is_empty() { soon.to_owned() } else { format!("{soon}{gap}{}", self.changed) }
    }

    /// Every text with its key, but for [`changed`](Self::changed) and [`more`](Self::more), which need not be there.
    #[must_use]
    pub fn texts(&self) -> [(&'static str, &str); 7] {
        [
            ("spoken", &self.spoken),
            ("screen", &self.screen),
            ("thanks", &self.thanks),
            ("refused", &self.refused),
            ("deferred", &self.deferred),
            ("withdrawn", &self.withdrawn),
            ("not_understood", &self.not_understood),
        ]
    }
}

/// About how long a text takes to say: counted in words, and in characters where a script leaves no space between words.
#[must_use]
pub fn speaking_time(text: &str) -> Duration {
    let times = |length: Duration, count: usize| length * u32::try_from(count).unwrap_or(u32::MAX).min(1 << 20);
    let spaced = |c: char| alone(c).is_none();
    let words = text
        .split(|c: char| c.is_whitespace() || !spaced(c))
        .filter(|word| word.contains(char::is_alphanumeric))
        .map(|word| {
            let (words, syllables) = said_as(word);
            (times(WORD, words) + times(SYLLABLE, syllables)).max(WORD)
        })
        .fold(Duration::ZERO, |all, more| all.saturating_add(more));
    [SYLLABLE, KANA, LETTER]
        .map(|length| times(length, text.chars().filter(|c| alone(*c) == Some(length)).count()))
        .into_iter()
        .fold(words, |all, more| all.saturating_add(more))
}

/// As how many words, and how many syllables besides, `word` is said: of a number each digit, of an abbreviation in capitals each
/// letter, of an address of the network what stands between its signs, and each sign.
fn said_as(word: &str) -> (usize, usize) {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_spelled = digits > 0 || word.contains(['@', '/', '.', ':']);
    let parts = word.split(|c: char| !c.is_alphabetic() && (is_spelled || c == '-'));
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    let is_abbreviation = |part: &&str| part.len() > 1 && part.chars().all(|c| c.is_ascii_uppercase());
    let letters: usize = parts.iter().copied().filter(|part| is_abbreviation(part)).map(str::len).sum();
    if !is_spelled {
        // a word with a hyphen is one
        return if letters == 0 { (1, 0) } else { (0, letters) };
    }
    let signs = word.chars().filter(|c| !c.is_alphanumeric()).count();
    (parts.iter().copied().filter(|part| !is_abbreviation(part)).count(), digits + letters + signs)
}

/// How long a character takes to say that is counted by itself.
const fn alone(c: char) -> Option<Duration> {
    match c {
        // CJK Unified Ideographs with their extensions, compatibility ideographs; syllables of Hangul
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
        | '\u{ac00}'..='\u{d7a3}' => Some(SYLLABLE),
        // Hiragana, Katakana
        '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9d}' => Some(KANA),
        // Thai, Lao, Tibetan, Burmese, Khmer
        '\u{0e01}'..='\u{0fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => Some(LETTER),
        _ => None,
    }
}
