//! [`Entries`]: what the files of a dump hold.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_store::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use sha2::{Digest, Sha256};

use super::{Dump, Part};
use crate::hex;

/// The entries of a dump. A file is compared with its checksum at its end.
pub(crate) struct Entries<'a> {
    dump: &'a Dump,
    next: usize,
    open: Option<(&'a Part, EntriesFile)>,
}

impl<'a> Entries<'a> {
    /// Those of `dump`, from the first.
    pub(super) const fn of(dump: &'a Dump) -> Self {
        Self { dump, next: 0, open: None }
    }

    /// The next key and value; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        loop {
            if self.open.is_none() {
                let Some(part) = self.dump.manifest.files.get(self.next) else { return Ok(None) };
                self.next += 1;
                self.open = Some((part, EntriesFile::open(&self.dump.dir, &part.name)?));
            }
            let (part, file) = self.open.as_mut().expect("it was opened above");
            if file.read < part.length {
                return file.next().with_context(|| damaged(&file.path)).map(Some);
            }
            let found = file.end().with_context(|| damaged(&file.path))?;
            if found != **part {
                bail!("its SHA-256 is {}, it was {}: {}", found.sha256, part.sha256, damaged(&file.path));
            }
            self.open = None;
        }
    }
}

/// One file of a dump.
pub(super) struct EntriesFile {
    path: PathBuf,
    name: String,
    file: BufReader<File>,
    /// Of what was read.
    hash: Sha256,
    /// Bytes.
    read: u64,
}

impl EntriesFile {
    /// The file `name` in `dir`.
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(name);
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { path, name: name.to_owned(), file: BufReader::new(file), hash: Sha256::new(), read: 0 })
    }

    /// Bytes that were read.
    pub(super) const fn read(&self) -> u64 {
        self.read
    }

    /// The next key and value, which must be there.
    pub(super) fn next(&mut self) -> Result<(Vec<u8>, Vec<u8>)> {
        let (key_length, value_length) = (self.length_of(KEY_BYTES_MAX)?, self.length_of(VALUE_BYTES_MAX)?);
        Ok((self.bytes(key_length)?, self.bytes(value_length)?))
    }

    /// What was read, which must be all.
    pub(super) fn end(&mut self) -> Result<Part> {
        if self.file.read(&mut [0])? != 0 {
            bail!("it is longer than it was");
        }
        let sha256 = hex::encode(&core::mem::take(&mut self.hash).finalize());
        Ok(Part { name: self.name.clone(), length: self.read, sha256 })
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
        self.read += count as u64;
        Ok(bytes)
    }
}

fn damaged(path: &Path) -> String {
    format!("{} is damaged: use another dump", path.display())
}
