//! [`Utterance`]: what was said, as plain words.

/// A word that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case, contractions spelled out, symbols in words.
    pub(super) plain: String,
    /// As it was written; empty for the second word of a contraction.
    pub(super) written: String,
}

/// The words of one utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Utterance(Vec<Word>);

/// Words that say nothing wherever they stand.
const FILLERS: [&str; 7] = ["please", "uh", "um", "er", "hm", "hmm", "uhm"];

/// Contractions with "is"; after other words 's marks an owner.
const IS_CONTRACTIONS: [&str; 9] = ["what", "that", "it", "where", "who", "when", "how", "there", "here"];

impl Utterance {
    /// Takes `text` apart. Every Chinese character is a word of its own.
    pub(super) fn new(text: &str) -> Self {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut chars = text.chars().peekable();
        let mut before = None;
        while let Some(c) = chars.next() {
            let after = chars.peek().copied();
            let in_figure =
                before.is_some_and(|b: char| b.is_ascii_digit()) && after.is_some_and(|a| a.is_ascii_digit());
            match c {
                '\'' | '’' if !word.is_empty() => word.push('\''),
                '.' if in_figure => word.push('.'),
                ',' if in_figure => {}
                _ if is_chinese(c) => {
                    push(&mut words, &mut word);
                    words.push(Word { plain: c.to_string(), written: c.to_string() });
                }
                _ if c.is_alphanumeric() => word.push(c),
                _ => {
                    push(&mut words, &mut word);
                    if let Some(name) = symbol(c, before, after) {
                        words.push(Word { plain: name.to_owned(), written: c.to_string() });
                    }
                }
            }
            before = Some(c);
        }
        push(&mut words, &mut word);
        words.retain(|word| !FILLERS.contains(&word.plain.as_str()));
        Self(words)
    }

    /// Its words.
    pub(super) fn words(&self) -> &[Word] {
        &self.0
    }

    /// Its words in lower case.
    pub(super) fn plain(&self) -> Vec<&str> {
        self.0.iter().map(|word| word.plain.as_str()).collect()
    }

    /// Whether it is one of `phrases` and nothing else.
    pub(super) fn is_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.starts(phrase) && phrase_len(phrase) == self.0.len())
    }

    /// Whether it has one of `phrases` somewhere.
    pub(super) fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.find(phrase).is_some())
    }

    /// Whether it starts with `phrase`.
    pub(super) fn starts(&self, phrase: &str) -> bool {
        self.find(phrase) == Some(0)
    }

    /// Where `phrase` is in it.
    pub(super) fn find(&self, phrase: &str) -> Option<usize> {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        self.0.windows(phrase.len()).position(|window| window.iter().zip(&phrase).all(|(word, p)| word.plain == *p))
    }

    /// It without `leads` at its start, unless nothing else would be left.
    pub(super) fn without_leads(&self, leads: &[&str]) -> Self {
        let mut words = self.0.as_slice();
        let plain = self.plain();
        let mut rest = plain.as_slice();
        while let Some(after) = leads.iter().filter_map(|lead| strip(rest, lead)).find(|after| !after.is_empty()) {
            words = &words[rest.len() - after.len()..];
            rest = after;
        }
        Self(words.to_vec())
    }

    /// The words after the first of `phrases` that is in it.
    pub(super) fn after_any(&self, phrases: &[&str]) -> Option<&[Word]> {
        phrases.iter().find_map(|phrase| self.find(phrase).map(|at| &self.0[at + phrase_len(phrase)..]))
    }
}

/// The words after `phrase`, if `words` start with it.
pub(super) fn strip<'a, 'w>(words: &'a [&'w str], phrase: &str) -> Option<&'a [&'w str]> {
    let len = phrase_len(phrase);
    (len <= words.len() && phrase.split(' ').eq(words[..len].iter().copied())).then(|| &words[len..])
}

fn phrase_len(phrase: &str) -> usize {
    phrase.split(' ').count()
}

/// Whether `c` is a Chinese character.
fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

fn symbol(c: char, before: Option<char>, after: Option<char>) -> Option<&'static str> {
    let sign =
        after.is_some_and(|a| a.is_ascii_digit() || a == ' ') && before.is_none_or(|b| b == ' ' || b.is_ascii_digit());
    match c {
        '+' => Some("plus"),
        '-' | '−' | '–' if sign => Some("minus"),
        '*' | '×' => Some("times"),
        '/' | '÷' => Some("over"),
        '%' => Some("percent"),
        '=' => Some("equals"),
        _ => None,
    }
}

/// Adds `word`, as two words when it is a contraction, and starts the next one.
fn push(words: &mut Vec<Word>, word: &mut String) {
    let written = core::mem::take(word);
    let written = written.trim_end_matches('\'');
    if written.is_empty() {
        return;
    }
    let lower = written.to_lowercase();
    let mut add =
        |plain: &str, written: &str| words.push(Word { plain: plain.to_owned(), written: written.to_owned() });
    let (stem, ending) = lower.split_once('\'').unwrap_or((&lower, ""));
    let second = match ending {
        "t" => "not",
        "m" => "am",
        "re" => "are",
        "ll" => "will",
        "ve" => "have",
        "d" => "would",
        "s" if IS_CONTRACTIONS.contains(&stem) => "is",
        _ => return add(&lower, written),
    };
    let first = match (stem, ending) {
        ("won", "t") => "will",
        ("can", "t") => "can",
        (_, "t") => stem.strip_suffix('n').unwrap_or(stem),
        _ => stem,
    };
    add(first, written);
    add(second, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_plain() {
        for (text, words) in [
            ("What's 12 × 7?", "what is 12 times 7"),
            ("I DON'T agree!", "i do not agree"),
            ("I can't, I won't.", "i can not i will not"),
            ("My dog's name is Rex", "my dog's name is rex"),
            ("Um, 1,250.5 please", "1250.5"),
            ("10 - 4", "10 minus 4"),
            ("-5 + 2", "minus 5 plus 2"),
            ("twenty-one 50%", "twenty one 50 percent"),
            ("好的。", "好 的"),
            ("?!", ""),
        ] {
            assert_eq!(Utterance::new(text).plain().join(" "), words, "{text}");
        }
    }

    #[test]
    fn the_way_it_was_written_is_kept() {
        let utterance = Utterance::new("I'm called Anna-Maria.");
        let written: Vec<&str> = utterance.words().iter().map(|word| word.written.as_str()).collect();
        assert_eq!(written, ["I'm", "", "called", "Anna", "Maria"]);
    }
}
