//! Whisper describes what is not speech between brackets; this keeps what was said.

/// Brackets that Whisper puts descriptions in, such as `[BLANK_AUDIO]`, `(music)` and `*sighs*`.
const BRACKETS: [(char, char); 5] = [('[', ']'), ('(', ')'), ('*', '*'), ('（', '）'), ('【', '】')];
/// What Whisper puts around singing.
const NOTE: char = '♪';

/// `text` without descriptions, trimmed; empty when no letter or digit is left.
pub(super) fn only(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (_, after) = rest.split_at(next.len_utf8());
        let closing = BRACKETS.iter().find(|(open, _)| *open == next).map(|(_, close)| *close);
        rest = match closing.and_then(|close| after.split_once(close)) {
            // "3 * 4 * 5" is arithmetic
            Some((description, after)) if !description.starts_with(' ') => after,
            _ => {
                said.push(if next == NOTE { ' ' } else { next });
                after
            }
        };
    }
    if !said.contains(char::is_alphanumeric) {
        return String::new();
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_left_out_and_words_are_kept() {
        for (text, said) in [
            (" [BLANK_AUDIO]", ""),
            (" (upbeat music) ", ""),
            ("*sighs* ...", ""),
            ("♪ ♪", ""),
            ("", ""),
            (" Hello. [BLANK_AUDIO]", "Hello."),
            ("It is (cough) three o'clock.", "It is three o'clock."),
            ("3 * 4 * 5", "3 * 4 * 5"),
            ("♪ la la ♪", "la la"),
            ("an open [ bracket", "an open [ bracket"),
            (" 你好（音乐）", "你好"),
        ] {
            assert_eq!(only(text), said, "{text:?}");
        }
    }
}
