//! Cuts text into words and marks, the way the corpora behind the tagger do: "don't" is "do" and "n't", a hyphen is
//! a token of its own.

use core::ops::Range;

/// A word or mark of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Where it stands in the text, in bytes.
    pub(super) at: Range<usize>,
    /// Whether white space follows it.
    pub(super) spaced: bool,
}

/// Endings that are tokens of their own.
const CONTRACTIONS: [&str; 7] = ["n't", "'s", "'m", "'re", "'ve", "'ll", "'d"];

/// The tokens of `text`, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for chunk in text.split_whitespace() {
        let start = chunk.as_ptr() as usize - text.as_ptr() as usize;
        cut_chunk(chunk, start, &mut tokens);
        if let Some(last) = tokens.last_mut() {
            last.spaced = true;
        }
    }
    // the point of "at 5 p.m." ends the sentence as well
    if let Some(last) = tokens.last_mut()
        && keeps_point(&text[last.at.clone()])
    {
        last.at.end -= 1;
        last.spaced = false;
        let end = last.at.end;
        push(&mut tokens, end, 1);
    }
    tokens
}

fn cut_chunk(chunk: &str, start: usize, tokens: &mut Vec<Token>) {
    let (mut from, mut to) = (0, chunk.len());
    while let Some(c) = chunk[from..].chars().next().filter(|&c| is_mark(c, &chunk[from..])) {
        push(tokens, start + from, c.len_utf8());
        from += c.len_utf8();
    }
    let mut marks = Vec::new();
    while let Some(c) = chunk[from..to].chars().next_back() {
        if c.is_alphanumeric() || (c == '.' && keeps_point(&chunk[from..to])) {
            break;
        }
        to -= c.len_utf8();
        marks.push((to, c.len_utf8()));
    }
    cut_word(&chunk[from..to], start + from, tokens);
    for (at, len) in marks.into_iter().rev() {
        push(tokens, start + at, len);
    }
}

/// Whether `c`, the first character of `rest`, is a mark in front of a word. The sign or point of a figure is not.
fn is_mark(c: char, rest: &str) -> bool {
    let signs_figure = "-.".contains(c) && rest[1..].starts_with(|d: char| d.is_ascii_digit());
    !c.is_alphanumeric() && !signs_figure
}

/// Whether the point at the end of `word` belongs to it, as in "U.S." and "J."
fn keeps_point(word: &str) -> bool {
    let Some(body) = word.strip_suffix('.') else { return false };
    let single = |part: &str| part.chars().count() == 1 && part.chars().all(char::is_alphabetic);
    body.split('.').all(single) && (body.contains('.') || body.chars().all(char::is_uppercase))
}

/// Cuts at dashes and slashes inside of `word`, and before contractions.
fn cut_word(word: &str, start: usize, tokens: &mut Vec<Token>) {
    let mut from = 0;
    let mut before = None;
    for (at, c) in word.char_indices() {
        let after = word[at + c.len_utf8()..].chars().next();
        let cuts = match c {
            '-' | ',' => after.is_some_and(char::is_alphabetic),
            '.' => before.is_some_and(char::is_lowercase) && after.is_some_and(char::is_uppercase),
            '\'' | '@' | '&' | '_' => false,
            _ => !c.is_alphanumeric() && !after.is_some_and(|d| d.is_ascii_digit()),
        };
        if cuts {
            cut_contraction(&word[from..at], start + from, tokens);
            push(tokens, start + at, c.len_utf8());
            from = at + c.len_utf8();
        }
        before = Some(c);
    }
    cut_contraction(&word[from..], start + from, tokens);
}

fn cut_contraction(word: &str, start: usize, tokens: &mut Vec<Token>) {
    let lower = word.to_ascii_lowercase();
    let ending = CONTRACTIONS.iter().find(|ending| lower.len() > ending.len() && lower.ends_with(**ending));
    let stem = word.len() - ending.map_or(0, |ending| ending.len());
    push(tokens, start, stem);
    push(tokens, start + stem, word.len() - stem);
}

fn push(tokens: &mut Vec<Token>, start: usize, len: usize) {
    if len > 0 {
        tokens.push(Token { at: start..start + len, spaced: false });
    }
}

/// Cuts a token into what a dictionary may know: runs of letters ("MP3" is "MP" and "3", "YouTube" is "You" and
/// "Tube"), figures, hyphens, and other characters one by one.
pub(super) fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let after = text[at + c.len_utf8()..].chars().next();
        let continues = before.is_some_and(|b| match c {
            _ if c.is_ascii_digit() => {
                b.is_ascii_digit() || (",.".contains(b) && at > 1) || (b == '-' && at == 1) || (b == '.' && at == 1)
            }
            ',' | '.' => b.is_ascii_digit() && after.is_some_and(|a| a.is_ascii_digit()),
            '\'' => b.is_alphabetic() && after.is_some_and(char::is_alphabetic),
            '-' | '_' => "-_".contains(b),
            _ if c.is_alphabetic() => {
                (b.is_alphabetic() && !(b.is_lowercase() && c.is_uppercase())) || (b == '\'' && at > 1)
            }
            _ => false,
        });
        let end = at + c.len_utf8();
        match pieces.last_mut().filter(|_| continues) {
            Some(piece) => piece.end = end,
            None => pieces.push(at..end),
        }
        before = Some(c);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| &text[token.at]).collect()
    }

    #[test]
    fn cuts_words_from_marks() {
        for (text, expected) in [
            ("Hello, world!", &["Hello", ",", "world", "!"][..]),
            ("(I don't know.)", &["(", "I", "do", "n't", "know", ".", ")"]),
            ("It's 5 p.m. now", &["It", "'s", "5", "p.m.", "now"]),
            ("a well-known 3.14", &["a", "well", "-", "known", "3.14"]),
            ("-5 or 1,250.", &["-5", "or", "1,250", "."]),
            ("and/or", &["and", "/", "or"]),
            ("J. Smith's", &["J.", "Smith", "'s"]),
            ("at 5 p.m.", &["at", "5", "p.m", "."]),
        ] {
            assert_eq!(cut(text), expected);
        }
    }

    #[test]
    fn cuts_tokens_into_pieces() {
        for (text, expected) in [
            ("MP3", &["MP", "3"][..]),
            ("YouTube", &["You", "Tube"]),
            ("o'clock", &["o'clock"]),
            ("1,250.5", &["1,250.5"]),
            ("-5", &["-5"]),
            (".5", &[".5"]),
            ("B2B", &["B", "2", "B"]),
            ("n't", &["n't"]),
            ("'s", &["'", "s"]),
        ] {
            let found: Vec<&str> = pieces(text).into_iter().map(|at| &text[at]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_white_space(text in "\\PC{0,40}") {
            let joined: String = cut(&text).concat();
            let expected: String = text.split_whitespace().collect();
            prop_assert_eq!(joined, expected);
            for token in tokens(&text) {
                let token = &text[token.at];
                let joined: String = pieces(token).into_iter().map(|at| &token[at]).collect();
                prop_assert_eq!(joined, token);
            }
        }
    }
}
