//! What the register and its desks do again and again by themselves, for as long as there is somebody who holds the register.
//!
//! Each is a task of its own, because permits must be renewed in time whatever a withdrawal or the key store is waiting for.
//! A round that fails is logged and counted, and what it left is there in the next.

use core::fmt::Display;
use core::time::Duration;
use std::sync::Arc;

use sayso_runtime::TaskKind;

use super::Register;
use crate::notices::Notices;

/// How often days are looked at: a sixtieth of the shortest lateness that a rule allows without saying so.
const MINUTE: Duration = Duration::from_secs(60);

/// When something is looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Each time that permits are renewed: what people wait for.
    EachRenewal,
    /// At once, because days may have passed while the node was down, and then each minute: what is counted in days.
    EachMinute,
}

impl Look {
    fn every(self, register: &Register) -> Duration {
        match self {
            Self::EachRenewal => register.renewal_interval(),
            Self::EachMinute => MINUTE,
        }
    }
}

impl Register {
    /// Starts what the register itself looks after.
    pub(super) fn look_after(self: &Arc<Self>) {
        self.look(Look::EachRenewal, "permits", |me| async move { me.renew_permits().await });
        self.look(Look::EachRenewal, "pending withdrawals", |me| async move {
            // first, so that a withdrawal that waited for a loan goes through in the same round
            let ended = me.end_loans_that_are_over().await;
            me.settle_pending().await.and(ended)
        });
        self.look(Look::EachRenewal, "exemptions' ends", |me| async move { me.end_exemptions().await });
        self.look(Look::EachRenewal, "erasures", |me| async move { me.carry_out_erasures().await });
        self.look(Look::EachRenewal, "accepted requests", |me| async move { me.carry_out_requests().await });
        self.look(Look::EachRenewal, "shutdown", |me| async move { me.carry_out_shutdown().await });
        self.look(Look::EachRenewal, "tenants' ends", |me| async move { me.carry_out_tenants().await });
        self.look(Look::EachRenewal, "announced revision", |me| async move { me.put_announced_in_force().await });
        self.look(Look::EachRenewal, "notices", |me| async move { Notices::new(me).look().await });
        self.look(Look::EachRenewal, "growing up", |me| async move { me.grow_up().await });
        self.look(Look::EachMinute, "due diligence", |me| async move { me.note_due_diligence().await });
        self.look(Look::EachMinute, "volumes", |me| async move { me.save_volumes().await });
        self.look(Look::EachMinute, "retention", |me| async move { me.end_what_is_due().await });
        self.look(Look::EachMinute, "consent's ends", |me| async move { me.expire_consents().await });
    }

    /// Does `work` whenever it is time to `look` after `what`.
    pub(crate) fn look<W, T, E>(
        self: &Arc<Self>,
        look: Look,
        what: &'static str,
        work: impl Fn(Arc<Self>) -> W + Send + 'static,
    ) where
        W: Future<Output = Result<T, E>> + Send,
        E: Display,
    {
        let (register, every) = (Arc::downgrade(self), look.every(self));
        let looking = async move {
            if look == Look::EachRenewal {
                tokio::time::sleep(every).await;
            }
            while let Some(register) = register.upgrade() {
                if let Err(error) = work(register).await {
                    metrics::counter!("sayso_consent_upkeep_failed_total", "of" => what).increment(1);
                    tracing::warn!(%error, of = what, "something is not done yet, trying again");
                }
                tokio::time::sleep(every).await;
            }
        };
        self.tasks.spawn(TaskKind::Upkeep, what, looking).detach();
    }
}
