//! The log: commits in order, durable before they are acknowledged.
//!
//! A directory of segments, one a memtable: when the memtable's table is durable, its segment is deleted. A segment is
//! a header, then frames; a group of commits is one write and one `fdatasync`. The [`Mark`] beside it remembers how far
//! the log was acknowledged, which tells a torn tail (never acknowledged: cut off) from damage (an error).

mod frame;
mod mark;
mod replay;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sayso_store::Error;

pub(crate) use self::frame::encode;
use self::frame::{HEADER_BYTES, header};
pub(crate) use self::mark::Mark;
pub(crate) use self::replay::{Segment, base_of, segments};
use crate::{Durability, fault};

/// Why a group of commits is not in the log.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// It was taken back: nothing is written, and the next may succeed.
    Refused(Error),
    /// What the disk holds now is unknown: nothing more may be written until the store was opened again.
    Broken(Error),
}

impl AppendError {
    /// What went wrong.
    pub(crate) fn into_inner(self) -> Error {
        match self {
            Self::Refused(error) | Self::Broken(error) => error,
        }
    }
}

/// The segment that is written to.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    base: u64,
    end: u64,
    /// Up to where the segment would survive the loss of power.
    synced: u64,
    mark: Mark,
}

impl Log {
    /// A new, empty segment in `dir` for commits from `base` on.
    pub(crate) fn create(dir: &Path, base: u64, mark: Mark) -> Result<Self, Error> {
        let (path, file) = create_segment(dir, base).map_err(AppendError::into_inner)?;
        let end = HEADER_BYTES as u64;
        Ok(Self { dir: dir.to_owned(), path, file, base, end, synced: end, mark })
    }

    /// Goes on with `segment`, after its last whole frame: what is behind it was never acknowledged.
    pub(crate) fn resume(dir: &Path, segment: &Segment, mark: Mark) -> Result<Self, Error> {
        if segment.end == 0 {
            return Self::create(dir, segment.base, mark);
        }
        let path = segment.path.clone();
        let file = OpenOptions::new().append(true).open(&path).map_err(|e| fault::io("open", &path, e))?;
        let truncated = file.set_len(segment.end).and_then(|()| file.sync_all());
        truncated.map_err(|e| fault::io("truncate", &path, e))?;
        let (base, end) = (segment.base, segment.end);
        Ok(Self { dir: dir.to_owned(), path, file, base, end, synced: end, mark })
    }

    /// Appends `frames` and, when they are to be [`Synced`](Durability::Synced), makes them and all before them durable
    /// and marks them as acknowledged.
    pub(crate) fn append(&mut self, frames: &[u8], durability: Durability) -> Result<(), AppendError> {
        self.file.write_all(frames).map_err(|error| self.take_back(error))?;
        if durability == Durability::Synced {
            let synced = sync_data(&self.file);
            // A failed sync says nothing about what was written before the frames and not synced yet.
            let before_is_safe = self.synced == self.end;
            synced.map_err(|error| match before_is_safe {
                true => self.take_back(error),
                false => AppendError::Broken(fault::io("append to", &self.path, error)),
            })?;
        }
        self.end += frames.len() as u64;
        match durability {
            Durability::Synced => self.acknowledge().map_err(AppendError::Broken),
            Durability::Ordered => Ok(()),
        }
    }

    /// Cuts off what was not appended as a whole, because of `error`.
    fn take_back(&self, error: io::Error) -> AppendError {
        let error = fault::io("append to", &self.path, error);
        // Only a full disk is known to leave what was there before as it was.
        let taken_back = matches!(error, Error::Full { .. })
            && self.file.set_len(self.end).and_then(|()| self.file.sync_all()).is_ok();
        if taken_back { AppendError::Refused(error) } else { AppendError::Broken(error) }
    }

    /// Whether the segment holds no commit.
    pub(crate) const fn is_empty(&self) -> bool {
        self.end == HEADER_BYTES as u64
    }

    /// Makes durable what is not yet.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        if self.synced == self.end {
            return Ok(());
        }
        sync_data(&self.file).map_err(|e| fault::io("sync", &self.path, e))?;
        self.acknowledge()
    }

    fn acknowledge(&mut self) -> Result<(), Error> {
        self.synced = self.end;
        self.mark.set(self.base, self.end)
    }

    /// Starts a segment for commits from `base` on and gives back the path of the one before, which is synced. Where that is
    /// refused there is none: commits go on in the one that there is, and whoever opens the store would miss them before it.
    pub(crate) fn rotate(&mut self, base: u64) -> Result<PathBuf, AppendError> {
        let (path, file) = create_segment(&self.dir, base)?;
        self.file = file;
        self.base = base;
        (self.end, self.synced) = (HEADER_BYTES as u64, HEADER_BYTES as u64);
        Ok(core::mem::replace(&mut self.path, path))
    }
}

fn sync_data(file: &File) -> io::Result<()> {
    #[cfg(feature = "testing")]
    crate::testing::delay_sync();
    file.sync_data()
}

fn create_segment(dir: &Path, base: u64) -> Result<(PathBuf, File), AppendError> {
    let path = dir.join(replay::file_name(base));
    let create = || {
        // One may be left of a creation that was cut short; it holds no frame.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        file.write_all(&header(base))?;
        file.sync_all()?;
        OpenOptions::new().append(true).open(&path)
    };
    let created = create().map_err(|e| fault::io("create", &path, e)).and_then(|file| {
        fault::sync_dir(dir)?;
        Ok(file)
    });
    match created {
        Ok(file) => Ok((path, file)),
        Err(error) => {
            let is_gone = fs::remove_file(&path).or_else(|left| match left.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(left),
            });
            let is_gone = is_gone.is_ok() && fault::sync_dir(dir).is_ok();
            Err(if is_gone { AppendError::Refused(error) } else { AppendError::Broken(error) })
        }
    }
}
