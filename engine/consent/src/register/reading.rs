//! Reading what the register holds of a subject: records, withdrawals, facts.

use sayso_policy::ConsentState;
use sayso_proto::consent::v1 as proto;
use sayso_store::{Batch, Error as StoreError, Key, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Purpose, SubjectId};

use super::Register;
use crate::tables::{FACTS, FactsKey, RECORD, RecordKey};
use crate::{Error, record};

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

    pub(super) async fn latest_record(
        &self,
        subject: SubjectId,
        purpose: Purpose,
    ) -> Result<Option<(Key, proto::ConsentRecord)>, Error> {
        let records = self.scan_records(subject).await?;
        Ok(records.into_iter().rev().find(|(_, r)| r.purpose.as_ref().is_some_and(|p| p.purpose == purpose.as_str())))
    }

    async fn scan_records(&self, subject: SubjectId) -> Result<Vec<(Key, proto::ConsentRecord)>, Error> {
        let mut range = RecordKey::table().then(&subject).into();
        let mut records = Vec::new();
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let (_, body) = RECORD.decode(&entry.value).map_err(StoreError::from)?;
                records.push((entry.key, record::decode(body)?));
            }
            let Some(rest) = page.rest else { return Ok(records) };
            range = rest;
        }
    }

    /// What the subject asked to have remembered beyond the conversation: pairs of key and value.
    ///
    /// # Errors
    /// As the store says.
    pub async fn facts(&self, subject: SubjectId) -> Result<Vec<(String, String)>, Error> {
        let mut found = self.store.read(&[FactsKey { subject }.key()]).await?;
        let Some(stored) = found.pop().flatten() else { return Ok(Vec::new()) };
        let (_, body) = FACTS.decode(&stored.value).map_err(StoreError::from)?;
        serde_json::from_slice(body)
            .map_err(|e| Error::Damaged { what: "facts", found: format!("{:?} at column {}", e.classify(), e.column()) })
    }

    /// Replaces what is remembered beyond the conversation; nothing left removes the record. Refused without a valid
    /// consent to [`Purpose::MEMORY`], and erased when that is withdrawn.
    ///
    /// # Errors
    /// As the store says.
    pub async fn save_facts(&self, subject: SubjectId, facts: &[(String, String)]) -> Result<bool, Error> {
        let entry = self.subject(subject);
        // Under the lock: a withdrawal of memory comes before this (and it is refused) or after it (and erases).
        let state = self.lock(&entry).await?;
        if !state.consent.status(Purpose::MEMORY).is_valid() {
            return Ok(false);
        }
        let key = FactsKey { subject }.key();
        let batch = if facts.is_empty() {
            Batch::new().delete(key)
        } else {
            let body = serde_json::to_vec(facts).expect("pairs of strings are JSON");
            Batch::new().put(key, FACTS.encode(&body))
        };
        self.store.commit(batch).await?;
        Ok(true)
    }
}
