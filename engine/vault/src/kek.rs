//! KEKs at hand: in a file, or in an environment variable.
//!
//! Both hold one key a line, 64 hexadecimal digits, the newest last; a file may also be the 32 bytes of one key. They are
//! read whenever they are needed, and wiped again: a line that is added is used at once, and none stays in memory.
//!
//! ```text
//! wrapped  version, 1: u8 | KeyId of the KEK: 16 bytes | nonce: 24 bytes | XChaCha20-Poly1305 of the key, with the context
//! ```

mod env;
mod file;

pub use self::env::EnvKek;
pub use self::file::FileKek;

use zeroize::Zeroizing;

use crate::secret::{KEY_BYTES, NONCE_BYTES, nonce};
use crate::{KekError, KeyId, SecretKey};

/// The version of the format that is written here.
const VERSION: u8 = 1;

/// Every version of a KEK.
pub(crate) struct Keks {
    /// Where they are from, for errors.
    place: String,
    /// Oldest first; never empty.
    keys: Vec<SecretKey>,
}

impl Keks {
    /// The keys in `text`, which is from `place`.
    pub(crate) fn parse(text: &[u8], place: String) -> Result<Self, KekError> {
        if let Some(key) = SecretKey::from_slice(text) {
            return Ok(Self { place, keys: vec![key] });
        }
        let lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let keys: Option<Vec<_>> = lines.map(unhex).collect();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self { place, keys }),
            Some(_) => Err(KekError::Malformed { place, found: "there is none" }),
            None => Err(KekError::Malformed { place, found: "a line is something else" }),
        }
    }

    pub(crate) fn wrap(&self, key: &SecretKey, context: &[u8]) -> Vec<u8> {
        self.wrap_with(key, context, nonce())
    }

    /// As [`wrap`](Self::wrap), with a nonce that must never be used again under this KEK.
    pub(crate) fn wrap_with(&self, key: &SecretKey, context: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let kek = self.keys.last().expect("there is at least one");
        [&[VERSION][..], &KeyId::of(kek).0, &nonce, &kek.lock(&nonce, context, key.reveal())].concat()
    }

    pub(crate) fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<SecretKey, KekError> {
        if wrapped.first().is_some_and(|version| *version != VERSION) {
            return Err(KekError::Kind { expected: "a key in a file or a variable" });
        }
        let parsed = (|| {
            let ([version], rest) = wrapped.split_first_chunk()?;
            let (id, rest) = rest.split_first_chunk()?;
            let (nonce, locked) = rest.split_first_chunk::<NONCE_BYTES>()?;
            (*version == VERSION).then_some((KeyId(*id), nonce, locked))
        })();
        let (id, nonce, locked) = parsed.ok_or(KekError::Altered)?;
        let kek = self.keys.iter().find(|kek| KeyId::of(kek) == id);
        let kek = kek.ok_or_else(|| KekError::Unknown { id, place: self.place.clone() })?;
        let key = kek.unlock(nonce, context, locked).ok_or(KekError::Altered)?;
        SecretKey::from_slice(&key).ok_or(KekError::Altered)
    }
}

/// The KEK that `wrapped` names, which stands after the version of the format.
pub(crate) fn version_of(wrapped: &[u8]) -> &[u8] {
    wrapped.get(1..1 + KeyId::BYTES).unwrap_or(wrapped)
}

/// The key that `digits` spell; [`None`] unless there are 64 hexadecimal ones.
fn unhex(digits: &[u8]) -> Option<SecretKey> {
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (byte, pair) in key.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    SecretKey::from_slice(&*key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(byte: u8) -> String {
        format!("{byte:02x}").repeat(KEY_BYTES) + "\n"
    }

    fn keks(text: &str) -> Keks {
        Keks::parse(text.as_bytes(), "here".into()).unwrap()
    }

    #[test]
    fn the_newest_wraps_and_all_unwrap() {
        let key = SecretKey::random();
        let (old, both) = (keks(&line(1)), keks(&(line(1) + &line(2))));
        let wrapped = old.wrap(&key, b"context");
        assert_eq!(both.unwrap(&wrapped, b"context").unwrap().reveal(), key.reveal());
        let wrapped = both.wrap(&key, b"context");
        let Err(KekError::Unknown { id, .. }) = old.unwrap(&wrapped, b"context") else { panic!("it has no such key") };
        assert_eq!(id, KeyId::of(&SecretKey::from_slice(&[2; KEY_BYTES]).unwrap()));
        assert!(keks(&line(2)).unwrap(&wrapped, b"context").is_ok());
    }

    #[test]
    fn a_wrapped_key_is_bound_to_its_context() {
        let keks = keks(&line(1));
        let wrapped = keks.wrap(&SecretKey::random(), b"context");
        assert!(matches!(keks.unwrap(&wrapped, b"another"), Err(KekError::Altered)));
    }

    #[test]
    fn a_key_is_hexadecimal_lines_or_bytes() {
        assert_eq!(Keks::parse(&[9; KEY_BYTES], String::new()).unwrap().keys[0].reveal(), &[9; KEY_BYTES]);
        assert_eq!(keks(&format!("\n  {}\r\n", "Ab".repeat(KEY_BYTES))).keys[0].reveal(), &[0xab; KEY_BYTES]);
        for wrong in ["", "\n", "abc", &line(1)[1..], &line(1).replace('0', "g"), &(line(1) + "#")] {
            let Err(error) = Keks::parse(wrong.as_bytes(), "here".into()) else { panic!("{wrong:?} is no key") };
            let shown = error.to_string();
            assert!(shown.starts_with("here: ") && !shown.contains("0101"), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn no_flipped_bit_and_no_cut_goes_unnoticed(
            byte: proptest::sample::Index,
            bit in 0..8u8,
            cut: proptest::sample::Index,
        ) {
            let keks = keks(&line(1));
            let wrapped = keks.wrap(&SecretKey::random(), b"context");
            let mut flipped = wrapped.clone();
            flipped[byte.index(wrapped.len())] ^= 1 << bit;
            prop_assert!(keks.unwrap(&flipped, b"context").is_err());
            prop_assert!(keks.unwrap(&wrapped[..cut.index(wrapped.len())], b"context").is_err());
        }

        #[test]
        fn garbage_is_refused(bytes: Vec<u8>) {
            prop_assert!(keks(&line(1)).unwrap(&bytes, b"context").is_err());
        }
    }
}
