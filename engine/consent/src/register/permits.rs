//! Issuing and renewing permits.

use core::time::Duration;
use std::sync::{Arc, Weak};

use sayso_audit::{Event, Reference};
use sayso_policy::{Decision, Reason, Terms, decide, permit};
use sayso_store::TypedKey;
use sayso_types::{Label, Name, SubjectId};
use tokio_util::sync::CancellationToken;

use super::holders::{Holder, Segment};
use super::state::StoredState;
use super::Register;
use crate::lease::{Ask, Denied, Lease};
use crate::tables::RegisterKey;
use crate::{Entry, Error};

/// A permit is renewed this often within its life, so that one lost renewal does not end it.
const RENEWALS_PER_TTL: u32 = 3;

impl Register {
    /// Decides whether `ask` may be, and if so opens a segment in the audit log, durably, and issues the permit for
    /// it. Nothing can be handed over before this returns.
    ///
    /// # Errors
    /// [`Denied::Policy`] with the reason, which is noted in the log; [`Denied::Register`] when it could not be
    /// recorded.
    pub async fn acquire(&self, ask: Ask) -> Result<Lease, Denied> {
        if self.holders.is_full() {
            metrics::counter!("sayso_consent_permits_refused_total").increment(1);
            return Err(Denied::Busy { limit: self.holders.limit() });
        }
        let subject = self.subject(ask.subject);
        // Held until the permit is entered: a withdrawal comes either before the decision or after the entry.
        let state = self.lock(&subject).await?;
        // Before anything was read: a slow store shortens the permit.
        let asked_at = self.clock.now();
        let label = Label {
            subject: ask.subject,
            category: ask.category,
            purpose: ask.purpose,
            turn: ask.turn,
            cv: ask.cv,
        };
        let grounds = match decide(&label, ask.processor, self.clock.wall(), &state.consent, &self.profile) {
            Decision::Permit(grounds) => grounds,
            Decision::Deny(reason) => {
                self.deny(&state, &ask, reason);
                return Err(Denied::Policy(reason));
            }
        };
        let segment = Segment {
            about: state.about(subject.id),
            reference: Reference(SubjectId::random().0),
            cell: grounds.cell,
            processor: ask.processor,
            turn: ask.turn,
        };
        self.journal.append(Entry { events: vec![segment.opened()], ..Entry::default() }).await?;
        let terms = Terms { subject: ask.subject, cell: grounds.cell, processor: ask.processor, cv: ask.cv };
        let (permit, revoker) = permit::issue(terms, Arc::clone(&self.clock), asked_at, self.permit_ttl());
        let (revoked, released) = (CancellationToken::new(), CancellationToken::new());
        let id = self.holders.enter(Holder {
            subject: Arc::clone(&subject),
            revoker,
            withdrawn: false,
            segment,
            revoked: revoked.clone(),
            released: released.clone(),
        });
        drop(state);
        Ok(Lease { permit, id, revoked, released, holders: Arc::clone(&self.holders), reason: "dropped" })
    }

    /// Puts a denial on record. What the profile does not even know has no cell to name.
    fn deny(&self, state: &StoredState, ask: &Ask, reason: Reason) {
        metrics::counter!("sayso_consent_denied_total", "reason" => reason.as_str()).increment(1);
        let Some(cell) = self.profile.cell(ask.purpose, ask.category, ask.processor) else { return };
        self.journal.note(state.about(ask.subject).event(Event::GateDenied {
            gate: GATE,
            cell,
            processor: ask.processor,
            reason: Name::parse(reason.as_str()).expect("reasons are names"),
            count: 1,
        }));
    }

    fn permit_ttl(&self) -> Duration {
        self.profile.defaults().permit_ttl
    }

    /// Reads anew how the subjects with permits stand, and renews those that still hold. What cannot be read is not
    /// renewed: with the store out of reach the gates close by themselves.
    async fn renew_permits(&self) -> Result<(), Error> {
        let subjects = self.holders.subjects();
        if subjects.is_empty() {
            return Ok(());
        }
        let asked_at = self.clock.now();
        let keys: Vec<_> = subjects.iter().map(|subject| RegisterKey { subject: subject.id }.key()).collect();
        let stored = self.store.read(&keys).await?;
        let (until, now) = (asked_at.after(self.permit_ttl()), self.clock.wall());
        for (subject, stored) in subjects.into_iter().zip(stored) {
            // Whoever holds the lock is about to change or use the state: the next round sees the result.
            let Ok(guard) = subject.state.try_lock() else { continue };
            let Some((state, stored)) = guard.as_ref().zip(stored) else { continue };
            if stored.version != state.version {
                continue;
            }
            self.holders.renew(subject.id, until, |holder| {
                let terms = holder.revoker.terms();
                let label = Label {
                    subject: subject.id,
                    category: terms.cell.category,
                    purpose: terms.cell.purpose,
                    turn: holder.segment.turn,
                    cv: terms.cv,
                };
                decide(&label, terms.processor, now, &state.consent, &self.profile).is_permit()
            });
        }
        Ok(())
    }
}

/// The gate that this register issues permits for.
const GATE: Name = Name::constant("egress");

/// Renews until the register is gone.
pub(super) async fn renew(register: Weak<Register>) {
    loop {
        let Some(every) = register.upgrade().map(|r| r.permit_ttl() / RENEWALS_PER_TTL) else { return };
        tokio::time::sleep(every).await;
        let Some(register) = register.upgrade() else { return };
        if let Err(error) = register.renew_permits().await {
            metrics::counter!("sayso_consent_renewals_failed_total").increment(1);
            tracing::warn!(%error, "permits could not be renewed");
        }
        if let Err(error) = register.settle_pending().await {
            tracing::warn!(%error, "a pending withdrawal could not be completed yet");
        }
    }
}
