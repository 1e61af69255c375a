//! [`PublicKey`].

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::KeyError;

/// A public key with its name, whose signatures are of type `TYPE`. As text it is `name+hash+key`, the `vkey` of C2SP
/// `signed-note`, which is what a trust file holds.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey<const TYPE: u8> {
    pub(super) name: String,
    pub(super) id: [u8; 4],
    pub(super) key: VerifyingKey,
}

impl<const TYPE: u8> PublicKey<TYPE> {
    pub(super) fn new(name: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(KeyError::Name);
        }
        let hash = Sha256::new().chain_update(name).chain_update([b'\n', TYPE]).chain_update(key.as_bytes()).finalize();
        Ok(Self { name: name.to_owned(), id: core::array::from_fn(|i| hash[i]), key })
    }

    /// Whose it is: the origin of a log, or the name of a witness.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that point to it in signatures.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The public key itself.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
}

impl<const TYPE: u8> FromStr for PublicKey<TYPE> {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
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

impl<const TYPE: u8> fmt::Display for PublicKey<TYPE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blob = vec![TYPE];
        blob.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), BASE64.encode(blob))
    }
}

impl<const TYPE: u8> fmt::Debug for PublicKey<TYPE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A signature line: the name, and the key's id with the signature in base64.
pub(super) fn line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("— {name} {}\n", BASE64.encode([&id, signature].concat()))
}
