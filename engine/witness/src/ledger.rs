//! [`Ledger`]: what a witness must not forget, in files that a person can read.
//!
//! ```text
//! DIR/lock                  held by the process that uses the directory
//! DIR/logs/HASH             the checkpoint of a log that was cosigned last, with the log's signature
//! DIR/evidence/HASH-SIZE-N  two checkpoints of one log that cannot both be honest
//! ```
//!
//! `HASH` is the SHA-256 of the log's origin, because origins are no file names.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sayso_audit::note::NOTE_LEN_MAX;
use sayso_audit::{Checkpoint, Hash};

/// Pieces of evidence that are kept of one log. One convicts; more only fill the disk.
pub const EVIDENCE_MAX: usize = 16;

/// Why a ledger cannot be used. Nothing may be cosigned then.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process has it.
    #[error("{} is in use by another process: one witness has one directory", .0.display())]
    InUse(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error(
        "{} does not hold a checkpoint of {origin}: restore it from a backup; a witness that forgot could vouch for another past",
        .path.display()
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// The log whose it should be.
        origin: String,
    },
}

/// The checkpoints that were cosigned last, one a log, and the evidence.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    /// Locked for as long as this lives.
    _lock: File,
}

impl Ledger {
    /// Opens the ledger in `dir`, or begins one there.
    ///
    /// # Errors
    /// [`LedgerError::InUse`], or when the directory cannot be used.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        for dir in [dir.to_owned(), dir.join("logs"), dir.join("evidence")] {
            fs::create_dir_all(&dir).map_err(|source| LedgerError::File { path: dir, source })?;
        }
        let path = dir.join("lock");
        let failed = |source| LedgerError::File { path: path.clone(), source };
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(LedgerError::InUse(dir.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The checkpoint of the log `origin` that was cosigned last, as the log signed it.
    ///
    /// # Errors
    /// When there is one and it cannot be read: it must not pass for none.
    pub fn last(&self, origin: &str) -> Result<Option<String>, LedgerError> {
        let path = self.path(origin);
        let note = match fs::read(&path) {
            Ok(bytes) if bytes.len() <= NOTE_LEN_MAX => String::from_utf8(bytes).ok(),
            Ok(_) => None,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LedgerError::File { path, source }),
        };
        let is_its = |note: &String| Checkpoint::unverified(note).is_ok_and(|c| c.origin == origin);
        match note.filter(is_its) {
            Some(note) => Ok(Some(note)),
            None => Err(LedgerError::Damaged { path, origin: origin.to_owned() }),
        }
    }

    /// Remembers `note` as the checkpoint of `origin` that was cosigned last. It is on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written; the one before is then still there.
    pub fn remember(&self, origin: &str, note: &str) -> Result<(), LedgerError> {
        let path = self.path(origin);
        replace(&path, note.as_bytes()).map_err(|source| LedgerError::File { path, source })
    }

    /// Keeps two checkpoints of `origin`, the one that was cosigned last and the one that contradicts it, unless there is
    /// enough against this log. Gives back where it lies.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_evidence(&self, origin: &str, last: &str, against: &str) -> Result<Option<PathBuf>, LedgerError> {
        let dir = self.dir.join("evidence");
        let name = name(origin);
        let size = Checkpoint::unverified(against).map_or(0, |checkpoint| checkpoint.size);
        for n in 1..=EVIDENCE_MAX {
            let path = dir.join(format!("{name}-{size}-{n}"));
            let text = format!("{last}\n{against}");
            match fs::read(&path) {
                Ok(there) if there == text.as_bytes() => return Ok(Some(path)),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    if self.evidence(origin)? >= EVIDENCE_MAX {
                        return Ok(None);
                    }
                    return match replace(&path, text.as_bytes()) {
                        Ok(()) => Ok(Some(path)),
                        Err(source) => Err(LedgerError::File { path, source }),
                    };
                }
                Err(source) => return Err(LedgerError::File { path, source }),
            }
        }
        Ok(None)
    }

    /// How many pieces of evidence there are against `origin`.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn evidence(&self, origin: &str) -> Result<usize, LedgerError> {
        let (dir, name) = (self.dir.join("evidence"), name(origin));
        let failed = |source| LedgerError::File { path: dir.clone(), source };
        let mut count = 0;
        for entry in fs::read_dir(&dir).map_err(failed)? {
            count += usize::from(entry.map_err(failed)?.file_name().to_string_lossy().starts_with(&name));
        }
        Ok(count)
    }

    fn path(&self, origin: &str) -> PathBuf {
        self.dir.join("logs").join(name(origin))
    }
}

/// The file name that stands for a log.
fn name(origin: &str) -> String {
    Hash::of(origin.as_bytes()).to_string()
}

/// Puts `bytes` in the place of the file at `path`, whole or not at all, and waits until that is on the disk.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    let dir = path.parent().expect("it lies in the ledger's directory");
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use sayso_audit::Signer;

    use super::*;

    const LOG: &str = "home.example/sayso";

    fn note(size: u64) -> String {
        Checkpoint::sign(size, Hash([size as u8; 32]), &Signer::new(LOG, &[7; 32]).unwrap())
    }

    #[test]
    fn the_last_checkpoint_is_there_after_a_restart_and_belongs_to_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        assert_eq!(ledger.last(LOG).unwrap(), None);
        ledger.remember(LOG, &note(1)).unwrap();
        ledger.remember(LOG, &note(2)).unwrap();
        assert!(matches!(Ledger::open(dir.path()), Err(LedgerError::InUse(_))));
        drop(ledger);
        let ledger = Ledger::open(dir.path()).unwrap();
        assert_eq!(ledger.last(LOG).unwrap(), Some(note(2)));
        assert_eq!(ledger.last("other.example/sayso").unwrap(), None);
    }

    #[test]
    fn a_damaged_file_does_not_pass_for_none() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        for damage in [String::new(), "nonsense".to_owned(), note(3).replace(LOG, "other.example"), "x".repeat(99_999)]
        {
            ledger.remember(LOG, &note(1)).unwrap();
            fs::write(ledger.path(LOG), damage).unwrap();
            assert!(matches!(ledger.last(LOG), Err(LedgerError::Damaged { .. })));
        }
    }

    #[test]
    fn evidence_is_kept_once_and_not_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let path = ledger.keep_evidence(LOG, &note(1), &note(2)).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n{}", note(1), note(2)));
        assert_eq!(ledger.keep_evidence(LOG, &note(1), &note(2)).unwrap(), Some(path));
        assert_eq!(ledger.evidence(LOG).unwrap(), 1);
        let kept = (3..40).filter(|n| ledger.keep_evidence(LOG, &note(1), &note(*n)).unwrap().is_some());
        assert_eq!(kept.count(), EVIDENCE_MAX - 1);
        assert_eq!(ledger.evidence(LOG).unwrap(), EVIDENCE_MAX);
        assert!(ledger.keep_evidence("other.example", &note(1), &note(2)).unwrap().is_some(), "each log has its own");
    }
}
