//! A data set as files.
//!
//! ```text
//!   DIR/begun.json       what is being written; there until all of it is
//!   DIR/000001.entries   keys and values in order: length of the key, length of the value (four bytes big-endian each),
//!                        key, value
//!   DIR/000002.entries
//!   DIR/manifest.json    what there is, with checksums; written last, so that a directory without one is no dump
//! ```

mod reader;
mod writer;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(super) use self::reader::Entries;
pub(super) use self::writer::Writer;
use super::contents::{Sum, Summary};

/// The version of the format.
const FORMAT: u32 = 1;
const BEGUN: &str = "begun.json";
const MANIFEST: &str = "manifest.json";

/// What is being written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    format: u32,
    /// All of it.
    all: Summary,
}

/// What a dump holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    /// When it was completed, in milliseconds since the Unix epoch.
    made_unix_ms: u64,
    /// All of it.
    pub(super) all: Summary,
    files: Vec<Part>,
}

/// One file of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    name: String,
    length: u64,
    /// Of the whole file.
    sha256: String,
}

/// A dump that is complete.
pub(super) struct Dump {
    dir: PathBuf,
    pub(super) manifest: Manifest,
}

impl Dump {
    /// Reads what `dir` holds.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let manifest: Option<Manifest> = read(dir, MANIFEST)?;
        let Some(manifest) = manifest else {
            bail!("{} is no dump, or not a whole one: an export that was broken off is to be run again", dir.display());
        };
        require_format(dir, manifest.format)?;
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// Reads all of it, and compares every checksum.
    pub(super) fn check(&self, mut reached: impl FnMut(u64)) -> Result<()> {
        let mut all = Sum::default();
        let mut entries = self.entries();
        while let Some((key, value)) = entries.next()? {
            all.add(&key, &value);
            reached(all.bytes());
        }
        let found = all.summary();
        if found != self.manifest.all {
            bail!("{} does not hold what its manifest says: {found}", self.dir.display());
        }
        Ok(())
    }

    /// Its entries in order.
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries::of(self)
    }
}

/// What was begun to be written into `dir` and not completed; `None` when nothing is there.
fn begun(dir: &Path) -> Result<Option<Summary>> {
    if dir.join(MANIFEST).exists() {
        bail!("{} holds a whole dump: give a new directory for each", dir.display());
    }
    let begun: Option<Begun> = read(dir, BEGUN)?;
    if let Some(Begun { format, all }) = begun {
        require_format(dir, format)?;
        return Ok(Some(all));
    }
    if dir.exists() && fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?.next().is_some() {
        bail!("{} is not empty, and holds no export that was broken off: give a new directory", dir.display());
    }
    Ok(None)
}

/// Fails when nothing can be written into `dir`, whatever it is: there is something else.
pub(super) fn require_place(dir: &Path) -> Result<()> {
    begun(dir).map(drop)
}

fn require_format(dir: &Path, format: u32) -> Result<()> {
    if format != FORMAT {
        bail!("{} is of format {format}, this program reads {FORMAT}: use the program that wrote it", dir.display());
    }
    Ok(())
}

/// Reads the file `name` of a dump, if there is one.
fn read<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Option<T>> {
    let file = dir.join(name);
    if !file.exists() {
        return Ok(None);
    }
    let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display())).map(Some)
}

