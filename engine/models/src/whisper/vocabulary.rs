//! [`Vocabulary`]: the byte sequences of a byte-level BPE tokenizer.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::WhisperError;

/// The ordinary tokens by number, without the special ones, which whisper.cpp knows.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) tokens: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
struct Tokenizer {
    model: Bpe,
    added_tokens: Vec<Added>,
}

#[derive(Deserialize)]
struct Bpe {
    vocab: HashMap<String, usize>,
}

#[derive(Deserialize)]
struct Added {
    id: usize,
}

impl Vocabulary {
    /// Reads a `tokenizer.json` of the `tokenizers` library.
    pub(super) fn parse(json: &str) -> Result<Self, WhisperError> {
        let bad = |reason: String| WhisperError::Tokenizer(reason);
        let tokenizer: Tokenizer = serde_json::from_str(json).map_err(|error| bad(error.to_string()))?;
        let special: HashSet<usize> = tokenizer.added_tokens.iter().map(|token| token.id).collect();
        let ordinary: Vec<_> = tokenizer.model.vocab.iter().filter(|(_, id)| !special.contains(id)).collect();
        let mut tokens = vec![None; ordinary.len()];
        for (text, id) in ordinary {
            let slot = tokens.get_mut(*id).ok_or_else(|| bad(format!("there is a gap before token {id}")))?;
            *slot = Some(decode(text).ok_or_else(|| bad(format!("token {id} is not byte-level")))?);
        }
        let tokens = tokens.into_iter().enumerate();
        let tokens = tokens.map(|(id, token)| token.ok_or_else(|| bad(format!("token {id} is missing"))));
        Ok(Self { tokens: tokens.collect::<Result<_, _>>()? })
    }
}

/// The bytes that `text` stands for; `None` when it holds a character that stands for none.
fn decode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(byte_of).collect()
}

/// GPT-2's byte alphabet: a printable byte is the character of its code; the others, in order, are those from U+0100.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => u8::try_from(code).ok(),
        // 0x00 to 0x20, then 0x7f to 0xa0, then 0xad
        0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_every_byte_once() {
        let mut bytes: Vec<u8> = (0..=0x200).filter_map(char::from_u32).filter_map(byte_of).collect();
        assert_eq!(bytes.len(), 256);
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!(bytes.len(), 256);
        assert_eq!(decode("Ġcafé").unwrap(), b" caf\xe9");
        assert_eq!(decode("Ċ").unwrap(), b"\n");
        assert_eq!(decode("你"), None);
    }

    #[test]
    fn special_tokens_are_left_out_and_order_is_by_number() {
        let json = r#"{"model": {"vocab": {"b": 1, "Ġa": 0, "<|end|>": 2}}, "added_tokens": [{"id": 2}]}"#;
        assert_eq!(Vocabulary::parse(json).unwrap().tokens, [b" a".to_vec(), b"b".to_vec()]);
    }

    #[test]
    fn gaps_duplicates_and_garbage_are_typed_errors() {
        for json in [
            r#"{"model": {"vocab": {"a": 0, "b": 2}}, "added_tokens": []}"#,
            r#"{"model": {"vocab": {"a": 0, "b": 0}}, "added_tokens": []}"#,
            r#"{"model": {"vocab": {"你": 0}}, "added_tokens": []}"#,
            r#"{"model": {"vocab": {"a": -1}}, "added_tokens": []}"#,
            r#"{"model": {}}"#,
            "",
        ] {
            assert!(matches!(Vocabulary::parse(json), Err(WhisperError::Tokenizer(_))), "{json}");
        }
    }
}
