//! What is there: each file against the catalogue, cheaply by its stamp or thoroughly by its hash.
//!
//! A stamp records, for a file whose hash was right, when the file was last modified. As long as size and time of
//! modification stand, the hash is not computed again; whatever else happens to a file is found by a thorough check.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::staged::sha256_of;
use crate::{Error, Model, ModelFile, Progress};

/// How a file compares with what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
pub enum Condition {
    /// It is what it must be.
    Intact,
    /// It is not there.
    Missing,
    /// It is longer or, more often, shorter.
    WrongSize {
        /// Its size in bytes.
        found_bytes: u64,
    },
    /// It has the right size and other contents.
    WrongHash {
        /// Its SHA-256, lower-case hexadecimal.
        found_sha256: String,
    },
}

/// One file of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileStatus {
    /// Where it lies.
    pub path: PathBuf,
    /// The size it must have, in bytes.
    pub bytes: u64,
    /// The SHA-256 it must have, lower-case hexadecimal.
    pub sha256: &'static str,
    /// How it compares.
    #[serde(flatten)]
    pub condition: Condition,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelStatus {
    /// Which.
    pub model: Model,
    /// Where it lies: a file, or a directory.
    pub location: PathBuf,
    /// SPDX identifier of its licence.
    pub licence: &'static str,
    /// Size of its files together, in bytes.
    pub bytes: u64,
    /// Whether every file is intact.
    pub ready: bool,
    /// Its files.
    pub files: Vec<FileStatus>,
}

impl ModelStatus {
    /// The first file that is not what it must be, as an error that says what to do.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Damaged`].
    pub fn require_ready(&self) -> Result<(), Error> {
        let model = self.model;
        for file in &self.files {
            let found = match &file.condition {
                Condition::Intact => continue,
                Condition::Missing => {
                    return Err(Error::Missing { model, path: file.path.clone() });
                }
                Condition::WrongSize { found_bytes } => {
                    format!("{found_bytes} bytes instead of {}", file.bytes)
                }
                Condition::WrongHash { found_sha256 } => {
                    format!("sha256 {found_sha256} instead of {}", file.sha256)
                }
            };
            return Err(Error::Damaged { model, path: file.path.clone(), found });
        }
        Ok(())
    }
}

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Size and stamp; the hash where the stamp does not vouch for the file.
    Stamp,
    /// The hash of every file.
    Hash,
}

/// Compares the files of `model` under `root` with the catalogue and renews their stamps.
pub(crate) fn examine(
    root: &Path,
    model: Model,
    depth: Depth,
    progress: &mut dyn Progress,
) -> Result<ModelStatus, Error> {
    let stamps = match depth {
        Depth::Stamp => Stamps::load(root, model),
        Depth::Hash => Stamps::default(),
    };
    let mut renewed = Stamps::default();
    let mut files = Vec::with_capacity(model.files().len());
    for file in model.files() {
        let condition = condition(root, file, &stamps, &mut renewed, progress)?;
        files.push(FileStatus { path: root.join(file.path), bytes: file.bytes, sha256: file.sha256, condition });
    }
    if renewed != stamps {
        renewed.save(root, model);
    }
    Ok(ModelStatus {
        model,
        location: root.join(model.location()),
        licence: model.licence(),
        bytes: model.bytes(),
        ready: files.iter().all(|file| file.condition == Condition::Intact),
        files,
    })
}

fn condition(
    root: &Path,
    file: &ModelFile,
    stamps: &Stamps,
    renewed: &mut Stamps,
    progress: &mut dyn Progress,
) -> Result<Condition, Error> {
    let path = root.join(file.path);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Missing),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    if metadata.len() != file.bytes {
        return Ok(Condition::WrongSize { found_bytes: metadata.len() });
    }
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let stamp = Stamp { sha256: file.sha256.to_owned(), modified_nanos: modified.map_or(0, |since| since.as_nanos()) };
    if stamps.0.get(file.path) != Some(&stamp) {
        progress.begin(&format!("checking {}", file.path), file.bytes);
        let found_sha256 = sha256_of(&path, progress)?;
        progress.end();
        if found_sha256 != file.sha256 {
            return Ok(Condition::WrongHash { found_sha256 });
        }
    }
    renewed.0.insert(file.path.to_owned(), stamp);
    Ok(Condition::Intact)
}

/// A file's hash was right when it had this time of modification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    sha256: String,
    modified_nanos: u128,
}

/// The stamps of one model, by path.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Stamps(BTreeMap<String, Stamp>);

impl Stamps {
    fn path(root: &Path, model: Model) -> PathBuf {
        root.join(format!(".{model}.stamps.json"))
    }

    /// The recorded stamps; none when there is no record, or one that cannot be understood.
    fn load(root: &Path, model: Model) -> Self {
        let text = fs::read(Self::path(root, model)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Records the stamps. A directory that cannot be written (models installed for all users) costs the next check a
    /// hash, so that failing is no error. A half-written record reads as none.
    fn save(&self, root: &Path, model: Model) {
        let path = Self::path(root, model);
        let text = serde_json::to_vec(self).expect("a map of texts and numbers is representable");
        if let Err(error) = fs::write(&path, text) {
            tracing::debug!(%model, %error, "stamps not recorded; the next check computes hashes again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model with one file in another directory, to check `condition` on.
    const FILE: ModelFile = ModelFile {
        path: "abc.txt",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        source: crate::catalogue::Source::Member { package: Model::Hibari.packages()[0], member: "" },
    };

    fn check(root: &Path, stamps: &Stamps) -> (Condition, Stamps) {
        let mut renewed = Stamps::default();
        let condition = condition(root, &FILE, stamps, &mut renewed, &mut ()).unwrap();
        (condition, renewed)
    }

    #[test]
    fn a_file_is_missing_then_intact_then_truncated_then_changed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("abc.txt");
        let none = Stamps::default();
        assert_eq!(check(root.path(), &none).0, Condition::Missing);
        fs::write(&path, "abc").unwrap();
        assert_eq!(check(root.path(), &none).0, Condition::Intact);
        fs::write(&path, "ab").unwrap();
        assert_eq!(check(root.path(), &none).0, Condition::WrongSize { found_bytes: 2 });
        fs::write(&path, "abd").unwrap();
        assert!(matches!(check(root.path(), &none).0, Condition::WrongHash { .. }));
    }

    #[test]
    fn a_stamp_saves_the_hash_until_the_file_is_modified() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("abc.txt");
        fs::write(&path, "abc").unwrap();
        let (_, stamps) = check(root.path(), &Stamps::default());

        // other contents under the old time: the stamp vouches for it, only a thorough check finds it
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "abd").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_eq!(check(root.path(), &stamps).0, Condition::Intact);
        assert!(matches!(check(root.path(), &Stamps::default()).0, Condition::WrongHash { .. }));

        // modified at another time: hashed again
        let later = modified + core::time::Duration::from_secs(1);
        fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert!(matches!(check(root.path(), &stamps).0, Condition::WrongHash { .. }));
    }
}
