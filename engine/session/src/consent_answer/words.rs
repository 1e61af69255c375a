//! What was said, as plain words: recognisers write case, punctuation and contractions as they please.

/// Contractions with "is"; after other words `'s` marks an owner.
const IS_CONTRACTIONS: [&str; 3] = ["that", "it", "what"];

/// The words of `text` in lower case, contractions spelled out. Every Chinese character is a word of its own.
pub(crate) fn of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        match c {
            '\'' | '’' if !word.is_empty() => word.push('\''),
            '\u{4e00}'..='\u{9fff}' => {
                spell_out(&mut words, &word);
                word.clear();
                words.push(c.to_string());
            }
            _ if c.is_alphanumeric() => word.extend(c.to_lowercase()),
            _ => {
                spell_out(&mut words, &word);
                word.clear();
            }
        }
    }
    spell_out(&mut words, &word);
    words
}

/// Adds `word`, as two words when it is a contraction.
fn spell_out(words: &mut Vec<String>, word: &str) {
    let word = word.trim_end_matches('\'');
    let (stem, ending) = word.split_once('\'').unwrap_or((word, ""));
    let (first, second) = match (stem, ending) {
        ("", _) => return,
        ("won", "t") => ("will", "not"),
        ("can", "t") => ("can", "not"),
        (_, "t") => (stem.strip_suffix('n').unwrap_or(stem), "not"),
        (_, "m") => (stem, "am"),
        (_, "d") => (stem, "would"),
        (_, "s") if IS_CONTRACTIONS.contains(&stem) => (stem, "is"),
        _ => (word, ""),
    };
    words.push(first.to_owned());
    if !second.is_empty() {
        words.push(second.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_plain() {
        for (text, words) in [
            ("I DON'T agree!", "i do not agree"),
            ("I can’t, I won't.", "i can not i will not"),
            ("That's fine; it's my dog's.", "that is fine it is my dog's"),
            ("I'm sure I'd rather", "i am sure i would rather"),
            ("好的。yes", "好 的 yes"),
            ("?!''", ""),
        ] {
            assert_eq!(of(text).join(" "), words, "{text}");
        }
    }
}
