//! [`Writer`]: writes a dump, so that it can be broken off and gone on with.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_store::Key;
use sha2::{Digest, Sha256};

use super::reader::EntriesFile;
use super::{BEGUN, Begun, FORMAT, MANIFEST, Manifest, Part, Sum, Summary, begun, write};
use crate::hex;

/// Bytes after which a file ends: what is damaged is named by its file, and what is broken off loses no more than this.
const FILE_BYTES: u64 = 64 << 20;

/// A dump that is being written. What it holds already is compared at its end, with the rest: see [`finish`](Self::finish).
pub(crate) struct Writer {
    dir: PathBuf,
    file_bytes: u64,
    /// What is being written.
    of: Summary,
    /// What is there.
    all: Sum,
    /// The files that are whole.
    files: Vec<Part>,
    /// The last key in those of an earlier attempt.
    last: Option<Key>,
    open: Option<Open>,
}

struct Open {
    name: String,
    file: BufWriter<File>,
    hash: Sha256,
    length: u64,
}

impl Writer {
    /// Begins to write the data set `of` into `dir`, which is new or empty, or goes on where that was broken off.
    ///
    /// # Errors
    /// When there is something else, such as another data set.
    pub(crate) fn begin(dir: &Path, of: Summary) -> Result<Self> {
        Self::with_files_of(FILE_BYTES, dir, of)
    }

    /// The same with another length of files.
    pub(super) fn with_files_of(file_bytes: u64, dir: &Path, of: Summary) -> Result<Self> {
        let begun = begun(dir)?;
        let mut writer = Self {
            dir: dir.to_owned(),
            file_bytes,
            of,
            all: Sum::default(),
            files: Vec::new(),
            last: None,
            open: None,
        };
        match begun {
            None => {
                fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
                write(dir, BEGUN, &Begun { format: FORMAT, all: writer.of.clone() })?;
            }
            Some(begun) if begun == writer.of => while writer.keep_file()? {},
            Some(_) => {
                bail!("the store has changed since the export into {} was begun: give a new directory", dir.display())
            }
        }
        Ok(writer)
    }

    /// The last key that need not be added any more.
    pub(crate) const fn last(&self) -> Option<&Key> {
        self.last.as_ref()
    }

    /// Bytes of keys and values so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.all.bytes()
    }

    /// Adds the next entry.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.all.add(key, value);
        if self.open.is_none() {
            let name = self.next_name();
            let path = self.dir.join(&name);
            // A file that was broken off is written anew.
            let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            self.open = Some(Open { name, file: BufWriter::new(file), hash: Sha256::new(), length: 0 });
        }
        let open = self.open.as_mut().expect("it was opened above");
        let lengths = [(key.len() as u32).to_be_bytes(), (value.len() as u32).to_be_bytes()].concat();
        for part in [&lengths, key, value] {
            open.file.write_all(part).with_context(|| format!("cannot write {}", open.name))?;
            open.hash.update(part);
            open.length += part.len() as u64;
        }
        if open.length >= self.file_bytes { self.end_file() } else { Ok(()) }
    }

    /// Completes the dump.
    ///
    /// # Errors
    /// Also when it does not hold what was to be written.
    pub(crate) fn finish(mut self, made_unix_ms: u64) -> Result<()> {
        self.end_file()?;
        let all = self.all.summary();
        if all != self.of {
            bail!("what is in {} is not what the store holds: give a new directory", self.dir.display());
        }
        let manifest = Manifest { format: FORMAT, made_unix_ms, all, files: self.files };
        write(&self.dir, MANIFEST, &manifest)?;
        let begun = self.dir.join(BEGUN);
        fs::remove_file(&begun).with_context(|| format!("cannot remove {}", begun.display()))
    }

    /// Keeps the next file of an earlier attempt, if it is whole.
    fn keep_file(&mut self) -> Result<bool> {
        let name = self.next_name();
        let Ok(found) = fs::metadata(self.dir.join(&name)) else { return Ok(false) };
        if found.len() < self.file_bytes {
            return Ok(false);
        }
        let mut file = EntriesFile::open(&self.dir, &name)?;
        while file.read() < found.len() {
            let (key, value) = file.next().with_context(|| format!("{name} is damaged: give a new directory"))?;
            self.all.add(&key, &value);
            self.last = Some(Key::from_bytes(key));
        }
        self.files.push(file.end()?);
        Ok(true)
    }

    fn end_file(&mut self) -> Result<()> {
        let Some(Open { name, file, hash, length }) = self.open.take() else { return Ok(()) };
        let written = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        written.with_context(|| format!("cannot write {name}"))?;
        self.files.push(Part { name, length, sha256: hex::encode(&hash.finalize()) });
        Ok(())
    }

    fn next_name(&self) -> String {
        format!("{:06}.entries", self.files.len() + 1)
    }
}
