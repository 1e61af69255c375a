//! Carrying out erasures, each to its certificate. See [`erasure`](crate::erasure) for the steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_audit::{Event, MinorEvent, Reference};
use sayso_policy::{Deadline, Profile};
use sayso_store::{Error as StoreError, Key as Row, Op, Range, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Name, ProcessorId, SubjectId, WallTime};
use sayso_vault::KeyRef;

use super::deleting::{NO_ANSWER, NOT_TOLD};
use super::holding::Holds;
use super::purging::{Due, Purged};
use super::state::StoredState;
use super::{Register, Subject, withdrawing};
use crate::deletion::{self, Deletion, Standing};
use crate::erasure::certificate::{self, Certificate, Deleted, Ground, Key, Policy, Residual};
use crate::erasure::pending::Pending;
use crate::evidence::Means;
use crate::journal::About;
use crate::retention::Stored;
use crate::rights::carrier::Carrier;
use crate::rights::left::Left;
use crate::tables::{CERTIFICATE, CertificateKey, ERASURE, ErasureKey, FACTS_CATEGORY, FactsKey};
use crate::{Entry, Error, rights};

impl Register {
    /// The certificate of the erasure of `subject`, or of the withdrawal, consent record or case `of`, that it was for: JSON
    /// that [`Certificate::parse`] reads. [`None`] while there is none.
    ///
    /// # Errors
    /// As the store says.
    pub async fn certificate(&self, subject: SubjectId, of: Reference) -> Result<Option<Vec<u8>>, Error> {
        for json in self.certificates(subject).await? {
            if Certificate::parse(&json)?.is_of(of) {
                return Ok(Some(json));
            }
        }
        Ok(None)
    }

    /// The certificates of all erasures of `subject`, each as [`certificate`](Self::certificate) gives it.
    ///
    /// # Errors
    /// As the store says.
    pub async fn certificates(&self, subject: SubjectId) -> Result<Vec<Vec<u8>>, Error> {
        let found = self.scan(CertificateKey::table().then(&subject), CERTIFICATE, |body| Ok(body.to_vec())).await?;
        Ok(found.into_iter().map(|(_, json)| json).collect())
    }

    /// As [`certificate`](Self::certificate), once there is one.
    ///
    /// # Errors
    /// As the store says.
    pub async fn until_certified(&self, subject: SubjectId, of: Reference) -> Result<Vec<u8>, Error> {
        let mut watch = self.store.watch(CertificateKey::table().then(&subject)).await?;
        loop {
            if let Some(json) = self.certificate(subject, of).await? {
                return Ok(json);
            }
            // Whatever it tells, also that something was missed: it is looked for anew.
            if watch.next().await.is_none() {
                return Err(Error::Stopped);
            }
        }
    }

    /// Whether an erasure for the withdrawal, consent record or case `of` is on its way.
    ///
    /// # Errors
    /// As the store says.
    pub async fn is_erasing(&self, subject: SubjectId, of: Reference) -> Result<bool, Error> {
        let pending = self.pending(subject).await?;
        Ok(pending.iter().any(|pending| pending.grounds.iter().any(|ground| ground.reference() == of)))
    }

    /// The legal hold that keeps some of what is to be erased for the withdrawal, consent record or case `of`, if there is one.
    ///
    /// # Errors
    /// As the store says.
    pub async fn held_for(&self, subject: SubjectId, of: Reference) -> Result<Option<Reference>, Error> {
        let (holds, now) = (self.holds.read().await, self.clock.wall());
        let pending = self.pending(subject).await?;
        let of_it = pending.iter().filter(|pending| pending.grounds.iter().any(|ground| ground.reference() == of));
        let open = of_it.filter(|pending| pending.destroyed_at.is_none());
        Ok(open.filter_map(|pending| holds.keeping(subject, pending.category, now)).map(|hold| hold.id).next())
    }

