//! Moving a key store, when the data that its keys seal goes from one sort of store to another.

use sayso_store::{Batch, Condition, Error as StoreError, Prefix, Range, Store, TypedKey};

use super::{PAGE, find};
use crate::Error;
use crate::tables::{InUseRow, PurgeRow, SHARD, ShardRow, SubjectRow, TombstoneRow, VaultKey};

/// Moves the keys in `from` to `to`, when `from` has some and `to` has none. A move that was interrupted is finished.
/// Whether there was anything to move. Nobody may use either meanwhile.
///
/// # Errors
/// As the stores say; to be called again then.
pub async fn move_keys(from: &dyn Store, to: &dyn Store) -> Result<bool, Error> {
    let Some(id) = find(from).await? else { return Ok(false) };
    let row = VaultKey { shard: SHARD }.key();
    let found = find(to).await?;
    if found.is_none() {
        for table in tables() {
            copy(from, to, table).await?;
        }
        let whose = from.read(core::slice::from_ref(&row)).await?.pop().flatten();
        let whose = whose.ok_or(StoreError::Conflict { key: row.clone() })?;
        // Last: with it, the keys are there.
        to.commit(Batch::new().require(row.clone(), Condition::Absent).put(row.clone(), whose.value)).await?;
    } else if found != Some(id) {
        return Ok(false);
    }
    for table in tables() {
        delete(from, table).await?;
    }
    from.commit(Batch::new().delete(row).delete(InUseRow { shard: SHARD }.key())).await?;
    match from.purge().await {
        Ok(_) => {}
        Err(error @ StoreError::Unsupported { .. }) => {
            tracing::warn!(%error, "moved keys stay in the log of where they were")
        }
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

/// Where keys lie: whoever has these rows and the KEK has the keys. What says of whom there are none any more lies elsewhere, so
/// that it is kept with the data and stands against an old copy of the keys.
#[must_use]
pub fn key_tables() -> [Prefix; 3] {
    [VaultKey::table(), ShardRow::table(), SubjectRow::table()]
}

/// Everything in a key store but whose it is.
fn tables() -> [Prefix; 4] {
    [ShardRow::table(), SubjectRow::table(), TombstoneRow::table(), PurgeRow::table()]
}

async fn copy(from: &dyn Store, to: &dyn Store, table: Prefix) -> Result<(), Error> {
    let mut range: Range = table.into();
    loop {
        // A page is far less than a batch may be.
        let page = from.scan(range, PAGE).await?;
        to.commit(page.entries.into_iter().fold(Batch::new(), |batch, entry| batch.put(entry.key, entry.value)))
            .await?;
        let Some(rest) = page.rest else { return Ok(()) };
        range = rest;
    }
}

async fn delete(from: &dyn Store, table: Prefix) -> Result<(), Error> {
    let mut range: Range = table.into();
    loop {
        let page = from.scan(range, PAGE).await?;
        from.commit(page.entries.into_iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key))).await?;
        let Some(rest) = page.rest else { return Ok(()) };
        range = rest;
    }
}
