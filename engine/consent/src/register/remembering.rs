//! What a person asked to have remembered: sealed under a key of theirs, which is destroyed when their consent ends.
//!
//! A withdrawal deletes the facts and, in the same batch, commits to destroying their key: an erasure, which is carried out
//! soon after, and by the next process if this one ends before. Nothing is sealed for a person whose key is due. Each fact
//! carries the moment at which it was collected, from which its retention counts.

use sayso_policy::profile::{RetentionAction, Trigger};
use sayso_policy::{ConsentState, Ending, Happened};
use sayso_store::{Batch, Condition, Error as StoreError, Key, Op, TypedKey, Value, Versioned, limits::SCAN_LIMIT_MAX};
use sayso_types::{Purpose, SubjectId, WallTime};
use sayso_vault::Binding;

use super::state::StoredState;
use super::{Register, Subject};
use crate::remembered::{self, Remembered};
use crate::retention::Stored;
use crate::tables::{FACTS, FACTS_CATEGORY, FactsKey, RegisterKey, SEALED_BY, SealedByKey};
use crate::{Error, record};

/// The shard whose data lies in this store.
const SHARD: u32 = 0;

/// The schema of facts in clear: what was saved before there was a vault.
const CLEAR: u16 = 1;
/// The schema of sealed facts without the moments at which they were collected.
const WITHOUT_MOMENTS: u16 = 2;
/// The schema of facts as they are sealed now.
const SEALED: u16 = 3;

/// Facts that a legal hold keeps of a person after they dropped them: with more, no further one is dropped before the hold
/// is released.
const HELD_MAX: usize = 256;

impl Register {
    /// What the subject asked to have remembered beyond the conversation. Nothing without a valid consent to
    /// [`Purpose::MEMORY`], nothing whose time is over, and nothing that a legal hold alone keeps.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn remembered(&self, subject: SubjectId) -> Result<Vec<Remembered>, Error> {
        // At one moment, so that facts are never read under a consent that ended before.
        let mut found = self.store.read(&[FactsKey { subject }.key(), RegisterKey { subject }.key()]).await?;
        let state = found.pop().flatten().map(|stored| StoredState::of(&stored)).transpose()?;
        let Some(consent) = state.map(|state| state.consent).filter(|c| c.status(Purpose::MEMORY).is_valid()) else {
            return Ok(Vec::new());
        };
        let Some(stored) = found.pop().flatten() else { return Ok(Vec::new()) };
        let mut facts = self.opened(subject, &stored).await?;
        if self.is_held_back(subject).await? {
            return Ok(Vec::new());
        }
        let now = self.clock.wall();
        facts.retain(|fact| fact.dropped_at.is_none() && !self.is_over(fact, &consent, now));
        Ok(facts)
    }

    /// As [`remembered`](Self::remembered), as pairs of key and value.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn facts(&self, subject: SubjectId) -> Result<Vec<(String, String)>, Error> {
        Ok(self.remembered(subject).await?.iter().map(Remembered::pair).collect())
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
        self.remember(subject, facts.collect()).await
    }

    /// Replaces what is remembered beyond the conversation; nothing left removes the record. What is over by then is not
    /// kept, whoever still has it. Refused without a valid consent to [`Purpose::MEMORY`], and erased when that is withdrawn;
    /// refused also while a legal hold keeps what was to be erased before, since both would lie under one key.
    ///
    /// # Errors
    /// As the store and the vault say; [`Error::Store`] with `Conflict` when somebody else saved meanwhile.
    pub async fn remember(&self, subject: SubjectId, mut facts: Vec<Remembered>) -> Result<bool, Error> {
        let turn = self.lock(subject).await?;
        if !turn.state.consent.status(Purpose::MEMORY).is_valid() || self.is_held_back(subject).await? {
            return Ok(false);
        }
        self.destroy_due(&turn).await?;
        let (holds, now) = (self.holds.read().await, self.clock.wall());
        facts.retain(|fact| !self.is_over(fact, &turn.state.consent, now));
        let row = FactsKey { subject }.key();
        let stored = self.store.read(core::slice::from_ref(&row)).await?.pop().flatten();
        let before = match &stored {
            Some(stored) => self.opened(subject, stored).await?,
            None => Vec::new(),
        };
        let mark = self.mark_of(&turn, &before);
        if holds.keeping(subject, Some(FACTS_CATEGORY), now).is_some() {
            let mut dropped: Vec<_> =
                before.into_iter().filter(|old| !facts.iter().any(|fact| fact.says(old))).collect();
            for old in &mut dropped {
                old.dropped_at.get_or_insert(now);
            }
            facts.append(&mut dropped);
            if facts.iter().filter(|fact| fact.dropped_at.is_some()).count() > HELD_MAX {
                return Ok(false);
            }
        }
        // A withdrawal comes before this, and it is refused, or after it, and erases: also when nobody waits for this
        // any more and the lock is free while the store is at it.
        let unchanged = Condition::Version(turn.state.version);
        let as_read = stored.map_or(Condition::Absent, |stored| Condition::Version(stored.version));
        let batch = Batch::new().require(RegisterKey { subject }.key(), unchanged).require(row.clone(), as_read);
        let mut batch = if facts.is_empty() {
            batch.delete(row)
        } else {
            let sealed = self.sealed(subject, &facts).await?;
            batch.put(row, sealed)
        };
        let next = self.mark_of(&turn, &facts);
        if mark != next {
            batch.ops.extend(mark.map(Op::Delete));
        }
        batch.ops.extend(next.map(super::retaining::put_mark));
        self.store.commit(batch).await?;
        Ok(true)
    }

    /// When `fact`, of somebody whose consent is `consent`, ends. What they dropped ends when they did.
    pub(super) fn ending_of(&self, fact: &Remembered, consent: &ConsentState) -> Option<Ending> {
        if let Some(at) = fact.dropped_at {
            let by = "the person dropped it".to_owned();
            return Some(Ending { at, latest: at, action: RetentionAction::Erase, by, is_exact: true });
        }
        let happened = Happened::collected(fact.collected_at);
        // a withdrawal erases at once; a consent whose time is over is as good as withdrawn
        let expires = consent.consents.get(&Purpose::MEMORY).and_then(|given| given.expires_at);
        let happened = expires.into_iter().fold(happened, |happened, at| {
            let triggers = [Trigger::Withdraw, Trigger::FeatureDisabled, Trigger::PurposeEnded];
            triggers.into_iter().fold(happened, |happened, trigger| happened.and(trigger, at))
        });
        self.revisions().ending((FACTS_CATEGORY, Purpose::MEMORY), &happened, consent)
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

/// What the facts of `subject` are bound to, in the row `row`.
fn sealed_at(row: &Key, subject: SubjectId, schema: u16) -> Binding<'_> {
    Binding { table: FactsKey::TABLE, row, schema, subject, category: FACTS_CATEGORY, purpose: Purpose::MEMORY }
}
