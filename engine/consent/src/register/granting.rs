//! Recording what a person answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::{AuditKey, ControlEvent, Event, Hash, Reference};
use sayso_policy::{ConsentState, ConsentStatus, LegalBasis, PurposeConsent, Vocabulary};
use sayso_store::{Condition, Error as StoreError, Op, TypedKey};
use sayso_types::{ConsentVersion, Name, Part, Purpose, RegionClass};

use super::letting_go::Ended;
use super::parting::{agreed_in, give_again};
use super::state::StoredState;
use super::withdrawing::What;
use super::{Register, Subject, expiring, lock};
use crate::erasure::Ground;
use crate::evidence::{Answer, Means};
use crate::retention::Stored;
use crate::tables::{DOCUMENT, DocumentKey, RECORD, RecordKey};
use crate::{Entry, Error, record};

/// What DPV calls what people want no more of when they opt out of it.
const MARKETING: &str = "Marketing";

impl Register {
    /// Records `answer`: one ISO/IEC TS 27560 record a purpose, the new state and the audit leaves, in one batch that
    /// is durable when this returns. Until then nothing is allowed that was not allowed before. An answer that is
    /// not "yes" closes what an earlier one had opened.
    ///
    /// An answer is recorded once: when its records exist, this changes nothing, whatever happened since. What was
    /// begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::UnknownPurpose`] for a purpose that the profile does not ask consent for; [`Error::NoGuardian`] for the yes of
    /// a child of whom no guardian is verified, or of a guardian whom nobody needs or has verified;
    /// [`Error::OthersEvidence`] for what shows that somebody else agreed; [`Error::Withdrawing`] while an earlier
    /// withdrawal of one of the purposes waits for a holder of data; or as the store says.
    pub async fn record(self: &Arc<Self>, answer: &Answer) -> Result<ConsentState, Error> {
        self.record_with(answer, &[]).await
    }

    /// The same of a yes with which the person also gives `parts` again that they had [taken back](Self::withdraw_parts), each with
    /// all that is in it. What is not named stays taken back.
    ///
    /// # Errors
    /// [`Error::NotTakenBack`] where nothing of one was; otherwise as there.
    pub async fn record_with(self: &Arc<Self>, answer: &Answer, parts: &[Part]) -> Result<ConsentState, Error> {
        let (register, answer, parts) = (Arc::clone(self), answer.clone(), parts.to_vec());
        self.to_the_end("record consent", async move { register.record_now(&answer, &parts).await }).await?
    }

