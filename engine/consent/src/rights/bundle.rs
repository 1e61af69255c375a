//! [`Bundle`]: a copy that another Sayso takes in: files that people and machines read, and a manifest with the hash of each,
//! signed by the log that the copy comes from.
//!
//! | file | what it is |
//! |---|---|
//! | `manifest` | C2SP signed note: [`FORMAT`], then `SHA-256 name` for each other file |
//! | `copy.json` | everything that is held of the person: [`Copy`](super::copy::Copy) |
//! | `copy.en.md`, `copy.zh.md` | the same, for people |
//! | `kept/ID.opus`, `.json`, `.txt`, ..., `.bin` | the content of something that is kept of the person and too long for the copy, which names the file and its media type |
//! | `certificates/ID.json` | the certificate of each erasure, byte for byte |
//! | `proofs/ID.tlog-proof` | that each consent, withdrawal and erasure is on record (C2SP tlog-proof) |

use std::collections::BTreeMap;

use sayso_audit::{Hash, NoteError, Signer, VerifierKey, note};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::copy;
use super::items::Item;

/// What the layout is called; a later one has another number.
pub const FORMAT: &str = "sayso/bundle/v1";

/// Where the copy for machines is.
pub const COPY: &str = "copy.json";

/// Below what the contents are that are too long for the copy.
pub const KEPT: &str = "kept/";

/// Where the manifest is.
pub const MANIFEST: &str = "manifest";

/// Files of a bundle: as many as a signed note names in the bytes that it may have.
pub const FILES_MAX: usize = 512;

/// Bytes of a copy: what a person has remembered at most, and a history of thousands of consents.
pub const COPY_BYTES_MAX: usize = 4 << 20;

/// Bytes of a part of a file, as bundles are handed out.
pub const PART_BYTES_MAX: usize = 256 << 10;

/// Why something is not taken for a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The manifest is not what was signed.
    #[error("manifest: {0}")]
    Manifest(#[from] NoteError),
    /// The manifest is of another layout.
    #[error("manifest: its format is not {FORMAT}; read it with a newer release")]
    Format,
    /// A line of the manifest.
    #[error("manifest: line {0} is not a SHA-256 and a name")]
    Line(usize),
    /// A file that is not as it was.
    #[error("{0}: it was changed after it was signed")]
    Changed(String),
    /// A file that the manifest does not name.
    #[error("{0}: the manifest names no such file")]
    Unlisted(String),
    /// A file that is not there.
    #[error("{0}: it is missing")]
    Missing(String),
    /// A copy of another layout.
    #[error("copy.json: its format is not {}; read it with a newer release", copy::FORMAT)]
    CopyFormat,
    /// A copy that cannot be read.
    #[error("copy.json: it is not a copy; it breaks at column {0}")]
    Copy(usize),
    /// A file that nothing in the copy is.
    #[error("{0}: it is the content of nothing in the copy")]
    NoItem(String),
    /// A copy that is too large.
    #[error("copy.json: longer than {COPY_BYTES_MAX} bytes")]
    TooLarge,
}

/// Files by name, and what vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// All but the manifest.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The manifest, signed.
    pub manifest: String,
}

impl Bundle {
    /// These files, vouched for by `signer`.
    #[must_use]
    pub fn sign(files: BTreeMap<String, Vec<u8>>, signer: &Signer) -> Self {
        let lines: String = files.iter().map(|(name, bytes)| format!("{} {name}\n", Hash::of(bytes))).collect();
        Self { manifest: note::sign(&format!("{FORMAT}\n{lines}"), signer), files }
    }

    /// The files in order, each by its name in parts of at most [`PART_BYTES_MAX`] that follow one another; an empty one is an
    /// empty part.
    pub fn into_parts(self) -> (impl Iterator<Item = (String, Vec<u8>)>, String) {
        let parts = self.files.into_iter().flat_map(|(name, bytes)| {
            let count = bytes.len().div_ceil(PART_BYTES_MAX).max(1);
            (0..count).map(move |at| {
                let end = bytes.len().min((at + 1) * PART_BYTES_MAX);
                (name.clone(), bytes[at * PART_BYTES_MAX..end].to_vec())
            })
        });
        (parts, self.manifest)
    }