/// Writes the file `name` of a dump, so that it is there as a whole or not at all.
fn write(dir: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let path = dir.join(name);
    let written = (|| -> Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(File::open(dir)?.sync_all()?)
    })();
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a file here: a hundred entries are in several.
    const FILE_BYTES: u64 = 1_000;

    fn add(writer: &mut Writer, entries: core::ops::Range<u8>) {
        for n in entries {
            writer.add(&[n], &[n; 50]).unwrap();
        }
    }

    fn all() -> Summary {
        let mut sum = Sum::default();
        (0..100u8).for_each(|n| sum.add(&[n], &[n; 50]));
        sum.summary()
    }

    fn begin(dir: &Path) -> Result<Writer> {
        Writer::with_files_of(FILE_BYTES, dir, all())
    }

    fn dump(dir: &Path) -> Manifest {
        let mut writer = begin(dir).unwrap();
        add(&mut writer, 0..100);
        writer.finish(7).unwrap();
        Dump::open(dir).unwrap().manifest
    }

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = dump(dir.path());
        assert!(manifest.files.len() > 2);
        let dump = Dump::open(dir.path()).unwrap();
        assert_eq!((&dump.manifest, manifest.all.entries, manifest.all.bytes), (&manifest, 100, 5_100));
        dump.check(|_| {}).unwrap();
        let mut entries = dump.entries();
        for n in 0..100u8 {
            assert_eq!(entries.next().unwrap(), Some((vec![n], vec![n; 50])));
        }
        assert_eq!(entries.next().unwrap(), None);
        assert!(!dir.path().join(BEGUN).exists());
        assert!(begin(dir.path()).is_err(), "a dump is never written over");
    }

    #[test]
    fn every_changed_byte_is_found_and_its_file_named() {
        let dir = tempfile::tempdir().unwrap();
        dump(dir.path());
        let file = dir.path().join("000001.entries");
        let good = fs::read(&file).unwrap();
        for at in (0..good.len()).step_by(37) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&file, bad).unwrap();
            let error = Dump::open(dir.path()).unwrap().check(|_| {}).unwrap_err().to_string();
            assert!(error.contains("000001.entries"), "{at}: {error}");
        }
        for bad in [&good[..good.len() - 1], &[&good[..], &[0]].concat()] {
            fs::write(&file, bad).unwrap();
            assert!(Dump::open(dir.path()).unwrap().check(|_| {}).is_err());
        }
    }

    #[test]
    fn half_a_dump_is_none() {
        let dir = tempfile::tempdir().unwrap();
        add(&mut begin(dir.path()).unwrap(), 0..1);
        let error = Dump::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("not a whole one"), "{error}");
    }

    #[test]
    fn what_was_broken_off_goes_on_after_its_last_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = begin(dir.path()).unwrap();
        assert_eq!(writer.last(), None);
        add(&mut writer, 0..50);
        // as if the process had been killed: what the last file holds by then is anything
        drop(writer);
        let names = || (1..).map(|n| dir.path().join(format!("{n:06}.entries")));
        let broken = names().take_while(|name| name.exists()).last().unwrap();
        fs::write(&broken, [7; 20]).unwrap();

        let mut writer = begin(dir.path()).unwrap();
        let last = writer.last().unwrap().as_bytes()[0];
        assert!((17..50).contains(&last), "{last}");
        add(&mut writer, last + 1..100);
        writer.finish(7).unwrap();
        let resumed = Dump::open(dir.path()).unwrap();
        let other = tempfile::tempdir().unwrap();
        assert_eq!(resumed.manifest, dump(other.path()), "as if it had not been broken off");
        resumed.check(|_| {}).unwrap();
    }

    #[test]
    fn a_data_set_that_has_changed_is_not_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        add(&mut begin(dir.path()).unwrap(), 0..50);
        let changed = Summary { entries: 101, ..all() };
        let error = Writer::with_files_of(FILE_BYTES, dir.path(), changed).err().unwrap().to_string();
        assert!(error.contains("has changed"), "{error}");

        // A whole file of an earlier attempt has no checksum yet: what it comes to tells at the end.
        let mut file = fs::read(dir.path().join("000001.entries")).unwrap();
        file[20] ^= 1;
        fs::write(dir.path().join("000001.entries"), file).unwrap();
        let mut writer = begin(dir.path()).unwrap();
        let last = writer.last().unwrap().as_bytes()[0];
        add(&mut writer, last + 1..100);
        let error = writer.finish(7).unwrap_err().to_string();
        assert!(error.contains("is not what the store holds"), "{error}");
        assert!(Dump::open(dir.path()).is_err());
    }

    #[test]
    fn what_lies_elsewhere_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine"), "mine").unwrap();
        assert!(require_place(dir.path()).unwrap_err().to_string().contains("not empty"));
        require_place(&dir.path().join("new")).unwrap();
    }
}
