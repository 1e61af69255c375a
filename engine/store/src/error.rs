//! What can go wrong in a store, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Key, PartError, SchemaError};

/// Why a store did not do what was asked. Cloning is cheap: one failed fsync answers many commits.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A condition does not hold; nothing was applied. Read again and decide anew.
    #[error("a condition of the batch does not hold for {key:?}; nothing was applied")]
    Conflict {
        /// The first key, in the batch's order, whose condition does not hold.
        key: Key,
    },
    /// The request is over a limit of [`limits`](crate::limits).
    #[error("{size} {what}: at most {max} are allowed; split it")]
    TooLarge {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// How much was asked.
        size: usize,
        /// How much is allowed.
        max: usize,
    },
    /// A key begins with byte 0xff, which FoundationDB keeps for itself.
    #[error("keys that begin with byte 0xff are reserved")]
    ReservedKey,
    /// The request makes no sense.
    #[error("{what}")]
    Invalid {
        /// What it would have to be.
        what: &'static str,
    },
    /// The disk is full. Nothing was applied; reads go on, and commits do once there is space.
    #[error("no space left for {file}: nothing was written; free some and send it again")]
    Full {
        /// The file that could not grow.
        file: PathBuf,
    },
    /// Stored bytes are not what was written.
    #[error("{what} is damaged: {found}; {remedy}")]
    Corrupt {
        /// The file, or the record by its table.
        what: String,
        /// How it shows.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Another process has the directory open.
    #[error("{dir} is in use by another process; end it or give this one a directory of its own")]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The backend cannot do this. Nothing was done.
    #[error("this store does not support {what}")]
    Unsupported {
        /// What it cannot do.
        what: &'static str,
    },
    /// The store cannot be reached now. The outcome of a commit is unknown until it is sent again.
    #[error("the store cannot be reached: {reason}; try again, with the same batch where something was to be written")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// Not every replica has purged what was deleted.
    #[error("what was deleted is not purged yet by {replicas}: bring them back, or have them leave the store for good")]
    Unpurged {
        /// Which, and why.
        replicas: String,
    },
    /// The operating system refused something else than space.
    #[error("cannot {action} {file}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        file: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The store is closed, or closed while this waited.
    #[error("the store is closed")]
    Closed,
    /// A key is not one of its type.
    #[error(transparent)]
    Key(#[from] PartError),
    /// A record is of a schema that this program does not know.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Errors that know whether trying again is any use.
pub trait Retryable {
    /// Whether sending the same request again, unchanged, can succeed.
    fn retryable(&self) -> bool;
}

impl Retryable for Error {
    fn retryable(&self) -> bool {
        match self {
            Self::Full { .. } | Self::InUse { .. } | Self::Unavailable { .. } | Self::Unpurged { .. } => true,
            Self::Conflict { .. }
            | Self::TooLarge { .. }
            | Self::ReservedKey
            | Self::Invalid { .. }
            | Self::Corrupt { .. }
            | Self::Io { .. }
            | Self::Unsupported { .. }
            | Self::Closed
            | Self::Key(_)
            | Self::Schema(_) => false,
        }
    }
}
