//! [`Cosigner`] and [`WitnessKey`]: the keys of a witness, by C2SP `tlog-cosignature` (Ed25519, `cosignature/v1`).

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey};
use sayso_types::WallTime;

use super::KeyError;
use super::public::{PublicKey, line};

/// The signature type of a timestamped Ed25519 cosignature.
const COSIGNATURE: u8 = 4;

/// Cosigns checkpoints that its holder found to be consistent with all that it had seen of their logs.
pub struct Cosigner {
    key: SigningKey,
    verifier: WitnessKey,
}

impl Cosigner {
    /// The cosigner called `name`, with the private key `seed` (32 random bytes).
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = WitnessKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// What others check its cosignatures with.
    #[must_use]
    pub const fn verifier(&self) -> &WitnessKey {
        &self.verifier
    }

    /// The signature line, with a line feed at its end, for the `text` of a checkpoint at `now`. The time is cut to
    /// whole seconds.
    #[must_use]
    pub fn cosign(&self, text: &str, now: WallTime) -> String {
        let seconds = now.0 / 1_000;
        let signature = self.key.sign(message(text, seconds).as_bytes()).to_bytes();
        let WitnessKey { name, id, .. } = &self.verifier;
        line(name, *id, &[&seconds.to_be_bytes()[..], &signature].concat())
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.verifier)
    }
}

/// A witness's public key.
pub type WitnessKey = PublicKey<COSIGNATURE>;

impl WitnessKey {
    /// When it cosigned `text`, to the second; [`None`] when `cosignature` is not its cosignature of that.
    pub(crate) fn verifies(&self, text: &str, cosignature: &[u8]) -> Option<WallTime> {
        let (seconds, signature) = cosignature.split_first_chunk()?;
        let seconds = u64::from_be_bytes(*seconds);
        let signature = Signature::from_slice(signature).ok()?;
        self.key.verify_strict(message(text, seconds).as_bytes(), &signature).ok()?;
        // later than any clock can say is refused with the rest
        seconds.checked_mul(1_000).map(WallTime)
    }
}

/// What a witness signs: a header that keeps it apart from every other message, the time, and the checkpoint.
fn message(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VerifierKey;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn cosigner() -> Cosigner {
        Cosigner::new("witness.example/w1", &[8; 32]).unwrap()
    }

    #[test]
    fn the_message_is_that_of_the_specification() {
        assert_eq!(message(TEXT, 1_679_315_147), format!("cosignature/v1\ntime 1679315147\n{TEXT}"));
    }

    /// Made with Python's `cryptography`: any change of these bytes is a change of the format.
    #[test]
    fn a_cosignature_stays_as_it_is() {
        let line = cosigner().cosign(TEXT, WallTime(1_679_315_147_999));
        assert_eq!(cosigner().verifier().to_string(), include_str!("../../tests/golden/witness.key").trim_end());
        assert_eq!(line, include_str!("../../tests/golden/cosignature"));
    }

    #[test]
    fn keys_of_logs_and_of_witnesses_do_not_pass_for_each_other() {
        let key = cosigner().verifier().clone();
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        assert_eq!(key.to_string().parse::<VerifierKey>(), Err(KeyError::Key));
        let log = crate::Signer::new("witness.example/w1", &[8; 32]).unwrap();
        assert_eq!(log.verifier().to_string().parse::<WitnessKey>(), Err(KeyError::Key));
        assert_ne!(log.verifier().id(), key.id());
    }

    #[test]
    fn a_time_that_no_clock_can_say_is_refused() {
        let key = SigningKey::from_bytes(&[8; 32]);
        let blob = |seconds: u64| {
            let signature = key.sign(message(TEXT, seconds).as_bytes()).to_bytes();
            [&seconds.to_be_bytes()[..], &signature].concat()
        };
        assert_eq!(cosigner().verifier().verifies(TEXT, &blob(2)), Some(WallTime(2_000)));
        assert_eq!(cosigner().verifier().verifies(TEXT, &blob(u64::MAX / 2)), None);
        assert_eq!(cosigner().verifier().verifies(TEXT, &blob(2)[1..]), None);
    }
}