    /// Has `entry`, which makes `next` of the subject's state, delete what they had remembered, and commit to
    /// destroying the key of it; or, where one of the `holds` keeps it, have that done when it is released. An erasure
    /// that is on its way and has not got that far takes it in; one of everything only if nothing of that is held, since what
    /// is committed destroys every key.
    pub(super) async fn forget_facts(
        &self,
        subject: SubjectId,
        next: &StoredState,
        ground: Ground,
        holds: &Holds,
        entry: &mut Entry,
    ) -> Result<(), Error> {
        let (about, now) = (next.about(subject), self.clock.wall());
        let hold = holds.keeping(subject, Some(FACTS_CATEGORY), now);
        let mut taken = None;
        for pending in self.pending(subject).await? {
            let is_open = pending.destroyed_at.is_none() && pending.covers(FACTS_CATEGORY);
            let may_be = hold.is_some() || pending.category.is_some();
            if is_open && (may_be || self.takes_everything(&pending, subject, holds).await?) {
                taken = Some(pending);
                break;
            }
        }
        let mut pending = match taken {
            Some(mut pending) => {
                pending.add(ground);
                pending
            }
            None => Pending::new(Some(FACTS_CATEGORY), ground, now),
        };
        match hold {
            Some(hold) => {
                pending.is_held = true;
                entry.events.push(hold.kept(about, FACTS_CATEGORY, ground.name()));
                entry.ops.push(Op::Put(pending.row(subject), ERASURE.encode(&pending.encode())));
            }
            // committed once the withdrawal is in effect: what comes in until then goes with the rest, and its key with theirs
            None if pending.is_to_withdraw => {
                entry.ops.push(Op::Delete(FactsKey { subject }.key()));
                entry.ops.push(Op::Put(pending.row(subject), ERASURE.encode(&pending.encode())));
            }
            None => self.commit_to(&mut pending, subject, about, entry),
        }
        Ok(())
    }

    /// Whether a legal hold keeps something of `subject` that was to be erased.
    pub(super) async fn is_held_back(&self, subject: SubjectId) -> Result<bool, Error> {
        Ok(self.pending(subject).await?.iter().any(|pending| pending.is_held))
    }

    /// What makes an erasure of everything that is sealed of `subject` due, for their accepted `case`.
    pub(crate) fn erase_for(&self, subject: SubjectId, case: Reference) -> Op {
        let pending = Pending::new(None, Ground::Request(case.0), self.clock.wall());
        Op::Put(pending.row(subject), ERASURE.encode(&pending.encode()))
    }

    /// An erasure of everything that is sealed of `subject`, who was `detected` to be a child without a guardian, and what
    /// makes it due.
    pub(super) fn erase_minor(&self, subject: SubjectId, detected: Reference) -> (Reference, Op) {
        let pending = Pending::new(None, Ground::Minor(detected.0), self.clock.wall());
        (pending.reference(), Op::Put(pending.row(subject), ERASURE.encode(&pending.encode())))
    }

    /// Has `entry` delete what `pending` is of, and put on record that it is erased. From here on nothing is sealed for the
    /// person before the keys are destroyed.
    pub(super) fn commit_to(&self, pending: &mut Pending, subject: SubjectId, about: About, entry: &mut Entry) {
        pending.is_held = false;
        if pending.committed_at.is_none() {
            pending.committed_at = Some(self.clock.wall());
            let ground = pending.grounds.first().map_or(Name::constant("requested"), |ground| ground.name());
            let (erasure, category) = (pending.reference(), pending.category);
            entry.events.push(about.event(Event::EraseCommitted { erasure, category, ground }));
        }
        if pending.covers(FACTS_CATEGORY) {
            entry.ops.push(Op::Delete(FactsKey { subject }.key()));
        }
        entry.ops.push(Op::Put(pending.row(subject), ERASURE.encode(&pending.encode())));
    }

