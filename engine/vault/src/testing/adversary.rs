//! [`Adversary`]: somebody who has every file that there is, the KEK, and patience.

use core::fmt;
use std::path::Path;
use std::{fs, io};

use sayso_types::{Category, SubjectId};
use zeroize::Zeroizing;

use crate::kek::Keks;
use crate::record;
use crate::shard::{ShardKey, context};
use crate::subject::{CategoryKey, SubjectKeys, Wrapped};
use crate::{Binding, KekError, KeyId, SecretKey, VaultId};

/// Lengths that a row of keys may have in a test: a few categories.
const ROW_BYTES_MAX: usize = 400;

/// Generations of a shard key that a test may come to.
const GENERATIONS_MAX: u32 = 4;

/// Looks for keys in every byte of files, as somebody would who stole a disk and its backups.
pub struct Adversary {
    files: Vec<Vec<u8>>,
    keks: Keks,
    kek: KeyId,
    vault: VaultId,
}

impl Adversary {
    /// One who has all files below `dirs`, and knows the KEK.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn new(dirs: &[&Path], kek: [u8; 32], vault: VaultId) -> io::Result<Self> {
        let mut files = Vec::new();
        for dir in dirs {
            copy(dir, &mut files)?;
        }
        let keks = Keks::parse(&kek, String::new()).map_err(|e: KekError| io::Error::other(e.to_string()))?;
        let kek = SecretKey::from_slice(&kek).expect("it has the length of a key");
        Ok(Self { files, keks, kek: KeyId::of(&kek), vault })
    }

    /// What `sealed` holds, if some key in the files opens it.
    #[must_use]
    pub fn read(&self, at: &Binding<'_>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.category_keys(at.subject, at.category).iter().find_map(|key| record::open(key, at, sealed).ok())
    }

    /// Whether `text` is in a file in clear.
    #[must_use]
    pub fn sees(&self, text: &[u8]) -> bool {
        around(&self.files, text, 0).next().is_some()
    }

    fn shard_keys(&self) -> Vec<ShardKey> {
        let mut keys = Vec::new();
        // as `kek` lays it out: version, id, nonce, 32 bytes and a tag
        for wrapped in around(&self.files, &self.kek.0, 1).filter_map(|bytes| bytes.get(..1 + 16 + 24 + 48)) {
            for generation in 1..=GENERATIONS_MAX {
                if let Ok(key) = self.keks.unwrap(wrapped, &context(self.vault, generation)) {
                    keys.push(ShardKey { generation, id: KeyId::of(&key), key });
                }
            }
        }
        keys
    }

    /// Every key of `subject` for `category` that there is in the files.
    fn category_keys(&self, subject: SubjectId, category: Category) -> Vec<CategoryKey> {
        let mut found: Vec<SubjectKeys> = Vec::new();
        for shard_key in self.shard_keys() {
            for row in around(&self.files, &shard_key.id.0, 9) {
                let lengths = 1..=row.len().min(ROW_BYTES_MAX);
                found.extend(
                    lengths.filter_map(|len| Wrapped::parse(&row[..len]).ok()?.unwrap(subject, &shard_key).ok()),
                );
            }
        }
        found.iter().filter_map(|keys| keys.key(category)).collect()
    }
}

impl fmt::Debug for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adversary").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

fn copy(dir: &Path, files: &mut Vec<Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            copy(&path, files)?;
        } else {
            files.push(fs::read(&path)?);
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
