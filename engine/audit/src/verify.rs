//! [`verify_log`]: checks an exported log, offline, with nothing but its files and a public key.
//!
//! First the bytes: the checkpoint's signature, and every file against what its entries make of it, up to the root
//! that was signed. Then the meaning: the leaves are replayed against the rules of consent, see [`Rule`].

mod replay;
mod report;

use std::collections::BTreeSet;
use std::io;

use sayso_types::Purpose;

use crate::checkpoint::Checkpoint;
use crate::export::{Export, File};
use crate::leaf::{Leaf, LeafError};
use crate::note::NoteError;
use crate::tile::{self, CHECKPOINT_PATH, Row, Tile, TileError, WIDTH};
use crate::{VerifierKey, merkle};

pub use report::{Finding, Report, Rule, Severity};

/// Where the files of a log are read from.
pub trait LogSource {
    /// The content of the file at `path`, relative to the log's directory, with `/` between names.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none; anything else when it cannot be read.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// What an auditor takes as given.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The keys that may have signed the log's checkpoint.
    pub keys: Vec<VerifierKey>,
    /// Checkpoints of this log that were seen before: it must have grown from each of them. Without one, a log whose
    /// end was cut off together with its newer checkpoints looks like a younger log.
    pub seen: Vec<Checkpoint>,
    /// The purposes that rest on another basis than consent, by the profile in force.
    pub without_consent: BTreeSet<Purpose>,
}

impl Trust {
    /// Trust in `keys`; consent is asked of every purpose but those by which it is asked for. Whoever knows the profile
    /// that was in force takes [`without_consent`](Self::without_consent) from there.
    #[must_use]
    pub fn new(keys: Vec<VerifierKey>) -> Self {
        let without_consent = [Purpose::NOTICE, Purpose::CONSENT_ANSWER].into();
        Self { keys, seen: Vec::new(), without_consent }
    }
}

/// Why a log is not what was signed. Nothing in it is evidence then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is not there.
    #[error("{path} is missing: the log was cut off or a file was removed; get a complete copy")]
    Missing {
        /// Which.
        path: String,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The checkpoint is not one, or not signed as it must be.
    #[error("{CHECKPOINT_PATH}: {0}")]
    Checkpoint(#[from] NoteError),
    /// A bundle of entries is not one.
    #[error("{path}: {source}")]
    Bundle {
        /// Which.
        path: String,
        /// Why.
        source: TileError,
    },
    /// An entry is not a leaf.
    #[error("leaf {index}: {source}")]
    Leaf {
        /// Which, from 0.
        index: u64,
        /// Why.
        source: LeafError,
    },
    /// A file holds something else than its entries make of it.
    #[error("{path} differs from what the entries make of it: it or an entry was changed")]
    Tile {
        /// Which.
        path: String,
    },
    /// The entries are not those that were signed.
    #[error("the entries have the root {found}, the checkpoint says {signed}: entries were changed, dropped or moved")]
    Root {
        /// What the entries make.
        found: merkle::Hash,
        /// What was signed.
        signed: merkle::Hash,
    },
    /// The log has not grown from a checkpoint that was seen before.
    #[error(
        "the log is not a continuation of the checkpoint of {size} leaves that was seen before: its past was rewritten or cut off"
    )]
    Forked {
        /// The size of that checkpoint.
        size: u64,
    },
}

/// Checks the log in `source`.
///
/// # Errors
/// [`Error`]: the log is not what was signed. What a sound log *says* may still break the rules: that is in the
/// [`Report`].
pub fn verify_log(source: &dyn LogSource, trust: &Trust) -> Result<Report, Error> {
    let note = String::from_utf8(read(source, CHECKPOINT_PATH)?).map_err(|_| NoteError::Note)?;
    let checkpoint = Checkpoint::open(&note, &trust.keys)?;
    if let Some(seen) = trust.seen.iter().find(|seen| seen.size > checkpoint.size) {
        return Err(Error::Forked { size: seen.size });
    }
    let mut replay = replay::Replay::new(trust);
    let mut export = Export::new();
    grew_from(&trust.seen, &export)?;
    while export.size() < checkpoint.size {
        let index = export.size();
        let width = u16::try_from(checkpoint.size - index).unwrap_or(WIDTH).min(WIDTH);
        let path = Tile { row: Row::Entries, index: index / u64::from(WIDTH), width }.to_string();
        let bundle = read(source, &path)?;
        let damaged = |source| Error::Bundle { path: path.clone(), source };
        for entry in tile::entries(&bundle, width).map_err(damaged)? {
            let index = export.size();
            replay.leaf(index, &Leaf::decode(entry).map_err(|source| Error::Leaf { index, source })?);
            compare(source, &export.append(entry).map_err(damaged)?)?;
            grew_from(&trust.seen, &export)?;
        }
    }
    compare(source, &export.partial())?;
    let found = export.root();
    if found != checkpoint.root {
        return Err(Error::Root { found, signed: checkpoint.root });
    }
    Ok(replay.finish(&checkpoint))
}

/// Whether the log, as long as it is now, is what was seen when it was that long.
fn grew_from(seen: &[Checkpoint], export: &Export) -> Result<(), Error> {
    let size = export.size();
    if seen.iter().any(|seen| seen.size == size && seen.root != export.root()) {
        return Err(Error::Forked { size });
    }
    Ok(())
}

/// Whether the files that the entries make are those that are there.
fn compare(source: &dyn LogSource, files: &[File]) -> Result<(), Error> {
    for File { tile, bytes } in files {
        let path = tile.to_string();
        if read(source, &path)? != *bytes {
            return Err(Error::Tile { path });
        }
    }
    Ok(())
}

fn read(source: &dyn LogSource, path: &str) -> Result<Vec<u8>, Error> {
    source.read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => Error::Unreadable { path: path.to_owned(), source: error },
    })
}