    async fn record_now(&self, answer: &Answer, again: &[Part]) -> Result<ConsentState, Error> {
        if self.has_ended() {
            return Err(Error::Ended);
        }
        let purposes: Vec<Purpose> = answer.question.records().map(|(purpose, _)| purpose).collect();
        for purpose in &purposes {
            if !self.is_consented_to(*purpose) {
                return Err(Error::UnknownPurpose(*purpose));
            }
        }
        // what the person heard, which may have been revised since
        let profile = self.revisions().read_out(&answer.notice_sha256).map_or_else(|| self.profile(), Arc::clone);
        let mut subject = self.lock(answer.subject).await?;
        if subject.state.consent.is_closed {
            return Err(Error::Closed);
        }
        let earlier = self.scan_records(subject.id).await?;
        let ids: Vec<_> = answer.question.records().map(|(_, id)| id.0.to_vec()).collect();
        let (asked, answered): (Vec<_>, Vec<_>) =
            earlier.iter().filter(|(_, one)| ids.contains(&one.record_id)).partition(|(_, one)| record::is_open(one));
        if !answered.is_empty() {
            return Ok(subject.state.consent);
        }
        self.after_withdrawals(&mut subject, &What::Purposes(purposes.clone())).await?;
        if !again.is_empty() {
            self.after_withdrawals(&mut subject, &What::Parts(again.to_vec())).await?;
        }
        let is_for_child = self.is_for_child(&subject.state, answer)?;

        // Whatever is not an answer allows nothing.
        let status = match answer.status {
            status @ (ConsentStatus::Given | ConsentStatus::Renewed | ConsentStatus::Refused) => status,
            _ => ConsentStatus::Deferred,
        };
        // Who was asked again because of a revision and did not agree to it keeps what they agreed to before. What an
        // integrator reports is no answer to the device's question, and counts as it is.
        let asked_anew = self.revisions().asks(&subject.state.consent);
        let keeps = !status.is_valid() && matches!(answer.means, Means::Voice | Means::Button);
        let (kept, closed): (Vec<_>, Vec<_>) =
            purposes.iter().partition(|purpose| keeps && asked_anew.contains(purpose));
        let mut next = subject.state.clone();
        next.consent.cv = ConsentVersion(next.consent.cv.0 + 1);
        let (about, now) = (next.about(subject.id), self.clock.wall());
        let expires_at = if is_for_child { self.end_of_childhood(&next) } else { None };
        let off = subject.state.permissions_off.iter();
        let off: BTreeSet<_> = off.flat_map(|capability| profile.purposes_needing(*capability)).collect();
        // who says that it was given back on the device says so of the permission, too
        let is_permission = answer.means == Means::Permission && status.is_valid();
        let is_off = |purpose: Purpose| !is_permission && off.contains(&purpose);
        if is_permission {
            let is_of =
                |capability: &Name| profile.purposes_needing(*capability).iter().any(|one| purposes.contains(one));
            next.permissions_off.retain(|capability| !is_of(capability));
        }
        let mut entry = Entry::default();
        if answer.means.is_written() || answer.means.names_somebody() && status.is_valid() {
            self.take_evidence(answer, &mut entry).await?;
        }
        let cv = next.consent.cv;
        let again = if status.is_valid() { give_again(&mut next.consent, again, cv)? } else { Vec::new() };
        let by_record = answer.question.records().next().into_iter();
        entry.events.extend(by_record.flat_map(|(_, record)| again.iter().map(move |part| (record, *part))).map(
            |(record, part)| {
                let event = Event::Control(ControlEvent::PartGiven { record, part });
                about.by(record::audit_actor(answer.means), event)
            },
        ));
        let others = agreed_in(&next.consent, &again).into_iter().filter(|purpose| !purposes.contains(purpose));
        entry.ops.extend(others.filter_map(|purpose| {
            record::part::goes_on(&earlier, purpose, &next.consent, record::part::given_again(answer, cv, now))
        }));
        for (purpose, id) in answer.question.records() {
            let had_agreed = subject.state.consent.status(purpose).is_valid();
            let renews = status.is_valid() && (had_agreed || asked_anew.contains(&purpose));
            let status = if renews { ConsentStatus::Renewed } else { status };
            // what the device may not have is not open, whoever says yes: they are asked when it is given back
            let status = if is_off(purpose) && status.is_valid() { ConsentStatus::Deferred } else { status };
            let lasts = profile.consent_end(purpose, now).filter(|_| status.is_valid());
            let consent = PurposeConsent {
                status,
                consent_type: answer.means.consent_type(),
                separate: purposes.len() == 1,
                written: answer.means.is_written(),
                given_at: next.consent.cv,
                profile_rev: profile.rev(),
                expires_at: [lasts, expires_at].into_iter().flatten().min(),
            };
            let under = (&*profile, self.revisions().registry().rev());
            let deferred = Answer { status: ConsentStatus::Deferred, ..answer.clone() };
            let said = if is_off(purpose) && answer.status.is_valid() { &deferred } else { answer };
            let mut record = record::of(under, said, (purpose, id), &consent, now);
            if !kept.contains(&purpose) {
                record.replaces_record_id =
                    record::latest(&earlier, purpose).map_or_else(Vec::new, |(_, r)| r.record_id.clone());
            }
            record::part::note_taken_back(&mut record, purpose, &next.consent);
            if is_for_child {
                let guardian = next.ward.guardian_evidence();
                for event in &mut record.events {
                    event.entity_id = guardian.as_ref().map_or_else(String::new, |one| hex::encode(&one.guardian_id));
                    event.guardian = guardian.clone();
                }
            }
            let key = RecordKey { subject: subject.id, cv: next.consent.cv.0, purpose: purpose.to_string() };
            let key = match asked.iter().find(|(_, asked)| asked.record_id == id.0) {
                Some((key, asked)) => {
                    record::answers(&mut record, asked);
                    key.clone()
                }
                None => key.key(),
            };
            entry.ops.push(Op::Put(key, RECORD.encode(&record::encode(&record))));
            let event = event(answer, status, (purpose, id), &next.audit_key());
            // the revision that they agree to, or that they stay governed by
            let before = subject.state.consent.consents.get(&purpose).filter(|_| kept.contains(&purpose));
            let about = match before {
                Some(before) => about.under(before.profile_rev),
                None if status.is_valid() => about.under(profile.rev()),
                None => about,
            };
            entry.events.push(about.by(record::audit_actor(answer.means), event));
            if !kept.contains(&purpose) {
                entry
                    .ops
                    .extend(consent.expires_at.filter(|_| lasts.is_some()).map(|at| expiring::mark(subject.id, at)));
                next.consent.consents.insert(purpose, consent);
                next.consent.declined.remove(&purpose);
                next.ward.agreed.remove(&purpose);
                next.ward.agreed.extend(is_for_child.then_some(purpose));
            } else if status == ConsentStatus::Refused {
                next.consent.declined.insert(purpose, profile.rev());
            }
        }
        let holds = self.holds.read().await;
        let is_own = status.is_valid() && purposes.len() == 1;
        if is_own && purposes.iter().any(|purpose| profile.goes_overseas(*purpose)) {
            next.consent.farthest = RegionClass::Overseas;
        }
        let memory = answer.question.records().find(|(purpose, _)| *purpose == Purpose::MEMORY);
        let was_given = subject.state.consent.status(Purpose::MEMORY).is_valid();
        let ends = was_given && !status.is_valid() && closed.contains(&Purpose::MEMORY);
        if let Some((_, record)) = memory.filter(|_| ends) {
            self.forget_facts(subject.id, &next, Ground::Refusal(record.0), &holds, &mut entry).await?;
        }
        let refused = answer.question.records().filter(|(purpose, _)| {
            let was_given = subject.state.consent.status(*purpose).is_valid();
            was_given && !status.is_valid() && closed.contains(purpose)
        });
        let refused: Vec<_> = refused
            .map(|(purpose, record)| Ended::of(self.ended_with(&[purpose]), Ground::Refusal(record.0)))
            .collect();
        self.forget_kept(subject.id, &next, &refused, &holds, &mut entry).await?;
        entry.ops.extend(self.marks(&subject, Stored::Consents, now));
        let recorded = self.advance(&mut subject, next, entry).await;
        drop(holds);
        if !status.is_valid() && !closed.is_empty() {
            // The person did not say yes: what an earlier yes opened closes, also if this could not be put on record.
            self.close(subject.id, &closed);
        }
        recorded?;
        metrics::counter!("sayso_consent_recorded_total", "status" => status.dpv()).increment(1);
        Ok(subject.state.consent)
    }

