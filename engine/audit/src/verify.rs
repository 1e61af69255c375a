//! [`verify_log`]: checks an exported log, offline, with nothing but its files and a public key.
//!
//! First the bytes: the checkpoint's signature, and every file against what its entries make of it, up to the root
//! that was signed. Then the meaning: the leaves are replayed against the rules of consent, see [`Rule`].
//!
//! Where the auditor's [`TrustPolicy`] asks for witnesses, a log is evidence as far as its newest witnessed checkpoint
//! goes. That may lie beside the newest one ([`WITNESSED_PATH`]); the leaves in between are reported apart.

mod closing;
mod replay;
mod report;
mod selfchecks;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use sayso_types::Purpose;

use crate::checkpoint::Checkpoint;
use crate::export::{Export, File};
use crate::leaf::{Leaf, LeafError};
use crate::note::NoteError;
use crate::tile::{self, CHECKPOINT_PATH, Row, Tile, TileError, WIDTH, WITNESSED_PATH};
use crate::trust::{Attested, TrustPolicy};
use crate::{VerifierKey, merkle};

pub use closing::Closing;
pub use report::{Finding, Report, Rule, Severity, Witnessed};

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
    /// Who may have signed the log's checkpoint, and who must have witnessed it.
    pub policy: TrustPolicy,
    /// Checkpoints of this log that were seen before: it must have grown from each of them. Without one, a log whose
    /// end was cut off together with its newer checkpoints looks like a younger log.
    pub seen: Vec<Checkpoint>,
    /// The purposes that rest on another basis than consent, by each profile that the auditor has, under its revision. What
    /// is under a revision of which they have none is not asked for consent; where they have none at all, consent is asked of
    /// every purpose but those by which it is asked for.
    pub without_consent: BTreeMap<u32, BTreeSet<Purpose>>,
}

impl Trust {
    /// Trust in `keys`, without witnesses; otherwise as [`by`](Self::by).
    #[must_use]
    pub fn new(keys: Vec<VerifierKey>) -> Self {
        Self::by(TrustPolicy::logs_alone(keys))
    }

    /// Trust by `policy`, of an auditor who has no profile. Whoever has those that were in force takes
    /// [`without_consent`](Self::without_consent) from there.
    #[must_use]
    pub const fn by(policy: TrustPolicy) -> Self {
        Self { policy, seen: Vec::new(), without_consent: BTreeMap::new() }
    }

    /// Whether consent is to be shown for `purpose` under revision `rev` of the policy.
    fn asks_consent(&self, rev: u32, purpose: Purpose) -> bool {
        if self.without_consent.is_empty() {
            return ![Purpose::NOTICE, Purpose::CONSENT_ANSWER].contains(&purpose);
        }
        self.without_consent.get(&rev).is_some_and(|others| !others.contains(&purpose))
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
    /// A checkpoint is not one, or not signed as it must be.
    #[error("{path}: {source}")]
    Checkpoint {
        /// Which.
        path: &'static str,
        /// Why.
        source: NoteError,
    },
    /// The quorum of witnesses has cosigned none of the checkpoints.
    #[error(
        "no checkpoint of this log is cosigned by the quorum of witnesses that the trust policy asks for: its keeper \
         alone vouches for it, and may show others another log; get an export with a witnessed checkpoint"
    )]
    Unwitnessed,
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
    read_log(source, trust, |_, _| {})
}

/// The same, and hands each leaf with its index to `reader`, in order: for whoever checks more than is checked here. What
/// it has read is evidence only if this succeeds.
///
/// # Errors
/// As [`verify_log`].
pub fn read_log(source: &dyn LogSource, trust: &Trust, mut reader: impl FnMut(u64, &Leaf)) -> Result<Report, Error> {
    let newest = open_checkpoint(source, trust, CHECKPOINT_PATH)?;
    let witnessed = witnessed(source, trust, &newest)?;
    let checkpoint = &newest.checkpoint;
    let known = trust.seen.iter().chain(witnessed.iter().map(|witnessed| &witnessed.checkpoint));
    let known: Vec<_> = known.collect();
    if let Some(known) = known.iter().find(|known| known.size > checkpoint.size || known.origin != checkpoint.origin) {
        return Err(Error::Forked { size: known.size });
    }
    let mut replay = replay::Replay::new(trust);
    let (mut export, mut selfchecks) = (Export::new(), selfchecks::Selfchecks::default());
    grew_from(&known, &export)?;
    while export.size() < checkpoint.size {
        let index = export.size();
        let width = u16::try_from(checkpoint.size - index).unwrap_or(WIDTH).min(WIDTH);
        let path = Tile { row: Row::Entries, index: index / u64::from(WIDTH), width }.to_string();
        let bundle = read(source, &path)?;
        let damaged = |source| Error::Bundle { path: path.clone(), source };
        for entry in tile::entries(&bundle, width).map_err(damaged)? {
            let index = export.size();
            let leaf = Leaf::decode(entry).map_err(|source| Error::Leaf { index, source })?;
            replay.leaf(index, &leaf);
            if !selfchecks.leaf(&leaf, &export) {
                replay.find(index, Rule::SelfcheckUntrue);
            }
            reader(index, &leaf);
            compare(source, &export.append(entry).map_err(damaged)?)?;
            grew_from(&known, &export)?;
        }
    }
    compare(source, &export.partial())?;
    let found = export.root();
    if found != checkpoint.root {
        return Err(Error::Root { found, signed: checkpoint.root });
    }
    Ok(replay.finish(checkpoint, witnessed))
}

/// The newest checkpoint that the quorum has cosigned; [`None`] when the policy asks for no witnesses.
fn witnessed(source: &dyn LogSource, trust: &Trust, newest: &Attested) -> Result<Option<Attested>, Error> {
    if !trust.policy.needs_witnesses() {
        return Ok(None);
    }
    if newest.is_witnessed {
        return Ok(Some(newest.clone()));
    }
    match open_checkpoint(source, trust, WITNESSED_PATH) {
        Ok(attested) if attested.is_witnessed => Ok(Some(attested)),
        Ok(_) | Err(Error::Missing { .. }) => Err(Error::Unwitnessed),
        Err(error) => Err(error),
    }
}

fn open_checkpoint(source: &dyn LogSource, trust: &Trust, path: &'static str) -> Result<Attested, Error> {
    let wrong = |source| Error::Checkpoint { path, source };
    let note = String::from_utf8(read(source, path)?).map_err(|_| wrong(NoteError::Note))?;
    trust.policy.open(&note).map_err(wrong)
}

/// Whether the log, as long as it is now, is what was seen when it was that long.
fn grew_from(seen: &[&Checkpoint], export: &Export) -> Result<(), Error> {
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
