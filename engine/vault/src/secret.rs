//! [`SecretKey`] and [`KeyId`]: a key, and how it is called without being shown.

use core::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a nonce of XChaCha20-Poly1305.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes that sealing adds: the tag of Poly1305.
pub(crate) const TAG_BYTES: usize = 16;

/// 256 bits that nobody may see. They lie in one place on the heap, so that moving the key leaves no copy, and are wiped
/// when it is dropped. Formatting shows that there is one and nothing more.
pub struct SecretKey(Box<[u8; KEY_BYTES]>);

impl SecretKey {
    /// A new one from the system's random source.
    ///
    /// # Panics
    /// When the operating system has no random source, without which there can be no key.
    #[must_use]
    pub fn random() -> Self {
        let mut key = Box::new([0; KEY_BYTES]);
        getrandom::fill(&mut *key).expect("the operating system provides random bytes");
        Self(key)
    }

    /// The key of these bytes; [`None`] unless there are 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Box::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The bytes, for code that wraps keys.
    #[must_use]
    pub const fn reveal(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Another key, which tells nothing about this one: HKDF-SHA256 (RFC 5869) with `salt` and `info`.
    pub(crate) fn derive(&self, salt: &[u8], info: &[&[u8]]) -> Self {
        let mut key = Box::new([0; KEY_BYTES]);
        let hkdf = Hkdf::<Sha256>::new(Some(salt), &*self.0);
        hkdf.expand_multi_info(info, &mut *key).expect("32 bytes are within what HKDF gives");
        Self(key)
    }

    /// Encrypts `plaintext` so that it opens only with this key, `nonce` and `aad`: XChaCha20-Poly1305.
    pub(crate) fn lock(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let cipher = XChaCha20Poly1305::new((&*self.0).into());
        let payload = Payload { msg: plaintext, aad };
        cipher.encrypt(nonce.into(), payload).expect("a record is far below the cipher's 256 GB")
    }

    /// What was [locked](Self::lock); [`None`] unless key, nonce and `aad` are those, and no bit was changed.
    pub(crate) fn unlock(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], locked: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = XChaCha20Poly1305::new((&*self.0).into());
        cipher.decrypt(nonce.into(), Payload { msg: locked, aad }).ok().map(Zeroizing::new)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// Commits to a key: what was sealed under one names it, so that a wrong key is called wrong and never gives anything.
/// Half an HKDF-SHA256 output, which shows nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; Self::BYTES]);

impl KeyId {
    /// Its length.
    pub const BYTES: usize = 16;

    /// That of `key`.
    #[must_use]
    pub fn of(key: &SecretKey) -> Self {
        let id = key.derive(&[], &[b"sayso/vault/key-id/v1"]);
        Self(core::array::from_fn(|i| id.0[i]))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A nonce that no other call has: with 192 random bits, for any number of calls.
pub(crate) fn nonce() -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).expect("the operating system provides random bytes");
    nonce
}

/// `parts` as one text for the cipher to authenticate: each after its length, so that no two lists have the same.
pub(crate) fn authenticated(parts: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        let length = u32::try_from(part.len()).expect("names, keys and headers are short");
        text.extend_from_slice(&length.to_be_bytes());
        text.extend_from_slice(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_show() {
        let key = SecretKey::from_slice(&[0xab; KEY_BYTES]).unwrap();
        assert_eq!(format!("{key:?}"), "SecretKey(..)");
        assert!(SecretKey::from_slice(&[0; 31]).is_none());
        assert_ne!(SecretKey::random().reveal(), SecretKey::random().reveal());
    }

    #[test]
    fn derivation_is_hkdf_sha256() {
        // python3: h = lambda k, m: hmac.new(k, m, "sha256").digest(); h(h(b"salt", bytes([7] * 32)), b"ab" + b"\x01")
        let key = SecretKey::from_slice(&[7; KEY_BYTES]).unwrap().derive(b"salt", &[b"a", b"b"]);
        assert_eq!(hex::encode(key.reveal()), "7ac2dcb8713fe0b3198778b500fcb0c01e9088b807a9ca9ed4b756b29c24f9b0");
    }

    #[test]
    fn lists_that_differ_are_authenticated_differently() {
        assert_ne!(authenticated(&[b"ab", b"c"]), authenticated(&[b"a", b"bc"]));
        assert_ne!(authenticated(&[b"ab"]), authenticated(&[b"ab", b""]));
    }
}