    /// Whether `answer` is the yes that somebody who needs a guardian, and has one who is verified, gives or is given: it ends
    /// when they need none any more.
    fn is_for_child(&self, state: &StoredState, answer: &Answer) -> Result<bool, Error> {
        let (needs, has) = (self.needs_guardian(&state.consent), state.consent.guardian_verified);
        if !answer.status.is_valid() {
            return Ok(false);
        }
        if self.is_alone(state) || answer.means.is_guardians() && !(needs && has) {
            return Err(Error::NoGuardian);
        }
        Ok(needs && has)
    }

    /// Has `entry` keep whose the evidence of `answer` is, so that it is nobody else's.
    async fn take_evidence(&self, answer: &Answer, entry: &mut Entry) -> Result<(), Error> {
        let key = DocumentKey { sha256: answer.evidence_sha256.to_vec() }.key();
        match self.store.read(core::slice::from_ref(&key)).await?.pop().flatten() {
            Some(taken) => {
                let (_, whose) = DOCUMENT.decode(&taken.value).map_err(StoreError::from)?;
                if whose == answer.subject.0.as_slice() { Ok(()) } else { Err(Error::OthersEvidence) }
            }
            None => {
                entry.require.push((key.clone(), Condition::Absent));
                entry.ops.push(Op::Put(key, DOCUMENT.encode(&answer.subject.0)));
                Ok(())
            }
        }
    }

