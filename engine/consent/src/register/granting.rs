//! Recording what a person answered.

use sayso_audit::{AuditKey, Event, Hash, Reference};
use sayso_policy::{ConsentState, ConsentStatus, ConsentType, LegalBasis, PurposeConsent};
use sayso_store::{Op, TypedKey};
use sayso_types::{ConsentVersion, Purpose, SubjectId};

use super::Register;
use crate::evidence::{Answer, Question};
use crate::tables::{RECORD, RecordKey};
use crate::{Entry, Error, record};

impl Register {
    /// Puts on record, durably, that the subject is being asked `question` with the notice of this hash.
    ///
    /// # Errors
    /// When the journal does.
    pub async fn asked(&self, subject: SubjectId, notice_sha256: [u8; 32], question: &Question) -> Result<(), Error> {
        let subject = self.subject(subject);
        let about = self.lock(&subject).await?.about(subject.id);
        let mut events = vec![about.event(Event::NoticeServed { text: Hash(notice_sha256) })];
        events.extend(question.records().map(|(purpose, record)| about.event(Event::ConsentRequested { record, purpose })));
        self.journal.append(Entry { events, ..Entry::default() }).await?;
        Ok(())
    }

    /// Records `answer`: one ISO/IEC TS 27560 record a purpose, the new state and the audit leaves, in one batch that
    /// is durable when this returns. Until then nothing is allowed that was not allowed before.
    ///
    /// # Errors
    /// [`Error::UnknownPurpose`] for a purpose that the profile does not ask consent for; or as the store says.
    pub async fn record(&self, answer: &Answer) -> Result<ConsentState, Error> {
        for (purpose, _) in answer.question.records() {
            match self.profile.purpose(purpose) {
                Some(rule) if rule.basis == LegalBasis::Consent => {}
                _ => return Err(Error::UnknownPurpose(purpose)),
            }
        }
        let subject = self.subject(answer.subject);
        let mut state = self.lock(&subject).await?;
        let mut next = state.clone();
        next.consent.cv = ConsentVersion(state.consent.cv.0 + 1);
        let (about, now) = (next.about(subject.id), self.clock.wall());
        let mut entry = Entry::default();
        for (purpose, id) in answer.question.records() {
            let consent = PurposeConsent {
                status: answer.status,
                consent_type: ConsentType::Expressed,
                separate: answer.question.records().count() == 1,
                given_at: next.consent.cv,
                profile_rev: self.profile.rev(),
                expires_at: None,
            };
            let record = record::of(&self.profile, answer, (purpose, id), &consent, now);
            let key = RecordKey { subject: subject.id, cv: next.consent.cv.0, purpose: purpose.to_string() };
            entry.ops.push(Op::Put(key.key(), RECORD.encode(&record::encode(&record))));
            entry.events.push(about.by(record::audit_actor(answer.means), event(answer, purpose, id, &next.audit_key())));
            next.consent.consents.insert(purpose, consent);
        }
        self.advance(&subject, &mut state, next, entry).await?;
        metrics::counter!("sayso_consent_recorded_total", "status" => answer.status.dpv()).increment(1);
        Ok(state.consent.clone())
    }
}

fn event(answer: &Answer, purpose: Purpose, record: Reference, key: &AuditKey) -> Event {
    let evidence = key.commit(&answer.evidence_sha256);
    match answer.status {
        ConsentStatus::Given | ConsentStatus::Renewed => {
            Event::ConsentGiven { record, purpose, notice: Hash(answer.notice_sha256), evidence }
        }
        ConsentStatus::Refused => Event::ConsentRefused { record, purpose, evidence },
        _ => Event::ConsentDeferred { record, purpose, evidence },
    }
}
