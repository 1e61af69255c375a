//! [`Checkpoint`]: the head of a log, by C2SP `tlog-checkpoint`, signed as a [`note`].
//!
//! ```text
//! home.example/sayso                              origin
//! 1024                                            size
//! X5tPDJ5jDyXUd2cQ9sUxbcqCm0M3xRqxJTSQ1r2rXrk=    root
//!
//! — home.example/sayso AAECAw…                    signature
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::key::{Signer, VerifierKey};
use crate::merkle::Hash;
use crate::note::{self, Note, NoteError};

/// How far a log has got, and the hash that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.0))
    }

    /// The checkpoint as a note signed by `signer`, whose name is the log's origin.
    #[must_use]
    pub fn sign(size: u64, root: Hash, signer: &Signer) -> String {
        let text = Self { origin: signer.verifier().name().to_owned(), size, root }.text();
        note::sign(&text, signer)
    }

    /// Reads a signed note. At least one of `keys` must have signed it, under the name of the log; signatures by
    /// keys that are not known, such as those of witnesses, are passed over.
    ///
    /// # Errors
    /// [`NoteError`]; nothing of the text is to be believed then.
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Self, NoteError> {
        let note = Note::parse(note)?;
        let checkpoint = Self::parse(note.text())?;
        note.signed_by(&checkpoint.origin, keys)?;
        Ok(checkpoint)
    }

    /// Reads the text of a note whose signatures are checked elsewhere, or that one has signed oneself.
    ///
    /// # Errors
    /// [`NoteError::Note`], [`NoteError::TooLong`] and [`NoteError::Checkpoint`].
    pub fn unverified(note: &str) -> Result<Self, NoteError> {
        Self::parse(Note::parse(note)?.text())
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Checkpoint);
        };
        let root = BASE64.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or(NoteError::Checkpoint)?;
        let size = size.parse().map_err(|_| NoteError::Checkpoint)?;
        let checkpoint = Self { origin: origin.to_owned(), size, root: Hash(root) };
        // one spelling only: no leading zeros, no carriage returns, no empty origin
        if !origin.is_empty() && checkpoint.text() == text { Ok(checkpoint) } else { Err(NoteError::Checkpoint) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer() -> Signer {
        Signer::new("home.example/sayso", &[7; 32]).unwrap()
    }

    fn note() -> String {
        Checkpoint::sign(1024, Hash([9; 32]), &signer())
    }

    #[test]
    fn opens_what_was_signed() {
        let checkpoint = Checkpoint::open(&note(), &[signer().verifier().clone()]).unwrap();
        assert_eq!(checkpoint, Checkpoint { origin: "home.example/sayso".into(), size: 1024, root: Hash([9; 32]) });
    }

    #[test]
    fn passes_over_witnesses_it_does_not_know() {
        let text = Checkpoint::open(&note(), &[signer().verifier().clone()]).unwrap().text();
        let witness = Signer::new("witness.example", &[8; 32]).unwrap().lines(&text);
        assert!(Checkpoint::open(&(note() + &witness), &[signer().verifier().clone()]).is_ok());
    }

    #[test]
    fn trusts_nobody_by_default_and_no_key_for_another_log() {
        assert_eq!(Checkpoint::open(&note(), &[]), Err(NoteError::Unsigned));
        let other = Signer::new("other.example/sayso", &[7; 32]).unwrap();
        assert_eq!(Checkpoint::open(&note(), &[other.verifier().clone()]), Err(NoteError::Unsigned));
        let text = "home.example/sayso\n1024\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n";
        let foreign = format!("{text}\n{}", other.lines(text));
        assert_eq!(Checkpoint::open(&foreign, &[other.verifier().clone()]), Err(NoteError::Unsigned));
    }

    #[test]
    fn a_log_changes_its_key_without_a_gap() {
        let next = Signer::new("home.example/sayso", &[8; 32]).unwrap().with_former(&[7; 32]);
        let both = Checkpoint::sign(1024, Hash([9; 32]), &next);
        let (old, new) = (signer().verifier().clone(), next.verifier().clone());
        assert_eq!(next.former_verifier(), Some(&old));
        for keys in [vec![old.clone()], vec![new.clone()], vec![old.clone(), new.clone()]] {
            assert!(Checkpoint::open(&both, &keys).is_ok());
        }
        let alone = Checkpoint::sign(1024, Hash([9; 32]), &Signer::new("home.example/sayso", &[8; 32]).unwrap());
        assert_eq!(Checkpoint::open(&alone, &[old]), Err(NoteError::Unsigned), "the former key is gone");
        assert!(Checkpoint::open(&alone, &[new]).is_ok());
    }

    #[test]
    fn no_character_can_be_changed() {
        let keys = [signer().verifier().clone()];
        let note = note();
        for at in 0..note.len() {
            for flip in [1, 2, 32, 128] {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= flip;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(Checkpoint::open(&changed, &keys).is_err(), "byte {at} ^ {flip}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_checkpoint_or_an_error(text: String, lines in "(a\n|1\n|— a AA==\n|\n){0,9}") {
            let keys = [signer().verifier().clone()];
            prop_assert!(Checkpoint::open(&text, &keys).is_err());
            prop_assert!(Checkpoint::open(&lines, &keys).is_err());
        }
    }
}