    /// Takes every erasure as far as it comes.
    pub(super) async fn carry_out_erasures(self: &Arc<Self>) -> Result<(), Error> {
        let mut pace = self.erasing.lock().await;
        let (mut destroyed, mut outcome) = (Vec::new(), Ok(()));
        for due in self.due_erasures().await? {
            // What holds up one holds up no other.
            match self.destroy_for(due).await {
                Ok(true) => destroyed.push(due),
                Ok(false) => {}
                Err(error) => outcome = Err(error),
            }
        }
        let replaced = Left::Purge.all(self).await?;
        self.clear_gone().await?;
        // those that wait for somebody else are purged already
        let (waiting, destroyed): (Vec<_>, Vec<_>) =
            destroyed.into_iter().partition(|due| pace.purged.contains_key(due));
        for due in waiting {
            match self.certify(due, &pace.purged[&due]).await {
                Ok(true) => drop(pace.purged.remove(&due)),
                Ok(false) => {}
                Err(error) => outcome = Err(error),
            }
        }
        if destroyed.is_empty() && replaced.is_empty() {
            return outcome;
        }
        let Some(purged) = self.purge_in_time(&mut pace).await? else { return outcome };
        for due in destroyed {
            match self.certify(due, &purged).await {
                Ok(true) => {}
                Ok(false) => drop(pace.purged.insert(due, purged.clone())),
                Err(error) => outcome = Err(error),
            }
        }
        for (subject, request) in replaced {
            if let Err(error) = self.answer(subject, request).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    pub(super) async fn due_erasures(&self) -> Result<Vec<Due>, Error> {
        let (mut due, mut range) = (Vec::new(), Range::from(ErasureKey::table()));
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                due.push(parsed(&entry.key)?);
            }
            let Some(rest) = page.rest else { return Ok(due) };
            range = rest;
        }
    }

    /// The erasures of `subject` that are on their way.
    pub(super) async fn pending_of(&self, subject: SubjectId) -> Result<Vec<Pending>, Error> {
        self.pending(subject).await
    }

    async fn pending(&self, subject: SubjectId) -> Result<Vec<Pending>, Error> {
        let rows = self.scan(ErasureKey::table().then(&subject), ERASURE, |body| Ok(body.to_vec())).await?;
        rows.iter().map(|(key, body)| Pending::decode(&parsed(key)?.1.0, body)).collect()
    }

    pub(super) async fn one_pending(&self, subject: SubjectId, erasure: Reference) -> Result<Option<Pending>, Error> {
        Ok(self.pending(subject).await?.into_iter().find(|pending| pending.id == erasure.0))
    }

    /// Withdraws what is to be withdrawn, commits, and destroys the keys; whether that is all done.
    pub(super) async fn destroy_for(self: &Arc<Self>, (subject, erasure): Due) -> Result<bool, Error> {
        let Some(pending) = self.one_pending(subject, erasure).await? else { return Ok(false) };
        if pending.destroyed_at.is_some() && !pending.is_to_withdraw {
            return Ok(true);
        }
        // where consent is still to be withdrawn, nobody was told yet that it is kept
        let was_held = pending.is_held && !pending.is_to_withdraw;
        let kept = |holds: &Holds| holds.keeping(subject, pending.category, self.clock.wall()).is_some();
        if was_held && kept(&*self.holds.read().await) {
            return Ok(false);
        }
        if pending.is_to_withdraw && !self.withdraw(subject, &[], Means::Integrator).await?.ok {
            return Ok(false);
        }
        let mut subject = self.lock(subject).await?;
        let Some(mut pending) = self.one_pending(subject.id, erasure).await? else { return Ok(false) };
        let holds = self.holds.read().await;
        let over = self.covered_by(&pending, subject.id).await?;
        if let Some(hold) = self.hold_on(&pending, subject.id, &over, &holds) {
            // on record already, of a hold on somebody in whose items they are seen
            if was_held {
                return Ok(false);
            }
            self.hold_back(&subject, pending, hold).await?;
            return Ok(false);
        }
        if pending.is_to_withdraw || pending.committed_at.is_none() {
            pending.is_to_withdraw = false;
            let mut entry = Entry::default();
            self.let_go_with(&mut pending, &subject, (over, &holds), &mut entry).await?;
            self.commit_to(&mut pending, subject.id, subject.state.about(subject.id), &mut entry);
            self.commit_erasure(&mut subject, &pending, entry).await?;
        }
        self.destroy_due(&subject).await?;
        Ok(true)
    }

