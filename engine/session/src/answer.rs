//! [`Answer`]: what is being said, laid along the device's play-out clock, so that "what was heard" has an answer.

use sayso_types::TurnId;

#[derive(Debug)]
struct Spoken {
    text: String,
    at_ms: Option<u32>,
}

/// The sentences of one answer and where each starts in its play-out.
#[derive(Debug)]
pub struct Answer {
    turn: TurnId,
    sentences: Vec<Spoken>,
    total_ms: Option<u32>,
    played_ms: u32,
}

impl Answer {
    /// An answer of which nothing has been said.
    #[must_use]
    pub const fn new(turn: TurnId) -> Self {
        Self { turn, sentences: Vec::new(), total_ms: None, played_ms: 0 }
    }

    /// The turn it belongs to.
    #[must_use]
    pub const fn turn(&self) -> TurnId {
        self.turn
    }

    /// Adds a sentence; returns its number, from 0.
    pub fn add(&mut self, text: String) -> u32 {
        self.sentences.push(Spoken { text, at_ms: None });
        self.sentences.len() as u32 - 1
    }

    /// How many sentences there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sentences.len()
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// Characters in all sentences.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.sentences.iter().map(|s| s.text.chars().count()).sum()
    }

    /// Sets where a sentence starts; returns its text, `None` for a sentence that does not exist.
    pub fn starts(&mut self, sentence: u32, at_ms: u32) -> Option<&str> {
        let spoken = self.sentences.get_mut(sentence as usize)?;
        spoken.at_ms = Some(at_ms);
        Some(&spoken.text)
    }

    /// Sets how long the whole answer lasts.
    pub fn lasts(&mut self, total_ms: u32) {
        self.total_ms = Some(total_ms);
    }

    /// How long the whole answer lasts, once that is known.
    #[must_use]
    pub const fn total_ms(&self) -> Option<u32> {
        self.total_ms
    }

    /// Takes the device's word on what it played; it never goes back.
    pub fn played(&mut self, ms: u32) {
        self.played_ms = self.played_ms.max(ms);
    }

    /// How much the device says it has played, in milliseconds.
    #[must_use]
    pub const fn played_ms(&self) -> u32 {
        self.played_ms
    }

    /// The words that were heard by the device's clock: whole sentences, and of the sentence in which play-out
    /// stands the words that fit in the part of it that was played.
    #[must_use]
    pub fn heard(&self) -> String {
        let mut heard = String::new();
        for (i, sentence) in self.sentences.iter().enumerate() {
            let Some(start) = sentence.at_ms.filter(|start| *start < self.played_ms) else { break };
            let end = self.sentences.get(i + 1).and_then(|next| next.at_ms).or(self.total_ms);
            let part = match end {
                Some(end) if end <= self.played_ms => sentence.text.as_str(),
                Some(end) => words_in(&sentence.text, self.played_ms - start, end - start),
                // Its end is not known yet: count by the pace of an ordinary speaker.
                None => words_in(&sentence.text, self.played_ms - start, estimate_ms(&sentence.text)),
            };
            if !heard.is_empty() && !part.is_empty() {
                heard.push(' ');
            }
            heard.push_str(part);
        }
        heard
    }
}

/// Milliseconds that a text takes to say, at 15 characters a second (an English speaker's 150 words a minute).
fn estimate_ms(text: &str) -> u32 {
    (text.chars().count() as u32).max(1) * 1000 / 15
}

/// The leading words of `text` that were complete after `played` of `total` milliseconds.
fn words_in(text: &str, played: u32, total: u32) -> &str {
    if total == 0 || played >= total {
        return text;
    }
    let budget = text.chars().count() as u64 * u64::from(played) / u64::from(total);
    let mut end = 0;
    for (count, (at, c)) in text.char_indices().enumerate() {
        if count as u64 >= budget {
            // A script without spaces is cut at the character, others at the last whole word.
            return if text.contains(' ') { text[..end].trim_end() } else { &text[..at] };
        }
        if c.is_whitespace() {
            end = at;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        let mut answer = Answer::new(TurnId(1));
        answer.add("One two three four.".into());
        answer.add("Five six.".into());
        answer.starts(0, 0);
        answer.starts(1, 2000);
        answer.lasts(3000);
        answer
    }

    #[test]
    fn heard_follows_the_play_out_clock() {
        for (played, expect) in [
            (0, ""),
            (400, ""),
            (500, "One"),
            (1000, "One two"),
            (2000, "One two three four."),
            (2700, "One two three four. Five"),
            (3000, "One two three four. Five six."),
            (9000, "One two three four. Five six."),
        ] {
            let mut answer = answer();
            answer.played(played);
            assert_eq!(answer.heard(), expect, "after {played} ms");
        }
    }

    #[test]
    fn the_device_cannot_unhear() {
        let mut answer = answer();
        answer.played(2000);
        answer.played(100);
        assert_eq!(answer.played_ms(), 2000);
    }

    #[test]
    fn a_script_without_spaces_is_cut_at_the_character() {
        let mut answer = Answer::new(TurnId(1));
        answer.add("今天天气很好".into());
        answer.starts(0, 0);
        answer.lasts(1200);
        answer.played(600);
        assert_eq!(answer.heard(), "今天天");
    }
}
