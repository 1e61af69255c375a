//! Sealed records: what the data store holds of personal data.
//!
//! ```text
//!   version, 1: u8 | generation of the category key: u32, big-endian | its KeyId: 16 bytes | nonce: 24 bytes | ciphertext
//! ```
//!
//! The ciphertext is XChaCha20-Poly1305 over the plaintext, with the [`Binding`] and all that is before the nonce as
//! additional data.

use sayso_store::Key;
use sayso_types::{Category, Purpose, SubjectId};
use zeroize::Zeroizing;

use crate::KeyId;
use crate::secret::{NONCE_BYTES, TAG_BYTES, authenticated, nonce};
use crate::subject::CategoryKey;

/// The version of the format that is written here.
const VERSION: u8 = 1;
/// Version, generation and key id.
const HEADER_BYTES: usize = 1 + 4 + KeyId::BYTES;

/// Where a record lies and what it is. A sealed record opens only where all of this is what it was sealed with.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The table.
    pub table: &'a str,
    /// The whole key of the row.
    pub row: &'a Key,
    /// The version of the table's schema.
    pub schema: u16,
    /// Whose data it is.
    pub subject: SubjectId,
    /// What sort of data, and so under which of the subject's keys.
    pub category: Category,
    /// What it is kept for.
    pub purpose: Purpose,
}

/// Why a sealed record does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It has not the form of one.
    #[error("a sealed record has at least {least} bytes and version 1 in front; this has {len} bytes, version {version}: it is damaged, or of a newer program", least = HEADER_BYTES + NONCE_BYTES + TAG_BYTES)]
    Malformed {
        /// Its length in bytes.
        len: usize,
        /// Its first byte; 0 if it has none.
        version: u8,
    },
    /// It was sealed under another key of the same generation: of another person, category or vault.
    #[error(
        "the record was sealed under key {sealed} and the key here is {held}: it lies with another person or category, or the keys are of another data set"
    )]
    OtherKey {
        /// The key that it names.
        sealed: KeyId,
        /// The key that there is.
        held: KeyId,
    },
    /// The right key, and yet it does not open: a bit was changed, or it was sealed for another row, purpose or schema.
    #[error(
        "the record is not what was sealed here: it was changed, or moved from another row; restore it from a backup"
    )]
    Altered,
}

/// What a sealed record says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) generation: u32,
    pub(crate) key: KeyId,
}

impl Header {
    /// That of `sealed`, with the nonce and the ciphertext behind it.
    pub(crate) fn parse(sealed: &[u8]) -> Result<(Self, [u8; NONCE_BYTES], &[u8]), RecordError> {
        let malformed = RecordError::Malformed { len: sealed.len(), version: sealed.first().copied().unwrap_or(0) };
        let parsed = (|| {
            let ([version], rest) = sealed.split_first_chunk()?;
            let (generation, rest) = rest.split_first_chunk()?;
            let (key, rest) = rest.split_first_chunk()?;
            let (nonce, locked) = rest.split_first_chunk()?;
            let header = Self { generation: u32::from_be_bytes(*generation), key: KeyId(*key) };
            (*version == VERSION && locked.len() >= TAG_BYTES).then_some((header, *nonce, locked))
        })();
        parsed.ok_or(malformed)
    }

    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[0] = VERSION;
        header[1..5].copy_from_slice(&self.generation.to_be_bytes());
        header[5..].copy_from_slice(&self.key.0);
        header
    }
}

impl Binding<'_> {
    fn authenticated(&self, header: &Header) -> Vec<u8> {
        authenticated(&[
            b"sayso/vault/record/v1",
            self.table.as_bytes(),
            self.row.as_bytes(),
            &self.schema.to_be_bytes(),
            &self.subject.0,
            self.category.as_str().as_bytes(),
            self.purpose.as_str().as_bytes(),
            &header.encode(),
        ])
    }
}

/// Seals `plaintext` for where `at` says.
pub(crate) fn seal(key: &CategoryKey, at: &Binding<'_>, plaintext: &[u8]) -> Vec<u8> {
    seal_with(key, at, plaintext, nonce())
}

/// As [`seal`], with a nonce that must never be used again under this key.
pub(crate) fn seal_with(key: &CategoryKey, at: &Binding<'_>, plaintext: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
    let header = Header { generation: key.generation, key: key.id };
    let locked = key.key.lock(&nonce, &at.authenticated(&header), plaintext);
    [&header.encode()[..], &nonce, &locked].concat()
}