    /// Destroys the keys of erasures of the subject that are committed. Within the subject's turn, so that nothing is sealed
    /// under them meanwhile.
    pub(super) async fn destroy_due(&self, subject: &Subject) -> Result<(), Error> {
        for mut pending in self.pending(subject.id).await? {
            if pending.committed_at.is_some() && pending.destroyed_at.is_none() {
                self.destroy(subject, &mut pending).await?;
            }
        }
        Ok(())
    }

    async fn destroy(&self, subject: &Subject, pending: &mut Pending) -> Result<(), Error> {
        let row = pending.row(subject.id);
        let keys = match &pending.keys {
            Some(keys) => keys.clone(),
            None => {
                let held = self.vault.keys_of(subject.id).await?.into_iter();
                let keys: Vec<_> = held.filter(|key| pending.takes_keys_of(key.category)).map(Key::from).collect();
                pending.keys = Some(keys.clone());
                let ops = vec![Op::Put(row.clone(), ERASURE.encode(&pending.encode()))];
                self.journal.append(Entry { ops, ..Entry::default() }).await?;
                keys
            }
        };
        let dead: Vec<_> = keys.iter().copied().map(KeyRef::from).collect();
        self.vault.forget_keys(subject.id, &dead).await?;
        pending.destroyed_at = Some(self.clock.wall());
        let (about, erasure) = (subject.state.about(subject.id), pending.reference());
        let destroyed = keys.iter().map(|key| Event::KeyDestroyed {
            erasure,
            category: key.category,
            generation: key.generation,
            key: key.commitment(),
        });
        let events = destroyed.map(|event| about.event(event)).collect();
        let ops = vec![Op::Put(row, ERASURE.encode(&pending.encode()))];
        self.journal.append(Entry { ops, events, ..Entry::default() }).await?;
        Ok(())
    }

    /// Issues the certificate, answers the cases that it was for, and forgets that anything was due; whether that is done. Waits
    /// for withdrawals that are not yet in effect, and for receivers that were told to delete.
    async fn certify(&self, (subject, erasure): Due, purged: &Purged) -> Result<bool, Error> {
        let mut subject = self.lock(subject).await?;
        if withdrawing::is_pending(&subject.state.consent) {
            return Ok(false);
        }
        let Some(pending) = self.one_pending(subject.id, erasure).await? else { return Ok(true) };
        let (about, now) = (subject.state.about(subject.id), self.clock.wall());
        let told = self.receivers_told(&subject, erasure, pending.category, self.confirm_within(&pending)).await?;
        let Some(told) = told else { return Ok(false) };
        let residuals = self.residuals(&pending, purged, &told, now);
        let mut entry = Entry::default();
        purged.told(about, erasure, &mut entry);
        for residual in &residuals {
            if let Residual::Processor { id, can_be_told, told_at, .. } = residual {
                let untold = if *can_be_told { NOT_TOLD } else { Name::constant("cannot_be_told") };
                let reason = if told_at.is_some() { NO_ANSWER } else { untold };
                entry.events.push(about.event(Event::DeletionUnconfirmed { erasure, processor: *id, reason }));
            }
        }
        entry.ops.extend(told.keys().map(|id| Op::Delete(deletion::key(subject.id, erasure, *id))));
        let deleted = self.deleted(told);
        let certificate = self.issue(&subject, &pending, purged, (deleted, residuals), now);
        let json = certificate.encode();
        let is_partial = certificate.is_partial();
        entry.events.push(about.event(Event::EraseCertified { erasure, certificate: certificate::hash(&json) }));
        entry.ops.push(Op::Delete(pending.row(subject.id)));
        let row = CertificateKey { subject: subject.id, erasure: pending.id.to_vec() }.key();
        entry.ops.push(Op::Put(row, CERTIFICATE.encode(&json)));
        entry.ops.extend(self.marks(&subject, Stored::Certificates, now));
        let mut next = subject.state.clone();
        for ground in &pending.grounds {
            if let Ground::Minor(_) = ground {
                let detected = ground.reference();
                entry.events.push(about.event(Event::Minor(MinorEvent::DataErased { detected })));
            }
            let Ground::Request(case) = ground else { continue };
            let (case, detail) = (Reference(*case), Name::constant(if is_partial { "in_part" } else { "whole" }));
            let answered = rights::desk::fulfil_into(self, &subject, case, is_partial, detail, &mut entry).await?;
            if answered == Some(Carrier::Closing) {
                if !next.consent.is_closed {
                    self.close_account(&subject, &mut next, &mut entry).await?;
                }
                entry.events.push(next.about(subject.id).event(Event::AccountCancelled { request: case }));
            }
        }
        if next.consent.is_closed == subject.state.consent.is_closed {
            self.journal.append(entry).await?;
        } else {
            self.advance(&mut subject, next, entry).await?;
        }
        metrics::counter!("sayso_consent_erasures_certified_total").increment(1);
        Ok(true)
    }

