//! Changing keys that wrap others, while the vault is in use. What is wrapped does not change, so no record does.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use sayso_store::{Batch, Condition, Error as StoreError, Range, Store, TypedKey, Value, Version};
use sayso_types::SubjectId;

use super::forgetting::purge_due;
use super::keys::Stored;
use super::{PAGE, Vault};
use crate::Error;
use crate::shard::{ShardKey, kek_of};
use crate::subject::Wrapped;
use crate::tables::{PurgeRow, SHARD, SHARD_KEY, SUBJECT, ShardRow, SubjectRow};

/// What wraps the keys of people, and what wraps that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapping {
    /// The newest shard key, counted from 1.
    pub shard_key: u32,
    /// What names the version of the KEK that it is wrapped under: no secret.
    pub kek: Vec<u8>,
    /// Whether the one before is still there, because some people's keys may be wrapped under it.
    pub is_rotating: bool,
    /// Whether what was replaced or destroyed may still be in files of the key store, or of one of its replicas. Once it is not,
    /// what was wrapped under an older shard key or an older KEK is nowhere in them.
    pub is_purge_due: bool,
}

impl Vault {
    /// What wraps the keys of people now.
    ///
    /// # Errors
    /// As the key store says.
    pub async fn wrapping(&self) -> Result<Wrapping, Error> {
        let mut rows = shard_rows(self.store.as_ref()).await?;
        let is_rotating = rows.len() > 1;
        let none = || Error::Damaged { what: "shard key", found: "there is none".to_owned() };
        let (shard_key, stored, _) = rows.pop().ok_or_else(none)?;
        let kek = kek_of(&stored, self.kek.as_ref())?.to_vec();
        let is_marked = self.store.read(&[PurgeRow { shard: SHARD }.key()]).await?.pop().flatten().is_some();
        let is_purge_due = is_marked || self.unanswered.load(Ordering::SeqCst);
        Ok(Wrapping { shard_key, kek, is_rotating, is_purge_due })
    }

    /// Wraps the shard key anew, under the newest version of the KEK: afterwards, and after a [purge](Self::purge), the
    /// older versions are not needed any more. Doing it again changes nothing that matters. How many keys it were.
    ///
    /// # Errors
    /// [`Error::Kek`] when the KEK is not to be had; or as the key store says. What was wrapped anew by then is.
    pub async fn rewrap(&self) -> Result<usize, Error> {
        let mut count = 0;
        for (generation, stored, version) in shard_rows(self.store.as_ref()).await? {
            let wrapped = ShardKey::rewrap(&stored, self.id, generation, self.kek.as_ref()).await?;
            let row = ShardRow { shard: SHARD, generation }.key();
            let batch =
                Batch::new().require(row.clone(), Condition::Version(version)).put(row, SHARD_KEY.encode(&wrapped));
            match self.commit_keys(purge_due(batch)).await {
                Ok(_) => count += 1,
                // another one has taken its place meanwhile, or somebody else has wrapped it anew: this one is nowhere to stay
                Err(StoreError::Conflict { .. }) => self.purge_lost().await?,
                Err(error) => return Err(error.into()),
            }
        }
        self.deleted.notify_one();
        Ok(count)
    }

    /// Puts a new shard key in the place of the one in use: the keys of every person are wrapped anew, and the old one is
    /// destroyed. One that was interrupted is finished first, instead. Whoever is forgotten meanwhile stays so, and a row of
    /// theirs that an old copy has brought back goes, because the old key would open it. After a [purge](Self::purge) nothing
    /// that was wrapped under the old one is left. How many people it were.
    ///
    /// # Errors
    /// [`Error::Kek`] when the KEK is not to be had; or as the key store says. To be called again then.
    pub async fn rotate(&self) -> Result<u64, Error> {
        let _turn = self.rotating.lock().await;
        let rows = shard_rows(self.store.as_ref()).await?;
        for (generation, stored, _) in &rows {
            // its making may have been answered by an error, and have taken effect all the same
            if self.shard_key(*generation).is_none() {
                self.learn(*generation, stored).await?;
            }
        }
        if rows.len() == 1 {
            self.add_shard_key().await?;
        }
        let newest = self.newest_shard_key();
        let mut count = 0;
        let mut range: Range = SubjectRow::table().into();
        loop {
            let page = self.store.scan(range, PAGE).await?;
            for entry in page.entries {
                let SubjectRow { subject } = SubjectRow::parse(&entry.key).map_err(StoreError::from)?;
                let (_, body) = SUBJECT.decode(&entry.value).map_err(StoreError::from)?;
                if Wrapped::parse(body)?.shard_generation == newest.generation {
                    continue;
                }
                match self.retrying(subject, || self.try_rewrap(subject)).await {
                    Ok(()) => count += 1,
                    Err(Error::SubjectForgotten) => {
                        self.store.commit(purge_due(Batch::new().delete(entry.key))).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            let Some(rest) = page.rest else { break };
            range = rest;
        }
        self.destroy_older_than(newest.generation).await?;
        Ok(count)
    }

    /// Wraps the keys of `subject` anew, under the newest shard key.
    async fn try_rewrap(&self, subject: SubjectId) -> Result<(), Error> {
        let Stored { keys: Some(keys), version } = self.stored(subject).await? else { return Ok(()) };
        self.commit_keys(self.batch(subject, &keys, version)).await?;
        Ok(())
    }

    /// Makes a new shard key, durably, which wraps from here on.
    pub(super) async fn add_shard_key(&self) -> Result<(), Error> {
        let key = ShardKey::random(self.newest_shard_key().generation + 1);
        let wrapped = key.wrap(self.id, self.kek.as_ref()).await?;
        let row = ShardRow { shard: SHARD, generation: key.generation }.key();
        let batch = Batch::new().require(row.clone(), Condition::Absent).put(row, SHARD_KEY.encode(&wrapped));
        self.commit_keys(batch).await?;
        let mut keys = self.shard_keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.generation, Arc::new(key));
        Ok(())
    }

    /// Destroys the shard keys before `generation`, under which nothing is wrapped any more.
    async fn destroy_older_than(&self, generation: u32) -> Result<(), Error> {
        let mut batch = Batch::new();
        for (older, ..) in shard_rows(self.store.as_ref()).await? {
            if older < generation {
                batch = batch.delete(ShardRow { shard: SHARD, generation: older }.key());
            }
        }
        self.store.commit(purge_due(batch)).await?;
        self.shard_keys.write().unwrap_or_else(PoisonError::into_inner).retain(|older, _| *older >= generation);
        self.deleted.notify_one();
        Ok(())
    }
}

/// The wrapped shard keys by generation, with the versions of their rows.
pub(super) async fn shard_rows(store: &dyn Store) -> Result<Vec<(u32, Value, Version)>, Error> {
    let range: Range = ShardRow::table().then(&SHARD).into();
    // There are two while one takes the other's place, and never more.
    let page = store.scan(range, PAGE).await?;
    let mut rows = Vec::new();
    for entry in page.entries {
        let ShardRow { generation, .. } = ShardRow::parse(&entry.key).map_err(StoreError::from)?;
        let (_, body) = SHARD_KEY.decode(&entry.value).map_err(StoreError::from)?;
        rows.push((generation, Value(entry.value.slice_ref(body)), entry.version));
    }
    Ok(rows)
}
