//! Public keys as text: `name+hash+key`, the `vkey` of C2SP `signed-note`.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::KeyError;

/// A named public key whose signatures are of type `TYPE`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NamedKey<const TYPE: u8> {
    pub(super) name: String,
    pub(super) id: [u8; 4],
    pub(super) key: VerifyingKey,
}

impl<const TYPE: u8> NamedKey<TYPE> {
    pub(super) fn new(name: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(KeyError::Name);
        }
        let hash = Sha256::new().chain_update(name).chain_update([b'\n', TYPE]).chain_update(key.as_bytes()).finalize();
        Ok(Self { name: name.to_owned(), id: core::array::from_fn(|i| hash[i]), key })
    }

    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        // the key itself may hold plus signs, so count from the front
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Format);
        };
        let blob = BASE64.decode(key).map_err(|_| KeyError::Format)?;
        let Some((kind, bytes)) = blob.split_first() else { return Err(KeyError::Key) };
        let bytes = bytes.try_into().ok().filter(|_| *kind == TYPE).ok_or(KeyError::Key)?;
        let key = Self::new(name, VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Key)?)?;
        if format!("{:08x}", u32::from_be_bytes(key.id)) == id { Ok(key) } else { Err(KeyError::Hash) }
    }
}

impl<const TYPE: u8> fmt::Display for NamedKey<TYPE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blob = vec![TYPE];
        blob.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), BASE64.encode(blob))
    }
}

/// A signature line: the name, and the key's id with the signature in base64.
pub(super) fn line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("— {name} {}\n", BASE64.encode([&id, signature].concat()))
}
