//! [`Loan`]: a permit in use by a service outside of the node.
//!
//! ```text
//!  service ── asks ──▶ Register::lend ──▶ Loan ── Revoke ──▶ service ── lets go ──▶ segment closed, withdrawal in effect
//!                                          │ nothing is heard of it
//!                                          └──▶ its term is over ──▶ segment closed, withdrawal in effect
//! ```
//!
//! A [`Lease`](crate::Lease) lives in this process, which closes its gate itself. A loan is used where nobody here can close
//! anything: that it was taken back is told to its holder, who must let go and say so. Whoever says nothing has let go when
//! the *term* of the loan is over, since its holder may not use it for longer. It is stored before it is given,
//! so that a node which is started again knows whom it still has to wait for.

pub(crate) mod stored;
pub(crate) mod term;

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::Reference;
use sayso_policy::{Grounds, Passed, Reason};
use sayso_types::SubjectId;
use tokio_util::sync::CancellationToken;

use crate::keep::{Kept, NotKept};
use crate::register::Holder;
use crate::{Error, Register};

/// A permit in use by a service outside of the node. Clones are the same loan. Dropping them all ends nothing: a holder of
/// whom nothing is heard may use it until its time is over.
#[derive(Clone)]
pub struct Loan {
    pub(crate) register: Arc<Register>,
    pub(crate) holder: Arc<Holder>,
    pub(crate) grounds: Grounds,
    pub(crate) lasts: Duration,
}

impl core::fmt::Debug for Loan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Loan").field("holder", &self.holder).field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

impl Loan {
    /// Its name in the log.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        let Reference(id) = self.holder.segment.reference;
        id
    }

    /// By what right it was given, and under what duties.
    #[must_use]
    pub const fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// How many bytes may go, if there is a limit: nobody here can stop more, but it is found when its holder says so.
    #[must_use]
    pub fn bytes_max(&self) -> Option<u64> {
        self.holder.revoker.terms().bytes_max
    }

    /// For how long it was given at first. Its holder counts from a moment before it asked.
    #[must_use]
    pub const fn lasts(&self) -> Duration {
        self.lasts
    }

    /// A token that is cancelled when the permit is taken back: its holder must be told.
    #[must_use]
    pub fn revocation(&self) -> CancellationToken {
        // A child, so that only the register can take back.
        self.holder.revoked.child_token()
    }

    /// Why it was taken back, such as `withdrawn`; [`None`] while it is not.
    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        self.holder.why()
    }

    /// A token that is cancelled when it is no more and that is on record, whoever ended it.
    #[must_use]
    pub fn over(&self) -> CancellationToken {
        self.holder.released.child_token()
    }

    /// Gives it for longer: how long its holder may use it from a moment before it asked for this. [`None`] when it is not:
    /// it was taken back, has run out, or is not allowed any more.
    ///
    /// # Errors
    /// When it cannot be read whether it is still allowed.
    pub async fn renew(&self) -> Result<Option<Duration>, Error> {
        self.register.renew_loan(&self.holder).await
    }

    /// What is kept of the person and shows them, of the category and the purpose that it is for, oldest first and without
    /// contents: also what is kept of somebody else. Each with whom it is kept of.
    ///
    /// # Errors
    /// [`NotKept::Policy`] once it is taken back or over; or as the store and the vault say.
    pub async fn list_kept(&self) -> Result<Vec<(SubjectId, Kept)>, NotKept> {
        let listed = self.register.kept_for(&self.holder).await?;
        self.is_held().map(|()| listed)
    }

    /// One of them with its content. [`None`] when there is none, or not any more.
    ///
    /// # Errors
    /// As [`list_kept`](Self::list_kept); and when it may not be used as far as somebody else is concerned.
    pub async fn kept(&self, id: Reference) -> Result<Option<Kept>, NotKept> {
        let listed = self.list_kept().await?;
        let Some((of, _)) = listed.into_iter().find(|(_, kept)| kept.id == id) else { return Ok(None) };
        let kept = self.register.kept(of, id).await?;
        // after it was read: whoever takes the permit back waits for its holder to let go of this, too
        self.is_held().map(|()| kept)
    }

    /// Fails once it is taken back or over.
    fn is_held(&self) -> Result<(), NotKept> {
        let is_held = self.why().is_none() && !self.holder.released.is_cancelled();
        if is_held { Ok(()) } else { Err(NotKept::Policy(Reason::NoBasis)) }
    }

    /// Its holder says that it has let go, and what had passed. When this returns that is on record, and no withdrawal
    /// waits for it any more. What was said first counts.
    ///
    /// # Errors
    /// When it cannot be recorded yet; it is recorded later then.
    pub async fn let_go(&self, passed: Passed) -> Result<(), Error> {
        let (register, holder) = (Arc::clone(&self.register), Arc::clone(&self.holder));
        let ended = async move { register.end_loan(&holder, Some(passed), "done").await };
        self.register.to_the_end("end loan", ended).await?
    }
}
