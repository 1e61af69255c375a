//! Withdraw means stop. The order is everything: *requested* is durable, the gates close, the holders let go,
//! *effective* is durable, and only then OK.

use std::sync::PoisonError;

use sayso_audit::{Event, Reference, Scope};
use sayso_policy::{ConsentState, ConsentStatus};
use sayso_proto::consent::v1 as proto;
use sayso_store::{Op, TypedKey};
use sayso_types::{ConsentVersion, Purpose, SubjectId};

use super::holders::Taken;
use super::state::StoredState;
use super::{Register, Subject};
use crate::evidence::Means;
use crate::tables::{FactsKey, RECORD, REGISTER, RegisterKey, WITHDRAWAL, WithdrawalKey};
use crate::{Entry, Error, record};

/// What came of a withdrawal.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    /// OK only when every holder has let go and that is on record; otherwise pending, never a false OK.
    pub ok: bool,
    /// How the subject stands now.
    pub state: ConsentState,
    /// What each permit had passed when its gate closed.
    pub holders: Vec<proto::HolderOutcome>,
    /// Of this withdrawal.
    pub id: [u8; 16],
}

impl Withdrawal {
    /// Bytes that all closed permits had passed in their time.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.holders.iter().map(|h| h.bytes).sum()
    }
}

impl Register {
    /// Takes back the subject's consent to `purposes`, or to everything that it consented to. Every gate of that scope
    /// is closed, mid-word, before this returns, and stays closed.
    ///
    /// # Errors
    /// As the store says. Before *requested* is durable nothing has changed; after it the gates are closed whatever
    /// the error, and asking again completes the withdrawal.
    pub async fn withdraw(&self, subject: SubjectId, purposes: &[Purpose], means: Means) -> Result<Withdrawal, Error> {
        let subject = self.subject(subject);
        let mut state = self.lock(&subject).await?;
        let id = SubjectId::random().0;
        let given = scope(&state.consent, purposes, |status| status.is_valid());
        if !given.is_empty() {
            self.request(&subject, &mut state, &given, means, id).await?;
        }
        self.settle(&subject, &mut state, purposes, means, id).await
    }

    /// Closes the gates of what is being withdrawn, waits for their holders and, once all have let go, puts the
    /// withdrawal into effect.
    async fn settle(
        &self,
        subject: &Subject,
        state: &mut StoredState,
        purposes: &[Purpose],
        means: Means,
        id: [u8; 16],
    ) -> Result<Withdrawal, Error> {
        let scope = scope(&state.consent, purposes, |status| status == ConsentStatus::Withdrawing);
        if scope.is_empty() {
            return Ok(Withdrawal { ok: true, state: state.consent.clone(), holders: Vec::new(), id });
        }
        let taken = self.holders.take_back(subject.id, &scope);
        let ok = tokio::time::timeout(self.options.withdraw_wait, all_released(&taken)).await.is_ok();
        let holders = taken.iter().map(Taken::outcome).collect::<Vec<_>>();
        if ok {
            self.effect(subject, state, &scope, &holders, means, id).await?;
        } else {
            // The gates are closed; OK needs the holders' word. Housekeeping asks again until they have given it.
            self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(subject.id);
        }
        let outcome = if ok { "ok" } else { "pending" };
        metrics::counter!("sayso_consent_withdrawals_total", "state" => outcome).increment(1);
        Ok(Withdrawal { ok, state: state.consent.clone(), holders, id })
    }

    /// Asks again for the withdrawals that are waiting for a holder.
    pub(super) async fn settle_pending(&self) -> Result<(), Error> {
        let pending = core::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        for id in pending {
            let subject = self.subject(id);
            let mut state = self.lock(&subject).await?;
            self.settle(&subject, &mut state, &[], Means::Integrator, SubjectId::random().0).await?;
        }
        Ok(())
    }

