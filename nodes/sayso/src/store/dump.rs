//! A data set as files.
//!
//! ```text
//!   DIR/manifest.json    what there is, with checksums; written last, so that a directory without one is no dump
//!   DIR/000001.entries   keys and values in order: length of the key, length of the value (four bytes big-endian each),
//!                        key, value
//!   DIR/000002.entries
//! ```

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_store::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::contents::{Sum, Summary};
use crate::hex;

/// The version of the format.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// Bytes of keys and values after which a file ends: what is damaged is named by its file.
const FILE_BYTES: u64 = 64 << 20;

/// What a dump holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    /// When it was made, in milliseconds since the Unix epoch.
    pub(crate) made_unix_ms: u64,
    /// All of it.
    pub(crate) all: Summary,
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

/// A dump that is being written.
pub(crate) struct Writer {
    dir: PathBuf,
    open: Option<Open>,
    files: Vec<Part>,
    all: Sum,
}

struct Open {
    name: String,
    file: BufWriter<File>,
    hash: Sha256,
    length: u64,
}

impl Writer {
    /// Begins a dump in `dir`, which is new or empty.
    pub(crate) fn create(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
        let mut there = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
        if there.next().is_some() {
            bail!("{} is not empty: give a new directory for each dump", dir.display());
        }
        Ok(Self { dir: dir.to_owned(), open: None, files: Vec::new(), all: Sum::default() })
    }

    /// Bytes of keys and values so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.all.bytes()
    }

    /// Adds the next entry.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.all.add(key, value);
        if self.open.is_none() {
            let name = format!("{:06}.entries", self.files.len() + 1);
            let path = self.dir.join(&name);
            let file = File::create_new(&path).with_context(|| format!("cannot write {}", path.display()))?;
            self.open = Some(Open { name, file: BufWriter::new(file), hash: Sha256::new(), length: 0 });
        }
        let open = self.open.as_mut().expect("it was opened above");
        let lengths = [(key.len() as u32).to_be_bytes(), (value.len() as u32).to_be_bytes()].concat();
        for part in [&lengths, key, value] {
            open.file.write_all(part).with_context(|| format!("cannot write {}", open.name))?;
            open.hash.update(part);
            open.length += part.len() as u64;
        }
        if open.length >= FILE_BYTES { self.end_file() } else { Ok(()) }
    }

    fn end_file(&mut self) -> Result<()> {
        let Some(Open { name, file, hash, length }) = self.open.take() else { return Ok(()) };
        let written = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        written.with_context(|| format!("cannot write {name}"))?;
        self.files.push(Part { name, length, sha256: hex::encode(&hash.finalize()) });
        Ok(())
    }

    /// Completes the dump.
    pub(crate) fn finish(mut self, made_unix_ms: u64) -> Result<Manifest> {
        self.end_file()?;
        let manifest = Manifest { format: FORMAT, made_unix_ms, all: self.all.summary(), files: self.files };
        let (file, new) = (self.dir.join(MANIFEST), self.dir.join("manifest.new"));
        let written = (|| {
            fs::write(&new, serde_json::to_vec_pretty(&manifest)?)?;
            File::open(&new)?.sync_all()?;
            fs::rename(&new, &file)?;
            File::open(&self.dir)?.sync_all()
        })();
        written.with_context(|| format!("cannot write {}", file.display()))?;
        Ok(manifest)
    }
}

/// A dump that is complete.
pub(crate) struct Dump {
    dir: PathBuf,
    pub(crate) manifest: Manifest,
}

