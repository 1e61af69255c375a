//! Withdraw means stop. The order is everything: *requested* is durable, the gates close, the holders let go,
//! *effective* is durable, and only then OK.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::{ConsentEnding, ControlEvent, Event, Reference, Scope};
use sayso_policy::{ConsentState, ConsentStatus, PartStatus};
use sayso_proto::consent::v1 as proto;
use sayso_store::{Error as StoreError, Key, Op, TypedKey, Versioned, limits::SCAN_LIMIT_MAX};
use sayso_types::{ConsentVersion, Name, Part, Purpose, SubjectId};

use super::holders::Holder;
use super::letting_go::Ended;
use super::parting::{self, agreed_in};
use super::revoking::is_worse_than;
use super::state::StoredState;
use super::{Register, Subject, lock};
use crate::erasure::Ground;
use crate::evidence::{Ending, Means};
use crate::journal::{About, Noted};
use crate::record::withdrawal::{self, Cause};
use crate::retention::Stored;
use crate::tables::{RECORD, RegisterKey, WITHDRAWAL, WithdrawalKey};
use crate::{Entry, Error, mutant, record};

/// What came of a withdrawal.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    /// OK only when every holder has let go and that is on record; otherwise pending, never a false OK.
    pub ok: bool,
    /// How the subject stands now.
    pub state: ConsentState,
    /// What each permit had passed when its gate closed.
    pub holders: Vec<proto::HolderOutcome>,
    /// Of this withdrawal; of the earlier one, where everything had been withdrawn before.
    pub id: [u8; 16],
}

impl Withdrawal {
    /// Bytes that all closed permits had passed in their time.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.holders.iter().map(|h| h.bytes).sum()
    }
}

/// What of a subject's consent is taken back.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// These purposes; everything, where there are none.
    Purposes(Vec<Purpose>),
    /// These parts of whatever they agreed to.
    Parts(Vec<Part>),
}

impl What {
    /// Whether a withdrawal of `scope` is asked about by it.
    fn is_of(&self, scope: Scope) -> bool {
        match (self, scope) {
            (Self::Purposes(purposes), _) if purposes.is_empty() => true,
            (Self::Purposes(purposes), _) => purposes.iter().any(|purpose| scope.covers(*purpose)),
            (Self::Parts(parts), Scope::Part(part)) => {
                parts.iter().any(|asked| asked.includes(&part) || part.includes(asked))
            }
            (Self::Parts(_), Scope::Everything | Scope::Purpose(_)) => false,
        }
    }
}

impl Register {
    /// Takes back the subject's consent to `purposes`, or to everything that it consented to. Every gate of that scope,
    /// and of whatever requires consent to something in it, is closed, mid-word, before this returns, and stays closed.
    ///
    /// What was begun is finished, also when the caller does not wait for it. While a holder does not let go, the
    /// answer is pending; asking again tells how far it has come, and it takes effect as soon as the last one does.
    ///
    /// # Errors
    /// [`Error::UnknownPurpose`] for a purpose that nobody consents to, since an OK would promise what does not
    /// happen; or as the store says. The gates are closed whatever the error; it is withdrawn only if asking again,
    /// or [`state`](Self::state), says so.
    pub async fn withdraw(
        self: &Arc<Self>,
        subject: SubjectId,
        purposes: &[Purpose],
        means: Means,
    ) -> Result<Withdrawal, Error> {
        self.end_for(subject, What::Purposes(purposes.to_vec()), Cause::Withdrawn(means)).await
    }

