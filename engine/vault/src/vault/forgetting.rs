//! Destroying keys, and purging what they were from the files of the key store.
//!
//! What is forgotten is forgotten in two steps. The first is a commit: the key is not in the key store any more, nor in
//! any memory, and what was sealed under it does not open. The second follows on its own: the key store is rewritten, on
//! each of its replicas, without the bytes that the commit made obsolete. That it is due is written down in the commit, so
//! that a restart goes on with it.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sayso_runtime::{TaskKind, Tasks};
use sayso_store::limits::READ_KEYS_MAX;
use sayso_store::{Batch, Condition, Error as StoreError, Range, Store, TypedKey};
use sayso_types::{Category, SubjectId};

use super::Vault;
use super::keys::{Stored, unchanged};
use crate::subject::SubjectKeys;
use crate::tables::{PURGE, PurgeRow, SHARD, SubjectRow, TOMBSTONE, TombstoneRow};
use crate::{Error, KeyId};

/// How long a purge waits for more to purge: each rewrites the key store, and a fleet forgets in bursts.
const PURGE_AFTER: Duration = Duration::from_secs(2);

/// How long until a purge that failed is tried again: a disk that is full stays so for a while, and so does a replica that is
/// down.
const PURGE_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How many times as long as a purge took none follows it: where keys are replicated with their data, all of it is rewritten.
const PURGE_PAUSE: u32 = 9;

/// A key of a person, as it may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRef {
    /// What is sealed under it.
    pub category: Category,
    /// Which of the keys of that category it was, counted from 1.
    pub generation: u32,
    /// What sealed records call it, which shows nothing of it.
    pub key: KeyId,
}

/// Wipes the keys of `subject` from memory when it ends, and has what is due purged. However it ends: a commit whose answer
/// never came, or that nobody waits for any more, may have destroyed them all the same, and whoever asks again finds that
/// there was nothing to destroy.
struct Forgetting<'a> {
    vault: &'a Vault,
    subject: SubjectId,
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        self.vault.cache().forget(self.subject);
        self.vault.deleted.notify_one();
    }
}

fn count_destroyed(count: usize) {
    metrics::counter!("sayso_vault_keys_destroyed_total").increment(count as u64);
}

