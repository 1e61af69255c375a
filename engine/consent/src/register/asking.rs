//! Putting on record what a person is asked: consent that was asked for is requested, which opens nothing.

use std::sync::Arc;

use sayso_audit::{Event, Hash};
use sayso_policy::{ConsentStatus, PurposeConsent};
use sayso_store::{Op, TypedKey};
use sayso_types::{ConsentVersion, Purpose, SubjectId};

use super::{Register, Subject};
use crate::evidence::{Asking, Means};
use crate::retention::Stored;
use crate::tables::{RECORD, RecordKey};
use crate::{Entry, Error, record};

/// A device asks aloud or by a button: how clear the yes is that it asks for.
const MEANS: Means = Means::Voice;

impl Register {
    /// Puts on record, durably, that the subject is being asked. What they do not agree to becomes requested, with a record
    /// that their answer is added to; what they agree to stays as it is until they answer. A question that nobody answered
    /// makes way for the next one of the same purpose.
    ///
    /// What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::Ended`] and [`Error::Closed`], where nobody is asked for anything any more; or as the store says.
    pub async fn asked(self: &Arc<Self>, asking: &Asking) -> Result<(), Error> {
        let (register, asking) = (Arc::clone(self), asking.clone());
        self.to_the_end("note a question", async move { register.note_asked(&asking).await }).await?
    }

    /// Puts on record that the subject was shown a text, of which this is the SHA-256.
    ///
    /// # Errors
    /// [`Error::Closed`], where nobody is there any more to be shown anything; or as the store says.
    pub async fn shown(&self, subject: SubjectId, text: [u8; 32]) -> Result<(), Error> {
        let subject = self.lock(subject).await?;
        if subject.state.consent.is_closed {
            return Err(Error::Closed);
        }
        let mut entry = Entry::default();
        entry
            .events
            .push(subject.state.about(subject.id).event(Event::NoticeServed { text: Hash(text), processor: None }));
        self.journal.append(entry).await?;
        Ok(())
    }

    async fn note_asked(&self, asking: &Asking) -> Result<(), Error> {
        if self.has_ended() {
            return Err(Error::Ended);
        }
        let mut subject = self.lock(asking.subject).await?;
        if subject.state.consent.is_closed {
            return Err(Error::Closed);
        }
        let about = subject.state.about(subject.id);
        let mut entry = Entry::default();
        entry.events.push(about.event(Event::NoticeServed { text: Hash(asking.notice_sha256), processor: None }));
        let asked = asking.question.records().map(|(purpose, _)| purpose);
        let asked: Vec<_> = asked.filter(|purpose| becomes_requested(&subject, *purpose)).collect();
        let mut next = subject.state.clone();
        if !asked.is_empty() {
            next.consent.cv = ConsentVersion(next.consent.cv.0 + 1);
        }
        let about = next.about(subject.id);
        let events = asking.question.records().map(|(purpose, record)| Event::ConsentRequested { record, purpose });
        entry.events.extend(events.map(|event| about.event(event)));
        if asked.is_empty() {
            self.journal.append(entry).await?;
            return Ok(());
        }

        // what the person hears, which may have been revised since
        let profile = self.revisions().read_out(&asking.notice_sha256).map_or_else(|| self.profile(), Arc::clone);
        let (earlier, now) = (self.scan_records(subject.id).await?, self.clock.wall());
        let separate = asking.question.records().count() == 1;
        for (purpose, id) in asking.question.records().filter(|(purpose, _)| asked.contains(purpose)) {
            let consent = PurposeConsent {
                status: ConsentStatus::Requested,
                consent_type: MEANS.consent_type(),
                separate,
                written: MEANS.is_written(),
                given_at: next.consent.cv,
                profile_rev: profile.rev(),
                expires_at: None,
            };
            let under = (&*profile, self.revisions().registry().rev());
            let mut record = record::requested(under, (asking, &next.tenant, MEANS), (purpose, id), &consent, now);
            record.replaces_record_id =
                record::latest(&earlier, purpose).map_or_else(Vec::new, |(_, latest)| latest.record_id.clone());
            let unanswered = earlier.iter().filter(|(_, one)| record::is_for(one, purpose) && record::is_open(one));
            entry.ops.extend(unanswered.map(|(key, _)| Op::Delete(key.clone())));
            let key = RecordKey { subject: subject.id, cv: next.consent.cv.0, purpose: purpose.to_string() };
            entry.ops.push(Op::Put(key.key(), RECORD.encode(&record::encode(&record))));
            next.consent.consents.insert(purpose, consent);
        }
        entry.ops.extend(self.marks(&subject, Stored::Consents, now));
        self.advance(&mut subject, next, entry).await
    }
}

/// Whether consent to `purpose` is requested once the subject is asked: not while it counts, nor while it is being taken back.
fn becomes_requested(subject: &Subject, purpose: Purpose) -> bool {
    let status = subject.state.consent.status(purpose);
    !status.is_valid() && status != ConsentStatus::Withdrawing
}