    fn issue(
        &self,
        subject: &Subject,
        pending: &Pending,
        purged: &Purged,
        (deleted, residuals): (Vec<Deleted>, Vec<Residual>),
        now: WallTime,
    ) -> Certificate {
        let profile = self.profile();
        Certificate {
            format: certificate::FORMAT.to_owned(),
            erasure: pending.id,
            subject_tag: subject.state.audit_key().subject(subject.id).0,
            category: pending.category,
            grounds: pending.grounds.clone(),
            policy: Policy {
                id: profile.header().id.to_string(),
                rev: profile.rev(),
                sha256: profile.hash().to_string(),
            },
            asked_at: pending.asked_at,
            committed_at: pending.committed_at.unwrap_or(now),
            destroyed_at: pending.destroyed_at.unwrap_or(now),
            certified_at: now,
            keys: pending.keys.clone().unwrap_or_default(),
            shares_keys: pending.is_partial,
            key_store: self.vault.id().0,
            is_purged: *purged != Purged::InLogs,
            replicas: purged.replicas().to_vec(),
            deleted,
            residuals,
        }
    }

    /// What the erasure does not reach.
    fn residuals(
        &self,
        pending: &Pending,
        purged: &Purged,
        told: &BTreeMap<ProcessorId, Deletion>,
        now: WallTime,
    ) -> Vec<Residual> {
        let (profile, from) = (self.profile(), pending.destroyed_at.unwrap_or(now));
        let processors = self.receivers(pending.category).into_values().filter_map(|one| {
            let told = told.get(&one.id);
            match told.map(|told| told.standing) {
                Some(Standing::Confirmed { .. } | Standing::Nothing) => None,
                _ => Some(Residual::Processor {
                    id: one.id,
                    can_be_told: one.deletion_api || one.contact.is_some(),
                    until: end(&profile, one.declared_retention.as_ref(), from),
                    party: one.party,
                    told_at: told.filter(|told| told.tries > 0).map(|told| told.asked_at),
                }),
            }
        });
        let backups = end(&profile, profile.document().retention.backup_purge.as_ref(), from);
        let logs = (*purged == Purged::InLogs).then_some(Residual::StoreLogs { until: backups });
        let rest = [Residual::KeyBackups { until: backups }, Residual::Evidence, Residual::Device, Residual::People];
        let kept = pending.kept.iter().cloned().map(Residual::LegalMinimum);
        processors.chain(kept).chain(logs).chain(rest).collect()
    }
}

/// The end of `time` from `from` on, where the profile says it so that it can be counted.
fn end(profile: &Profile, time: Option<&Deadline>, from: WallTime) -> Option<WallTime> {
    let due = profile.end_of(time?.period()?, from, String::new());
    due.is_exact.then_some(due.at)
}

fn parsed(key: &Row) -> Result<Due, Error> {
    let ErasureKey { subject, erasure } = ErasureKey::parse(key).map_err(StoreError::from)?;
    let damaged = |found: String| Error::Damaged { what: "erasure", found };
    let id = erasure.as_slice().try_into().map_err(|_| damaged(format!("an id of {} bytes", erasure.len())))?;
    Ok((subject, Reference(id)))
}
