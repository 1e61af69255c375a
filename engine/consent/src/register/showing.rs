//! Reading what is kept of people: to be used, listed, or shown to them.

use std::collections::BTreeMap;

use sayso_audit::Reference;
use sayso_policy::{Reason, Terms};
use sayso_store::limits::READ_KEYS_MAX;
use sayso_store::{Error as StoreError, TypedKey};
use sayso_types::{Category, SubjectId};
use zeroize::Zeroizing;

use super::holders::Holder;
use super::keeping::sealed_at;
use super::{Register, Subject};
use crate::Error;
use crate::keep::head::Head;
use crate::keep::item::Label;
use crate::keep::{Kept, NotKept};
use crate::tables::{KEPT, KEPT_PART, KeptKey, KeptOfKey, KeptPartKey};

/// Parts that are read at once: a megabyte.
const PARTS_AT_ONCE: usize = 16;

impl Register {
    /// The item `id` that is kept of `subject`, with its content, to be used. [`None`] when there is none, or not any more.
    ///
    /// # Errors
    /// [`NotKept::Policy`] when it may not be used now: consent is taken back, its use is restricted, or the policy has
    /// changed; or as the store and the vault say.
    pub async fn kept(&self, subject: SubjectId, id: Reference) -> Result<Option<Kept>, NotKept> {
        let Some(found) = self.head(subject, id).await? else { return Ok(None) };
        // within the turns of whoever's consent counts: what is taken back meanwhile is handed out to nobody
        let concerned = self.turns(subject, found.of).await?;
        let Some(head) = self.head(subject, id).await?.filter(Head::is_live) else { return Ok(None) };
        for who in concerned.each() {
            self.usable(who, &head).map_err(NotKept::Policy)?;
        }
        Ok(self.opened_item(&head).await?)
    }

    fn usable(&self, who: &Subject, head: &Head) -> Result<(), Reason> {
        let now = self.clock.wall();
        let ending = self.ending_of_kept(head, &who.state.consent);
        if ending.is_some_and(|ending| ending.at <= now) {
            return Err(Reason::NoBasis);
        }
        self.may_use(who, head, now)
    }