    /// Checks that `key` vouches for every file, and that there is every file that it vouches for.
    ///
    /// # Errors
    /// [`BundleError`]; nothing of it is to be believed then.
    pub fn check(&self, key: &VerifierKey) -> Result<(), BundleError> {
        let manifest = Manifest::open(&self.manifest, key)?;
        self.files.iter().try_for_each(|(name, bytes)| manifest.check(name, bytes))?;
        match manifest.0.keys().find(|name| !self.files.contains_key(*name)) {
            Some(missing) => Err(BundleError::Missing(missing.clone())),
            None => Ok(()),
        }
    }
}

/// The hashes of the files of a bundle, as they were signed: 64 hexadecimal digits for each name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest(BTreeMap<String, String>);

impl Manifest {
    /// Reads the manifest `signed`, if `key` vouches for it.
    ///
    /// # Errors
    /// [`BundleError`] says what is wrong with it.
    pub fn open(signed: &str, key: &VerifierKey) -> Result<Self, BundleError> {
        let text = note::open(signed, key.name(), core::slice::from_ref(key))?;
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, line)| line) != Some(FORMAT) {
            return Err(BundleError::Format);
        }
        let files = lines.map(|(at, line)| {
            let (hash, name) = line.split_once(' ').ok_or(BundleError::Line(at + 1))?;
            Ok((name.to_owned(), hash.to_owned()))
        });
        Ok(Self(files.collect::<Result<_, BundleError>>()?))
    }

    /// Checks that `bytes` are what was signed as `name`.
    ///
    /// # Errors
    /// [`BundleError::Unlisted`] and [`BundleError::Changed`].
    pub fn check(&self, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
        match self.0.get(name) {
            None => Err(BundleError::Unlisted(name.to_owned())),
            Some(hash) if *hash == Hash::of(bytes).to_string() => Ok(()),
            Some(_) => Err(BundleError::Changed(name.to_owned())),
        }
    }
}

/// What of a copy from elsewhere counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// What the person asked to have remembered there: key and value.
    pub remembered: Vec<(String, String)>,
    /// What was kept of them there.
    pub kept: Vec<Item>,
    /// Consents that they gave there. A consent is given to one controller: none of them counts here.
    pub consents: usize,
    /// What vouches for the files beside it.
    manifest: Manifest,
}

#[derive(Deserialize)]
struct Head {
    format: String,
}

#[derive(Deserialize)]
struct Read {
    remembered: Vec<(String, String)>,
    /// Not in copies of earlier versions.
    #[serde(default)]
    kept: Vec<Item>,
    consents: Vec<IgnoredAny>,
}