impl Vault {
    /// The keys that there are of `subject`; none of somebody who was forgotten.
    ///
    /// # Errors
    /// As the key store says.
    pub async fn keys_of(&self, subject: SubjectId) -> Result<Vec<KeyRef>, Error> {
        match self.stored(subject).await {
            Ok(Stored { keys, .. }) => Ok(keys.map_or_else(Vec::new, |keys| keys.all())),
            Err(Error::SubjectForgotten) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Destroys those of `keys` that are still there, or again: an old copy of the key store that was put in the place of
    /// the newer one has them, or has never known of them, and would make them anew. None of them seals or opens anything,
    /// durably, when this returns. Whether one was there, or could have come to be.
    ///
    /// # Errors
    /// As the key store says; then the keys may still be there.
    pub async fn forget_keys(&self, subject: SubjectId, keys: &[KeyRef]) -> Result<bool, Error> {
        let _forgetting = Forgetting { vault: self, subject };
        let destroyed = match self.retrying(subject, || self.try_forget_keys(subject, keys)).await {
            Err(Error::SubjectForgotten) => 0,
            done => done?,
        };
        count_destroyed(destroyed);
        Ok(destroyed > 0)
    }

    async fn try_forget_keys(&self, subject: SubjectId, dead: &[KeyRef]) -> Result<usize, Error> {
        let Stored { keys, version } = self.stored(subject).await?;
        let mut keys = keys.unwrap_or_else(|| SubjectKeys::new(1));
        let destroyed = dead.iter().filter(|key| keys.bury(key.category, key.generation)).count();
        if destroyed > 0 {
            self.commit_keys(purge_due(self.batch(subject, &keys, version))).await?;
        }
        Ok(destroyed)
    }

    /// Destroys the key of `category` of `subject`: what was sealed under it can never be opened again, durably, when this
    /// returns. What it was is [purged](Self::purge) from the files soon after. [`None`] when there was no such key.
    ///
    /// What is sealed from here on is sealed under a new key.
    ///
    /// # Errors
    /// As the key store says; then the key may still be there.
    pub async fn forget_category(&self, subject: SubjectId, category: Category) -> Result<Option<KeyRef>, Error> {
        let _forgetting = Forgetting { vault: self, subject };
        let destroyed = match self.retrying(subject, || self.try_forget_category(subject, category)).await {
            Err(Error::SubjectForgotten) => None,
            done => done?,
        };
        count_destroyed(destroyed.iter().len());
        Ok(destroyed)
    }

    async fn try_forget_category(&self, subject: SubjectId, category: Category) -> Result<Option<KeyRef>, Error> {
        let Stored { keys: Some(mut keys), version } = self.stored(subject).await? else { return Ok(None) };
        let Some(destroyed) = keys.destroy(category) else { return Ok(None) };
        self.commit_keys(purge_due(self.batch(subject, &keys, version))).await?;
        Ok(Some(destroyed))
    }

    /// Destroys every key of `subject`, as [`forget_category`](Self::forget_category) does one, and leaves a tombstone:
    /// no key is made for that pseudonym any more. Says which keys there were.
    ///
    /// # Errors
    /// As the key store says; then the keys may still be there.
    pub async fn forget_subject(&self, subject: SubjectId) -> Result<Vec<KeyRef>, Error> {
        let _forgetting = Forgetting { vault: self, subject };
        let destroyed = match self.retrying(subject, || self.try_forget_subject(subject)).await {
            Err(Error::SubjectForgotten) => Vec::new(),
            done => done?,
        };
        count_destroyed(destroyed.len());
        Ok(destroyed)
    }

    async fn try_forget_subject(&self, subject: SubjectId) -> Result<Vec<KeyRef>, Error> {
        let Stored { keys, version } = self.stored(subject).await?;
        let generation = keys.as_ref().map_or(0, |keys| keys.generation);
        let batch = unchanged(subject, version)
            .delete(SubjectRow { subject }.key())
            .put(TombstoneRow { subject }.key(), TOMBSTONE.encode(&generation.to_be_bytes()));
        self.store.commit(purge_due(batch)).await?;
        Ok(keys.map_or_else(Vec::new, |keys| keys.all()))
    }

    /// Destroys the keys of whoever has a tombstone, which an old copy of the keys has brought back: nothing opened under them,
    /// and they are not to be found, either. Of how many people there were some.
    ///
    /// # Errors
    /// As the key store says; to be called again then.
    pub async fn keep_forgotten(&self) -> Result<u64, Error> {
        let (mut people, mut range) = (0, Range::from(TombstoneRow::table()));
        loop {
            let page = self.store.scan(range, READ_KEYS_MAX).await?;
            let parsed = page.entries.iter().map(|entry| TombstoneRow::parse(&entry.key));
            let rows = parsed.map(|row| row.map(|TombstoneRow { subject }| SubjectRow { subject }.key()));
            let rows: Vec<_> = rows.collect::<Result<_, _>>().map_err(StoreError::from)?;
            let found = self.store.read(&rows).await?;
            let back: Vec<_> = rows.into_iter().zip(found).filter_map(|(row, found)| found.map(|_| row)).collect();
            if !back.is_empty() {
                people += back.len() as u64;
                self.store.commit(purge_due(back.into_iter().fold(Batch::new(), Batch::delete))).await?;
                self.deleted.notify_one();
            }
            let Some(rest) = page.rest else { return Ok(people) };
            range = rest;
        }
    }

    /// Purges what was destroyed before this call from the files of the key store. [`None`] when there was nothing; else its
    /// replicas, each of which has done so, by their numbers.
    ///
    /// # Errors
    /// [`Error::Store`] with [`Unsupported`](StoreError::Unsupported) from a store that cannot: then what was wrapped
    /// stays in its log for as long as that keeps it, and the KEK is what to destroy. With
    /// [`Unpurged`](StoreError::Unpurged) when some replica has not done so: it is still due then.
    pub async fn purge(&self) -> Result<Option<Vec<u64>>, Error> {
        if self.unanswered.swap(false, Ordering::SeqCst) {
            // behind those that were handed to the store before
            let marked = self.purge_lost().await;
            self.unanswered.fetch_or(marked.is_err(), Ordering::SeqCst);
            marked?;
        }
        let row = PurgeRow { shard: SHARD }.key();
        let mut found = self.store.read(core::slice::from_ref(&row)).await?;
        let Some(due) = found.pop().flatten() else {
            metrics::gauge!("sayso_vault_purge_due").set(0.0);
            return Ok(None);
        };
        metrics::gauge!("sayso_vault_purge_due").set(1.0);
        let replicas = self.store.purge().await?;
        match self.store.commit(Batch::new().require(row.clone(), Condition::Version(due.version)).delete(row)).await {
            Ok(_) => metrics::gauge!("sayso_vault_purge_due").set(0.0),
            // Something else was deleted meanwhile, and that has told so.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Some(replicas))
    }

    /// Whether the keys lie in `store`, beside what they seal: purging the one purges the other.
    #[must_use]
    pub fn is_kept_in(&self, store: &Arc<dyn Store>) -> bool {
        Arc::ptr_eq(&self.store, store)
    }

    /// Purges whenever something was destroyed, for as long as there is somebody else who has the vault.
    pub fn look_after(self: &Arc<Self>, tasks: &Tasks) {
        // What an earlier process left.
        self.deleted.notify_one();
        let vault = Arc::downgrade(self);
        let purges = async move {
            loop {
                let Some(vault) = vault.upgrade() else { return };
                // For a while only, so that a vault that nobody has any more ends.
                if tokio::time::timeout(PURGE_AGAIN_AFTER, vault.deleted.notified()).await.is_err() {
                    continue;
                }
                tokio::time::sleep(PURGE_AFTER).await;
                let begun = tokio::time::Instant::now();
                match vault.purge().await {
                    Ok(_) => {
                        drop(vault);
                        tokio::time::sleep(begun.elapsed() * PURGE_PAUSE).await;
                    }
                    Err(Error::Store(error @ StoreError::Unsupported { .. })) => {
                        tracing::warn!(%error, "destroyed keys stay in the log of the key store");
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "destroyed keys are not purged yet, trying again");
                        tokio::time::sleep(PURGE_AGAIN_AFTER).await;
                        vault.deleted.notify_one();
                    }
                }
            }
        };
        tasks.spawn(TaskKind::Upkeep, "vault purge", purges).detach();
    }
}

/// `batch`, and that it makes a purge of the key store that it is committed to due: whoever unlocks it next finds that.
#[must_use]
pub fn purge_due(batch: Batch) -> Batch {
    batch.put(PurgeRow { shard: SHARD }.key(), PURGE.encode(&[]))
}