    async fn request(
        &self,
        subject: &Subject,
        state: &mut StoredState,
        scope: &[Purpose],
        means: Means,
        id: [u8; 16],
    ) -> Result<(), Error> {
        let mut next = state.clone();
        next.consent.cv = ConsentVersion(state.consent.cv.0 + 1);
        set(&mut next, scope, ConsentStatus::Withdrawing);
        let about = next.about(subject.id);
        let actor = record::audit_actor(means);
        let event = |purpose| Event::WithdrawRequested { withdrawal: Reference(id), scope: Scope::Purpose(purpose) };
        let events = scope.iter().map(|purpose| about.by(actor, event(*purpose))).collect();
        self.advance(subject, state, next, Entry { events, ..Entry::default() }).await
    }

    async fn effect(
        &self,
        subject: &Subject,
        state: &mut StoredState,
        scope: &[Purpose],
        holders: &[proto::HolderOutcome],
        means: Means,
        id: [u8; 16],
    ) -> Result<(), Error> {
        let mut next = state.clone();
        set(&mut next, scope, ConsentStatus::Withdrawn);
        let (about, now) = (next.about(subject.id), self.clock.wall());
        let mut entry = Entry::default();
        for purpose in scope {
            entry.events.push(about.event(Event::WithdrawEffective { withdrawal: Reference(id), scope: Scope::Purpose(*purpose) }));
            if let Some((key, mut record)) = self.latest_record(subject.id, *purpose).await? {
                record.events.push(record::withdrawn(next.consent.cv, means, now));
                entry.ops.push(Op::Put(key, RECORD.encode(&record::encode(&record))));
            }
        }
        if scope.contains(&Purpose::MEMORY) {
            entry.ops.push(Op::Delete(FactsKey { subject: subject.id }.key()));
        }
        let withdrawal = proto::Withdrawal {
            schema_version: record::SCHEMA.into(),
            withdrawal_id: id.to_vec(),
            pii_principal_id: subject.id.0.to_vec(),
            purposes: scope.iter().map(Purpose::to_string).collect(),
            actor: record::actor(means).into(),
            channel: record::channel(means).into(),
            requested_unix_ms: now.0,
            effective_unix_ms: now.0,
            consent_version: next.consent.cv.0,
            state: proto::WithdrawalState::Ok.into(),
            holders: holders.to_vec(),
        };
        let key = WithdrawalKey { subject: subject.id, cv: next.consent.cv.0 };
        entry.ops.push(Op::Put(key.key(), WITHDRAWAL.encode(&prost::Message::encode_to_vec(&withdrawal))));
        self.advance(subject, state, next, entry).await
    }

    /// Completes what a crash interrupted: whoever held a permit then died with that process.
    pub(super) async fn complete_withdrawals(&self) -> Result<(), Error> {
        let mut range = RegisterKey::table().into();
        loop {
            let page = self.store.scan(range, sayso_store::limits::SCAN_LIMIT_MAX).await?;
            for entry in &page.entries {
                let (_, body) = REGISTER.decode(&entry.value).map_err(sayso_store::Error::from)?;
                let state = StoredState::decode(body, entry.version)?;
                if !scope(&state.consent, &[], |status| status == ConsentStatus::Withdrawing).is_empty() {
                    let RegisterKey { subject } = RegisterKey::parse(&entry.key).map_err(sayso_store::Error::from)?;
                    self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(subject);
                }
            }
            let Some(rest) = page.rest else { return self.settle_pending().await };
            range = rest;
        }
    }
}

/// The purposes among `wanted` (all, when empty) whose status is as `matches` says.
fn scope(consent: &ConsentState, wanted: &[Purpose], matches: impl Fn(ConsentStatus) -> bool) -> Vec<Purpose> {
    consent
        .consents
        .iter()
        .filter(|(purpose, consent)| (wanted.is_empty() || wanted.contains(purpose)) && matches(consent.status))
        .map(|(purpose, _)| *purpose)
        .collect()
}

fn set(state: &mut StoredState, scope: &[Purpose], status: ConsentStatus) {
    for purpose in scope {
        if let Some(consent) = state.consent.consents.get_mut(purpose) {
            consent.status = status;
        }
    }
}

async fn all_released(taken: &[Taken]) {
    for holder in taken {
        holder.released.cancelled().await;
    }
}
