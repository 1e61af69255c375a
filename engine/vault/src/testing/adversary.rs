//! [`Adversary`]: somebody who has every file that there is, the KEK, and patience.

use core::fmt;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::{fs, io};

use sayso_types::{Category, SubjectId};
use zeroize::Zeroizing;

use crate::kek::Keks;
use crate::record;
use crate::shard::{ShardKey, context};
use crate::subject::{CategoryKey, Wrapped};
use crate::{Binding, KekError, KeyId, SecretKey, VaultId};

/// Lengths that a row of keys may have in a test: ten categories or so.
const ROW_BYTES_MAX: usize = 1_024;

/// Generations of a shard key that a test may come to.
const GENERATIONS_MAX: u32 = 4;

/// The name of the table that says which data set a key store is of, as it ends in a row's key.
const VAULT_TABLE: &[u8] = b"vault\0";

/// Within how many bytes of it the id is: behind the rest of the row's key and what the store puts before a value.
const ID_WITHIN: usize = 64;

/// Bytes of a record that are looked at: as much as one part of what is kept has, and some.
const RECORD_BYTES_MAX: usize = 80 << 10;

/// Looks for keys in every byte of files, as somebody would who stole a disk and its backups.
pub struct Adversary {
    files: Vec<Vec<u8>>,
    keks: Keks,
    kek: KeyId,
    /// Which data sets the files may be of.
    vaults: Vec<VaultId>,
    /// What they know from before.
    stolen: HashMap<KeyId, ShardKey>,
}

impl Adversary {
    /// One who has all files below `dirs`, and knows the KEK.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn new(dirs: &[&Path], kek: [u8; 32], vault: VaultId) -> io::Result<Self> {
        Self::who_has(read_all(dirs)?, kek, vec![vault])
    }

    /// The same, who is told nothing else: also which data set it is they look for in the files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of_files(dirs: &[&Path], kek: [u8; 32]) -> io::Result<Self> {
        let files = read_all(dirs)?;
        let told = around(&files, VAULT_TABLE, 0).flat_map(|bytes| {
            let told = &bytes[VAULT_TABLE.len()..];
            told[..told.len().min(ID_WITHIN)].array_windows()
        });
        let vaults: BTreeSet<[u8; 16]> = told.copied().collect();
        Self::who_has(files, kek, vaults.into_iter().map(VaultId).collect())
    }

    fn who_has(files: Vec<Vec<u8>>, kek: [u8; 32], vaults: Vec<VaultId>) -> io::Result<Self> {
        let keks = Keks::parse(&kek, String::new()).map_err(|e: KekError| io::Error::other(e.to_string()))?;
        let kek = SecretKey::from_slice(&kek).expect("it has the length of a key");
        Ok(Self { files, keks, kek: KeyId::of(&kek), vaults, stolen: HashMap::new() })
    }

    /// The same, who has kept every shard key that `earlier` could unwrap.
    #[must_use]
    pub fn who_broke_in_before(mut self, earlier: &Self) -> Self {
        self.stolen.extend(earlier.shard_keys());
        self
    }

    /// What `sealed` holds, if some key in the files opens it.
    #[must_use]
    pub fn read(&self, at: &Binding<'_>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.category_keys(at.subject, at.category).values().find_map(|key| record::open(key, at, sealed).ok())
    }

    /// Whether `text` is in a file in clear.
    #[must_use]
    pub fn sees(&self, text: &[u8]) -> bool {
        around(&self.files, text, 0).next().is_some()
    }

    /// Whether `text` is in something that was sealed of `subject` as `category`, wherever it lies, and some key in the files opens
    /// that. Nothing is asked of where it was sealed: who breaks in does not check what is authentic.
    #[must_use]
    pub fn finds(&self, subject: SubjectId, category: Category, text: &[u8]) -> bool {
        self.category_keys(subject, category).values().any(|key| {
            around(&self.files, &key.id.0, record::BEFORE_KEY_ID).any(|record| {
                let opened = record::open_unchecked(key, &record[..record.len().min(RECORD_BYTES_MAX)]);
                opened.is_some_and(|opened| opened.windows(text.len()).any(|window| window == text))
            })
        })
    }

    fn shard_keys(&self) -> HashMap<KeyId, ShardKey> {
        let mut keys = HashMap::new();
        // as `kek` lays it out: version, id, nonce, 32 bytes and a tag
        for wrapped in around(&self.files, &self.kek.0, 1).filter_map(|bytes| bytes.get(..1 + 16 + 24 + 48)) {
            for generation in 1..=GENERATIONS_MAX {
                let unwrap = |vault: &VaultId| self.keks.unwrap(wrapped, &context(*vault, generation)).ok();
                if let Some(key) = self.vaults.iter().find_map(unwrap) {
                    let id = KeyId::of(&key);
                    keys.insert(id, ShardKey { generation, id, key });
                }
            }
        }
        keys
    }

    /// Every key of `subject` for `category` that there is in the files, once.
    fn category_keys(&self, subject: SubjectId, category: Category) -> HashMap<KeyId, CategoryKey> {
        let mut found = HashMap::new();
        let unwrapped = self.shard_keys();
        for shard_key in unwrapped.values().chain(self.stolen.values()) {
            for row in around(&self.files, &shard_key.id.0, 9) {
                let lengths = 1..=row.len().min(ROW_BYTES_MAX);
                let rows = lengths.filter_map(|len| Wrapped::parse(&row[..len]).ok()?.unwrap(subject, shard_key).ok());
                found.extend(rows.filter_map(|keys| keys.key(category)).map(|key| (key.id, key)));
            }
        }
        found
    }
}

impl fmt::Debug for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adversary").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

fn read_all(dirs: &[&Path]) -> io::Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for dir in dirs {
        copy(dir, &mut files)?;
    }
    Ok(files)
}

fn copy(dir: &Path, files: &mut Vec<Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let copied = if path.is_dir() { copy(&path, files) } else { fs::read(&path).map(|file| files.push(file)) };
        match copied {
            // a store that runs removes some
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            copied => copied?,
        }
    }
    Ok(())
}

/// Where in `files` the bytes `needle` are, with what is around them: from `before` bytes ahead to the end of the file.
fn around<'a>(files: &'a [Vec<u8>], needle: &'a [u8], before: usize) -> impl Iterator<Item = &'a [u8]> {
    files.iter().flat_map(move |file| {
        let found = file.windows(needle.len()).enumerate().filter(move |(_, window)| *window == needle);
        found.filter_map(move |(at, _)| file.get(at.checked_sub(before)?..))
    })
}
