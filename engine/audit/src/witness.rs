//! What a witness decides, by C2SP `tlog-witness`: it cosigns a checkpoint only if the log has grown from the one that it
//! cosigned last, so that whoever has its cosignature knows that nobody was shown another past.
//!
//! ```text
//!  log ── old 20852014, consistency proof, checkpoint ──▶ judge(request, keys, last) ─▶ Checkpoint: remember, then cosign
//!                                                                                    └▶ Refusal: 400 403 404 409 422
//! ```
//!
//! Remembering comes before answering: that is for whoever runs it.

mod request;

use async_trait::async_trait;

use crate::checkpoint::Checkpoint;
use crate::key::VerifierKey;
use crate::merkle::{Hash, verify_consistency};
use crate::note::NoteError;

pub use request::{AddCheckpoint, PROOF_LEN_MAX, REQUEST_LEN_MAX};
pub(crate) use request::{decimal, hash};

/// Where a witness takes checkpoints, below its address.
pub const ADD_CHECKPOINT_PATH: &str = "/add-checkpoint";

/// The content type of a size in an answer.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// A witness, for a log that wants to be witnessed.
///
/// An implementation keeps a time of its own for each request and MUST NOT ask again by itself: the log decides when. What
/// it returns is not checked; the log checks it against the key that it knows of the witness.
#[async_trait]
pub trait Witness: Send + Sync + core::fmt::Debug {
    /// Asks it to cosign a checkpoint.
    ///
    /// # Errors
    /// [`WitnessError`]: there is no cosignature, and the witness may or may not have remembered the checkpoint.
    async fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<Answer, WitnessError>;
}

/// What a witness that did its part says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Signature lines for the checkpoint, each with a line feed at its end.
    Cosigned(String),
    /// It has cosigned a checkpoint of this size last, and not of the one that the request says.
    OtherSize(u64),
}

/// Why a witness gave no answer that helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// It is out of reach.
    #[error("it cannot be reached: {0}")]
    Unreached(String),
    /// It refused, with this HTTP status.
    #[error("it refused with HTTP status {0}")]
    Refused(u16),
    /// What it said is not an answer.
    #[error("its answer is none: {0}")]
    Malformed(&'static str),
}

/// Why a witness does not cosign a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a request as the protocol has it, or one for an old size beyond the new one.
    #[error("{0}")]
    Malformed(&'static str),
    /// This witness is not asked to look after the log.
    #[error("the log {0:?} is not one that this witness knows")]
    UnknownLog(String),
    /// None of the keys that the witness knows of the log has signed it.
    #[error("the checkpoint is not signed with a key that this witness has for the log")]
    Unsigned,
    /// The last checkpoint that was cosigned had another size than the request says. Nothing is wrong with that: the
    /// answer says which, and the request can be made anew.
    #[error("the last checkpoint of this log that was cosigned had {size} leaves")]
    OtherSize {
        /// That size.
        size: u64,
    },
    /// The log has signed two trees of one size: proof of misbehaviour, to be kept.
    #[error("the log has signed another tree of {size} leaves before: it was forked")]
    Fork {
        /// The size of both.
        size: u64,
    },
    /// The proof does not show that the log has grown from what was cosigned: likely misbehaviour, to be kept.
    #[error("the proof does not show that the log has grown from the {old} leaves that were cosigned")]
    Inconsistent {
        /// The size of the last checkpoint that was cosigned.
        old: u64,
    },
}

impl Refusal {
    /// The HTTP status that says so.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unsigned => 403,
            Self::UnknownLog(_) => 404,
            Self::OtherSize { .. } | Self::Fork { .. } => 409,
            Self::Inconsistent { .. } => 422,
        }
    }

    /// Whether the checkpoint, with the one that was cosigned last, is evidence against the log's keeper.
    #[must_use]
    pub const fn is_evidence(&self) -> bool {
        matches!(self, Self::Fork { .. } | Self::Inconsistent { .. })
    }
}

/// Whether the checkpoint in `request` may be cosigned by a witness that trusts `keys` and cosigned `last` last. What is
/// returned has to be remembered, durably, before it is cosigned; nothing else may be decided meanwhile.
///
/// # Errors
/// [`Refusal`], in the order that the protocol gives.
pub fn judge(
    request: &AddCheckpoint,
    keys: &[VerifierKey],
    last: impl FnOnce(&str) -> Option<Checkpoint>,
) -> Result<Checkpoint, Refusal> {
    let claimed = Checkpoint::unverified(&request.note)
        .map_err(|_| Refusal::Malformed("the request holds no checkpoint after its empty line"))?;
    if !keys.iter().any(|key| key.name() == claimed.origin) {
        return Err(Refusal::UnknownLog(claimed.origin));
    }
    let checkpoint = Checkpoint::open(&request.note, keys).map_err(|error| match error {
        NoteError::Unsigned | NoteError::Signature => Refusal::Unsigned,
        NoteError::Note | NoteError::Checkpoint | NoteError::TooLong => Refusal::Malformed("the checkpoint is not one"),
    })?;
    if request.old > checkpoint.size {
        return Err(Refusal::Malformed("the old size is larger than that of the checkpoint"));
    }
    let last = last(&checkpoint.origin);
    let (size, root) = last.map_or_else(|| (0, Hash::of(b"")), |last| (last.size, last.root));
    if request.old != size {
        return Err(Refusal::OtherSize { size });
    }
    if checkpoint.size == size && checkpoint.root != root {
        return Err(Refusal::Fork { size });
    }
    verify_consistency(size, &root, checkpoint.size, &checkpoint.root, &request.proof)
        .map_err(|_| Refusal::Inconsistent { old: size })?;
    Ok(checkpoint)
}

#[cfg(test)]
mod tests;
