//! What a person asked to have remembered: sealed under a key of theirs, which is destroyed when their consent ends.
//!
//! A withdrawal deletes the facts and, in the same batch, commits to destroying their key: an erasure, which is carried out
//! soon after, and by the next process if this one ends before. Nothing is sealed for a person whose key is due. Each fact
//! carries the moment at which it was collected, from which its retention counts.

mod rewrite;

use sayso_audit::{Actor, Event, Reference};
use sayso_policy::profile::RetentionAction;
use sayso_policy::{ConsentState, Ending, Reason};
use sayso_store::{
    Batch, Condition, Error as StoreError, Key, Op, Store, TypedKey, Value, Versioned, limits::SCAN_LIMIT_MAX,
};
use sayso_types::{ConsentVersion, Purpose, SubjectId, WallTime};
use sayso_vault::Binding;

use self::rewrite::{NotRewritten, Rewrite};
use super::answering::outdate;
use super::retaining::happened_to;
use super::state::{StoredState, Unopened};
use super::{Register, Subject};
use crate::remembered::{self, Remembered};
use crate::retention::Stored;
use crate::rights::Imported;
use crate::rights::left::Left;
use crate::tables::{FACTS, FACTS_CATEGORY, FactsKey, RegisterKey, SEALED_BY, SealedByKey};
use crate::{Entry, Error, record};

/// The shard whose data lies in this store.
const SHARD: u32 = 0;

/// What may be remembered of one person: many times what a conversation keeps.
pub(crate) const FACTS_MAX: usize = 256;

/// Bytes of a key or of a value: a few long sentences.
pub(crate) const FACT_BYTES_MAX: usize = 1_024;

/// The schema of facts in clear: what was saved before there was a vault.
const CLEAR: u16 = 1;
/// The schema of sealed facts without the moments at which they were collected.
const WITHOUT_MOMENTS: u16 = 2;
/// The schema of facts as they are sealed now.
const SEALED: u16 = 3;

/// Facts that a legal hold keeps of a person after they dropped them: with more, no further one is dropped before the hold
/// is released.
const HELD_MAX: usize = 256;

/// What is in the row of a person's facts.
struct Kept {
    /// That the row is still as it was read.
    unchanged: Condition,
    /// Also those whose time is over, and those that a legal hold alone keeps.
    facts: Vec<Remembered>,
}

