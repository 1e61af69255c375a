//! Growing up: what was agreed to for a child ends when they need no guardian any more.

use sayso_audit::{Actor, Event, Reference};
use sayso_policy::ConsentStatus;
use sayso_store::{Op, TypedKey};
use sayso_types::{Purpose, WallTime};

use super::holding::Holds;
use super::letting_go::Ended;
use super::retaining::put_mark;
use super::state::StoredState;
use super::{Register, Subject};
use crate::erasure::Ground;
use crate::guardian::age::{grown, reaches};
use crate::retention::Stored;
use crate::tables::{GROWING, GrowingKey, RECORD};
use crate::{Entry, Error, record};

impl Register {
    /// Has everybody grow up who has grown out of their age band; how many that are. No permit outlives what it rests on, so
    /// nothing passes meanwhile.
    ///
    /// # Errors
    /// As the store says; whoever was not reached is at the next look.
    pub async fn grow_up(&self) -> Result<u64, Error> {
        let now = self.clock.wall();
        self.due(now).each(|row| async move { self.grow(&row, now).await.map(u64::from) }).await
    }

    /// Has the subject of `row` grow up; whether they did.
    async fn grow(&self, row: &GrowingKey, now: WallTime) -> Result<bool, Error> {
        let mut entry = Entry { ops: vec![Op::Delete(row.key())], ..Entry::default() };
        let Some(mut subject) = self.lock_known(row.subject).await? else {
            self.journal.append(entry).await?;
            return Ok(false);
        };
        let mut next = subject.advanced();
        let age = next.ward.age.as_mut().filter(|age| age.ends == Some(WallTime(row.at)));
        let Some(age) = age else {
            // put right since
            self.journal.append(entry).await?;
            return Ok(false);
        };
        (next.consent.age, age.ends) = grown(next.consent.age, age.ends, now);
        let ends = age.ends.map(|at| GrowingKey { at: at.0, subject: subject.id }.key());
        entry.ops.extend(ends.map(|key| Op::Put(key, GROWING.encode(&[]))));
        let over = self.limit_to_childhood(&subject, &mut next, &mut entry).await?;
        let holds = self.holds.read().await;
        self.forget_childhood(&subject, &next, &over, &holds, &mut entry).await?;
        self.stand(&mut subject, next, entry, Actor::SYSTEM).await?;
        Ok(true)
    }

    /// Has what was agreed to for the subject as a child end in `next`: now, if they need no guardian any more, or else when
    /// they will not, as far as that is known. The purposes of which it ends now, each with its record.
    pub(super) async fn limit_to_childhood(
        &self,
        subject: &Subject,
        next: &mut StoredState,
        entry: &mut Entry,
    ) -> Result<Vec<(Purpose, Reference)>, Error> {
        let now = self.clock.wall();
        let ends = match self.needs_guardian(&next.consent) {
            true => self.end_of_childhood(next),
            false => Some(now),
        };
        let is_over = ends.is_some_and(|end| end <= now);
        let agreed = if is_over { core::mem::take(&mut next.ward.agreed) } else { next.ward.agreed.clone() };
        let mut over = Vec::new();
        if agreed.is_empty() {
            return Ok(over);
        }
        let (about, records) = (next.about(subject.id), self.scan_records(subject.id).await?);
        let profile = self.profile();
        for purpose in agreed {
            let Some(given) = next.consent.consents.get_mut(&purpose).filter(|given| given.status.is_valid()) else {
                continue;
            };
            // what lasts for a time does not last any longer for that
            let lasts = given.expires_at.filter(|_| profile.consent_end(purpose, now).is_some());
            given.expires_at = match is_over {
                true => given.expires_at.filter(|end| *end <= now).or(ends),
                false => [lasts, ends].into_iter().flatten().min(),
            };
            if !is_over {
                continue;
            }
            given.status = ConsentStatus::Expired;
            let Some((key, record)) = record::latest(&records, purpose) else { continue };
            let reference = record::reference(record)?;
            over.push((purpose, reference));
            entry.events.push(about.event(Event::ConsentExpired { record: reference, purpose }));
            let mut record = record.clone();
            record.events.push(record::expired(next.consent.cv, now));
            entry.ops.push(Op::Put(key.clone(), RECORD.encode(&record::encode(&record))));
        }
        if let Some(end) = ends {
            let marks = [Stored::Facts, Stored::Kept, Stored::Consents].map(|stored| stored.mark(subject.id, end));
            entry.ops.extend(marks.into_iter().map(put_mark));
        }
        if is_over {
            entry.ops.extend(self.marks(subject, Stored::Consents, now));
        }
        Ok(over)
    }

    /// Has `entry`, which makes `next` of the subject's state, erase what was kept by the consents that are `over`, as where they
    /// had been given for a time.
    pub(super) async fn forget_childhood(
        &self,
        subject: &Subject,
        next: &StoredState,
        over: &[(Purpose, Reference)],
        holds: &Holds,
        entry: &mut Entry,
    ) -> Result<(), Error> {
        let mut ended = Vec::new();
        for (purpose, record) in over {
            let ground = Ground::Expiry(record.0);
            ended.push(Ended::of(self.ended_with(&[*purpose]), ground));
            if *purpose == Purpose::MEMORY {
                self.forget_facts(subject.id, next, ground, holds, entry).await?;
            }
        }
        self.forget_kept(subject.id, next, &ended, holds, entry).await
    }

    /// When a person who needs a guardian will not any more, as far as that is known.
    pub(super) fn end_of_childhood(&self, state: &StoredState) -> Option<WallTime> {
        let ends = state.ward.age.as_ref().and_then(|age| age.ends);
        reaches(state.consent.age, ends, self.profile().guardian_required_below())
    }
}
