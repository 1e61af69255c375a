//! [`Vault`]: seals and opens records, and destroys the keys of what is to be forgotten.

mod cache;
mod forgetting;
mod keys;
mod moving;
mod rotating;
mod using;

#[cfg(test)]
pub(crate) mod tests;

use core::fmt;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sayso_store::{Batch, Condition, Error as StoreError, Store, TypedKey, Version, limits::SCAN_LIMIT_MAX};
use tokio::sync::{Mutex as AsyncMutex, Notify};
use zeroize::Zeroizing;

use self::cache::Cache;
pub use self::forgetting::{KeyRef, purge_due};
pub use self::moving::{key_tables, move_keys};
pub use self::rotating::Wrapping;
use crate::record::{self, Header};
use crate::shard::ShardKey;
pub use crate::shard::VaultId;
use crate::tables::{SHARD, SHARD_KEY, ShardRow, VAULT, VaultKey};
use crate::{Binding, Error, KeyWrap};

/// Times that a change of keys is tried when somebody else changed the same at the same moment: more than there are
/// callers who would, for one person.
const ATTEMPTS_MAX: usize = 8;

/// Seals and opens records of people under keys of theirs, and destroys these.
pub struct Vault {
    store: Arc<dyn Store>,
    kek: Arc<dyn KeyWrap>,
    id: VaultId,
    /// By generation; the newest wraps.
    shard_keys: RwLock<BTreeMap<u32, Arc<ShardKey>>>,
    cache: Mutex<Cache>,
    /// Held by whoever changes the shard key.
    rotating: AsyncMutex<()>,
    /// Told when something was deleted that is to be purged.
    deleted: Notify,
    /// Whether keys were handed to the store of which it never said whether they are there: they may be in its log alone.
    unanswered: AtomicBool,
    /// As what it was noted that this process uses the vault.
    in_use: AsyncMutex<Option<Version>>,
}

impl Vault {
    /// Unlocks the key store in `store` with `kek`. An empty one becomes that of a new data set.
    ///
    /// # Errors
    /// [`Error::Kek`] when the KEK is not to be had, or is not the one of this key store; [`Error::Store`] and
    /// [`Error::Damaged`] as they say.
    pub async fn unlock(store: Arc<dyn Store>, kek: Arc<dyn KeyWrap>) -> Result<Arc<Self>, Error> {
        let id = match find(store.as_ref()).await? {
            Some(id) => id,
            None => create(store.as_ref(), kek.as_ref()).await?,
        };
        let mut shard_keys = BTreeMap::new();
        for (generation, stored, _) in rotating::shard_rows(store.as_ref()).await? {
            let key = ShardKey::unwrap(&stored, id, generation, kek.as_ref()).await?;
            shard_keys.insert(generation, Arc::new(key));
        }
        if shard_keys.is_empty() {
            return Err(Error::Damaged { what: "shard key", found: "there is none".to_owned() });
        }
        let (shard_keys, cache) = (RwLock::new(shard_keys), Mutex::default());
        let (rotating, in_use) = (AsyncMutex::default(), AsyncMutex::default());
        let (deleted, unanswered) = (Notify::new(), AtomicBool::new(false));
        Ok(Arc::new(Self { store, kek, id, shard_keys, cache, rotating, deleted, unanswered, in_use }))
    }

    /// Whether the key store in `store` is empty, so that unlocking it would make it that of a new data set.
    ///
    /// # Errors
    /// As the store says.
    pub async fn is_new(store: &dyn Store) -> Result<bool, Error> {
        Ok(find(store).await?.is_none())
    }

    /// Which data set the keys are of. Whoever keeps sealed records writes it down beside them, and finds out by it that
    /// keys and data do not belong together before anything is written.
    #[must_use]
    pub const fn id(&self) -> VaultId {
        self.id
    }

