//! Consent that lasts for a time ends by itself: no permit outlives it, and that it has ended is put on record here.

use std::sync::Arc;

use sayso_audit::Event;
use sayso_policy::ConsentStatus;
use sayso_store::{Op, TypedKey};
use sayso_types::{ConsentVersion, Purpose, SubjectId, WallTime};

use super::Register;
use super::letting_go::Ended;
use crate::erasure::Ground;
use crate::retention::Stored;
use crate::tables::{CONSENT_END, ConsentEndKey, RECORD};
use crate::{Entry, Error, record};

/// The write that has consent of `subject` looked at when it is over at `at`.
pub(super) fn mark(subject: SubjectId, at: WallTime) -> Op {
    Op::Put(ConsentEndKey { at: at.0, subject }.key(), CONSENT_END.encode(&[]))
}

impl Register {
    /// Puts on record whose consent is over by now, and erases what was kept by it; how many people's it was. Until then
    /// nothing passes by it all the same.
    ///
    /// # Errors
    /// As the store says; what was not reached is found the next time.
    pub async fn expire_consents(self: &Arc<Self>) -> Result<u64, Error> {
        let expire =
            |mark: ConsentEndKey| async move { self.expire(mark.subject, Op::Delete(mark.key())).await.map(u64::from) };
        self.due(self.clock.wall()).each(expire).await
    }

    /// The same of `id`, whose mark `unmark` takes away; whether any was over. Consent that was renewed meanwhile has a mark
    /// of its own.
    async fn expire(&self, id: SubjectId, unmark: Op) -> Result<bool, Error> {
        let Some(mut subject) = self.lock_known(id).await? else {
            self.journal.append(Entry { ops: vec![unmark], ..Entry::default() }).await?;
            return Ok(false);
        };
        let now = self.clock.wall();
        let consents = subject.state.consent.consents.iter();
        let over = consents
            .filter(|(_, consent)| consent.status.is_valid() && consent.expires_at.is_some_and(|end| end <= now));
        let over: Vec<Purpose> = over.map(|(purpose, _)| *purpose).collect();
        let mut entry = Entry { ops: vec![unmark], ..Entry::default() };
        if over.is_empty() {
            self.journal.append(entry).await?;
            return Ok(false);
        }
        let mut next = subject.state.clone();
        next.consent.cv = ConsentVersion(next.consent.cv.0 + 1);
        let (next_cv, about, records) = (next.consent.cv, next.about(id), self.scan_records(id).await?);
        let holds = self.holds.read().await;
        let mut ended = Vec::new();
        for purpose in &over {
            if let Some(consent) = next.consent.consents.get_mut(purpose) {
                consent.status = ConsentStatus::Expired;
            }
            let Some((key, latest)) = record::latest(&records, *purpose) else { continue };
            let record = record::reference(latest)?;
            let mut expired = latest.clone();
            expired.events.push(record::expired(next_cv, now));
            entry.ops.push(Op::Put(key.clone(), RECORD.encode(&record::encode(&expired))));
            entry.events.push(about.event(Event::ConsentExpired { record, purpose: *purpose }));
            ended.push(Ended::of(self.ended_with(&[*purpose]), Ground::Expiry(record.0)));
            if *purpose == Purpose::MEMORY {
                self.forget_facts(id, &next, Ground::Expiry(record.0), &holds, &mut entry).await?;
            }
        }
        self.forget_kept(id, &next, &ended, &holds, &mut entry).await?;
        entry.ops.extend(self.marks(&subject, Stored::Consents, now));
        let recorded = self.advance(&mut subject, next, entry).await;
        drop(holds);
        self.close(id, &over);
        recorded?;
        metrics::counter!("sayso_consent_expired_total").increment(over.len() as u64);
        Ok(true)
    }
}
