//! [`Sealed`]: a file that only its recipient can read: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256 and ChaCha20Poly1305. `info` is [`FORMAT`], the additional data are the 16 bytes of the disclosure's id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What the layout is called; a later one has another number.
pub const FORMAT: &str = "sayso/disclosure/v1";

/// The algorithms, as whoever has another program needs to know them.
const SUITE: &str = "RFC 9180 base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305";

/// A disclosure as it is handed out: JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// [`FORMAT`].
    format: String,
    suite: String,
    #[serde(with = "hex")]
    disclosure: [u8; 16],
    /// The encapsulated key, in base64.
    enc: String,
    /// What is given, encrypted, in base64.
    ciphertext: String,
}

/// Why a file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not such a file.
    #[error("the file is no disclosure of this format ({FORMAT})")]
    Format,
    /// For somebody else, or changed.
    #[error("the file does not open with this key: it is encrypted to another one, or was changed")]
    Key,
}

type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;

/// Whether something can be encrypted to `recipient`.
pub(crate) fn is_key(recipient: &[u8; 32]) -> bool {
    seal(recipient, [0; 16], b"").is_some()
}

/// `content` as the file of `disclosure`, for `recipient`'s X25519 public key; [`None`] when that is none.
pub(super) fn seal(recipient: &[u8; 32], disclosure: [u8; 16], content: &[u8]) -> Option<Vec<u8>> {
    let (mode, recipient) = (OpModeS::Base, PublicKey::from_bytes(recipient).ok()?);
    let info = FORMAT.as_bytes();
    let (enc, ciphertext) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &mode,
        &recipient,
        info,
        content,
        &disclosure,
    )
    .ok()?;
    let sealed = Sealed {
        format: FORMAT.to_owned(),
        suite: SUITE.to_owned(),
        disclosure,
        enc: STANDARD.encode(enc.to_bytes()),
        ciphertext: STANDARD.encode(ciphertext),
    };
    Some(serde_json::to_vec(&sealed).expect("texts are JSON"))
}

/// What is in `file`, with the X25519 private key of its recipient.
///
/// # Errors
/// [`OpenError`] says why it does not open.
pub fn open(file: &[u8], key: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let sealed: Sealed = serde_json::from_slice(file).map_err(|_| OpenError::Format)?;
    if sealed.format != FORMAT {
        return Err(OpenError::Format);
    }
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| OpenError::Format);
    let enc = Encapsulated::from_bytes(&decode(&sealed.enc)?).map_err(|_| OpenError::Format)?;
    let (mode, key) = (OpModeR::Base, PrivateKey::from_bytes(key).map_err(|_| OpenError::Key)?);
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &mode,
        &key,
        &enc,
        FORMAT.as_bytes(),
        &decode(&sealed.ciphertext)?,
        &sealed.disclosure,
    );
    opened.map(Zeroizing::new).map_err(|_| OpenError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(seed: u8) -> ([u8; 32], [u8; 32]) {
        let (private, public) = X25519HkdfSha256::derive_keypair(&[seed; 32]);
        (private.to_bytes().into(), public.to_bytes().into())
    }

    #[test]
    fn only_the_recipient_opens_it_and_only_as_it_was() {
        let ((anna, to_anna), (ben, _)) = (pair(1), pair(2));
        let file = seal(&to_anna, [7; 16], b"what was demanded").unwrap();
        assert!(!file.windows(8).any(|part| part == b"demanded"));
        assert_eq!(open(&file, &anna).unwrap().as_slice(), b"what was demanded");
        assert_eq!(open(&file, &ben).unwrap_err(), OpenError::Key);
        let text = String::from_utf8(file).unwrap();
        let moved = text.replace(&"07".repeat(16), &"08".repeat(16));
        assert_eq!(open(moved.as_bytes(), &anna).unwrap_err(), OpenError::Key, "it is of another disclosure");
        for other in ["{}", &text.replace("/v1", "/v2"), &text.replace("\"enc\":\"", "\"enc\":\"!")] {
            assert_eq!(open(other.as_bytes(), &anna).unwrap_err(), OpenError::Format);
        }
        assert!(is_key(&to_anna) && !is_key(&[0; 32]), "a point of low order encrypts to everybody");
    }
}
