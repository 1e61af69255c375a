//! Signed notes, by C2SP `signed-note`: a text, an empty line, and a line for each signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use sayso_types::WallTime;

use crate::key::{Signer, VerifierKey, WitnessKey};

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
    format!("{text}\n{}", signer.lines(text))
}

/// A note taken apart. Nothing of it is to be believed before a signature was checked.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<Signature<'a>>,
}

#[derive(Clone, Debug)]
struct Signature<'a> {
    name: &'a str,
    id: [u8; 4],
    blob: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Takes `note` apart.
    ///
    /// # Errors
    /// [`NoteError::Note`] and [`NoteError::TooLong`].
    pub fn parse(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > NOTE_LEN_MAX {
            return Err(NoteError::TooLong);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Note)?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        if !lines.ends_with('\n') {
            return Err(NoteError::Note);
        }
        if lines.lines().nth(SIGNATURES_MAX).is_some() {
            return Err(NoteError::TooLong);
        }
        let signatures = lines.lines().map(|line| signature(line).ok_or(NoteError::Note)).collect::<Result<_, _>>()?;
        Ok(Self { text, signatures })
    }

    /// What is signed.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Whether at least one of `keys` has signed it under `name`. Signatures by keys that are not known, such as those of
    /// witnesses, are passed over.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`], and [`NoteError::Signature`] when a known key's signature is wrong, whoever else signed.
    pub fn signed_by(&self, name: &str, keys: &[VerifierKey]) -> Result<(), NoteError> {
        let mut trusted = false;
        for signature in self.signatures.iter().filter(|signature| signature.name == name) {
            let known = |key: &&VerifierKey| key.name() == name && key.id() == signature.id;
            if let Some(key) = keys.iter().find(known) {
                if !key.verifies(self.text, &signature.blob) {
                    return Err(NoteError::Signature);
                }
                trusted = true;
            }
        }
        if trusted { Ok(()) } else { Err(NoteError::Unsigned) }
    }

    /// When `witness` cosigned it, the last time if several; [`None`] when it did not.
    ///
    /// # Errors
    /// [`NoteError::Signature`] when a cosignature of this witness is wrong.
    pub fn cosigned_by(&self, witness: &WitnessKey) -> Result<Option<WallTime>, NoteError> {
        let theirs = self.signatures.iter().filter(|s| s.name == witness.name() && s.id == witness.id());
        let times = theirs.map(|s| witness.verifies(self.text, &s.blob).ok_or(NoteError::Signature));
        times.collect::<Result<Vec<_>, _>>().map(|times| times.into_iter().max())
    }
}

/// The text of a note that at least one of `keys` has signed under `name`, as [`Note::signed_by`] says.
///
/// # Errors
/// [`NoteError`]; nothing of the text is to be believed then.
pub fn open<'a>(note: &'a str, name: &str, keys: &[VerifierKey]) -> Result<&'a str, NoteError> {
    let note = Note::parse(note)?;
    note.signed_by(name, keys)?;
    Ok(note.text())
}

/// Name, key and content of a signature line.
fn signature(line: &str) -> Option<Signature<'_>> {
    let (name, blob) = line.strip_prefix("— ")?.split_once(' ')?;
    let blob = BASE64.decode(blob).ok()?;
    let (id, signature) = blob.split_first_chunk()?;
    Some(Signature { name, id: *id, blob: signature.to_vec() })
}