    /// Ends consent for `cause`, as [`withdraw`](Self::withdraw) does for a person.
    pub(super) async fn end_for(
        self: &Arc<Self>,
        subject: SubjectId,
        what: What,
        cause: Cause,
    ) -> Result<Withdrawal, Error> {
        let register = Arc::clone(self);
        let withdrawn = async move {
            let mut withdrawn = core::pin::pin!(register.withdraw_now(subject, &what, cause));
            match tokio::time::timeout(register.permit_ttl(), &mut withdrawn).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    // A store that takes nothing, though it can be read, must not keep gates open for any longer than
                    // one that is gone.
                    match &what {
                        What::Purposes(purposes) => register.close(subject, &register.consented_to(purposes)),
                        What::Parts(parts) => register.close_parts(subject, parts),
                    }
                    withdrawn.await
                }
            }
        };
        self.to_the_end("withdraw consent", withdrawn).await?
    }

    /// Takes back the subject's consent to what needs `capability` of their device (`microphone`, ...), because somebody took
    /// that away there: as [`withdraw`](Self::withdraw) does, where they agreed to such a thing. [`None`] where they did not.
    /// Whatever needs it opens with nobody's yes from here on, until it is [given back](Self::regain).
    ///
    /// # Errors
    /// As there.
    pub async fn lose(self: &Arc<Self>, subject: SubjectId, capability: Name) -> Result<Option<Withdrawal>, Error> {
        let state = self.state(subject).await?;
        let revisions = self.revisions();
        let needing: BTreeSet<_> = revisions.all().flat_map(|profile| profile.purposes_needing(capability)).collect();
        let lost: Vec<_> = needing.into_iter().filter(|purpose| state.consents.contains_key(purpose)).collect();
        // what is open closes first
        let withdrawn = match lost.is_empty() {
            true => Ok(None),
            false => self.withdraw(subject, &lost, Means::Permission).await.map(Some),
        };
        self.note_permission(subject, capability, true).await?;
        withdrawn
    }

    /// Takes note that `capability` of the subject's device was given back in its settings. That opens nothing: whoever gave it
    /// back is asked.
    ///
    /// # Errors
    /// As the store says.
    pub async fn regain(self: &Arc<Self>, subject: SubjectId, capability: Name) -> Result<(), Error> {
        self.note_permission(subject, capability, false).await
    }

    /// What somebody took away in the settings of the subject's device, and has not given back.
    ///
    /// # Errors
    /// As the store says.
    pub async fn permissions_off(&self, subject: SubjectId) -> Result<BTreeSet<Name>, Error> {
        Ok(self.read(subject).await?.permissions_off)
    }

    /// Remembers whether `capability` is off. What no purpose of any revision needs is not: a device may say anything.
    async fn note_permission(self: &Arc<Self>, id: SubjectId, capability: Name, is_off: bool) -> Result<(), Error> {
        let register = Arc::clone(self);
        let noted = async move {
            let mut subject = register.lock(id).await?;
            let is_needed = register.revisions().all().any(|profile| !profile.purposes_needing(capability).is_empty());
            let mut next = subject.state.clone();
            let is_new = match is_off {
                true => is_needed && next.permissions_off.insert(capability),
                false => next.permissions_off.remove(&capability),
            };
            if is_new {
                register.advance(&mut subject, next, Entry::default()).await?;
            }
            Ok(())
        };
        self.to_the_end("note a permission", noted).await?
    }

    async fn withdraw_now(&self, id: SubjectId, what: &What, cause: Cause) -> Result<Withdrawal, Error> {
        let mut subject = self.lock(id).await?;
        let (scopes, given) = match what {
            What::Purposes(purposes) => self.given_of(&subject, purposes, cause).await?,
            What::Parts(parts) => (self.parts_left(&subject.state.consent, parts)?, Vec::new()),
        };
        let requested = match scopes.as_slice() {
            [] => Ok(()),
            scopes => self.request(&mut subject, scopes, &given, cause).await,
        };
        // The person said stop: what is open closes now, also if that could not be put on record.
        match what {
            What::Purposes(purposes) => self.close(id, &in_scope(&subject.state.consent, purposes, |_| true)),
            What::Parts(parts) => self.close_parts(id, parts),
        }
        requested?;
        let outcome = self.settle(&mut subject, what, self.options.withdraw_wait).await?;
        if !outcome.ok && !scopes.is_empty() {
            // told once, when it was asked for; who asks again gets the same answer
            let event = Event::WithdrawPending { withdrawal: Reference(outcome.id) };
            let events = vec![subject.state.about(id).event(event)];
            if let Err(error) = self.journal.append(Entry { events, ..Entry::default() }).await {
                tracing::warn!(%error, "that a withdrawal is pending could not be put on record");
            }
        }
        let state = if outcome.ok { "ok" } else { "pending" };
        metrics::counter!("sayso_consent_withdrawals_total", "state" => state).increment(1);
        Ok(outcome)
    }

    /// What can end for `cause` of `purposes`, or of everything, and the consents that end with it.
    async fn given_of(
        &self,
        subject: &Subject,
        purposes: &[Purpose],
        cause: Cause,
    ) -> Result<(Vec<Scope>, Vec<Purpose>), Error> {
        let consent = &subject.state.consent;
        for purpose in purposes {
            if !self.is_consented_to(*purpose) && !consent.consents.contains_key(purpose) {
                return Err(Error::UnknownPurpose(*purpose));
            }
        }
        let given = in_scope(consent, purposes, |status| status.is_valid() || is_worse_than(cause, status));
        if let Cause::Ended(Ending { how, .. }) = cause {
            self.can_end(subject, purposes, &given, how).await?;
        }
        let scopes = match purposes {
            [] => given.first().map(|_| Scope::Everything).into_iter().collect(),
            _ => given.iter().copied().map(Scope::Purpose).collect(),
        };
        Ok((scopes, given))
    }

    /// Puts on record that consent is withdrawn: a withdrawal for each of `scopes`. It ends the consents that were `given`.
    async fn request(
        &self,
        subject: &mut Subject,
        scopes: &[Scope],
        given: &[Purpose],
        cause: Cause,
    ) -> Result<(), Error> {
        let mut next = subject.state.clone();
        next.consent.cv = ConsentVersion(next.consent.cv.0 + 1);
        set(&mut next, given, ConsentStatus::Withdrawing);
        parting::take_back(&mut next.consent, scopes);
        let (cv, about, now) = (next.consent.cv, next.about(subject.id), self.clock.wall());
        let mut entry = Entry::default();
        let (mut forgets, mut ended) = (None, Vec::new());
        for scope in scopes.iter().copied() {
            let reference = Reference(SubjectId::random().0);
            let covered: Vec<_> = given.iter().copied().filter(|one| scope.covers(*one)).collect();
            if self.forgets(&covered, cause) || self.loses_facts(&subject.state.consent, &next.consent) {
                forgets = Some(ground(cause, reference));
            }
            ended.push(match scope {
                Scope::Part(_) => Ended::of_parts(next.consent.taken_back().collect(), ground(cause, reference)),
                _ => self.ended_for(subject, &covered, cause, ground(cause, reference)),
            });
            entry.events.push(said(about, cause, reference, scope));
            let withdrawal = withdrawal::requested(subject.id, reference, scope, cause, cv, now);
            let purpose = match scope {
                Scope::Everything => String::new(),
                Scope::Purpose(purpose) => purpose.to_string(),
                Scope::Part(part) => part.to_string(),
            };
            let key = WithdrawalKey { subject: subject.id, cv: cv.0, purpose };
            entry.ops.push(Op::Put(key.key(), WITHDRAWAL.encode(&withdrawal::encode(&withdrawal))));
        }
        let holds = self.holds.read().await;
        if let Some(ground) = forgets {
            self.forget_facts(subject.id, &next, ground, &holds, &mut entry).await?;
        }
        self.forget_kept(subject.id, &next, &ended, &holds, &mut entry).await?;
        self.advance(subject, next, entry).await
    }

    /// Closes the gates of `subject` for `purposes` and for what requires them, and remembers who has yet to let go.
    pub(super) fn close(&self, subject: SubjectId, purposes: &[Purpose]) {
        self.await_letting_go(subject, self.holders.take_back(subject, &self.ended_with(purposes)));
    }

    /// Remembers that those whose permits were `taken` back have yet to let go.
    pub(super) fn await_letting_go(&self, subject: SubjectId, taken: Vec<Arc<Holder>>) {
        let mut pending = lock(&self.pending);
        let known = pending.entry(subject).or_default();
        for holder in taken {
            if !known.iter().any(|other| Arc::ptr_eq(other, &holder)) {
                known.push(holder);
            }
        }
    }

    /// Waits until those holders have let go whose permits for `what` were taken back, and puts the withdrawals
    /// into effect that waited for nobody else.
    pub(super) async fn settle(&self, subject: &mut Subject, what: &What, wait: Duration) -> Result<Withdrawal, Error> {
        let holders = match what {
            What::Purposes(purposes) if purposes.is_empty() => self.taken_back(subject.id, |_| true),
            What::Purposes(purposes) => {
                let ended = self.ended_with(purposes);
                self.taken_back(subject.id, |holder| holder.is_for(&ended))
            }
            What::Parts(parts) => self.taken_back(subject.id, |holder| holder.is_in(parts)),
        };
        // Whoever does not let go in time is found below.
        let _ = tokio::time::timeout(wait, all_released(&holders)).await;

        let withdrawals = self.scan_withdrawals(subject.id).await?.into_iter();
        let withdrawals = withdrawals.map(|(key, withdrawal)| Ok((key, withdrawal::scope(&withdrawal)?, withdrawal)));
        let withdrawals: Vec<_> = withdrawals.collect::<Result<_, Error>>()?;
        let (asked, others): (Vec<_>, Vec<_>) = withdrawals.into_iter().partition(|(_, scope, _)| what.is_of(*scope));
        let mut reference = asked.last().map(|(_, _, last)| withdrawal::reference(last)).transpose()?;
        let mut ok = all_let_go(&holders);
        for (key, scope, withdrawal) in asked.into_iter().filter(|(_, _, w)| withdrawal::is_pending(w)) {
            reference = Some(withdrawal::reference(&withdrawal)?);
            let holders = match scope {
                Scope::Everything => self.taken_back(subject.id, |_| true),
                Scope::Purpose(purpose) => {
                    let ended = self.ended_with(&[purpose]);
                    self.taken_back(subject.id, |holder| holder.is_for(&ended))
                }
                Scope::Part(part) => self.taken_back(subject.id, |holder| holder.is_in(&[part])),
            };
            if all_let_go(&holders) {
                self.effect(subject, key, withdrawal, &holders).await?;
            } else {
                ok = false;
            }
        }
        if ok && !others.iter().any(|(_, _, w)| withdrawal::is_pending(w)) {
            self.forget_released(subject.id);
        }
        let reference = reference.unwrap_or_else(|| Reference(SubjectId::random().0));
        let holders = holders.iter().map(|holder| holder.outcome()).collect();
        Ok(Withdrawal { ok, state: subject.state.consent.clone(), holders, id: reference.0 })
    }

    /// Puts `withdrawal`, stored under `key`, into effect: all of its `holders` have let go.
    async fn effect(
        &self,
        subject: &mut Subject,
        key: Key,
        mut withdrawal: proto::Withdrawal,
        holders: &[Arc<Holder>],
    ) -> Result<(), Error> {
        let ending = in_scope(&subject.state.consent, &[], |status| status == ConsentStatus::Withdrawing);
        let ending: Vec<_> = ending.into_iter().filter(|purpose| withdrawal::covers(&withdrawal, *purpose)).collect();
        let mut next = subject.state.clone();
        set(&mut next, &ending, withdrawal::status(&withdrawal));
        let (about, now) = (next.about(subject.id), self.clock.wall());
        let (reference, scope) = (withdrawal::reference(&withdrawal)?, withdrawal::scope(&withdrawal)?);
        let mut entry = Entry::default();
        entry.events.push(about.event(Event::WithdrawEffective { withdrawal: reference, scope }));
        let records = self.scan_records(subject.id).await?;
        if let Scope::Part(part) = scope {
            parting::took_back(&mut next.consent, &part);
            let agreed = agreed_in(&next.consent, &[part]).into_iter();
            let went_on = agreed.filter_map(|purpose| {
                record::part::goes_on(&records, purpose, &next.consent, record::withdrawn(&withdrawal, now))
            });
            entry.ops.extend(went_on);
        }
        for purpose in ending {
            if let Some((key, record)) = record::latest(&records, purpose) {
                let mut record = record.clone();
                record.events.push(record::withdrawn(&withdrawal, now));
                entry.ops.push(Op::Put(key.clone(), RECORD.encode(&record::encode(&record))));
            }
        }
        withdrawal.set_state(proto::WithdrawalState::Ok);
        withdrawal.effective_unix_ms = now.0;
        withdrawal.holders = holders.iter().map(|holder| holder.outcome()).collect();
        entry.ops.push(Op::Put(key, WITHDRAWAL.encode(&withdrawal::encode(&withdrawal))));
        let marks = [Stored::Consents, Stored::Withdrawals].map(|stored| self.marks(subject, stored, now));
        entry.ops.extend(marks.into_iter().flatten());
        self.advance(subject, next, entry).await?;
        if let Some(pending) = lock(&self.pending).get_mut(&subject.id) {
            pending.retain(|holder| !holders.iter().any(|other| Arc::ptr_eq(other, holder)));
        }
        Ok(())
    }

    /// `purposes`, and those that in some revision of the policy require consent to one of them.
    pub(super) fn ended_with(&self, purposes: &[Purpose]) -> Vec<Purpose> {
        let revisions = self.revisions();
        let rules = revisions.all().flat_map(|profile| profile.purposes().map(|rule| (profile.document(), rule)));
        let require =
            rules.filter(|(document, rule)| document.required(rule).iter().any(|first| purposes.contains(first)));
        let ended: BTreeSet<_> = require.map(|(_, rule)| rule.id).chain(purposes.iter().copied()).collect();
        ended.into_iter().collect()
    }

    /// Those `in_scope` whose permits were taken back, and whose letting go is yet to be reported.
    fn taken_back(&self, subject: SubjectId, in_scope: impl Fn(&Holder) -> bool) -> Vec<Arc<Holder>> {
        let pending = lock(&self.pending);
        let holders = pending.get(&subject).into_iter().flatten();
        holders.filter(|holder| in_scope(holder)).map(Arc::clone).collect()
    }

    /// No withdrawal of the subject is pending: whoever has let go is of no further interest.
    fn forget_released(&self, subject: SubjectId) {
        let mut pending = lock(&self.pending);
        if let Some(holders) = pending.get_mut(&subject) {
            holders.retain(|holder| !holder.released.is_cancelled());
            if holders.is_empty() {
                pending.remove(&subject);
            }
        }
    }

    /// Asks again for the withdrawals that are waiting for a holder, or for a store that takes them.
    pub(super) async fn settle_pending(&self) -> Result<(), Error> {
        let waiting: Vec<_> = lock(&self.pending).keys().copied().collect();
        let mut outcome = Ok(());
        for id in waiting {
            // what holds up one holds up no other
            outcome = self.settle_now(id).await.and(outcome);
        }
        outcome
    }

    async fn settle_now(&self, id: SubjectId) -> Result<(), Error> {
        let mut subject = self.lock(id).await?;
        self.settle(&mut subject, &What::Purposes(Vec::new()), Duration::ZERO).await?;
        Ok(())
    }

    /// Completes what a crash interrupted: whoever held a permit then died with that process, and whoever has one outside
    /// of it is waited for.
    pub(super) async fn complete_withdrawals(&self) -> Result<(), Error> {
        let mut range = RegisterKey::table().into();
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let state = StoredState::of(&Versioned { value: entry.value, version: entry.version })?;
                if is_pending(state.consent()) {
                    let RegisterKey { subject } = RegisterKey::parse(&entry.key).map_err(StoreError::from)?;
                    let is_withdrawing = |status| status == ConsentStatus::Withdrawing;
                    self.close(subject, &in_scope(state.consent(), &[], is_withdrawing));
                    self.close_parts(subject, &state.consent().taken_back().collect::<Vec<_>>());
                    self.settle_now(subject).await?;
                }
            }
            let Some(rest) = page.rest else { return Ok(()) };
            range = rest;
        }
    }
}

