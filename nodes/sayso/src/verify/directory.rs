//! [`Directory`]: an exported log as its files lie on the disk. They may come from anybody.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use sayso_audit::{LogSource, leaf, tile};

/// Bytes of the largest file that a log can have: a bundle full of the longest entries, each with its length.
const FILE_BYTES_MAX: u64 = tile::WIDTH as u64 * (leaf::LEN_MAX as u64 + 2);

/// Files below one directory; nothing outside is read, wherever a link points.
pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let root = dir.canonicalize().with_context(|| format!("cannot open {}", dir.display()))?;
        Ok(Self { root })
    }
}

impl LogSource for Directory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        let file = self.root.join(path).canonicalize()?;
        if !below || !file.starts_with(&self.root) {
            return Err(io::Error::new(ErrorKind::PermissionDenied, "it lies outside of the log's directory"));
        }
        // Opening a pipe or a device could wait for ever.
        if !fs::metadata(&file)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
        }
        let mut bytes = Vec::new();
        File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than any file of a log"));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_files_below_the_directory_are_read() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("log");
        fs::create_dir_all(root.join("tile/0")).unwrap();
        fs::write(root.join("tile/0/000"), "inside").unwrap();
        fs::write(outer.path().join("secret"), "outside").unwrap();
        symlink("../secret", root.join("link")).unwrap();
        let log = Directory::open(&root).unwrap();
        assert_eq!(log.read("tile/0/000").unwrap(), b"inside");
        let kind = |path: &str| log.read(path).unwrap_err().kind();
        assert_eq!(kind("checkpoint"), ErrorKind::NotFound);
        assert_eq!(kind("../secret"), ErrorKind::PermissionDenied);
        assert_eq!(kind("link"), ErrorKind::PermissionDenied);
        assert_eq!(kind(outer.path().join("secret").to_str().unwrap()), ErrorKind::PermissionDenied);
        assert_eq!(kind("tile"), ErrorKind::InvalidInput);
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let root = tempfile::tempdir().unwrap();
        let file = File::create(root.path().join("checkpoint")).unwrap();
        file.set_len(FILE_BYTES_MAX + 1).unwrap();
        let log = Directory::open(root.path()).unwrap();
        assert_eq!(log.read("checkpoint").unwrap_err().kind(), ErrorKind::FileTooLarge);
        file.set_len(FILE_BYTES_MAX).unwrap();
        assert_eq!(log.read("checkpoint").unwrap().len() as u64, FILE_BYTES_MAX);
    }
}
