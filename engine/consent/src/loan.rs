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
use sayso_policy::{Grounds, Passed};
use tokio_util::sync::CancellationToken;

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
