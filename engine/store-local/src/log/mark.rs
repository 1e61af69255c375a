//! [`Mark`]: how far the log was acknowledged.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sayso_store::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::fault;

/// Segment, offset, checksum: 8 bytes each.
const MARK_BYTES: usize = 24;

/// A file of 24 bytes, overwritten after every group: up to which offset of which segment commits were acknowledged.
///
/// It is not synced, so it costs no more than a copy. After `kill -9` it is exact, because the page cache outlives the
/// process; after a loss of power it may be older than the log. In both cases everything up to it was durable, so that
/// damage up to there is damage, and what is broken behind it was never acknowledged or lost its power on the way.
#[derive(Debug)]
pub(crate) struct Mark {
    path: PathBuf,
    file: File,
    /// The segment, by its first commit.
    pub(crate) base: u64,
    /// The offset of the first byte in it that may be unacknowledged; zero in a mark that was never set.
    pub(crate) end: u64,
}

impl Mark {
    /// The mark in `dir`. In a new store it is made, durably, for the segment `first` before there is a log.
    pub(crate) fn open(dir: &Path, first: u64, is_new: bool) -> Result<Self, Error> {
        let path = &dir.join("mark");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = open.map_err(|e| fault::io("open", path, e))?;
        let length = file.metadata().map_err(|e| fault::io("read", path, e))?.len();
        let mut mark = Self { path: path.to_owned(), file, base: first, end: 0 };
        if is_new && length == 0 {
            mark.set(first, 0)?;
            mark.file.sync_all().map_err(|e| fault::io("sync", path, e))?;
            fault::sync_dir(dir)?;
            return Ok(mark);
        }
        let mut bytes = [0; MARK_BYTES];
        if length != MARK_BYTES as u64 {
            return Err(fault::corrupt(path, format!("it has {length} bytes instead of {MARK_BYTES}")));
        }
        mark.file.read_exact_at(&mut bytes, 0).map_err(|e| fault::io("read", path, e))?;
        let [base, end, sum] = [0, 8, 16].map(|at| {
            u64::from_be_bytes(bytes[at..at + 8].try_into().expect("a slice of eight bytes is an array of eight"))
        });
        if sum != xxh3_64(&bytes[..16]) {
            return Err(fault::corrupt(path, "its checksum does not match"));
        }
        Ok(Self { base, end, ..mark })
    }

    /// Moves the mark.
    pub(crate) fn set(&mut self, base: u64, end: u64) -> Result<(), Error> {
        let mut bytes = [0; MARK_BYTES];
        bytes[..8].copy_from_slice(&base.to_be_bytes());
        bytes[8..16].copy_from_slice(&end.to_be_bytes());
        let sum = xxh3_64(&bytes[..16]);
        bytes[16..].copy_from_slice(&sum.to_be_bytes());
        self.file.write_all_at(&bytes, 0).map_err(|e| fault::io("write", &self.path, e))?;
        (self.base, self.end) = (base, end);
        Ok(())
    }

    /// Whether nothing was ever acknowledged.
    pub(crate) fn is_new(&self) -> bool {
        self.end == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_what_was_set_last() {
        let dir = tempfile::tempdir().unwrap();
        let mut mark = Mark::open(dir.path(), 7, true).unwrap();
        assert!(mark.is_new());
        mark.set(7, 26).unwrap();
        mark.set(8, 300).unwrap();
        let mark = Mark::open(dir.path(), 7, false).unwrap();
        assert_eq!((mark.base, mark.end, mark.is_new()), (8, 300, false));
        let golden = b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\x01\x2c";
        let stored = std::fs::read(dir.path().join("mark")).unwrap();
        assert_eq!(stored, [&golden[..], &xxh3_64(golden).to_be_bytes()].concat());
    }

    #[test]
    fn only_a_new_store_may_be_without_a_mark() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Mark::open(dir.path(), 7, false), Err(Error::Corrupt { .. })));
    }
}
