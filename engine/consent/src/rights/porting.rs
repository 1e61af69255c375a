//! Taking a copy elsewhere, and taking one in.

use std::collections::BTreeMap;

use sayso_audit::receipt::EXTENSION;
use sayso_audit::{Actor, Reference, Signer};
use sayso_policy::Tongue;
use sayso_policy::profile::RightKind;
use sayso_types::{SubjectId, WallTime};

use super::bundle::{self, Brought, Bundle};
use super::{Desk, Error};
use crate::Error as RegisterError;
use crate::erasure::Certificate;
use crate::register::remembering::PutRight;

/// What became of what a copy from elsewhere brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Remembered here from now on, too.
    pub taken: usize,
    /// Remembered here before, word for word.
    pub known: usize,
    /// Keys under which something else is remembered here, which stays as it is.
    pub conflicts: Vec<String>,
    /// Consents in the copy, none of which counts here.
    pub consents: usize,
}

impl Desk {
    /// Everything that is held of `subject` as files that another Sayso takes in, vouched for by the log's `signer`, for the
    /// accepted request `id` to take it elsewhere; moments in pages for people as `moment` shows them. That it was put
    /// together is on record when this returns.
    ///
    /// # Errors
    /// [`Error::Unknown`] for another request, [`NotNow::NotAccepted`](super::NotNow::NotAccepted) for one that is not
    /// accepted, [`Error::TooLarge`]; or as the register says.
    pub async fn bundle(
        &self,
        subject: SubjectId,
        id: Reference,
        (signer, by): (&Signer, Actor),
        moment: impl Fn(WallTime) -> String,
    ) -> Result<Bundle, Error> {
        if self.get(subject, id).await?.0.kind != RightKind::Port {
            return Err(Error::Unknown);
        }
        let copy = self.copy(subject, id, by).await?;
        let json = serde_json::to_vec(&copy).expect("a copy is texts, numbers and lists of them");
        let mut files = BTreeMap::from([(bundle::COPY.to_owned(), json)]);
        for tongue in Tongue::ALL {
            files.insert(format!("copy.{}.md", tongue.tag()), copy.page(tongue, &moment).into_bytes());
        }
        let mut on_record = Vec::new();
        for json in self.register.certificates(subject).await? {
            let erasure = Reference(Certificate::parse(&json)?.erasure);
            files.insert(format!("certificates/{erasure}.json"), json);
            on_record.push(erasure);
        }
        let ids = self.register.scan_records(subject).await?.into_iter().map(|(_, record)| record.record_id);
        let withdrawn = self.register.scan_withdrawals(subject).await?.into_iter();
        let ids = ids.chain(withdrawn.map(|(_, withdrawal)| withdrawal.withdrawal_id));
        on_record.extend(ids.filter_map(|id| id.try_into().ok()).map(Reference));
        if files.len() + on_record.len() > bundle::FILES_MAX {
            return Err(Error::TooLarge);
        }
        for reference in on_record {
            // what was never agreed to has no receipt
            if let Some((receipt, _)) = self.register.journal().receipt(reference, signer).await? {
                files.insert(format!("proofs/{reference}.{EXTENSION}"), receipt.encode().into_bytes());
            }
        }
        Ok(Bundle::sign(files, signer))
    }

    /// Takes in what `brought` of `subject` counts here: what they asked to have remembered, if they agree to that here. What
    /// is remembered here under the same key stays as it is, and is named.
    ///
    /// # Errors
    /// [`Error::NotPutRight`] where they do not agree, or too much would be remembered; or as the register says.
    pub async fn import(&self, subject: SubjectId, brought: &Brought) -> Result<Imported, Error> {
        let mut turn = self.register.lock(subject).await?;
        match self.register.take_in(&mut turn, &brought.remembered).await {
            Ok(imported) => Ok(Imported { consents: brought.consents, ..imported }),
            Err(PutRight::Register(RegisterError::Store(error))) => Err(error.into()),
            Err(PutRight::Register(error)) => Err(error.into()),
            Err(why) => Err(Error::NotPutRight(why.to_string())),
        }
    }
}
