//! Ending what is stored when its time is over. See [`retention`](crate::retention) for how.

use core::sync::atomic::Ordering;
use std::collections::BTreeSet;

use sayso_audit::{Event, Reference};
use sayso_policy::profile::Trigger;
use sayso_policy::{ConsentState, Ending, Happened};
use sayso_proto::consent::v1 as proto;
use sayso_store::{Batch, Error as StoreError, Key, Op, Prefix, Range, TypedKey, Versioned, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, Name, Purpose, SubjectId, WallTime};

use super::{Register, Subject};
use crate::erasure::pending::Pending;
use crate::erasure::{Certificate, Ground};
use crate::record::withdrawal;
use crate::retention::Stored;
use crate::rights::stored as requests;
use crate::tables::{
    CERTIFICATE, CertificateKey, DOCUMENT, DocumentKey, FACTS_CATEGORY, FactsKey, HeldKey, REQUEST, RETENTION,
    RequestKey, RetentionKey,
};
use crate::{Entry, Error, Remembered, record};

/// Records of a person that end in one batch; more end in the next.
const ROWS_AT_ONCE: usize = 256;

/// People whose records are marked in one batch.
const MARKS_AT_ONCE: usize = 256;

/// A record and when it ends.
type Row = (Key, Option<Ending>);

impl Register {
    /// Ends everything that is due: what a minute's look does. Returns how many records have ended.
    ///
    /// # Errors
    /// As the store and the vault say, when something could not end; it is tried again at the next look.
    pub async fn end_what_is_due(&self) -> Result<u64, Error> {
        // what becomes due meanwhile is for the next look
        let now = self.clock.wall();
        self.release_expired_holds().await?;
        self.mark_what_is_stored().await?;
        self.release_what_is_counted().await?;
        self.clear_gone().await?;
        let filed = self.end_filed().await;
        self.due(now).each(|mark| self.look_at(mark)).await.and_then(|ended| Ok(ended + filed?))
    }

    /// Has everything that is stored marked again at the next look.
    pub(super) fn mark_anew(&self) {
        self.is_marked.store(false, Ordering::Release);
        self.filed_anew();
    }

    /// Marks what is stored, where that is not done since the register was opened, a revision came into force or a hold
    /// was released.
    async fn mark_what_is_stored(&self) -> Result<(), Error> {
        if self.is_marked.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let marked = async {
            for stored in Stored::ALL {
                self.mark_all(stored).await?;
            }
            self.forget_all_closed().await
        };
        let marked = marked.await;
        if marked.is_err() {
            self.mark_anew();
        }
        marked
    }

    async fn mark_all(&self, stored: Stored) -> Result<(), Error> {
        let (mut range, mut last, mut batch) = (Range::from(Prefix::table(stored.table())), None, Batch::new());
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let subject = stored.subject_of(&entry.key)?;
                if last.replace(subject) == Some(subject) {
                    continue;
                }
                let turn = self.lock(subject).await?;
                let first = match stored {
                    Stored::Facts => self.facts_of(subject).await?.and_then(|(_, facts)| self.mark_of(&turn, &facts)),
                    Stored::Kept => self.mark_of_kept(&turn).await?,
                    _ => first_mark(stored, subject, &self.rows(&turn, stored).await?),
                };
                batch.ops.extend(first.map(put_mark));
                if batch.ops.len() >= MARKS_AT_ONCE {
                    self.store.commit(core::mem::replace(&mut batch, Batch::new())).await?;
                }
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        if !batch.ops.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(())
    }

    /// What has the records of `stored` that the subject now has, or has closed now, looked at when they end.
    pub(crate) fn marks(&self, turn: &Subject, stored: Stored, now: WallTime) -> Vec<Op> {
        let ended = Happened::collected(now).and(Trigger::PurposeEnded, now).and(Trigger::Withdraw, now);
        let moments =
            [Happened::collected(now), ended].map(|happened| self.ending_of_evidence(stored, &happened, turn));
        let mut marks: Vec<_> = moments.into_iter().flatten().map(|ending| stored.mark(turn.id, ending.at)).collect();
        marks.dedup();
        marks.into_iter().map(put_mark).collect()
    }

    fn ending_of_evidence(&self, stored: Stored, happened: &Happened, turn: &Subject) -> Option<Ending> {
        self.profile().ending(stored.category(), stored.unsaid(), happened, turn.state.consent.age)
    }

