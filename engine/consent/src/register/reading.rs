//! Reading what the register holds of a subject: records, withdrawals, facts.

use sayso_policy::ConsentState;
use sayso_proto::consent::v1 as proto;
use sayso_store::{Batch, Condition, Error as StoreError, Key, Prefix, Schema, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Purpose, SubjectId};

use super::Register;
use super::state::StoredState;
use crate::Error;
use crate::record::{self, withdrawal};
use crate::tables::{FACTS, FactsKey, RECORD, RecordKey, RegisterKey, WITHDRAWAL, WithdrawalKey};

impl Register {
    /// Every consent record of the subject, oldest first, and how it stands.
    ///
    /// # Errors
    /// As the store says.
    pub async fn records(&self, subject: SubjectId) -> Result<(ConsentState, Vec<proto::ConsentRecord>), Error> {
        let state = self.state(subject).await?;
        let records = self.scan_records(subject).await?.into_iter().map(|(_, record)| record).collect();
        Ok((state, records))
    }

    /// Every withdrawal of the subject, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn withdrawals(&self, subject: SubjectId) -> Result<Vec<proto::Withdrawal>, Error> {
        Ok(self.scan_withdrawals(subject).await?.into_iter().map(|(_, withdrawal)| withdrawal).collect())
    }

    /// The consent records of the subject with their keys, oldest first.
    pub(crate) async fn scan_records(&self, subject: SubjectId) -> Result<Vec<(Key, proto::ConsentRecord)>, Error> {
        self.scan(RecordKey::table().then(&subject), RECORD, record::decode).await
    }

    /// The withdrawals of the subject with their keys, oldest first.
    pub(crate) async fn scan_withdrawals(&self, subject: SubjectId) -> Result<Vec<(Key, proto::Withdrawal)>, Error> {
        self.scan(WithdrawalKey::table().then(&subject), WITHDRAWAL, withdrawal::decode).await
    }

    /// Everything under `prefix`, decoded, with its keys.
    pub(crate) async fn scan<T>(
        &self,
        prefix: Prefix,
        schema: Schema,
        decode: impl Fn(&[u8]) -> Result<T, Error>,
    ) -> Result<Vec<(Key, T)>, Error> {
        let mut range = prefix.into();
        let mut records = Vec::new();
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let (_, body) = schema.decode(&entry.value).map_err(StoreError::from)?;
                records.push((entry.key, decode(body)?));
            }
            let Some(rest) = page.rest else { return Ok(records) };
            range = rest;
        }
    }

    /// What the subject asked to have remembered beyond the conversation: pairs of key and value. Nothing without a
    /// valid consent to [`Purpose::MEMORY`].
    ///
    /// # Errors
    /// As the store says.
    pub async fn facts(&self, subject: SubjectId) -> Result<Vec<(String, String)>, Error> {
        // At one moment, so that facts are never read under a consent that ended before.
        let mut found = self.store.read(&[FactsKey { subject }.key(), RegisterKey { subject }.key()]).await?;
        let state = found.pop().flatten().map(|stored| StoredState::of(&stored)).transpose()?;
        let may = state.is_some_and(|state| state.consent.status(Purpose::MEMORY).is_valid());
        let Some(stored) = found.pop().flatten().filter(|_| may) else { return Ok(Vec::new()) };
        let (_, body) = FACTS.decode(&stored.value).map_err(StoreError::from)?;
        decode_facts(body)
    }

    /// Replaces what is remembered beyond the conversation; nothing left removes the record. Refused without a valid
    /// consent to [`Purpose::MEMORY`], and erased when that is withdrawn.
    ///
    /// # Errors
    /// As the store says.
    pub async fn save_facts(&self, subject: SubjectId, facts: &[(String, String)]) -> Result<bool, Error> {
        let entry = self.lock(subject).await?;
        if !entry.state.consent.status(Purpose::MEMORY).is_valid() {
            return Ok(false);
        }
        // A withdrawal comes before this, and it is refused, or after it, and erases: also when nobody waits for this
        // any more and the lock is free while the store is at it.
        let unchanged = Condition::Version(entry.state.version);
        let (batch, key) = (Batch::new().require(RegisterKey { subject }.key(), unchanged), FactsKey { subject }.key());
        let batch =
            if facts.is_empty() { batch.delete(key) } else { batch.put(key, FACTS.encode(&encode_facts(facts))) };
        self.store.commit(batch).await?;
        Ok(true)
    }
}

pub(crate) fn encode_facts(facts: &[(String, String)]) -> Vec<u8> {
    serde_json::to_vec(facts).expect("pairs of strings are JSON")
}

pub(crate) fn decode_facts(body: &[u8]) -> Result<Vec<(String, String)>, Error> {
    // serde_json's text would quote the facts; where it broke is enough.
    let damaged = |e: serde_json::Error| format!("{:?} at column {}", e.classify(), e.column());
    serde_json::from_slice(body).map_err(|e| Error::Damaged { what: "facts", found: damaged(e) })
}
