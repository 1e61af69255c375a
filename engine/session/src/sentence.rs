//! Cuts an answer that arrives piece by piece into sentences, so that the first can be spoken while the rest is
//! still being written.

/// A sentence is spoken as soon as it has this many characters; shorter ones ("Yes.") wait for company, because a
/// voice says two words on their own with the melody of a list.
const CHARS_MIN: usize = 12;
/// A sentence without an end is cut at a space here: a voice reads at most a few lines in one breath.
const CHARS_MAX: usize = 240;

/// Collects text and gives out sentences.
#[derive(Debug, Default)]
pub struct SentenceSplitter {
    pending: String,
}

impl SentenceSplitter {
    /// Nothing collected yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { pending: String::new() }
    }

    /// Adds text; gives each sentence that is complete to `emit`.
    pub fn push(&mut self, text: &str, mut emit: impl FnMut(String)) {
        self.pending.push_str(text);
        while let Some(end) = Self::end_of_first(&self.pending) {
            let rest = self.pending.split_off(end);
            let sentence = core::mem::replace(&mut self.pending, rest);
            Self::give(sentence.trim(), &mut emit);
        }
    }

    /// Gives out what is left.
    pub fn finish(&mut self, mut emit: impl FnMut(String)) {
        let rest = core::mem::take(&mut self.pending);
        Self::give(rest.trim(), &mut emit);
    }

    fn give(sentence: &str, emit: &mut impl FnMut(String)) {
        if !sentence.is_empty() {
            emit(sentence.to_owned());
        }
    }

    /// Byte position after the first complete sentence, if there is one.
    fn end_of_first(text: &str) -> Option<usize> {
        let mut last_space = None;
        for (count, (at, c)) in text.char_indices().enumerate() {
            let after = at + c.len_utf8();
            if "。！？".contains(c) {
                return Some(after);
            }
            // A Latin full stop ends a sentence only before a space: "3.14" and "example.org" go on.
            if ".!?".contains(c) && count + 1 >= CHARS_MIN && text[after..].starts_with(char::is_whitespace) {
                return Some(after);
            }
            if c == '\n' && count > 0 {
                return Some(after);
            }
            if c.is_whitespace() {
                last_space = Some(after);
            }
            if count + 1 >= CHARS_MAX {
                return Some(last_space.unwrap_or(after));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(pieces: &[&str]) -> Vec<String> {
        let mut splitter = SentenceSplitter::default();
        let mut out = Vec::new();
        for piece in pieces {
            splitter.push(piece, |s| out.push(s));
        }
        splitter.finish(|s| out.push(s));
        out
    }

    #[test]
    fn cuts_where_a_voice_would_breathe() {
        let cases: &[(&str, &[&str])] = &[
            ("It is ten past four. Anything else?", &["It is ten past four.", "Anything else?"]),
            ("Yes. That is right.", &["Yes. That is right."]),
            ("Pi is about 3.14 or so. Good.", &["Pi is about 3.14 or so.", "Good."]),
            ("你好。今天天气很好！", &["你好。", "今天天气很好！"]),
            ("", &[]),
            ("  \n ", &[]),
        ];
        for (text, expect) in cases {
            assert_eq!(split(&[text]), *expect, "{text:?}");
        }
    }

    #[test]
    fn a_sentence_without_an_end_is_cut_at_a_space() {
        let long = "word ".repeat(200);
        assert!(split(&[&long]).iter().all(|s| s.chars().count() <= CHARS_MAX));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_however_it_arrives(text in "[a-z.!? \\n。é]{0,400}", cut in 1usize..7) {
            let chars: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = chars.chunks(cut).map(|c| c.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let dense = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(dense(&split(&pieces).concat()), dense(&text));
        }
    }
}
