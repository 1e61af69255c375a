//! [`Place`]: where a dump lies.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bucket::{Bucket, Settings};
use super::{BEGUN, MANIFEST, Part, sha256};
use crate::cli::DumpAt;

/// Bytes of a file that says what there is, and not the data itself: a hundred or so a part.
const DESCRIPTION_BYTES_MAX: u64 = 64 << 20;

/// Where the files of a dump are. Each is there as a whole, or not at all.
pub(crate) enum Place {
    /// A directory of this machine.
    Dir(PathBuf),
    /// A part of an object store.
    Bucket(Box<Bucket>),
}

impl Place {
    /// The place that was asked for. Nothing is read or written yet.
    pub(crate) fn open(at: &DumpAt) -> Result<Self> {
        match at {
            DumpAt::Dir(dir) => Ok(Self::Dir(dir.clone())),
            DumpAt::Bucket { bucket, prefix } => {
                Ok(Self::Bucket(Box::new(Bucket::open(bucket, prefix, &Settings::from_env()?)?)))
            }
        }
    }

    /// Makes it, and fails when there is something else that a dump could be mixed up with.
    pub(super) fn begin(&self) -> Result<()> {
        let Self::Dir(dir) = self else { return Ok(()) };
        fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
        let mut held = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
        if held.next().is_some() {
            bail!("{self} is not empty, and holds no export that was broken off: give a new one");
        }
        Ok(())
    }

    /// The file `name`, of at most `max` bytes; `None` when there is none.
    pub(super) async fn read(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Bucket(bucket) => bucket.get(name, max).await,
            Self::Dir(dir) => read_file(&dir.join(name), max),
        }
    }

    /// Writes the file `name`.
    pub(super) async fn write(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        match self {
            Self::Bucket(bucket) => bucket.put(name, bytes).await,
            Self::Dir(dir) => {
                let path = dir.join(name);
                write_file(dir, &path, &bytes).with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }

    /// Whether it holds this very part already.
    pub(super) async fn holds(&self, part: &Part) -> Result<bool> {
        match self {
            Self::Bucket(bucket) => bucket.holds(&part.name, part.length, &part.sha256).await,
            Self::Dir(_) => {
                let held = self.read(&part.name, part.length).await;
                // one that is longer is another
                Ok(held.ok().flatten().is_some_and(|held| sha256(&held) == part.sha256))
            }
        }
    }

    /// Removes the file `name`.
    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        match self {
            Self::Bucket(bucket) => bucket.delete(name).await,
            Self::Dir(dir) => {
                let path = dir.join(name);
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
            }
        }
    }

    /// Reads the description `name`, if there is one.
    pub(super) async fn describe<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        debug_assert!([BEGUN, MANIFEST].contains(&name), "the rest is data");
        let Some(text) = self.read(name, DESCRIPTION_BYTES_MAX).await? else { return Ok(None) };
        serde_json::from_slice(&text).with_context(|| format!("{name} in {self} is damaged")).map(Some)
    }

    /// Writes the description `name`.
    pub(super) async fn write_description(&self, name: &str, value: &impl Serialize) -> Result<()> {
        self.write(name, serde_json::to_vec_pretty(value)?).await
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dir(dir) => write!(f, "{}", dir.display()),
            Self::Bucket(bucket) => write!(f, "{bucket}"),
        }
    }
}

fn read_file(path: &Path, max: u64) -> Result<Option<Vec<u8>>> {
    let cannot = || format!("cannot read {}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(cannot)?,
    };
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).with_context(cannot)?;
    if bytes.len() as u64 > max {
        bail!("{} is longer than it was", path.display());
    }
    Ok(Some(bytes))
}

fn write_file(dir: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(File::open(dir)?.sync_all()?)
}
