//! The keys of a person: looked up, and made.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use sayso_store::{Batch, Condition, Error as StoreError, Key, TypedKey, Version};
use sayso_types::{Category, SubjectId};

use super::cache::Cache;
use super::forgetting::purge_due;
use super::{ATTEMPTS_MAX, Vault};
use crate::Error;
use crate::subject::{CategoryKey, SubjectKeys, Wrapped};
use crate::tables::{SHARD, SHARD_KEY, SUBJECT, ShardRow, SubjectRow, TOMBSTONE, TombstoneRow};

/// What the key store holds of a person.
pub(super) struct Stored {
    pub(super) keys: Option<SubjectKeys>,
    /// Of the row; a change requires that it is still this.
    pub(super) version: Option<Version>,
}

/// Keys on their way into the store. Unless it said what came of them when this ends, they are to be purged: a store that writes
/// a change down before it decides on it may have them in its log and nowhere else.
struct OnTheirWay<'a> {
    vault: &'a Vault,
    is_answered: bool,
}

impl Drop for OnTheirWay<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.vault.unanswered.store(true, Ordering::SeqCst);
            self.vault.deleted.notify_one();
        }
    }
}

impl Vault {
    /// Commits `batch`, in which there are wrapped keys. Who is told of a conflict has them purged.
    pub(super) async fn commit_keys(&self, batch: Batch) -> Result<Version, StoreError> {
        let mut on_their_way = OnTheirWay { vault: self, is_answered: false };
        let committed = self.store.commit(batch).await;
        on_their_way.is_answered = matches!(committed, Ok(_) | Err(StoreError::Conflict { .. }));
        committed
    }

    /// Has what lost against another change purged.
    pub(super) async fn purge_lost(&self) -> Result<(), Error> {
        self.store.commit(purge_due(Batch::new())).await?;
        self.deleted.notify_one();
        Ok(())
    }

    /// The keys of `subject`; [`None`] when there never were any.
    pub(super) async fn keys(&self, subject: SubjectId) -> Result<Option<Arc<SubjectKeys>>, Error> {
        let epoch = {
            let mut cache = self.cache();
            if let Some(keys) = cache.get(subject) {
                return Ok(Some(keys));
            }
            cache.epoch()
        };
        let Some(keys) = self.stored(subject).await?.keys.map(Arc::new) else { return Ok(None) };
        self.cache().insert(subject, &keys, epoch);
        Ok(Some(keys))
    }

    /// The key of `subject` for `category`, made if there is none. It is durable before anything is sealed under it.
    pub(super) async fn make_key(&self, subject: SubjectId, category: Category) -> Result<CategoryKey, Error> {
        if let Some(key) = self.keys(subject).await?.and_then(|keys| keys.key(category)) {
            return Ok(key);
        }
        self.retrying(subject, || self.try_make_key(subject, category)).await
    }

    async fn try_make_key(&self, subject: SubjectId, category: Category) -> Result<CategoryKey, Error> {
        let epoch = self.cache().epoch();
        let Stored { keys, version } = self.stored(subject).await?;
        // Generations of a person begin with 1; a tombstone stands for all that there were.
        let mut keys = keys.unwrap_or_else(|| SubjectKeys::new(1));
        if keys.key(category).is_none() {
            keys.create(category);
            self.commit_keys(self.batch(subject, &keys, version)).await?;
            metrics::counter!("sayso_vault_keys_created_total").increment(1);
        }
        let key = keys.key(category).expect("it was made if there was none");
        self.cache().insert(subject, &Arc::new(keys), epoch);
        Ok(key)
    }

    /// What the key store holds of `subject`.
    ///
    /// # Errors
    /// [`Error::SubjectForgotten`] behind a tombstone, whatever lies beside it: a row from an old copy is none.
    pub(super) async fn stored(&self, subject: SubjectId) -> Result<Stored, Error> {
        let mut missed = None;
        loop {
            let next = ShardRow { shard: SHARD, generation: self.newest_shard_key().generation + 1 };
            let rows = [SubjectRow { subject }.key(), TombstoneRow { subject }.key(), next.key()];
            let mut found = self.store.read(&rows).await?;
            if let Some(newer) = found.pop().flatten() {
                // whoever made it is about to use it here, or was never told that it is there
                let (_, wrapped) = SHARD_KEY.decode(&newer.value).map_err(StoreError::from)?;
                self.learn(next.generation, wrapped).await?;
                continue;
            }
            if let Some(tombstone) = found.pop().flatten() {
                TOMBSTONE.decode(&tombstone.value).map_err(StoreError::from)?;
                return Err(Error::SubjectForgotten);
            }
            let Some(stored) = found.pop().flatten() else { return Ok(Stored { keys: None, version: None }) };
            let (_, body) = SUBJECT.decode(&stored.value).map_err(StoreError::from)?;
            let wrapped = Wrapped::parse(body)?;
            if let Some(shard_key) = self.shard_key(wrapped.shard_generation) {
                let keys = wrapped.unwrap(subject, shard_key.as_ref())?;
                return Ok(Stored { keys: Some(keys), version: Some(stored.version) });
            }
            // they were wrapped anew while they were read, or are of no data set
            if missed.replace(wrapped.shard_generation) == Some(wrapped.shard_generation) {
                let found =
                    format!("keys are wrapped under generation {}, which is not there", wrapped.shard_generation);
                return Err(Error::Damaged { what: "shard key", found });
            }
        }
    }

    /// Writes `keys` in the place of those that were read at `version`, unless they have changed or `subject` was
    /// forgotten since. Not once there is a newer shard key than the one that wraps them here: whoever wraps everybody's keys
    /// anew has looked at this row already, however late this takes effect.
    pub(super) fn batch(&self, subject: SubjectId, keys: &SubjectKeys, version: Option<Version>) -> Batch {
        let (row, shard_key) = (SubjectRow { subject }.key(), self.newest_shard_key());
        let newer = ShardRow { shard: SHARD, generation: shard_key.generation + 1 }.key();
        let wrapped = keys.wrap(subject, &shard_key);
        unchanged(subject, version).require(newer, Condition::Absent).put(row, SUBJECT.encode(&wrapped))
    }

    /// Tries `change` again for as long as somebody else changes the same keys. What has lost is purged: a store that writes a
    /// change down before it decides on it has it in its log, with keys that the other may have destroyed.
    pub(super) async fn retrying<T, F: Future<Output = Result<T, Error>>>(
        &self,
        subject: SubjectId,
        change: impl Fn() -> F,
    ) -> Result<T, Error> {
        for _ in 0..ATTEMPTS_MAX {
            match change().await {
                Err(Error::Store(StoreError::Conflict { .. })) => self.purge_lost().await?,
                done => return done,
            }
        }
        Err(StoreError::Conflict { key: SubjectRow { subject }.key() }.into())
    }

    pub(super) fn cache(&self) -> MutexGuard<'_, Cache> {
        // Nothing panics while it is held.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch that requires that the keys of `subject` are still those that were read at `version`.
pub(super) fn unchanged(subject: SubjectId, version: Option<Version>) -> Batch {
    let row: Key = SubjectRow { subject }.key();
    let condition = version.map_or(Condition::Absent, Condition::Version);
    Batch::new().require(row, condition).require(TombstoneRow { subject }.key(), Condition::Absent)
}