impl Dump {
    /// Reads what `dir` holds.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let file = dir.join(MANIFEST);
        let text = fs::read(&file).with_context(|| format!("{} is no dump, or not a whole one", dir.display()))?;
        let manifest: Manifest =
            serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))?;
        if manifest.format != FORMAT {
            bail!(
                "{} is of format {}, this program reads {FORMAT}: use the program that wrote it",
                file.display(),
                manifest.format
            );
        }
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// Reads all of it, and compares every checksum.
    pub(crate) fn check(&self, mut reached: impl FnMut(u64)) -> Result<()> {
        let mut all = Sum::default();
        let mut entries = self.entries();
        while let Some((key, value)) = entries.next()? {
            all.add(&key, &value);
            reached(all.bytes());
        }
        let found = all.summary();
        if found != self.manifest.all {
            bail!("{} does not hold what its manifest says: {found:?}", self.dir.display());
        }
        Ok(())
    }

    /// Its entries in order.
    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries { dump: self, next: 0, open: None }
    }
}

/// The entries of a dump. A file is compared with its checksum at its end.
pub(crate) struct Entries<'a> {
    dump: &'a Dump,
    next: usize,
    open: Option<Reading<'a>>,
}

struct Reading<'a> {
    part: &'a Part,
    path: PathBuf,
    file: BufReader<File>,
    hash: Sha256,
    length: u64,
}

impl Entries<'_> {
    /// The next key and value; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        loop {
            if self.open.is_none() {
                let Some(part) = self.dump.manifest.files.get(self.next) else { return Ok(None) };
                self.next += 1;
                let path = self.dump.dir.join(&part.name);
                let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
                self.open = Some(Reading { part, path, file: BufReader::new(file), hash: Sha256::new(), length: 0 });
            }
            let reading = self.open.as_mut().expect("it was opened above");
            if reading.length < reading.part.length {
                return reading.entry().with_context(|| damaged(&reading.path)).map(Some);
            }
            reading.end().with_context(|| damaged(&reading.path))?;
            self.open = None;
        }
    }
}

impl Reading<'_> {
    fn entry(&mut self) -> Result<(Vec<u8>, Vec<u8>)> {
        let (key_length, value_length) = (self.length_of(KEY_BYTES_MAX)?, self.length_of(VALUE_BYTES_MAX)?);
        Ok((self.bytes(key_length)?, self.bytes(value_length)?))
    }

    fn length_of(&mut self, max: usize) -> Result<usize> {
        let bytes = self.bytes(4)?;
        let length = u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize;
        if length > max { bail!("a length of {length} is over the limit of {max}") } else { Ok(length) }
    }

    fn bytes(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.file.read_exact(&mut bytes)?;
        self.hash.update(&bytes);
        self.length += count as u64;
        Ok(bytes)
    }

    fn end(&mut self) -> Result<()> {
        if self.length != self.part.length || self.file.read(&mut [0])? != 0 {
            bail!("it is not as long as it was");
        }
        let found = hex::encode(&core::mem::take(&mut self.hash).finalize());
        if found != self.part.sha256 {
            bail!("its SHA-256 is {found}, it was {}", self.part.sha256);
        }
        Ok(())
    }
}

fn damaged(path: &Path) -> String {
    format!("{} is damaged: use another dump", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(dir: &Path) -> Manifest {
        let mut writer = Writer::create(dir).unwrap();
        for n in 0..100u8 {
            writer.add(&[n], &[n; 50]).unwrap();
        }
        writer.finish(7).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = dump(dir.path());
        let dump = Dump::open(dir.path()).unwrap();
        assert_eq!((&dump.manifest, manifest.all.entries, manifest.all.bytes), (&manifest, 100, 5_100));
        dump.check(|_| {}).unwrap();
        let mut entries = dump.entries();
        for n in 0..100u8 {
            assert_eq!(entries.next().unwrap(), Some((vec![n], vec![n; 50])));
        }
        assert_eq!(entries.next().unwrap(), None);
        assert!(Writer::create(dir.path()).is_err(), "a dump is never written over");
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
        let mut writer = Writer::create(dir.path()).unwrap();
        writer.add(b"a", b"b").unwrap();
        drop(writer);
        let error = Dump::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("not a whole one"), "{error}");
    }
}
