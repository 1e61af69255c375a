//! Signed notes, by C2SP `signed-note`: a text, an empty line, and a line for each signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::key::{Signer, VerifierKey};

/// The most that a note may have. Ours has about 300 bytes; witnesses add lines.
pub const NOTE_LEN_MAX: usize = 64 * 1024;

/// The most signature lines that are looked at: our own, and more witnesses than anybody asks.
pub const SIGNATURES_MAX: usize = 64;

/// Why a text is not a note that may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note.
    #[error("not a signed note: a text, an empty line, and signature lines")]
    Note,
    /// Not a checkpoint.
    #[error("not a checkpoint: three lines with origin, size and base64 root")]
    Checkpoint,
    /// Longer or with more signatures than anybody needs.
    #[error("longer than {NOTE_LEN_MAX} bytes or with more than {SIGNATURES_MAX} signatures")]
    TooLong,
    /// No signature of a key that is trusted under the name that the note is signed under.
    #[error("no signature by a trusted key; give the verifier key that belongs to whoever signed it")]
    Unsigned,
    /// A trusted key's signature that is wrong.
    #[error("the signature of a trusted key is wrong: the text was changed after it was signed")]
    Signature,
}

/// `text`, which ends with a line feed and has no empty line at its end, as a note signed by `signer`.
#[must_use]
pub fn sign(text: &str, signer: &Signer) -> String {
    format!("{text}\n{}", signer.line(text))
}

/// The text of a note, of which nothing is to be believed before it was [opened](open).
///
/// # Errors
/// [`NoteError::Note`] and [`NoteError::TooLong`].
pub fn text(note: &str) -> Result<&str, NoteError> {
    if note.len() > NOTE_LEN_MAX {
        return Err(NoteError::TooLong);
    }
    let end = note.rfind("\n\n").ok_or(NoteError::Note)?;
    Ok(&note[..=end])
}

/// The text of a note that at least one of `keys` has signed under `name`. Signatures by keys that are not known, such
/// as those of witnesses, are passed over.
///
/// # Errors
/// [`NoteError`]; nothing of the text is to be believed then.
pub fn open<'a>(note: &'a str, name: &str, keys: &[VerifierKey]) -> Result<&'a str, NoteError> {
    let text = text(note)?;
    let signatures = &note[text.len() + 1..];
    if !signatures.ends_with('\n') {
        return Err(NoteError::Note);
    }
    let mut trusted = false;
    for (number, line) in signatures.lines().enumerate() {
        if number == SIGNATURES_MAX {
            return Err(NoteError::TooLong);
        }
        let (signed_under, blob) = signature(line).ok_or(NoteError::Note)?;
        let (id, signature) = blob.split_first_chunk().ok_or(NoteError::Note)?;
        let ours = |key: &&VerifierKey| key.name() == signed_under && signed_under == name && key.id() == *id;
        if let Some(key) = keys.iter().find(ours) {
            if !key.verifies(text, signature) {
                return Err(NoteError::Signature);
            }
            trusted = true;
        }
    }
    if trusted { Ok(text) } else { Err(NoteError::Unsigned) }
}

/// Name and content of a signature line.
fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, blob) = line.strip_prefix("— ")?.split_once(' ')?;
    Some((name, BASE64.decode(blob).ok()?))
}