impl Brought {
    /// Reads the copy of a bundle, if `key` vouches for it in `manifest`.
    ///
    /// # Errors
    /// [`BundleError`] says what is wrong with it.
    pub fn read(manifest: &str, copy: &[u8], key: &VerifierKey) -> Result<Self, BundleError> {
        if copy.len() > COPY_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }
        let manifest = Manifest::open(manifest, key)?;
        manifest.check(COPY, copy)?;
        // where it broke, and nothing of what is in it
        let broken = |e: serde_json::Error| BundleError::Copy(e.column());
        let head: Head = serde_json::from_slice(copy).map_err(broken)?;
        if head.format != copy::FORMAT {
            return Err(BundleError::CopyFormat);
        }
        let read: Read = serde_json::from_slice(copy).map_err(broken)?;
        Ok(Self { remembered: read.remembered, kept: read.kept, consents: read.consents.len(), manifest })
    }

    /// What has `content`, the file `name` of the bundle.
    ///
    /// # Errors
    /// [`BundleError`] where that is not what was signed, or the content of nothing.
    pub fn item(&self, name: &str, content: &[u8]) -> Result<&Item, BundleError> {
        self.manifest.check(name, content)?;
        self.kept.iter().find(|item| item.is_file(name)).ok_or_else(|| BundleError::NoItem(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COPIED: &str = r#"{"format":"sayso/copy/v1","consents":[{}],"remembered":[["pet","a cat"]],"more":1}"#;

    fn signer() -> Signer {
        Signer::new("home.example/sayso", &[7; 32]).unwrap()
    }

    fn bundle(copy: &str) -> Bundle {
        let files = [(COPY, copy), ("copy.en.md", "# A copy\n")];
        Bundle::sign(files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into(), &signer())
    }

    #[test]
    fn what_was_signed_is_read_and_nothing_else() {
        let bundle = bundle(COPIED);
        let key = signer().verifier().clone();
        bundle.check(&key).unwrap();
        let brought = Brought::read(&bundle.manifest, &bundle.files[COPY], &key).unwrap();
        let remembered = vec![("pet".to_owned(), "a cat".to_owned())];
        assert_eq!((&brought.remembered, brought.kept.len(), brought.consents), (&remembered, 0, 1));
        let page = &bundle.files["copy.en.md"];
        assert_eq!(brought.item("copy.en.md", page), Err(BundleError::NoItem("copy.en.md".into())));
        assert_eq!(brought.item("copy.en.md", b"another"), Err(BundleError::Changed("copy.en.md".into())));

        let stranger = Signer::new("home.example/sayso", &[8; 32]).unwrap();
        assert_eq!(bundle.check(stranger.verifier()), Err(BundleError::Manifest(NoteError::Unsigned)));
        let mut more = bundle.clone();
        more.files.insert("more".into(), Vec::new());
        assert_eq!(more.check(&key), Err(BundleError::Unlisted("more".into())));
        let mut less = bundle;
        less.files.remove("copy.en.md");
        assert_eq!(less.check(&key), Err(BundleError::Missing("copy.en.md".into())));
    }

    #[test]
    fn it_is_handed_out_in_parts_that_are_the_files_again() {
        let long = vec![7; 2 * PART_BYTES_MAX + 1];
        let files = [("a", Vec::new()), ("b", long), ("c", vec![8; PART_BYTES_MAX]), ("d", b"short".to_vec())];
        let files: BTreeMap<_, _> = files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        let bundle = Bundle::sign(files, &signer());
        let (parts, manifest) = bundle.clone().into_parts();
        let parts: Vec<_> = parts.collect();
        assert_eq!(parts.iter().map(|(name, _)| name.as_str()).collect::<String>(), "abbbcd");
        let mut whole = BTreeMap::<String, Vec<u8>>::new();
        for (name, bytes) in parts {
            assert!(bytes.len() <= PART_BYTES_MAX);
            whole.entry(name).or_default().extend(bytes);
        }
        assert_eq!(Bundle { files: whole, manifest }, bundle);
    }

    #[test]
    fn no_bit_of_it_may_be_changed() {
        let (bundle, key) = (bundle(COPIED), signer().verifier().clone());
        for name in bundle.files.keys() {
            for bit in 0..bundle.files[name].len() * 8 {
                let mut changed = bundle.clone();
                changed.files.get_mut(name).unwrap()[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(changed.check(&key), Err(BundleError::Changed(name.clone())));
                let read = Brought::read(&changed.manifest, &changed.files[COPY], &key);
                assert_eq!(read.is_err(), name == COPY);
            }
        }
        let signed = bundle.manifest.len() - 2;
        for at in 0..signed {
            let mut bytes = bundle.manifest.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(manifest) = String::from_utf8(bytes) else { continue };
            assert!(Bundle { manifest, ..bundle.clone() }.check(&key).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_newer_is_refused() {
        let key = signer().verifier().clone();
        let newer = bundle(&COPIED.replace("copy/v1", "copy/v2"));
        let refused = Brought::read(&newer.manifest, &newer.files[COPY], &key);
        assert_eq!(refused, Err(BundleError::CopyFormat));
        let manifest = note::sign("sayso/bundle/v2\n", &signer());
        assert_eq!(Brought::read(&manifest, b"", &key), Err(BundleError::Format));
        let broken = bundle("{");
        assert_eq!(Brought::read(&broken.manifest, &broken.files[COPY], &key), Err(BundleError::Copy(1)));
    }
}