    /// Ends what is over of what `mark` points at; how many records that was.
    async fn look_at(&self, mark: RetentionKey) -> Result<u64, Error> {
        let unknown = || Error::Damaged { what: "retention_due", found: format!("a mark of the table {}", mark.table) };
        let stored = Stored::of(&mark.table).ok_or_else(unknown)?;
        let Some(turn) = self.lock_known(mark.subject).await? else {
            self.journal.append(Entry { ops: vec![Op::Delete(mark.key())], ..Entry::default() }).await?;
            return Ok(0);
        };
        let rows = match stored {
            Stored::Facts => self.end_facts(&turn, &mark).await?,
            Stored::Kept => self.end_kept(&turn, &mark).await?,
            _ => self.end_rows(&turn, stored, &mark).await?,
        };
        if rows > 0 {
            self.forget_closed(&turn).await?;
        }
        Ok(rows)
    }

    async fn end_facts(&self, turn: &Subject, mark: &RetentionKey) -> Result<u64, Error> {
        let (holds, now) = (self.holds.read().await, self.clock.wall());
        let mut entry = Entry { ops: vec![Op::Delete(mark.key())], ..Entry::default() };
        let facts = self.facts_of(turn.id).await?.map_or_else(Vec::new, |(_, facts)| facts);
        let ends = |fact: &Remembered| self.ending_of(fact, &turn.state.consent).filter(|ending| ending.at <= now);
        let first = facts.iter().filter_map(&ends).min_by_key(|ending| ending.at);
        let Some(first) = first else {
            entry.ops.extend(self.mark_of(turn, &facts).map(put_mark));
            self.journal.append(entry).await?;
            return Ok(0);
        };
        let about = turn.state.about(turn.id);
        if let Some(hold) = holds.keeping(turn.id, Some(FACTS_CATEGORY), now) {
            self.tell_kept(hold, turn, Stored::Facts, &mut entry).await?;
            self.journal.append(entry).await?;
            return Ok(0);
        }
        let ending = Reference(SubjectId::random().0);
        entry.ops.push(Op::Delete(Stored::Facts.kept(turn.id)));
        entry.events.push(about.event(Event::RetentionDue { ending, category: FACTS_CATEGORY, at: first.at }));
        let (over, rest): (Vec<_>, Vec<_>) = facts.into_iter().partition(|fact| ends(fact).is_some());
        let rows = over.len() as u64;
        // held until it is written
        let mut counted = None;
        let how = if rest.is_empty() {
            counted = self.hand_on(turn, &over, (ending, now), &mut entry).await?;
            let mut pending = Pending::new(Some(FACTS_CATEGORY), Ground::Retention(ending.0), now);
            self.commit_to(&mut pending, turn.id, about, &mut entry);
            Name::constant(if counted.is_some() { "anonymised" } else { "erased" })
        } else {
            entry.ops.push(Op::Put(FactsKey { subject: turn.id }.key(), self.sealed(turn.id, &rest).await?));
            entry.ops.extend(self.mark_of(turn, &rest).map(put_mark));
            Name::constant("rewritten")
        };
        let category = FACTS_CATEGORY;
        entry.events.push(about.event(Event::RetentionExecuted { ending, category, how, rows }));
        self.append_of([turn], entry).await?;
        drop(counted);
        count(category, rows, &first, now);
        Ok(rows)
    }

    async fn end_rows(&self, turn: &Subject, stored: Stored, mark: &RetentionKey) -> Result<u64, Error> {
        let (holds, now, category) = (self.holds.read().await, self.clock.wall(), stored.category());
        let mut entry = Entry { ops: vec![Op::Delete(mark.key())], ..Entry::default() };
        let rows = self.rows(turn, stored).await?;
        let is_over = |row: &Row| row.1.as_ref().is_some_and(|ending| ending.at <= now);
        let (mut over, mut rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_over);
        let about = turn.state.about(turn.id);
        if let Some(hold) = holds.keeping(turn.id, Some(category), now).filter(|_| !over.is_empty()) {
            self.tell_kept(hold, turn, stored, &mut entry).await?;
            self.journal.append(entry).await?;
            return Ok(0);
        }
        rest.extend(over.drain(over.len().min(ROWS_AT_ONCE)..));
        entry.ops.extend(first_mark(stored, turn.id, &rest).map(put_mark));
        let first = over.iter().filter_map(|(_, ending)| ending.clone()).min_by_key(|ending| ending.at);
        let count_of = over.len() as u64;
        if let Some(first) = &first {
            let (ending, how) = (Reference(SubjectId::random().0), Name::constant("erased"));
            entry.ops.push(Op::Delete(stored.kept(turn.id)));
            entry.events.push(about.event(Event::RetentionDue { ending, category, at: first.at }));
            entry.events.push(about.event(Event::RetentionExecuted { ending, category, how, rows: count_of }));
        }
        if stored == Stored::Consents {
            entry.ops.extend(self.end_documents(turn, &over).await?);
        }
        for (key, _) in over {
            if stored == Stored::Certificates {
                let CertificateKey { erasure, .. } = CertificateKey::parse(&key).map_err(StoreError::from)?;
                entry.ops.extend(self.end_approvals(turn.id, &erasure).await?);
            }
            entry.ops.push(Op::Delete(key));
        }
        self.journal.append(entry).await?;
        if let Some(first) = &first {
            count(category, count_of, first, now);
        }
        Ok(count_of)
    }

