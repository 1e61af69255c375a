//! Reading what the register holds of a subject: records and withdrawals.

use sayso_policy::ConsentState;
use sayso_proto::consent::v1 as proto;
use sayso_store::{Error as StoreError, Key, Prefix, Schema, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::SubjectId;

use super::Register;
use crate::Error;
use crate::record::{self, withdrawal};
use crate::tables::{RECORD, RecordKey, WITHDRAWAL, WithdrawalKey};

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
}