impl Register {
    /// What the subject asked to have remembered beyond the conversation, to be used. Nothing without a valid consent to
    /// [`Purpose::MEMORY`], nor while the person has its use restricted; nothing whose time is over, and nothing that a legal
    /// hold alone keeps.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn remembered(&self, subject: SubjectId) -> Result<Vec<Remembered>, Error> {
        self.remembered_if(subject, |consent| self.remembers(consent)).await
    }

    /// As [`remembered`](Self::remembered), as pairs of key and value.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn facts(&self, subject: SubjectId) -> Result<Vec<(String, String)>, Error> {
        Ok(self.remembered(subject).await?.iter().map(Remembered::pair).collect())
    }

    /// As [`facts`](Self::facts), to be shown to the person: also while its use is restricted.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub(crate) async fn shown_facts(&self, subject: SubjectId) -> Result<Vec<(String, String)>, Error> {
        Ok(self.held_facts(subject).await?.iter().map(Remembered::pair).collect())
    }

    /// As [`remembered`](Self::remembered), whether or not its use is restricted.
    pub(crate) async fn held_facts(&self, subject: SubjectId) -> Result<Vec<Remembered>, Error> {
        let now = self.clock.wall();
        self.remembered_if(subject, |consent| consent.has_agreed(Purpose::MEMORY, now)).await
    }

    async fn remembered_if(
        &self,
        subject: SubjectId,
        may: impl Fn(&ConsentState) -> bool,
    ) -> Result<Vec<Remembered>, Error> {
        // At one moment, so that facts are never read under a consent that ended before.
        let mut found = self.store.read(&[FactsKey { subject }.key(), RegisterKey { subject }.key()]).await?;
        let state = found.pop().flatten().map(|stored| StoredState::of(&stored)).transpose()?;
        let consent = state.as_ref().map(Unopened::consent);
        let Some(consent) = consent.filter(|consent| may(consent)) else {
            return Ok(Vec::new());
        };
        let Some(stored) = found.pop().flatten() else { return Ok(Vec::new()) };
        let mut facts = self.opened(subject, &stored).await?;
        if self.is_held_back(subject).await? {
            return Ok(Vec::new());
        }
        self.keep_live(&mut facts, consent);
        Ok(facts)
    }

    /// Replaces what is remembered by `facts`, pairs of key and value. What says the same as before was collected when it
    /// was, the rest now. As [`remember`](Self::remember) otherwise.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn save_facts(&self, subject: SubjectId, facts: &[(String, String)]) -> Result<bool, Error> {
        let (before, now) = (self.remembered(subject).await?, self.clock.wall());
        let facts = facts.iter().map(|(key, value)| {
            let fact = Remembered::new(key.clone(), value.clone(), now);
            before.iter().find(|other| other.says(&fact)).cloned().unwrap_or(fact)
        });
        self.remember(subject, ConsentVersion(u64::MAX), facts.collect()).await
    }

    /// Replaces what is remembered beyond the conversation; nothing left removes the record. What is over by then is not
    /// kept, whoever still has it. Refused without a valid consent to [`Purpose::MEMORY`], and erased when that is withdrawn;
    /// refused while its use is restricted; refused where the policy lets nothing that was not there before be stored, though what
    /// is dropped goes then, too; refused to whoever read what is replaced at `cv`, if it was put right, restricted
    /// or given back since; refused also while a legal hold keeps what was to be erased before, since both would lie under
    /// one key.
    ///
    /// # Errors
    /// As the store and the vault say; [`Error::Store`] with `Conflict` when somebody else saved meanwhile.
    pub async fn remember(
        &self,
        subject: SubjectId,
        cv: ConsentVersion,
        facts: Vec<Remembered>,
    ) -> Result<bool, Error> {
        let turn = self.lock(subject).await?;
        let consent = &turn.state.consent;
        if self.has_ended()
            || !self.remembers(consent)
            || cv < consent.stale_before
            || self.is_held_back(subject).await?
        {
            return Ok(false);
        }
        self.destroy_due(&turn).await?;
        let kept = self.kept_facts(subject).await?;
        let (mut live, now) = (kept.facts.clone(), self.clock.wall());
        self.keep_live(&mut live, consent);
        let is_new = |fact: &Remembered| !live.iter().any(|old| old.says(fact));
        let mut facts = self.without_what_is_taken_out(facts);
        let may_add = !facts.iter().any(is_new) || self.note_memory(&turn, cv, (0, now)).is_ok();
        if !may_add {
            // what is dropped goes all the same
            facts.retain(|fact| !is_new(fact));
        }
        let Ok(rewrite) = self.rewritten(&turn, cv, (kept, facts), Remembered::says).await? else { return Ok(false) };
        // A withdrawal comes before this, and it is refused, or after it, and erases: also when nobody waits for this
        // any more and the lock is free while the store is at it.
        let unchanged = (RegisterKey { subject }.key(), Condition::Version(turn.state.version));
        self.append_of([&turn], rewrite.within(Entry { require: vec![unchanged], ..Entry::default() })).await?;
        Ok(may_add)
    }

    /// The row of the subject's facts.
    async fn kept_facts(&self, subject: SubjectId) -> Result<Kept, Error> {
        let row = FactsKey { subject }.key();
        let Some(stored) = self.store.read(&[row]).await?.pop().flatten() else {
            return Ok(Kept { unchanged: Condition::Absent, facts: Vec::new() });
        };
        let facts = self.opened(subject, &stored).await?;
        Ok(Kept { unchanged: Condition::Version(stored.version), facts })
    }

    /// Leaves of `facts` those that may be used.
    fn keep_live(&self, facts: &mut Vec<Remembered>, consent: &ConsentState) {
        let now = self.clock.wall();
        facts.retain(|fact| fact.dropped_at.is_none() && !self.is_over(fact, consent, now));
    }

    /// `facts` as they may be stored, by what the policy has taken out of their category.
    fn without_what_is_taken_out(&self, mut facts: Vec<Remembered>) -> Vec<Remembered> {
        let takes_out = self.takes_out(FACTS_CATEGORY);
        facts.iter_mut().flat_map(|fact| [&mut fact.key, &mut fact.value]).for_each(|text| takes_out.of(text));
        facts
    }

    /// What puts `facts`, which somebody saw at `cv`, in the place of those that are kept. Under a legal hold what is dropped
    /// stays in the row. What is not the `same` as anything that may be used now is stored by a decision, the last that is done
    /// here: the rules may have changed while it was sealed, and nothing may be awaited between this and its place in the log.
    async fn rewritten(
        &self,
        turn: &Subject,
        cv: ConsentVersion,
        (kept, mut facts): (Kept, Vec<Remembered>),
        same: fn(&Remembered, &Remembered) -> bool,
    ) -> Result<Result<Rewrite, NotRewritten>, Error> {
        let (holds, now) = (self.holds.read().await, self.clock.wall());
        facts.retain(|fact| !self.is_over(fact, &turn.state.consent, now));
        let mark = self.mark_of(turn, &kept.facts);
        let mut live = kept.facts.clone();
        self.keep_live(&mut live, &turn.state.consent);
        let adds = facts.iter().any(|fact| !live.iter().any(|old| same(old, fact)));
        let bytes = remembered::encode(&facts).len() as u64;
        if holds.keeping(turn.id, Some(FACTS_CATEGORY), now).is_some() {
            let mut dropped = kept.facts;
            dropped.retain(|old| !facts.iter().any(|fact| fact.says(old)));
            for old in &mut dropped {
                old.dropped_at.get_or_insert(now);
            }
            facts.append(&mut dropped);
            if facts.iter().filter(|fact| fact.dropped_at.is_some()).count() > HELD_MAX {
                return Ok(Err(NotRewritten::Held));
            }
        }
        let row = FactsKey { subject: turn.id }.key();
        let mut ops = vec![match facts.as_slice() {
            [] => Op::Delete(row.clone()),
            facts => Op::Put(row.clone(), self.sealed(turn.id, facts).await?),
        }];
        let next = self.mark_of(turn, &facts);
        if mark != next {
            ops.extend(mark.map(Op::Delete));
        }
        ops.extend(next.map(super::retaining::put_mark));
        let event = adds.then(|| self.note_memory(turn, cv, (bytes, now))).transpose();
        let event = match event {
            Ok(event) => event,
            Err(reason) => return Ok(Err(NotRewritten::Denied(reason))),
        };
        Ok(Ok(Rewrite { require: (row, kept.unchanged), ops, event }))
    }

    /// When `fact`, of somebody whose consent is `consent`, ends. What they dropped ends when they did.
    pub(super) fn ending_of(&self, fact: &Remembered, consent: &ConsentState) -> Option<Ending> {
        if let Some(at) = fact.dropped_at {
            let by = "the person dropped it".to_owned();
            return Some(Ending { at, latest: at, action: RetentionAction::Erase, by, is_exact: true });
        }
        let happened = happened_to(fact.collected_at, Purpose::MEMORY, consent);
        let of_memory = (FACTS_CATEGORY, Purpose::MEMORY);
        let ruled = self.revisions().ending(of_memory, &happened, consent);
        let placeless = self.ending_without_place(of_memory, fact.collected_at, consent);
        ruled.into_iter().chain(placeless).min_by_key(|ending| ending.at)
    }

    fn is_over(&self, fact: &Remembered, consent: &ConsentState, now: WallTime) -> bool {
        self.ending_of(fact, consent).is_some_and(|ending| ending.at <= now)
    }

    /// The mark under which `facts` of the subject are looked at when the first of them ends.
    pub(super) fn mark_of(&self, turn: &Subject, facts: &[Remembered]) -> Option<Key> {
        let endings = facts.iter().filter_map(|fact| self.ending_of(fact, &turn.state.consent));
        endings.map(|ending| ending.at).min().map(|at| Stored::Facts.mark(turn.id, at))
    }

    /// The facts of `subject` in the row that is `stored`.
    pub(super) async fn opened(&self, subject: SubjectId, stored: &Versioned) -> Result<Vec<Remembered>, Error> {
        let (schema, body) = FACTS.decode(&stored.value).map_err(StoreError::from)?;
        if schema == CLEAR {
            return remembered::decode_pairs(body, self.agreed_at(subject).await?);
        }
        let row = FactsKey { subject }.key();
        match self.vault.open(&sealed_at(&row, subject, schema), body).await {
            Ok(facts) if schema == WITHOUT_MOMENTS => remembered::decode_pairs(&facts, self.agreed_at(subject).await?),
            Ok(facts) => remembered::decode(&facts),
            // From a copy of the store that was made before their key was destroyed.
            Err(error) if error.is_forgotten() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// `facts` of `subject` as they are stored.
    pub(super) async fn sealed(&self, subject: SubjectId, facts: &[Remembered]) -> Result<Value, Error> {
        let row = FactsKey { subject }.key();
        let sealed = self.vault.seal(&sealed_at(&row, subject, SEALED), &remembered::encode(facts)).await?;
        Ok(FACTS.encode(&sealed))
    }

    /// When the subject agreed to being remembered for the first time: what was saved before each fact had its moment counts
    /// as collected then, the earliest that it can have been, so that nothing is kept for longer than was promised.
    async fn agreed_at(&self, subject: SubjectId) -> Result<WallTime, Error> {
        let records = self.scan_records(subject).await?;
        let agreed = records.iter().find(|(_, r)| record::is_for(r, Purpose::MEMORY) && record::is_yes(r));
        Ok(WallTime(agreed.map_or(0, |(_, record)| record.created_unix_ms)))
    }

    /// Puts what the person says in the place of what is remembered, for their accepted request `id`: for each key its
    /// value. One that is not there is added, if it `may_add`. The value before is in no file any more when the request is
    /// answered.
    ///
    /// # Errors
    /// [`PutRight`] says what cannot be done; or as the store and the vault say.
    pub(crate) async fn put_right(
        &self,
        subject: &mut Subject,
        id: Reference,
        (changes, may_add): (&[(String, String)], bool),
        by: Actor,
    ) -> Result<(), PutRight> {
        let consent = &subject.state.consent;
        if !consent.has_agreed(Purpose::MEMORY, self.clock.wall()) || !self.may_keep_facts(consent) {
            return Err(PutRight::NoConsent);
        }
        self.destroy_due(subject).await?;
        let kept = self.kept_facts(subject.id).await?;
        let (mut facts, now) = (kept.facts.clone(), self.clock.wall());
        self.keep_live(&mut facts, &subject.state.consent);
        for (key, value) in changes {
            if key.len() > FACT_BYTES_MAX || value.len() > FACT_BYTES_MAX {
                return Err(PutRight::TooLong);
            }
            let (known, fact) = (facts.len(), Remembered::new(key.clone(), value.clone(), now));
            match facts.iter_mut().find(|known| known.key == *key) {
                Some(before) => *before = fact,
                None if may_add && known < FACTS_MAX => facts.push(fact),
                None if may_add => return Err(PutRight::TooMany),
                None => return Err(PutRight::Unknown),
            }
        }
        let applied = Event::RectifyApplied { request: id, category: FACTS_CATEGORY, rows: changes.len() as u64 };
        let (mut next, mut entry) = (subject.state.clone(), Entry::default());
        outdate(&mut next);
        entry.ops.push(Left::Purge.put(subject.id, id));
        entry.ops.extend(self.tell_of_correction(subject.id, id, FACTS_CATEGORY).await?);
        entry.events.push(next.about(subject.id).by(by, applied));
        // who has the use restricted because it is wrong can have it put right
        self.replace(subject, next, (kept, facts), |old, fact| old.key == fact.key, entry).await
    }

    /// Whether what somebody with `consent` asked to have remembered may be used now.
    #[must_use]
    pub fn remembers(&self, consent: &ConsentState) -> bool {
        let is_restricted = consent.restricted.contains(&FACTS_CATEGORY);
        let has_agreed = consent.has_agreed(Purpose::MEMORY, self.clock.wall());
        has_agreed && !is_restricted && self.may_keep_facts(consent)
    }

    /// Remembers `facts`, which the person brings from elsewhere. What is remembered under the same key stays as it is.
    ///
    /// # Errors
    /// As for [`put_right`](Self::put_right).
    pub(crate) async fn take_in(
        &self,
        subject: &mut Subject,
        facts: &[(String, String)],
    ) -> Result<Imported, PutRight> {
        if !self.remembers(&subject.state.consent) {
            return Err(PutRight::NoConsent);
        }
        self.destroy_due(subject).await?;
        let kept = self.kept_facts(subject.id).await?;
        let (mut here, now) = (kept.facts.clone(), self.clock.wall());
        self.keep_live(&mut here, &subject.state.consent);
        let mut imported = Imported::default();
        for (key, value) in facts {
            if key.len() > FACT_BYTES_MAX || value.len() > FACT_BYTES_MAX {
                return Err(PutRight::TooLong);
            }
            match here.iter().find(|known| known.key == *key) {
                Some(known) if known.value == *value => imported.known += 1,
                Some(_) => imported.conflicts.push(key.clone()),
                None if here.len() < FACTS_MAX => {
                    here.push(Remembered::new(key.clone(), value.clone(), now));
                    imported.taken += 1;
                }
                None => return Err(PutRight::TooMany),
            }
        }
        if imported.taken > 0 {
            let mut next = subject.state.clone();
            outdate(&mut next);
            self.replace(subject, next, (kept, here), Remembered::says, Entry::default()).await?;
        }
        Ok(imported)
    }

    /// Seals `facts` in the place of those that were `kept`, and makes `next` of the subject's state, in one batch with
    /// `entry`.
    async fn replace(
        &self,
        subject: &mut Subject,
        next: StoredState,
        (kept, facts): (Kept, Vec<Remembered>),
        same: fn(&Remembered, &Remembered) -> bool,
        entry: Entry,
    ) -> Result<(), PutRight> {
        let facts = (kept, self.without_what_is_taken_out(facts));
        let rewrite = self.rewritten(subject, ConsentVersion(u64::MAX), facts, same).await?;
        let rewrite = rewrite.map_err(|why| match why {
            NotRewritten::Held => PutRight::Held,
            NotRewritten::Denied(reason) => PutRight::Denied(reason),
        })?;
        Ok(self.advance(subject, next, rewrite.within(entry)).await?)
    }

    /// Whether something in `store` was sealed, so that it is of no use with an empty key store.
    ///
    /// # Errors
    /// As the store says.
    pub async fn is_sealed(store: &dyn Store) -> Result<bool, Error> {
        let row = SealedByKey { shard: SHARD }.key();
        Ok(store.read(&[row]).await?.pop().flatten().is_some())
    }

    /// Writes down which vault seals what is in the store, sees that its keys are not older than what was erased, and seals
    /// as it is sealed now what was saved by earlier versions.
    ///
    /// # Errors
    /// [`Error::OtherVault`] when another one has sealed something here; or as the store and the vault say.
    pub(super) async fn enter_vault(&self) -> Result<(), Error> {
        let row = SealedByKey { shard: SHARD }.key();
        let mut found = self.store.read(core::slice::from_ref(&row)).await?;
        match found.pop().flatten() {
            Some(stored) => {
                let (_, id) = SEALED_BY.decode(&stored.value).map_err(StoreError::from)?;
                if *id != self.vault.id().0 {
                    return Err(Error::OtherVault);
                }
            }
            None => {
                let id = SEALED_BY.encode(&self.vault.id().0);
                self.store.commit(Batch::new().require(row.clone(), Condition::Absent).put(row, id)).await?;
            }
        }
        self.keep_destroyed().await?;
        self.seal_all().await
    }

    async fn seal_all(&self) -> Result<(), Error> {
        let (mut sealed, mut range) = (0_u64, FactsKey::table().into());
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let (schema, _) = FACTS.decode(&entry.value).map_err(StoreError::from)?;
                if schema < SEALED {
                    self.seal_facts(entry.key, &Versioned { value: entry.value, version: entry.version }).await?;
                    sealed += 1;
                }
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        if sealed > 0 {
            tracing::info!(sealed, "sealed as it is sealed now what people had remembered before");
        }
        Ok(())
    }

    async fn seal_facts(&self, row: Key, stored: &Versioned) -> Result<(), Error> {
        let FactsKey { subject } = FactsKey::parse(&row).map_err(StoreError::from)?;
        let facts = self.opened(subject, stored).await?;
        let batch = Batch::new().require(row.clone(), Condition::Version(stored.version));
        let batch = match facts.as_slice() {
            // nothing opens it any more
            [] => batch.delete(row),
            facts => batch.put(row, self.sealed(subject, facts).await?),
        };
        self.store.commit(batch).await?;
        Ok(())
    }
}

/// Why what is remembered is not put right.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutRight {
    #[error(transparent)]
    Register(#[from] Error),
    #[error("nothing is remembered of the person: they do not agree to it")]
    NoConsent,
    #[error("no such thing is remembered of the person; a copy shows what is, and `supplement` adds to it")]
    Unknown,
    #[error("a key or a value has more than {FACT_BYTES_MAX} bytes")]
    TooLong,
    #[error("more than {FACTS_MAX} things would be remembered")]
    TooMany,
    #[error("nothing of this sort may be stored: {0}; `sayso policy explain` says why")]
    Denied(Reason),
    #[error("a legal hold keeps as much of the person as it may; release it first")]
    Held,
}

/// What the facts of `subject` are bound to, in the row `row`.
fn sealed_at(row: &Key, subject: SubjectId, schema: u16) -> Binding<'_> {
    Binding { table: FactsKey::TABLE, row, schema, subject, category: FACTS_CATEGORY, purpose: Purpose::MEMORY }
}