    /// What ends the documents in which whoever's turn it is agreed to something, and that no record but those that are `over`
    /// names: whose they are shows nothing any more.
    async fn end_documents(&self, turn: &Subject, over: &[Row]) -> Result<Vec<Op>, Error> {
        let (mut ended, mut needed) = (BTreeSet::new(), BTreeSet::new());
        for (key, record) in self.scan_records(turn.id).await? {
            let named = record.events.into_iter().map(|event| event.evidence_sha256);
            if over.iter().any(|(other, _)| *other == key) { ended.extend(named) } else { needed.extend(named) }
        }
        let mut ops = Vec::new();
        for sha256 in ended.difference(&needed) {
            let key = DocumentKey { sha256: sha256.clone() }.key();
            let Some(taken) = self.store.read(core::slice::from_ref(&key)).await?.pop().flatten() else { continue };
            let (_, whose) = DOCUMENT.decode(&taken.value).map_err(StoreError::from)?;
            ops.extend((whose == turn.id.0.as_slice()).then_some(Op::Delete(key)));
        }
        Ok(ops)
    }

    /// The facts of `subject` as they are stored, if there are any.
    async fn facts_of(&self, subject: SubjectId) -> Result<Option<(Versioned, Vec<Remembered>)>, Error> {
        let row = FactsKey { subject }.key();
        let Some(stored) = self.store.read(&[row]).await?.pop().flatten() else { return Ok(None) };
        let facts = self.opened(subject, &stored).await?;
        Ok(Some((stored, facts)))
    }

    /// Each record of `stored` that the subject has, and when it ends. What still counts, such as the record of a consent in
    /// force, does not end, whatever a rule says: it is what shows that the rest is lawful.
    async fn rows(&self, turn: &Subject, stored: Stored) -> Result<Vec<Row>, Error> {
        let ending = |happened: &Happened| self.ending_of_evidence(stored, happened, turn);
        Ok(match stored {
            Stored::Facts | Stored::Kept => Vec::new(),
            Stored::Consents => {
                let records = self.scan_records(turn.id).await?;
                let happened = |at: usize| happened_to_record(turn, &records, at);
                let ends: Vec<_> = (0..records.len()).map(|at| ending(&happened(at)?)).collect();
                records.into_iter().map(|(key, _)| key).zip(ends).collect()
            }
            Stored::Withdrawals => {
                let withdrawals = self.scan_withdrawals(turn.id).await?.into_iter();
                withdrawals.map(|(key, one)| (key, happened_to_withdrawal(&one).and_then(|h| ending(&h)))).collect()
            }
            Stored::Requests => {
                let prefix = RequestKey::table().then(&turn.id);
                let rows = self.scan(prefix, REQUEST, |body| requests::decode(turn.id, &[0; 16], body)).await?;
                rows.into_iter().map(|(key, request)| (key, request.happened().and_then(|h| ending(&h)))).collect()
            }
            Stored::Certificates => {
                let rows = self.scan(CertificateKey::table().then(&turn.id), CERTIFICATE, Certificate::parse).await?;
                let happened = |at| Happened::collected(at).and(Trigger::PurposeEnded, at);
                rows.into_iter().map(|(key, one)| (key, ending(&happened(one.certified_at)))).collect()
            }
        })
    }
}

