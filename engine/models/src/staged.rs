//! [`StagedFile`]: a file that appears under its name only when it is complete, verified and on the disk.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, Progress};

/// What is read and written at a time.
const BLOCK_BYTES: usize = 256 * 1024;

/// A file being written beside its final place. Dropped before [`commit`](Self::commit), it leaves nothing.
pub(crate) struct StagedFile {
    writer: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    temporary: PathBuf,
    target: PathBuf,
}

impl StagedFile {
    /// Begins to write what shall become `target`, whose directory is made when it is not there. The caller holds
    /// the lock of the models directory: there is one writer, and what an earlier one left is overwritten.
    pub(crate) fn create(target: &Path) -> Result<Self, Error> {
        let parent = target.parent().expect("a model file lies in a directory");
        fs::create_dir_all(parent).map_err(Error::io("make the directory", parent))?;
        let mut name = OsString::from(".");
        name.push(target.file_name().expect("a model file has a name"));
        name.push(".partial");
        let temporary = parent.join(name);
        let file = File::create(&temporary).map_err(Error::io("write", &temporary))?;
        let writer = BufWriter::with_capacity(BLOCK_BYTES, file);
        Ok(Self { writer, hash: Sha256::new(), bytes: 0, temporary, target: target.to_owned() })
    }

    /// Puts the file in its place if it has `bytes` bytes that hash to `sha256`.
    pub(crate) fn commit(mut self, bytes: u64, sha256: &str) -> Result<(), Error> {
        let mismatch = |expected: String, found: String| Error::Mismatch {
            what: self.target.display().to_string(),
            expected,
            found,
        };
        if self.bytes != bytes {
            return Err(mismatch(format!("{bytes} bytes"), format!("{} bytes", self.bytes)));
        }
        let found = hex::encode(self.hash.clone().finalize());
        if found != sha256 {
            return Err(mismatch(format!("sha256 {sha256}"), format!("sha256 {found}")));
        }
        self.writer.flush().map_err(Error::io("write", &self.temporary))?;
        self.writer.get_ref().sync_all().map_err(Error::io("write", &self.temporary))?;
        fs::rename(&self.temporary, &self.target).map_err(Error::io("put in place", &self.target))?;
        sync_directory_of(&self.target)
    }

    /// The error for a failed write to this file.
    pub(crate) fn failed(&self, source: io::Error) -> Error {
        Error::Io { doing: "write", path: self.temporary.clone(), source }
    }
}

impl Write for StagedFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(data)?;
        self.hash.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // After a commit there is nothing under this name. That removal fails is no reason to fail as well: the next
        // fetch overwrites it.
        _ = fs::remove_file(&self.temporary);
    }
}

/// Makes a rename durable: the entry is in its directory after a power cut.
pub(crate) fn sync_directory_of(path: &Path) -> Result<(), Error> {
    let parent = path.parent().expect("a model file lies in a directory");
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(Error::io("write", parent))
}

/// SHA-256 of the file at `path`, lower-case hexadecimal.
pub(crate) fn sha256_of(path: &Path, progress: &mut dyn Progress) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut block).map_err(Error::io("read", path))?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&block[..read]);
        bytes += read as u64;
        progress.reach(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `abc`, from FIPS 180-2.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn names(directory: &Path) -> Vec<OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_committed_file_is_there_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("a/b.bin");
        let mut file = StagedFile::create(&target).unwrap();
        file.write_all(b"abc").unwrap();
        assert_eq!(names(target.parent().unwrap()), [".b.bin.partial"]);
        file.commit(3, ABC).unwrap();
        assert_eq!(names(target.parent().unwrap()), ["b.bin"]);
        assert_eq!(sha256_of(&target, &mut ()).unwrap(), ABC);
    }

    #[test]
    fn what_is_not_what_was_pinned_leaves_nothing_and_keeps_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("b.bin");
        fs::write(&target, "old").unwrap();
        for (data, bytes) in [(b"abd".as_slice(), 3), (b"ab", 3), (b"abcd", 3)] {
            let mut file = StagedFile::create(&target).unwrap();
            file.write_all(data).unwrap();
            let error = file.commit(bytes, ABC).unwrap_err();
            assert!(matches!(error, Error::Mismatch { .. }), "{error}");
            assert_eq!(names(directory.path()), ["b.bin"]);
            assert_eq!(fs::read(&target).unwrap(), b"old");
        }
    }
}
