//! [`Wheel`]: a Python package file, which is a zip archive.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::staged::StagedFile;
use crate::{Error, Progress};

/// What is unpacked at a time.
const BLOCK_BYTES: usize = 256 * 1024;

/// An open wheel. It was verified against its pinned hash, so that its contents are trusted.
pub(crate) struct Wheel {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl Wheel {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| unpack_error(path, &error))?;
        Ok(Self { path: path.to_owned(), archive })
    }

    /// Appends `member` to `target`.
    pub(crate) fn unpack(
        &mut self,
        member: &str,
        target: &mut StagedFile,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        let mut source = self.archive.by_name(member).map_err(|error| unpack_error(&self.path, &error))?;
        let mut block = vec![0; BLOCK_BYTES];
        let mut bytes = 0;
        loop {
            let read = source.read(&mut block).map_err(Error::io("unpack", &self.path))?;
            if read == 0 {
                return Ok(());
            }
            target.write_all(&block[..read]).map_err(|error| target.failed(error))?;
            bytes += read as u64;
            progress.reach(bytes);
        }
    }

    /// The text of `member`.
    pub(crate) fn text(&mut self, member: &str) -> Result<String, Error> {
        let mut source = self.archive.by_name(member).map_err(|error| unpack_error(&self.path, &error))?;
        let mut text = String::new();
        source.read_to_string(&mut text).map_err(Error::io("unpack", &self.path))?;
        Ok(text)
    }
}

fn unpack_error(path: &Path, error: &ZipError) -> Error {
    Error::Wheel { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_zip_is_a_typed_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.whl");
        std::fs::write(&path, b"<html>proxy login</html>").unwrap();
        let error = Wheel::open(&path).err().unwrap();
        assert!(matches!(&error, Error::Wheel { path: named, .. } if *named == path), "{error}");
    }

    #[test]
    fn a_member_that_is_not_there_is_a_typed_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.whl");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        writer.start_file("data/a.txt", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"hello").unwrap();
        writer.finish().unwrap();

        let mut wheel = Wheel::open(&path).unwrap();
        assert_eq!(wheel.text("data/a.txt").unwrap(), "hello");
        assert!(matches!(wheel.text("data/b.txt"), Err(Error::Wheel { .. })));
    }
}
