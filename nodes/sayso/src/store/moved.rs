//! The note in a store whose data set was moved to another one. No node serves a store that has it: what it would take then
//! would be missing where everything else is.

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use sayso_store::{Batch, Key, Prefix, Schema, Store};
use serde::{Deserialize, Serialize};

/// The stored form of the note.
const MOVED: Schema = Schema::new("moved", 1, 1);

/// Where a data set was moved to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moved {
    /// The store, for people, and to tell it from others.
    to: String,
    /// When, in milliseconds since the Unix epoch.
    at_unix_ms: u64,
}

/// Under what the note lies.
pub(crate) fn prefix() -> Prefix {
    Prefix::table("moved")
}

fn key() -> Key {
    prefix().into_key()
}

async fn read(store: &dyn Store) -> Result<Option<Moved>> {
    let Some(found) = store.read(&[key()]).await?.pop().flatten() else { return Ok(None) };
    let (_, body) = MOVED.decode(&found.value)?;
    serde_json::from_slice(body).context("the note of a migration is damaged").map(Some)
}

/// Notes that all that is in `store` is in the store `to` from `now_unix_ms` on.
pub(super) async fn note(store: &dyn Store, to: &str, now_unix_ms: u64) -> Result<()> {
    let moved = Moved { to: to.to_owned(), at_unix_ms: now_unix_ms };
    store.commit(Batch::new().put(key(), MOVED.encode(&serde_json::to_vec(&moved)?))).await?;
    Ok(())
}

/// Fails when the data set of `store` was moved to another store than `to`.
pub(super) async fn require_not_elsewhere(store: &dyn Store, to: &str) -> Result<()> {
    match read(store).await? {
        Some(moved) if moved.to != to => bail!("its data was moved to {} already", moved.to),
        _ => Ok(()),
    }
}

/// Whether the data set of `store` was moved.
pub(super) async fn is_moved(store: &dyn Store) -> Result<bool> {
    Ok(read(store).await?.is_some())
}

/// Fails when the data set of `store` was moved to another store.
pub(crate) async fn require_here(store: &dyn Store) -> Result<()> {
    let Some(Moved { to, at_unix_ms }) = read(store).await? else { return Ok(()) };
    let at = Timestamp::from_millisecond(i64::try_from(at_unix_ms)?)?.strftime("%F %H:%M UTC");
    bail!(
        "the data of this store was moved to {to} on {at}: serve that one. What is here is as it was then; to go on \
         from it nevertheless, export it and import that into a new data-dir"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sayso_store_local::{LocalOptions, LocalStore};
    use sayso_types::ManualClock;

    use super::*;

    #[tokio::test]
    async fn a_note_is_stored_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::open(dir.path(), LocalOptions::new(Arc::new(ManualClock::new()))).unwrap();
        note(store.as_ref(), "raft://node-1", 1_767_225_600_000).await.unwrap();
        let stored = store.read(&[key()]).await.unwrap().remove(0).unwrap().value;
        let golden = b"\0\x01{\"to\":\"raft://node-1\",\"at_unix_ms\":1767225600000}";
        assert_eq!(stored.escape_ascii().to_string(), golden.escape_ascii().to_string());
        assert_eq!(key().as_bytes(), b"\x02moved\0");
    }
}