/// What has happened to the record at `at` of the `records` of whoever's turn it is; [`None`] of one that is in force.
fn happened_to_record(turn: &Subject, records: &[(Key, proto::ConsentRecord)], at: usize) -> Option<Happened> {
    let (_, record) = &records[at];
    let happened = Happened::collected(WallTime(record.created_unix_ms));
    let purpose = record.purpose.as_ref().and_then(|block| block.purpose.parse::<Purpose>().ok());
    let Some(purpose) = purpose else { return Some(happened) };
    if record::is_yes(record) {
        // another yes, or a no that closed it
        let takes_its_place =
            |other: &proto::ConsentRecord| record::is_yes(other) || other.replaces_record_id == record.record_id;
        let later =
            records[at + 1..].iter().find(|(_, other)| record::is_for(other, purpose) && takes_its_place(other));
        let expires = turn.state.consent.consents.get(&purpose).and_then(|given| given.expires_at);
        let ended = later.map(|(_, other)| WallTime(other.created_unix_ms)).or(expires);
        return ended.map(|at| happened.and(Trigger::PurposeEnded, at));
    }
    let ended = WallTime(record.events.last().map_or(record.created_unix_ms, |event| event.at_unix_ms));
    Some(happened.and(Trigger::PurposeEnded, ended).and(Trigger::Withdraw, ended))
}

/// What has happened to a withdrawal; [`None`] while it is not in effect.
fn happened_to_withdrawal(withdrawal: &proto::Withdrawal) -> Option<Happened> {
    let happened = Happened::collected(WallTime(withdrawal.requested_unix_ms));
    if withdrawal::is_pending(withdrawal) {
        return None;
    }
    let effective = WallTime(withdrawal.effective_unix_ms);
    Some(happened.and(Trigger::PurposeEnded, effective).and(Trigger::Withdraw, effective))
}

impl Stored {
    /// The mark under which it is looked at for `subject` at `at`.
    pub(super) fn mark(self, subject: SubjectId, at: WallTime) -> Key {
        RetentionKey { at: at.0, subject, table: self.table().to_owned() }.key()
    }

    /// Where it is noted that a hold keeps what is due of it of `subject`.
    pub(super) fn kept(self, subject: SubjectId) -> Key {
        HeldKey { subject, table: self.table().to_owned() }.key()
    }

    /// Whose the row under `key` is.
    fn subject_of(self, key: &Key) -> Result<SubjectId, Error> {
        let subject = match self {
            Self::Facts => FactsKey::parse(key).map(|key| key.subject),
            Self::Consents => crate::tables::RecordKey::parse(key).map(|key| key.subject),
            Self::Withdrawals => crate::tables::WithdrawalKey::parse(key).map(|key| key.subject),
            Self::Requests => RequestKey::parse(key).map(|key| key.subject),
            Self::Certificates => CertificateKey::parse(key).map(|key| key.subject),
            Self::Kept => crate::tables::KeptKey::parse(key).map(|key| key.subject),
        };
        subject.map_err(|error| StoreError::from(error).into())
    }
}

/// The mark for the first of `rows` that ends.
fn first_mark(stored: Stored, subject: SubjectId, rows: &[Row]) -> Option<Key> {
    let first = rows.iter().filter_map(|(_, ending)| Some(ending.as_ref()?.at)).min()?;
    Some(stored.mark(subject, first))
}

/// What has happened to something that was `collected` for `purpose` and is stored, of somebody whose consent is `consent`.
/// Nothing that is stored belongs to a turn or a session that goes on: a rule that counts from the end of one counts from when it
/// was collected, so it ends no later than was promised. A withdrawal erases at once; a consent whose time is over is as good
/// as withdrawn.
pub(super) fn happened_to(collected: WallTime, purpose: Purpose, consent: &ConsentState) -> Happened {
    let happened = [Trigger::TurnEnd, Trigger::SessionEnd];
    let happened = happened.into_iter().fold(Happened::collected(collected), |all, one| all.and(one, collected));
    let expires = consent.consents.get(&purpose).and_then(|given| given.expires_at);
    expires.into_iter().fold(happened, |happened, at| {
        let triggers = [Trigger::Withdraw, Trigger::FeatureDisabled, Trigger::PurposeEnded];
        triggers.into_iter().fold(happened, |happened, trigger| happened.and(trigger, at))
    })
}

pub(super) fn put_mark(mark: Key) -> Op {
    Op::Put(mark, RETENTION.encode(&[]))
}

/// Counts what has ended, and says so when it was late.
pub(super) fn count(category: Category, rows: u64, first: &Ending, now: WallTime) {
    let category = category.to_string();
    metrics::counter!("sayso_retention_ended_total", "category" => category.clone()).increment(rows);
    if now > first.latest {
        let late_s = (now.0 - first.latest.0) / 1_000;
        metrics::counter!("sayso_retention_late_total", "category" => category.clone()).increment(1);
        tracing::warn!(category, late_s, rule = first.by, "data ended later than its rule allows");
    }
}
