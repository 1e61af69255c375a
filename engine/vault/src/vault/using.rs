//! Whether a process that used the vault ended in order.
//!
//! Keys that are handed to a store of which nothing is heard any more may be in its log and nowhere else. A process knows that of
//! itself; of one that was killed meanwhile the next one has to. So whoever uses the vault leaves a mark for as long as that lasts.

use std::sync::atomic::Ordering;

use sayso_store::{Batch, Condition, Error as StoreError, TypedKey};

use super::Vault;
use super::forgetting::purge_due;
use crate::Error;
use crate::tables::{IN_USE, InUseRow, SHARD};

impl Vault {
    /// Says, durably, that this process uses the vault from here on; to be called before anything is sealed. Where one before did
    /// not [leave](Self::leave), what it may have left in the log of the key store is due to be purged.
    ///
    /// # Errors
    /// As the key store says; then nothing is to be sealed.
    pub async fn enter(&self) -> Result<(), Error> {
        let row = InUseRow { shard: SHARD }.key();
        let was_left = self.store.read(core::slice::from_ref(&row)).await?.pop().flatten().is_none();
        let entered = Batch::new().put(row, IN_USE.encode(&[]));
        let entered = if was_left { entered } else { purge_due(entered) };
        let version = self.store.commit(entered).await?;
        *self.in_use.lock().await = Some(version);
        if !was_left {
            tracing::info!("the last process did not end in order: what it may have left of keys is to be purged");
            self.deleted.notify_one();
        }
        Ok(())
    }

    /// Says that this process uses the vault no longer; to be called when nothing seals or forgets any more. Nothing is said when
    /// the store never answered for some of the keys, or another process has entered meanwhile.
    ///
    /// # Errors
    /// As the key store says; then the next process purges.
    pub async fn leave(&self) -> Result<(), Error> {
        let Some(version) = self.in_use.lock().await.take() else { return Ok(()) };
        if self.unanswered.load(Ordering::SeqCst) {
            return Ok(());
        }
        let row = InUseRow { shard: SHARD }.key();
        match self.store.commit(Batch::new().require(row.clone(), Condition::Version(version)).delete(row)).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