    /// Whether the profile asks consent for `purpose`.
    pub(super) fn is_consented_to(&self, purpose: Purpose) -> bool {
        self.profile().purpose(purpose).is_some_and(|rule| rule.basis == LegalBasis::Consent)
    }

    /// The purposes among `wanted` (all, when empty) that some revision of the policy asks consent for.
    pub(crate) fn consented_to(&self, wanted: &[Purpose]) -> Vec<Purpose> {
        let revisions = self.revisions();
        let rules = revisions.all().flat_map(|profile| profile.purposes());
        let asked = rules.filter(|rule| rule.basis == LegalBasis::Consent).map(|rule| rule.id);
        let all: BTreeSet<_> = asked.filter(|id| wanted.is_empty() || wanted.contains(id)).collect();
        all.into_iter().collect()
    }

    /// The purposes that some revision of the policy asks consent for and calls marketing, by the vocabulary.
    pub(crate) fn marketing(&self) -> Vec<Purpose> {
        let (revisions, words) = (self.revisions(), Vocabulary::dpv());
        let is_marketing = |purpose: &Purpose| {
            let mut rules = revisions.all().filter_map(|profile| profile.purpose(*purpose));
            rules.any(|rule| words.is_within(&rule.dpv, MARKETING))
        };
        self.consented_to(&[]).into_iter().filter(is_marketing).collect()
    }

    /// A new answer must not hide that an earlier withdrawal is still waiting: it waits, too, and is refused if the
    /// holders do not let go in time.
    async fn after_withdrawals(&self, subject: &mut Subject, what: &What) -> Result<(), Error> {
        let settled = self.settle(subject, what, self.options.withdraw_wait).await?;
        if settled.ok {
            return Ok(());
        }
        let now = self.clock.now();
        let pending = lock(&self.pending).get(&subject.id).cloned().unwrap_or_default();
        let left = pending.iter().filter(|holder| !holder.released.is_cancelled());
        if let Some(silent) = left.clone().find(|holder| self.is_silent(holder)) {
            return Err(Error::Silent(silent.segment.processor));
        }
        let left = left.map(|holder| {
            let outside = holder.outside.as_ref().filter(|outside| self.runs_out(outside));
            outside.map(|outside| outside.term().left(now))
        });
        // anybody else lets go when they are told, and say so
        Err(Error::Withdrawing { within: left.collect::<Option<Vec<_>>>().and_then(|left| left.into_iter().max()) })
    }
}

fn event(answer: &Answer, status: ConsentStatus, (purpose, record): (Purpose, Reference), key: &AuditKey) -> Event {
    let evidence = key.commit(&answer.evidence_sha256);
    match status {
        ConsentStatus::Given | ConsentStatus::Renewed => {
            let is_renewal = status == ConsentStatus::Renewed;
            Event::ConsentGiven { record, purpose, notice: Hash(answer.notice_sha256), evidence, is_renewal }
        }
        ConsentStatus::Refused => Event::ConsentRefused { record, purpose, evidence },
        _ => Event::ConsentDeferred { record, purpose, evidence },
    }
}