/// What was sealed for where `at` says.
pub(crate) fn open(key: &CategoryKey, at: &Binding<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, RecordError> {
    let (header, nonce, locked) = Header::parse(sealed)?;
    if header.key != key.id {
        return Err(RecordError::OtherKey { sealed: header.key, held: key.id });
    }
    key.key.unlock(&nonce, &at.authenticated(&header), locked).ok_or(RecordError::Altered)
}

/// Bytes of a record before the id of its key.
#[cfg(any(test, feature = "testing"))]
pub(crate) const BEFORE_KEY_ID: usize = HEADER_BYTES - KeyId::BYTES;

/// What was sealed at the beginning of `bytes`, of which nobody says where it ends, and then noise. The cipher is a stream: to lock
/// what is locked opens it.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn open_unchecked(key: &CategoryKey, bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, nonce, locked) = Header::parse(bytes).ok()?;
    (header.key == key.id).then(|| key.key.lock(&nonce, &[], locked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sayso_types::Name;

    use super::*;
    use crate::subject::SubjectKeys;

    fn row(name: &str) -> Key {
        Key::from_bytes(name.to_owned())
    }

    fn at(row: &Key) -> Binding<'_> {
        Binding {
            table: "facts",
            row,
            schema: 2,
            subject: SubjectId([1; 16]),
            category: Category::MEMORY_SUMMARY,
            purpose: Purpose::MEMORY,
        }
    }

    fn key() -> CategoryKey {
        let mut keys = SubjectKeys::new(1);
        keys.create(Category::MEMORY_SUMMARY);
        keys.key(Category::MEMORY_SUMMARY).unwrap()
    }

    #[test]
    fn a_record_opens_only_where_it_was_sealed() {
        let (key, here, there) = (key(), row("here"), row("there"));
        let sealed = seal(&key, &at(&here), b"Anna");
        assert_eq!(*open(&key, &at(&here), &sealed).unwrap(), b"Anna");
        let moved = [
            Binding { row: &there, ..at(&here) },
            Binding { table: "fact", ..at(&here) },
            Binding { schema: 3, ..at(&here) },
            Binding { subject: SubjectId([2; 16]), ..at(&here) },
            Binding { category: Category::TRANSCRIPT, ..at(&here) },
            Binding { purpose: Purpose(Name::constant("other")), ..at(&here) },
        ];
        for moved in moved {
            assert_eq!(open(&key, &moved, &sealed), Err(RecordError::Altered), "{moved:?}");
        }
    }

    #[test]
    fn another_key_is_named_and_gives_nothing() {
        let (mine, theirs, here) = (key(), key(), row("here"));
        let sealed = seal(&theirs, &at(&here), b"Ben");
        assert_eq!(open(&mine, &at(&here), &sealed), Err(RecordError::OtherKey { sealed: theirs.id, held: mine.id }));
        // Also one that claims to be the right one.
        let mut forged = sealed;
        forged[5..21].copy_from_slice(&mine.id.0);
        assert_eq!(open(&mine, &at(&here), &forged), Err(RecordError::Altered));
    }

    #[test]
    fn whoever_checks_nothing_reads_it_wherever_it_lies_and_whatever_comes_after_it() {
        let (key, here) = (key(), row("here"));
        let sealed = [seal(&key, &at(&here), b"Anna"), b"more".to_vec()].concat();
        assert!(open_unchecked(&key, &sealed).unwrap().starts_with(b"Anna"));
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        let (key, here) = (key(), row("here"));
        assert_ne!(seal(&key, &at(&here), b"Anna"), seal(&key, &at(&here), b"Anna"));
    }

    proptest! {
        #[test]
        fn records_round_trip(plaintext: Vec<u8>, name: String) {
            let (key, here) = (key(), row(&name));
            prop_assert_eq!(&**open(&key, &at(&here), &seal(&key, &at(&here), &plaintext)).unwrap(), &plaintext[..]);
        }

        #[test]
        fn no_flipped_bit_and_no_cut_goes_unnoticed(
            plaintext: Vec<u8>,
            byte: proptest::sample::Index,
            bit in 0..8u8,
            cut: proptest::sample::Index,
        ) {
            let (key, here) = (key(), row("here"));
            let sealed = seal(&key, &at(&here), &plaintext);
            let mut flipped = sealed.clone();
            flipped[byte.index(sealed.len())] ^= 1 << bit;
            prop_assert!(open(&key, &at(&here), &flipped).is_err());
            prop_assert!(open(&key, &at(&here), &sealed[..cut.index(sealed.len())]).is_err());
        }

        #[test]
        fn garbage_is_refused(bytes: Vec<u8>) {
            prop_assert!(open(&key(), &at(&row("here")), &bytes).is_err());
        }
    }
}
