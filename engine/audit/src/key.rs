//! Whose word a checkpoint is, by C2SP `signed-note` and `tlog-cosignature`: a log's [`Signer`] and [`VerifierKey`], a
//! witness's [`Cosigner`] and [`WitnessKey`].
//!
//! A log signs the text of a note (signature type 0x01), a witness signs the text and the time (type 0x04). They are
//! types of their own, so that a key of one sort can never stand for one of the other.

mod log;
mod public;
mod witness;

pub use log::{Signer, VerifierKey};
pub use public::PublicKey;
pub use witness::{Cosigner, WitnessKey};

/// Why a text is not a key, or a name not one for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or with a space or a plus sign.
    #[error("a key's name must not be empty and must hold neither spaces nor '+'")]
    Name,
    /// Not `name+hash+key`.
    #[error("a verifier key reads NAME+HASH+KEY: a name, 8 hexadecimal digits, and base64")]
    Format,
    /// Not Ed25519, or not a point of the curve.
    #[error("the key is not an Ed25519 public key of the sort that is needed here: a log's has type 1, a witness's 4")]
    Key,
    /// The hash is that of another name and key.
    #[error("the hash in the verifier key does not belong to its name and key; copy it again")]
    Hash,
}