    /// Seals `plaintext` for where `at` says, under the key of that person and category, which is made if there is none.
    ///
    /// # Errors
    /// [`Error::SubjectForgotten`] for somebody whose keys were destroyed; or as the key store says.
    pub async fn seal(&self, at: &Binding<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.make_key(at.subject, at.category).await?;
        Ok(record::seal(&key, at, plaintext))
    }

    /// What was sealed for where `at` says.
    ///
    /// # Errors
    /// [`Error::Forgotten`] and [`Error::SubjectForgotten`] when the key was destroyed, as it was meant to be;
    /// [`Error::Record`] when the record is not what was sealed here; [`Error::KeysOlder`]; or as the key store says.
    pub async fn open(&self, at: &Binding<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (header, ..) = Header::parse(sealed)?;
        let Some(keys) = self.keys(at.subject).await? else {
            return Err(Error::KeysOlder { sealed: header.generation, held: 0 });
        };
        let newest = keys.newest(at.category);
        if header.generation > newest {
            return Err(Error::KeysOlder { sealed: header.generation, held: newest });
        }
        match keys.key(at.category) {
            Some(key) if key.generation == header.generation => Ok(record::open(&key, at, sealed)?),
            _ => Err(Error::Forgotten { category: at.category, generation: header.generation }),
        }
    }

    /// The shard key that wraps.
    fn newest_shard_key(&self) -> Arc<ShardKey> {
        let keys = self.shard_keys.read().unwrap_or_else(PoisonError::into_inner);
        let (_, newest) = keys.last_key_value().expect("a vault that is unlocked has one, and keeps the newest");
        Arc::clone(newest)
    }

    fn shard_key(&self, generation: u32) -> Option<Arc<ShardKey>> {
        self.shard_keys.read().unwrap_or_else(PoisonError::into_inner).get(&generation).cloned()
    }

    /// Uses the shard key of `generation`, which is `wrapped` in the key store, from here on.
    async fn learn(&self, generation: u32, wrapped: &[u8]) -> Result<(), Error> {
        let key = Arc::new(ShardKey::unwrap(wrapped, self.id, generation, self.kek.as_ref()).await?);
        self.shard_keys.write().unwrap_or_else(PoisonError::into_inner).insert(generation, key);
        Ok(())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("id", &self.id).field("kek", &self.kek).finish_non_exhaustive()
    }
}

/// Which data set the key store is of; [`None`] when it is empty.
async fn find(store: &dyn Store) -> Result<Option<VaultId>, Error> {
    let mut found = store.read(&[VaultKey { shard: SHARD }.key()]).await?;
    let Some(stored) = found.pop().flatten() else { return Ok(None) };
    let (_, id) = VAULT.decode(&stored.value).map_err(StoreError::from)?;
    let id =
        id.try_into().map_err(|_| Error::Damaged { what: "vault", found: format!("an id of {} bytes", id.len()) })?;
    Ok(Some(VaultId(id)))
}

/// Makes an empty key store that of a new data set, unless somebody else does at the same moment.
async fn create(store: &dyn Store, kek: &dyn KeyWrap) -> Result<VaultId, Error> {
    let (id, row) = (VaultId::random(), VaultKey { shard: SHARD }.key());
    let shard_key = ShardKey::random(1);
    let wrapped = shard_key.wrap(id, kek).await?;
    let batch = Batch::new()
        .require(row.clone(), Condition::Absent)
        .put(row, VAULT.encode(&id.0))
        .put(ShardRow { shard: SHARD, generation: shard_key.generation }.key(), SHARD_KEY.encode(&wrapped));
    match store.commit(batch).await {
        Ok(_) => Ok(id),
        Err(conflict @ StoreError::Conflict { .. }) => find(store).await?.ok_or_else(|| conflict.into()),
        Err(error) => Err(error.into()),
    }
}

/// Entries of a page of the key store: all that the contract gives.
const PAGE: usize = SCAN_LIMIT_MAX;
