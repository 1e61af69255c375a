//! Reading the log back.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sayso_store::Error;
use sayso_store::decide::Commit;

use super::Mark;
use super::frame::{HEADER_BYTES, HeaderError, decode, read_header};
use crate::fault;

/// The file of the segment that begins with commit `base`: sorts by name as by number.
pub(super) fn file_name(base: u64) -> String {
    format!("{base:020}.log")
}

/// The first commit of the segment at `path`, by its name.
pub(crate) fn base_of(path: &Path) -> Result<u64, Error> {
    let name = path.file_stem().and_then(|name| name.to_str()?.parse().ok());
    name.ok_or_else(|| fault::corrupt(path, "its name is not that of a segment"))
}

/// A segment that was read back.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// The sequence of its first commit, also when that is still to come.
    pub(crate) base: u64,
    /// Where its last whole frame ends, in bytes; zero when it has no header yet.
    pub(crate) end: u64,
}

/// The segments in `dir`, oldest first, by path. Whether they are whole shows when they are [read](Segment::read).
pub(crate) fn segments(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut segments = fault::list(dir)?;
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    Ok(segments)
}

impl Segment {
    /// Fails when a newer program wrote the segment at `path`. Damage shows when it is [read](Self::read).
    pub(crate) fn require_known(path: &Path) -> Result<(), Error> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        let read = File::open(path).and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut bytes));
        read.map_err(|e| fault::io("read", path, e))?;
        match read_header(&bytes) {
            Err(HeaderError::Format(error)) => Err(error),
            Err(HeaderError::Damaged) | Ok(_) => Ok(()),
        }
    }

    /// Hands the commits of the segment at `path` to `each`, in order. `sequence` is the next that is expected.
    /// Behind `mark` the `last` segment may end in a torn frame.
    pub(crate) fn read(
        path: &Path,
        sequence: &mut u64,
        last: bool,
        mark: &Mark,
        mut each: impl FnMut(Commit),
    ) -> Result<Self, Error> {
        let bytes = Bytes::from(std::fs::read(path).map_err(|e| fault::io("read", path, e))?);
        let base = match read_header(&bytes) {
            Ok(base) => base,
            Err(HeaderError::Format(error)) => return Err(error),
            // Created when the power went: the header is durable before the first frame is written.
            Err(HeaderError::Damaged) if last && mark.base < *sequence && path.ends_with(file_name(*sequence)) => {
                return Ok(Self { path: path.to_owned(), base: *sequence, end: 0 });
            }
            Err(HeaderError::Damaged) => return Err(fault::corrupt(path, "its header is damaged")),
        };
        if base != *sequence || !path.ends_with(file_name(base)) {
            return Err(fault::corrupt(path, format!("it begins with commit {base} where {sequence} was expected")));
        }
        let mut end = HEADER_BYTES;
        while let Some((commit, length)) = decode(&bytes.slice(end..)) {
            if commit.sequence != *sequence {
                let found = format!("commit {} stands where {sequence} was expected", commit.sequence);
                return Err(fault::corrupt(path, found));
            }
            each(commit);
            *sequence += 1;
            end += length;
        }
        let acknowledged = if mark.base == base { mark.end } else { 0 };
        if (end as u64) < acknowledged || (end < bytes.len() && !last) {
            return Err(fault::corrupt(path, format!("the commit at byte {end} is damaged or cut off")));
        }
        if end < bytes.len() {
            tracing::warn!(path = %path.display(), end, len = bytes.len(), "cut off the unacknowledged end of the log");
        }
        Ok(Self { path: path.to_owned(), base, end: end as u64 })
    }
}
