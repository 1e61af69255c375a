//! What the disk says, as errors of the contract.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sayso_store::Error;

/// What to do about damage that nothing here can repair.
const RESTORE: &str =
    "stop using this directory and restore it from a backup; what is damaged is not repaired silently";

/// `source` as it came up on trying to `action` `file`.
pub(crate) fn io(action: &'static str, file: &Path, source: io::Error) -> Error {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let file = file.to_owned();
    if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
        return Error::Full { file };
    }
    Error::Io { action, file, source: Arc::new(source) }
}

/// Damage in `file`, as `found`.
pub(crate) fn corrupt(file: &Path, found: impl Into<String>) -> Error {
    Error::Corrupt { what: file.display().to_string(), found: found.into(), remedy: RESTORE }
}

/// What the tree in `dir` reports.
pub(crate) fn tree(action: &'static str, dir: &Path, error: lsm_tree::Error) -> Error {
    match error {
        lsm_tree::Error::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => io(action, dir, source),
        damage => corrupt(dir, damage.to_string()),
    }
}

/// Makes the names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| io("sync", dir, e))
}

/// Creates `dir` and makes its name durable.
pub(crate) fn create_dir(dir: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(|e| io("create", dir, e))?;
    dir.parent().filter(|parent| *parent != Path::new("")).map_or(Ok(()), sync_dir)
}

/// Every file in `dir`, sorted by name.
pub(crate) fn list(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(dir).and_then(|entries| entries.map(|e| Ok(e?.path())).collect::<io::Result<_>>());
    let mut paths: Vec<PathBuf> = entries.map_err(|e| io("list", dir, e))?;
    paths.sort();
    Ok(paths)
}
