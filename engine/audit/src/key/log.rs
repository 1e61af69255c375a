//! [`Signer`] and [`VerifierKey`]: the keys of a log.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey};

use super::KeyError;
use super::public::{PublicKey, line};

/// The signature type of Ed25519 in `signed-note`.
const ED25519: u8 = 1;

/// Signs the checkpoints of one log. The name is the log's origin.
///
/// A log changes its key by signing with both for a time, so that whoever trusts only one of them goes on without a gap.
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
    /// The key that is on its way out.
    former: Option<Box<Self>>,
}

impl Signer {
    /// The signer of the log called `name`, with the private key `seed` (32 random bytes).
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier, former: None })
    }

    /// The same that signs with the log's former key as well, the private key `seed`.
    #[must_use]
    pub fn with_former(self, seed: &[u8; 32]) -> Self {
        let former = Self::new(self.verifier.name(), seed).expect("the name is good for one key and so for another");
        Self { former: Some(Box::new(former)), ..self }
    }

    /// What others check its signatures with.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// What others check its signatures with until they have learned of [`verifier`](Self::verifier).
    #[must_use]
    pub fn former_verifier(&self) -> Option<&VerifierKey> {
        self.former.as_deref().map(Self::verifier)
    }

    /// The signature lines for `text`, one a key.
    pub(crate) fn lines(&self, text: &str) -> String {
        let VerifierKey { name, id, .. } = &self.verifier;
        let own = line(name, *id, &self.key.sign(text.as_bytes()).to_bytes());
        own + &self.former.as_ref().map(|former| former.lines(text)).unwrap_or_default()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier)
    }
}

/// A log's public key.
pub type VerifierKey = PublicKey<ED25519>;

impl VerifierKey {
    /// Whether `signature` is its signature of `text`.
    pub(crate) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|s| self.key.verify_strict(text.as_bytes(), &s).is_ok())
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