    /// What is kept of `subject`, of `category` or of any, oldest first and without contents: to be shown. What has ended is not
    /// among it.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn list_kept(&self, subject: SubjectId, category: Option<Category>) -> Result<Vec<Kept>, Error> {
        let mut listed = Vec::new();
        for head in self.live_heads(subject).await? {
            if category.is_none_or(|category| category == head.category) {
                listed.extend(self.label(&head).await?.map(|label| head.shown(label)));
            }
        }
        Ok(listed)
    }

    /// What is kept of others and shows `subject`, each with whom it is kept of, without contents: to be shown to them.
    pub(crate) async fn list_shown(&self, subject: SubjectId) -> Result<Vec<(SubjectId, Kept)>, Error> {
        let mut listed = Vec::new();
        for head in self.shows(subject).await?.into_iter().filter(Head::is_live) {
            listed.extend(self.label(&head).await?.map(|label| (head.subject, head.shown(label))));
        }
        Ok(listed)
    }

    /// What shows the person whose permit `holder` has, of its category and purpose, each with whom it is kept of: to be used.
    pub(crate) async fn kept_for(&self, holder: &Holder) -> Result<Vec<(SubjectId, Kept)>, Error> {
        let Terms { subject, cell, .. } = holder.revoker.terms();
        let own = self.live_heads(*subject).await?.into_iter().filter(|head| head.of.is_none());
        let of_others = self.shows(*subject).await?.into_iter().filter(Head::is_live);
        let mut heads: Vec<_> = own.chain(of_others).collect();
        heads.retain(|head| (head.category, head.purpose) == (cell.category, cell.purpose));
        heads.sort_by_key(|head| (head.collected_at, head.id.0));
        let mut listed = Vec::with_capacity(heads.len());
        for head in heads {
            listed.extend(self.label(&head).await?.map(|label| (head.subject, head.shown(label))));
        }
        Ok(listed)
    }

    /// One of them with its content, to be shown to the person: also while its use is restricted.
    pub(crate) async fn shown_item(&self, subject: SubjectId, id: Reference) -> Result<Option<Kept>, Error> {
        match self.head(subject, id).await?.filter(Head::is_live) {
            Some(head) => self.opened_item(&head).await,
            None => Ok(None),
        }
    }

    /// The heads of what is kept of `subject` and has not ended, oldest first.
    pub(crate) async fn live_heads(&self, subject: SubjectId) -> Result<Vec<Head>, Error> {
        let (consent, now) = (self.read(subject).await?.consent, self.clock.wall());
        let mut heads = self.heads(subject).await?;
        heads.retain(|head| head.is_live() && self.ending_of_kept(head, &consent).is_none_or(|ending| ending.at > now));
        heads.sort_by_key(|head| (head.collected_at, head.id.0));
        Ok(heads)
    }

    /// The heads of everything that is kept of `subject`, also of what is kept for a legal hold alone or is being written.
    pub(super) async fn heads(&self, subject: SubjectId) -> Result<Vec<Head>, Error> {
        let rows = self.scan(KeptKey::table().then(&subject), KEPT, |body| Ok(body.to_vec())).await?;
        rows.iter().map(|(key, body)| Head::decode(key, body)).collect()
    }

    /// The heads of what is kept of others and shows `subject`.
    pub(super) async fn shows(&self, subject: SubjectId) -> Result<Vec<Head>, Error> {
        let rows = self.scan(KeptOfKey::table().then(&subject), crate::tables::KEPT_OF, |_| Ok(())).await?;
        let keys = rows.iter().map(|(key, ())| {
            let KeptOfKey { subject, item, .. } = KeptOfKey::parse(key).map_err(StoreError::from)?;
            Ok(KeptKey { subject, item }.key())
        });
        let keys: Vec<_> = keys.collect::<Result<_, Error>>()?;
        let mut heads = Vec::new();
        for keys in keys.chunks(READ_KEYS_MAX) {
            for (key, stored) in keys.iter().zip(self.store.read(keys).await?) {
                let Some(stored) = stored else { continue };
                let (_, body) = KEPT.decode(&stored.value).map_err(StoreError::from)?;
                heads.push(Head::decode(key, body)?);
            }
        }
        Ok(heads)
    }

    pub(super) async fn head(&self, subject: SubjectId, id: Reference) -> Result<Option<Head>, Error> {
        let key = KeptKey::of(subject, id).key();
        let Some(stored) = self.store.read(core::slice::from_ref(&key)).await?.pop().flatten() else {
            return Ok(None);
        };
        let (_, body) = KEPT.decode(&stored.value).map_err(StoreError::from)?;
        Head::decode(&key, body).map(Some)
    }

    async fn label(&self, head: &Head) -> Result<Option<Label>, Error> {
        let Some(label) = self.parts(head, 0, 1).await? else { return Ok(None) };
        let damaged = |e: serde_json::Error| Error::Damaged { what: "kept", found: format!("column {}", e.column()) };
        serde_json::from_slice(&label).map(Some).map_err(damaged)
    }

    /// The item of `head`; [`None`] when it has ended meanwhile.
    async fn opened_item(&self, head: &Head) -> Result<Option<Kept>, Error> {
        let Some(label) = self.label(head).await? else { return Ok(None) };
        let Some(content) = self.parts(head, 1, head.parts).await? else { return Ok(None) };
        if content.len() as u64 != head.bytes {
            return Err(Error::Damaged { what: "kept", found: format!("{} bytes", content.len()) });
        }
        Ok(Some(Kept { content, ..head.shown(label) }))
    }

    /// `count` parts of the item of `head`, from `first` on; [`None`] when one is not there, or does not open any more.
    async fn parts(&self, head: &Head, first: u32, count: u32) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        // it never grows: what is moved is not wiped
        let room = if first == 0 { 0 } else { usize::try_from(head.bytes).unwrap_or(0) };
        let mut content = Zeroizing::new(Vec::with_capacity(room));
        let keys: Vec<_> =
            (first..first + count).map(|part| KeptPartKey::of(head.subject, head.id, part).key()).collect();
        for keys in keys.chunks(PARTS_AT_ONCE) {
            for (key, stored) in keys.iter().zip(self.store.read(keys).await?) {
                let Some(stored) = stored else { return Ok(None) };
                let (_, body) = KEPT_PART.decode(&stored.value).map_err(StoreError::from)?;
                match self.vault.open(&sealed_at(key, head), body).await {
                    Ok(opened) => content.extend_from_slice(&opened),
                    // from a copy of the store that was made before its key was destroyed
                    Err(error) if error.is_forgotten() => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(Some(content))
    }

    /// The categories of what is kept of `subject` or shows them.
    pub(super) async fn kept_categories(&self, subject: SubjectId) -> Result<Vec<Category>, Error> {
        let heads = self.heads(subject).await?.into_iter().chain(self.shows(subject).await?);
        let categories: BTreeMap<_, _> = heads.map(|head| (head.category, ())).collect();
        Ok(categories.into_keys().collect())
    }
}
