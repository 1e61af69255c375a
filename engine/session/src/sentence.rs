//! Cuts an answer that arrives piece by piece into sentences, so that the first can be spoken while the rest is
//! still being written.

/// A sentence is spoken as soon as it has this many characters; shorter ones ("Yes.") wait for company, because a
/// voice says two words on their own with the melody of a list.
const CHARS_MIN: usize = 12;
/// A sentence without an end is cut at a space here: a voice reads at most a few lines in one breath.
const CHARS_MAX: usize = 240;

/// English abbreviations that something always follows: their full stop ends no sentence. As they are written: "20 ms."
/// may well end one. "St." is left out, because it is a saint or a street.
const NEVER_LAST: [&str; 9] = ["Mr", "Mrs", "Ms", "Dr", "Prof", "e.g", "i.e", "vs", "cf"];
/// English abbreviations whose full stop ends a sentence too if the next one begins after it.
const PERHAPS_LAST: [&str; 8] = ["etc", "a.m", "p.m", "U.S", "U.K", "Inc", "Ltd", "Jr"];

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
            if ".!?".contains(c)
                && count + 1 >= CHARS_MIN
                && text[after..].starts_with(char::is_whitespace)
                && !(c == '.' && Self::is_abbreviation(&text[..at], &text[after..]))
            {
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

    /// Whether the full stop between `before` and `after` belongs to an abbreviation, and the sentence goes on. Where
    /// that depends on the next word, it does until there is one.
    fn is_abbreviation(before: &str, after: &str) -> bool {
        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let goes_on = || after.trim_start().chars().next().is_none_or(|next| !next.is_uppercase());
        NEVER_LAST.contains(&word) || PERHAPS_LAST.contains(&word) && goes_on()
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
    fn abbreviations_do_not_end_a_sentence_but_what_looks_like_one_may() {
        let cases: &[(&str, &[&str])] = &[
            ("Then Mr. Smith met Dr. Jones. They talked.", &["Then Mr. Smith met Dr. Jones.", "They talked."]),
            ("Take some fruit (e.g. apples). Then rest.", &["Take some fruit (e.g. apples).", "Then rest."]),
            ("It was cats vs. dogs, i.e. war. Who won?", &["It was cats vs. dogs, i.e. war.", "Who won?"]),
            ("Open from 9 a.m. to 5 p.m. Anything else?", &["Open from 9 a.m. to 5 p.m.", "Anything else?"]),
            ("Apples, pears, etc. are fruit. Good.", &["Apples, pears, etc. are fruit.", "Good."]),
            ("It is made by Acme Inc. Do you like it?", &["It is made by Acme Inc.", "Do you like it?"]),
            ("It took all of 20 ms. Not long.", &["It took all of 20 ms.", "Not long."]),
            ("You may call it MVs. All do.", &["You may call it MVs.", "All do."]),
            ("I shall go and ask Dr", &["I shall go and ask Dr"]),
            ("It will begin at 5 p.m.", &["It will begin at 5 p.m."]),
            ("It will begin at 5 p.m.\nCome!", &["It will begin at 5 p.m.", "Come!"]),
            ("他是 Mr. Wang。你好。", &["他是 Mr. Wang。", "你好。"]),
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

        #[test]
        fn it_is_cut_alike_however_it_arrives(
            words in prop::collection::vec("(Mr|e\\.g|p\\.m|etc|Word|word)[.?,]?[ 。]", 0..25),
            cut in 1usize..7,
        ) {
            let text = words.concat();
            let chars: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = chars.chunks(cut).map(|c| c.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(split(&pieces), split(&[&text]));
        }
    }
}
