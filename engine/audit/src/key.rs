//! [`Signer`] and [`VerifierKey`]: whose word a checkpoint is, by C2SP `signed-note`.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// The signature type of Ed25519 in `signed-note`.
const ED25519: u8 = 1;

/// Why a text is not a verifier key, or a name not one for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or with a space or a plus sign.
    #[error("a key's name must not be empty and must hold neither spaces nor '+'")]
    Name,
    /// Not `name+hash+key`.
    #[error("a verifier key reads NAME+HASH+KEY: a name, 8 hexadecimal digits, and base64")]
    Format,
    /// Not Ed25519, or not a point of the curve.
    #[error("the key is not an Ed25519 public key")]
    Key,
    /// The hash is that of another name and key.
    #[error("the hash in the verifier key does not belong to its name and key; copy it again")]
    Hash,
}

/// Signs the checkpoints of one log. The name is the log's origin.
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// The signer of the log called `name`, with the private key `seed` (32 random bytes).
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// What others check its signatures with.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature line for `text`.
    pub(crate) fn line(&self, text: &str) -> String {
        let mut blob = self.verifier.id.to_vec();
        blob.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("— {} {}\n", self.verifier.name, BASE64.encode(blob))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier)
    }
}

/// A public key with its name; as text `name+hash+key`, which is what a trust file holds.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
            return Err(KeyError::Name);
        }
        let hash =
            Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes()).finalize();
        Ok(Self { name: name.to_owned(), id: core::array::from_fn(|i| hash[i]), key })
    }

    /// Whose it is: the origin of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that point to it in signatures.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether `signature` is its signature of `text`.
    pub(crate) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|s| self.key.verify_strict(text.as_bytes(), &s).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blob = vec![ED25519];
        blob.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), BASE64.encode(blob))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // the key itself may hold plus signs, so count from the front
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Format);
        };
        let blob = BASE64.decode(key).map_err(|_| KeyError::Format)?;
        let (ED25519, bytes) = blob.split_first().map(|(t, b)| (*t, b)).ok_or(KeyError::Key)? else {
            return Err(KeyError::Key);
        };
        let bytes = bytes.try_into().map_err(|_| KeyError::Key)?;
        let key = Self::new(name, VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Key)?)?;
        if format!("{:08x}", u32::from_be_bytes(key.id)) == id { Ok(key) } else { Err(KeyError::Hash) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifier_keys_round_trip_as_text() {
        let key = Signer::new("home.example/sayso", &[7; 32]).unwrap().verifier().clone();
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    /// The key of the example in Go's golang.org/x/mod/sumdb/note, which the specification grew from.
    #[test]
    fn reads_a_key_made_elsewhere() {
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("PeterNeumann", text));
    }

    #[test]
    fn says_what_is_wrong_with_a_key() {
        let parse = |text: &str| text.parse::<VerifierKey>();
        assert_eq!(parse("just a name"), Err(KeyError::Format));
        assert_eq!(parse("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), Err(KeyError::Hash));
        assert_eq!(parse("PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), Err(KeyError::Key));
        assert_eq!(Signer::new("two words", &[7; 32]).map(|_| ()), Err(KeyError::Name));
    }
}
