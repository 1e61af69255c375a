//! Taking a copy elsewhere, and taking one in.

use std::collections::BTreeMap;

use sayso_audit::receipt::EXTENSION;
use sayso_audit::{Actor, Reference, Signer};
use sayso_policy::Tongue;
use sayso_policy::profile::DataSubject;
use sayso_types::{ConsentVersion, SubjectId, WallTime};

use super::bundle::{self, Brought, Bundle};
use super::items::{self, Item};
use super::{Desk, Error};
use crate::Error as RegisterError;
use crate::erasure::Certificate;
use crate::keep::{NewItem, NotKept};
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
    /// Items that are kept here from now on, too.
    pub items: usize,
    /// Items that are left: the policy or the person's consents here do not let them be kept, they were kept before, they show
    /// somebody else, or their content is in a file beside the copy, to be brought by itself.
    pub items_left: usize,
}

impl Desk {
    /// Everything that is held of `subject` as files that another Sayso takes in, vouched for by the log's `signer`, for the
    /// accepted request `id` to see it, have a copy of it, or take it elsewhere; moments in pages for people as `moment` shows
    /// them. That it was put together is on record when this returns.
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
        let mut copy = self.copy(subject, id, by).await?;
        let kept = items::files(&self.register, subject, &mut copy.kept, bundle::FILES_MAX / 2).await?;
        let json = serde_json::to_vec(&copy).expect("a copy is texts, numbers and lists of them");
        let mut files = BTreeMap::from([(bundle::COPY.to_owned(), json)]);
        for tongue in Tongue::ALL {
            files.insert(format!("copy.{}.md", tongue.tag()), copy.page(tongue, &moment).into_bytes());
        }
        files.extend(kept);
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

    /// Takes in what `brought` of `subject` counts here: what they asked to have remembered, if they agree to that here, and what
    /// was kept of them, as far as it may be kept here. What is remembered here under the same key stays as it is, and is named.
    /// What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`Error::NotPutRight`] where they do not agree, or too much would be remembered; or as the register says.
    pub async fn import(&self, subject: SubjectId, brought: Brought) -> Result<Imported, Error> {
        let desk = self.clone();
        self.register.to_the_end("take a copy in", async move { desk.import_now(subject, &brought).await }).await?
    }

    /// Keeps `item` of `subject`, which has `content`, if it may be kept here; whether it is. What was begun is finished, also
    /// when the caller does not wait for it.
    ///
    /// # Errors
    /// As the register says.
    pub async fn import_item(&self, subject: SubjectId, item: Item, content: Vec<u8>) -> Result<bool, Error> {
        let desk = self.clone();
        let taken = async move { desk.take_item(subject, &item, content).await };
        self.register.to_the_end("take an item in", taken).await?
    }

    async fn import_now(&self, subject: SubjectId, brought: &Brought) -> Result<Imported, Error> {
        let mut turn = self.register.lock(subject).await?;
        let taken = self.register.take_in(&mut turn, &brought.remembered).await;
        drop(turn);
        // who brings nothing that was remembered need not agree to being remembered
        let taken = match taken {
            Err(PutRight::NoConsent) if brought.remembered.is_empty() => Ok(Imported::default()),
            taken => taken,
        };
        match taken {
            Ok(imported) => {
                let items = self.take_items(subject, &brought.kept).await?;
                let items_left = brought.kept.len() - items;
                Ok(Imported { consents: brought.consents, items, items_left, ..imported })
            }
            Err(PutRight::Register(RegisterError::Store(error))) => Err(error.into()),
            Err(PutRight::Register(error)) => Err(error.into()),
            Err(why) => Err(Error::NotPutRight(why.to_string())),
        }
    }

    /// Keeps of `subject` what of `items` may be kept here; how many that is.
    async fn take_items(&self, subject: SubjectId, items: &[Item]) -> Result<usize, Error> {
        let mut taken = 0;
        for item in items {
            let Some(content) = item.content() else { continue };
            taken += usize::from(self.take_item(subject, item, content).await?);
        }
        Ok(taken)
    }

    /// Keeps `item` of `subject`, which has `content`, if it may be kept here and is not; whether it is anything new.
    async fn take_item(&self, subject: SubjectId, item: &Item, content: Vec<u8>) -> Result<bool, Error> {
        // what shows somebody else is theirs to bring
        if item.of.is_some() || self.is_kept(subject, item, &content).await? {
            return Ok(false);
        }
        let is_of = self
            .register
            .profile()
            .category(item.category)
            .is_some_and(|rule| matches!(rule.subject, DataSubject::Speaker | DataSubject::Pictured));
        let brought = NewItem {
            collected_at: Some(item.collected_at),
            of: is_of.then_some(subject),
            attribute: item.attribute.clone(),
            ticket: item.ticket.clone(),
            ..NewItem::new(item.category, item.purpose, &item.media_type, content)
        };
        match self.register.keep(subject, ConsentVersion(u64::MAX), brought).await {
            Ok(_) => Ok(true),
            Err(NotKept::Register(error)) => Err(error.into()),
            Err(_) => Ok(false),
        }
    }

    /// Whether `item` is kept of `subject`, byte for byte.
    async fn is_kept(&self, subject: SubjectId, item: &Item, content: &[u8]) -> Result<bool, Error> {
        for kept in self.register.list_kept(subject, Some(item.category)).await? {
            if kept.bytes != content.len() as u64 || kept.purpose != item.purpose {
                continue;
            }
            let whole = self.register.shown_item(subject, kept.id).await?;
            if whole.is_some_and(|whole| whole.content.as_slice() == content) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
