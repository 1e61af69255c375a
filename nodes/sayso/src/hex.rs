//! Bytes as hexadecimal digits, for people and configuration files.

/// As lower-case digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// From digits of either case; `None` when it is anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 == 1 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is() {
        assert_eq!(encode(&[0, 171, 255]), "00abff");
        assert_eq!(decode("00aBff"), Some(vec![0, 171, 255]));
        for text in ["0", "0g", "+f", "ä"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