/// What is said in the log of consent that is about to end.
const fn said(about: About, cause: Cause, withdrawal: Reference, scope: Scope) -> Noted {
    match cause {
        Cause::Withdrawn(means) => about.by(record::audit_actor(means), Event::WithdrawRequested { withdrawal, scope }),
        Cause::Ended(Ending { how, reason, by }) => {
            about.by(by, Event::Control(ControlEvent::ConsentEnded { withdrawal, scope, ending: how, reason }))
        }
    }
}

/// Why what was kept by consent that ends for `cause` is erased.
const fn ground(cause: Cause, reference: Reference) -> Ground {
    match cause {
        Cause::Withdrawn(_) => Ground::Withdrawal(reference.0),
        Cause::Ended(Ending { how: ConsentEnding::Revoked, .. }) => Ground::Revocation(reference.0),
        Cause::Ended(Ending { how: ConsentEnding::Invalidated, .. }) => Ground::Invalidation(reference.0),
    }
}

/// Whether something is being taken back of `consent`, and somebody may not have let go yet.
pub(super) fn is_pending(consent: &ConsentState) -> bool {
    consent.consents.values().any(|one| one.status == ConsentStatus::Withdrawing)
        || consent.parts.values().any(|status| *status == PartStatus::Withdrawing)
}

/// The purposes among `wanted` (all, when empty) whose status is as `matches` says.
fn in_scope(consent: &ConsentState, wanted: &[Purpose], matches: impl Fn(ConsentStatus) -> bool) -> Vec<Purpose> {
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

fn all_let_go(holders: &[Arc<Holder>]) -> bool {
    holders.iter().all(|holder| holder.released.is_cancelled()) || mutant::does_not_wait()
}

async fn all_released(holders: &[Arc<Holder>]) {
    for holder in holders {
        holder.released.cancelled().await;
    }
}
