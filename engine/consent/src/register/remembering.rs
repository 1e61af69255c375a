//! What a person asked to have remembered: sealed under a key of theirs, which is destroyed when their consent ends.
//!
//! A withdrawal deletes the facts and, in the same batch, commits to destroying their key: an erasure, which is carried out
//! soon after, and by the next process if this one ends before. Nothing is sealed for a person whose key is due.

use sayso_store::{Batch, Condition, Error as StoreError, Key, TypedKey, Version, limits::SCAN_LIMIT_MAX};
use sayso_types::{Purpose, SubjectId};
use sayso_vault::Binding;
use zeroize::Zeroizing;

use super::Register;
use super::state::StoredState;
use crate::Error;
use crate::tables::{FACTS, FACTS_CATEGORY, FactsKey, RegisterKey, SEALED_BY, SealedByKey};

/// The shard whose data lies in this store.
const SHARD: u32 = 0;

/// The schema of facts in clear: what was saved before there was a vault.
const CLEAR: u16 = 1;
/// The schema of sealed facts.
const SEALED: u16 = 2;

impl Register {
    /// What the subject asked to have remembered beyond the conversation: pairs of key and value. Nothing without a
    /// valid consent to [`Purpose::MEMORY`].
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn facts(&self, subject: SubjectId) -> Result<Vec<(String, String)>, Error> {
        // At one moment, so that facts are never read under a consent that ended before.
        let mut found = self.store.read(&[FactsKey { subject }.key(), RegisterKey { subject }.key()]).await?;
        let state = found.pop().flatten().map(|stored| StoredState::of(&stored)).transpose()?;
        let may = state.is_some_and(|state| state.consent.status(Purpose::MEMORY).is_valid());
        let Some(stored) = found.pop().flatten().filter(|_| may) else { return Ok(Vec::new()) };
        let (schema, body) = FACTS.decode(&stored.value).map_err(StoreError::from)?;
        if schema == CLEAR {
            return decode_facts(body);
        }
        let row = FactsKey { subject }.key();
        match self.vault.open(&sealed_at(&row, subject), body).await {
            Ok(facts) => decode_facts(&facts),
            // From a copy of the store that was made before their key was destroyed.
            Err(error) if error.is_forgotten() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces what is remembered beyond the conversation; nothing left removes the record. Refused without a valid
    /// consent to [`Purpose::MEMORY`], and erased when that is withdrawn.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn save_facts(&self, subject: SubjectId, facts: &[(String, String)]) -> Result<bool, Error> {
        let entry = self.lock(subject).await?;
        if !entry.state.consent.status(Purpose::MEMORY).is_valid() {
            return Ok(false);
        }
        self.destroy_due(&entry).await?;
        // A withdrawal comes before this, and it is refused, or after it, and erases: also when nobody waits for this
        // any more and the lock is free while the store is at it.
        let unchanged = Condition::Version(entry.state.version);
        let (batch, key) = (Batch::new().require(RegisterKey { subject }.key(), unchanged), FactsKey { subject }.key());
        let batch = if facts.is_empty() {
            batch.delete(key)
        } else {
            let sealed = self.vault.seal(&sealed_at(&key, subject), &encode_facts(facts)).await?;
            batch.put(key, FACTS.encode(&sealed))
        };
        self.store.commit(batch).await?;
        Ok(true)
    }

    /// Writes down which vault seals what is in the store, sees that its keys are not older than what was erased, and seals
    /// what was kept in clear before there was a vault.
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
                let (schema, facts) = FACTS.decode(&entry.value).map_err(StoreError::from)?;
                if schema == CLEAR {
                    self.seal_facts(entry.key, entry.version, facts).await?;
                    sealed += 1;
                }
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        if sealed > 0 {
            tracing::info!(sealed, "sealed what people had remembered before there was a vault");
        }
        Ok(())
    }

    async fn seal_facts(&self, row: Key, version: Version, facts: &[u8]) -> Result<(), Error> {
        let FactsKey { subject } = FactsKey::parse(&row).map_err(StoreError::from)?;
        let sealed = self.vault.seal(&sealed_at(&row, subject), facts).await?;
        let batch = Batch::new().require(row.clone(), Condition::Version(version)).put(row, FACTS.encode(&sealed));
        self.store.commit(batch).await?;
        Ok(())
    }
}

/// What the facts of `subject` are bound to, in the row `row`.
fn sealed_at(row: &Key, subject: SubjectId) -> Binding<'_> {
    Binding { table: FactsKey::TABLE, row, schema: SEALED, subject, category: FACTS_CATEGORY, purpose: Purpose::MEMORY }
}

/// Facts in clear: what is inside a sealed record of them.
pub(crate) fn encode_facts(facts: &[(String, String)]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(facts).expect("pairs of strings are JSON"))
}

pub(crate) fn decode_facts(body: &[u8]) -> Result<Vec<(String, String)>, Error> {
    // serde_json's text would quote the facts; where it broke is enough.
    let damaged = |e: serde_json::Error| format!("{:?} at column {}", e.classify(), e.column());
    serde_json::from_slice(body).map_err(|e| Error::Damaged { what: "facts", found: damaged(e) })
}
