//! Text as people may see and hear it.

/// `text` without what only a terminal, a screen's layout or a parser would mind: control characters, and marks that
/// turn the direction of writing. A recogniser or responder that talks nonsense gets no further than to be heard.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| c.is_whitespace() || !(c.is_control() || turns(*c) || *c == '\u{fffd}')).collect()
}

/// The first `chars` characters of `text`.
pub(crate) fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

/// Whether there is anything in `text` that can be said.
pub(crate) fn is_sayable(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_see_is_left_out() {
        for (text, expect) in [
            ("It is 12° out.\nGood?", "It is 12° out.\nGood?"),
            ("今天天气很好。", "今天天气很好。"),
            ("\u{0}\u{1b}[2J\u{fffd}hi\u{202e}", "[2Jhi"),
        ] {
            assert_eq!(plain(text), expect, "{text:?}");
        }
        assert_eq!((cut("天气好", 2), cut("天气好", 3), cut("", 1)), ("天气", "天气好", ""));
        assert!(is_sayable("好") && is_sayable("7") && !is_sayable("... ?!"));
    }
}
