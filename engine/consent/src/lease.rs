//! [`Lease`]: a permit in use, and what it takes to get one.

use sayso_policy::{Gate, Permit, Question, Reason};
use sayso_types::{Category, ConsentVersion, Label, ProcessorId, Purpose, SubjectId, TurnId, WallTime};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::register::{Holder, Holders};

/// What somebody wants to hand to a processor.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Whose data.
    pub subject: SubjectId,
    /// In which turn.
    pub turn: TurnId,
    /// What for.
    pub purpose: Purpose,
    /// What.
    pub category: Category,
    /// The consent version of the oldest piece that is to be handed over.
    pub cv: ConsentVersion,
    /// At which gate.
    pub gate: Gate,
    /// To whom.
    pub processor: ProcessorId,
}

impl Ask {
    /// What is asked of the policy at `now`.
    pub(crate) const fn question(&self, now: WallTime) -> Question {
        let Self { subject, turn, purpose, category, cv, gate, processor } = *self;
        Question { label: Label { subject, category, purpose, turn, cv }, gate, processor, now }
    }
}

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The profile and the subject's consents do not allow it.
    #[error("not allowed: {0}")]
    Policy(Reason),
    /// As many permits are in use as may be.
    #[error("{limit} permits are in use; try again later")]
    Busy {
        /// How many may be in use.
        limit: usize,
    },
    /// Less is left of what the policy declares for the processor and a day than one call may have.
    #[error("as much goes to {processor} today as the policy declares; `sayso switch volumes` prints how much that is")]
    TooMuch {
        /// Whose day is over.
        processor: ProcessorId,
    },
    /// It could not be decided or recorded, and without a record nothing is sent.
    #[error(transparent)]
    Register(#[from] Error),
}

/// A permit whose segment is open in the audit log. Dropping it closes the segment and tells a waiting withdrawal
/// that the holder has let go: so it is dropped *after* every buffer that held the data.
#[derive(Debug)]
pub struct Lease {
    pub(crate) permit: Permit,
    pub(crate) holder: Arc<Holder>,
    pub(crate) holders: Arc<Holders>,
    pub(crate) reason: &'static str,
}

impl Lease {
    /// The right itself.
    #[must_use]
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The id of its segment, as in the leaves: what its receiver is told, so that it can be told later what to delete.
    #[must_use]
    pub fn segment(&self) -> [u8; 16] {
        self.holder.segment.reference.0
    }

    /// Waits until the permit is taken back; then the holder must let go of the data and drop the lease.
    pub async fn revoked(&self) {
        self.holder.revoked.cancelled().await;
    }

    /// A token that is cancelled when the permit is taken back, for whoever handles what was made of the data.
    #[must_use]
    pub fn revocation(&self) -> CancellationToken {
        // A child, so that only the register can take back.
        self.holder.revoked.child_token()
    }

    /// Lets go, saying why, for the log: `done`, or a reason code.
    pub fn finish(mut self, reason: &'static str) {
        self.reason = reason;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.holders.release(&self.holder, self.reason);
    }
}
