//! Putting a data set into a store, so that it can be broken off and gone on with.
//!
//! A mark in the store says which data set is being put into it and how far that is; it is written in the same batch as
//! the entries up to there. While it is there the store is not a whole one, and no node serves it.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use sayso_store::limits::BATCH_BYTES_MAX;
use sayso_store::{Batch, Key, Op, Prefix, Range, Retryable, Schema, Store, Value};
use serde::{Deserialize, Serialize};

use super::contents::{self, Contents, Portion, Summary};

/// What a batch counts after which no further entry joins: enough to make a commit cheap, far from the limit.
pub(super) const BATCH_BYTES: usize = 1 << 20;
const _: () = assert!(BATCH_BYTES < BATCH_BYTES_MAX / 2);
/// How often a batch is sent to a store that cannot be reached.
const TRIES: u32 = 10;

/// The stored form of the mark: in version 1 that of a data set that is put there, in version 2 that of a store which is made
/// the same as another.
const MARK: Schema = Schema::new("load", 1, 2);
/// The former, which an earlier program goes on with.
const LOAD: Schema = Schema::new("load", 1, 1);

/// How far a data set was put into a store.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// Which: its summary.
    of: Summary,
    /// The last key that is there.
    upto: Vec<u8>,
}

/// That a store is being made the same as another.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Followed {
    /// The other store, for people, and to tell it from others.
    from: String,
}

/// Under what the mark lies.
pub(crate) fn mark_prefix() -> Prefix {
    Prefix::table("load")
}

pub(super) fn mark_key() -> Key {
    mark_prefix().into_key()
}

/// Whether something was begun to be put into `store` and not finished.
pub(crate) async fn is_unfinished(store: &dyn Store) -> Result<bool> {
    Ok(store.read(&[mark_key()]).await?.pop().flatten().is_some())
}

/// Marks `store`, which is empty or was marked so before, as on its way to be the same as the store `from`.
pub(super) async fn mark_followed(store: &Arc<dyn Store>, from: &str) -> Result<()> {
    if is_marked_followed(store, from).await? {
        return Ok(());
    }
    if !is_empty(store, Portion::All).await? {
        bail!(NOT_EMPTY);
    }
    let followed = Followed { from: from.to_owned() };
    commit(store, Batch::new().put(mark_key(), MARK.encode(&serde_json::to_vec(&followed)?))).await
}

/// Takes the mark away from `store`, in which is all that was in the store `from`: from here on it may be served. Again, it
/// does nothing. Keys that were destroyed, or wrapped anew, while it was brought lie in its log, of which `from` knows nothing:
/// whoever serves it next purges that.
pub(super) async fn release_followed(store: &Arc<dyn Store>, from: &str) -> Result<()> {
    if is_marked_followed(store, from).await? {
        return commit(store, sayso_vault::purge_due(Batch::new().delete(mark_key()))).await;
    }
    if is_empty(store, Portion::All).await? {
        bail!("there is nothing in it: the data was moved to another store of the same name");
    }
    Ok(())
}

/// Whether `store` is marked as on its way to be the same as the store `from`; fails when it is as on another's.
async fn is_marked_followed(store: &Arc<dyn Store>, from: &str) -> Result<bool> {
    let Some(found) = store.read(&[mark_key()]).await?.pop().flatten() else { return Ok(false) };
    let (version, body) = MARK.decode(&found.value)?;
    if version == LOAD.current() || serde_json::from_slice::<Followed>(body).context(DAMAGED)?.from != from {
        bail!(OTHER);
    }
    Ok(true)
}

const DAMAGED: &str = "the mark of an unfinished import is damaged";
const OTHER: &str =
    "another data set was begun to be put into this store: finish that one, or begin with an empty store";

const NOT_EMPTY: &str = "the store is not empty: nothing was written; give the node a data-dir of its own";

const HAS_KEYS: &str = "there are keys of people in the store: nothing was written; keys are put back where their data is and they are not";

async fn is_empty(store: &Arc<dyn Store>, portion: Portion) -> Result<bool> {
    let mut held = Contents::of(store, portion);
    while let Some(page) = held.next().await? {
        if !page.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Commits `batch`, however often a store that cannot be reached has to be asked.
pub(super) async fn commit(store: &Arc<dyn Store>, batch: Batch) -> Result<()> {
    for _ in 1..TRIES {
        match store.commit(batch.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.retryable() => crate::output::note(format!("{error}")),
            Err(error) => return Err(error.into()),
        }
    }
    store.commit(batch).await?;
    Ok(())
}

/// A data set on its way into a store.
pub(crate) struct Load {
    store: Arc<dyn Store>,
    of: Summary,
    /// What is there already.
    upto: Option<Key>,
    batch: Batch,
    size: usize,
    bytes: u64,
}

impl Load {
    /// Begins to put the data set `of` into `store`, or goes on with it.
    pub(crate) async fn begin(store: Arc<dyn Store>, of: Summary) -> Result<Self> {
        let found = store.read(&[mark_key()]).await?.pop().flatten();
        let upto = match found {
            Some(found) => {
                let (version, body) = MARK.decode(&found.value)?;
                if version != LOAD.current() {
                    bail!(OTHER);
                }
                let mark: Mark = serde_json::from_slice(body).context(DAMAGED)?;
                if mark.of != of {
                    bail!(OTHER);
                }
                Some(Key::from_bytes(mark.upto))
            }
            None => {
                if !is_empty(&store, of.portion).await? {
                    bail!(if of.portion == Portion::Keys { HAS_KEYS } else { NOT_EMPTY });
                }
                None
            }
        };
        Ok(Self { store, of, upto, batch: Batch::new(), size: 0, bytes: 0 })
    }

    /// Whether it goes on where it was broken off.
    pub(crate) const fn is_resumed(&self) -> bool {
        self.upto.is_some()
    }

    /// Bytes of keys and values so far, with those that were there.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next entry. Entries come in order.
    pub(crate) async fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.bytes += (key.len() + value.len()) as u64;
        let key = Key::from_bytes(key.to_vec());
        if self.upto.as_ref().is_some_and(|upto| key <= *upto) {
            return Ok(());
        }
        let put = Op::Put(key.clone(), value.to_vec().into());
        self.size += put.size();
        self.batch.ops.push(put);
        if self.size < BATCH_BYTES {
            return Ok(());
        }
        let mark = Mark { of: self.of.clone(), upto: key.as_bytes().to_vec() };
        let mark = encode(&mark)?;
        self.batch.ops.push(Op::Put(mark_key(), mark));
        self.commit().await
    }

    /// Puts what is left, and compares what is there then with what was to be put.
    pub(crate) async fn finish(mut self, reached: impl FnMut(u64)) -> Result<Complete> {
        let mark = Mark { of: self.of.clone(), upto: Range::all().end.as_bytes().to_vec() };
        self.batch.ops.push(Op::Put(mark_key(), encode(&mark)?));
        self.commit().await?;
        let found = contents::summary(&self.store, self.of.portion, reached).await?;
        if found != self.of {
            bail!("what is in the store now is not what was put there: {found:?} for {:?}; use neither", self.of);
        }
        Ok(Complete(self))
    }

    async fn commit(&mut self) -> Result<()> {
        self.size = 0;
        commit(&self.store, core::mem::take(&mut self.batch)).await
    }
}

/// A data set that is in a store as a whole.
pub(crate) struct Complete(Load);

impl Complete {
    /// Takes the mark away: from here on the store may be served.
    pub(crate) async fn release(self) -> Result<()> {
        commit(&self.0.store, Batch::new().delete(mark_key())).await
    }
}

fn encode(mark: &Mark) -> Result<Value> {
    Ok(LOAD.encode(&serde_json::to_vec(mark)?))
}

/// That something was begun to be put into a store and not finished.
pub(super) fn unfinished() -> anyhow::Error {
    anyhow!("an import into this store, or a migration, is not finished: run it again to its end before serving")
}

/// Fails when something was begun to be put into `store` and not finished.
pub(crate) async fn require_whole(store: &dyn Store) -> Result<()> {
    if is_unfinished(store).await? { Err(unfinished()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sayso_types::ManualClock;

    use super::*;
    use crate::backend::Backend;
    use crate::config::Config;
    use crate::store::contents::Sum;

    /// Enough for several batches.
    const ENTRIES: u64 = 100;
    static VALUE: [u8; 50_000] = [7; 50_000];

    fn key(n: u64) -> Vec<u8> {
        format!("{n:08}").into_bytes()
    }

    fn all() -> Summary {
        let mut sum = Sum::default();
        (0..ENTRIES).for_each(|n| sum.add(&key(n), &VALUE));
        sum.summary()
    }

    async fn open(dir: &Path) -> Backend {
        let config = Config { data_dir: dir.to_owned(), ..Config::default() };
        Backend::open(&config, Arc::new(ManualClock::new())).await.unwrap()
    }

    async fn put(load: &mut Load, entries: core::ops::Range<u64>) {
        for n in entries {
            load.put(&key(n), &VALUE).await.unwrap();
        }
    }

    fn assert_stored(value: &Value, golden: &[u8]) {
        assert_eq!(value.escape_ascii().to_string(), golden.escape_ascii().to_string());
    }

    #[tokio::test]
    async fn marks_are_stored_as_they_were() {
        assert_eq!(mark_key().as_bytes(), b"\x02load\0");
        let of = Summary { portion: Portion::All, entries: 2, bytes: 3, sha256: "abc".into() };
        let first = encode(&Mark { of, upto: vec![1, 255] }).unwrap();
        assert_stored(&first, b"\0\x01{\"of\":{\"entries\":2,\"bytes\":3,\"sha256\":\"abc\"},\"upto\":[1,255]}");
        assert_eq!(MARK.decode(&first).unwrap().0, 1, "what was stored before is read");

        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await.store();
        mark_followed(&store, "local:old").await.unwrap();
        let followed = store.read(&[mark_key()]).await.unwrap().remove(0).unwrap().value;
        assert_stored(&followed, b"\0\x02{\"from\":\"local:old\"}");
        assert!(LOAD.decode(&followed).is_err(), "an earlier program refuses it");
    }

    #[tokio::test]
    async fn keys_that_were_replaced_while_they_were_brought_are_purged_by_whoever_serves_them() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await.store();
        let due = || store.scan(Prefix::table("vault_purge").into(), 1);
        mark_followed(&store, "local:old").await.unwrap();
        assert_eq!(due().await.unwrap().entries, []);
        release_followed(&store, "local:old").await.unwrap();
        assert_eq!(due().await.unwrap().entries.len(), 1, "its log has them");
        require_whole(store.as_ref()).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_broken_off_goes_on_and_is_not_served_before_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await.store();
        let mut load = Load::begin(store.clone(), all()).await.unwrap();
        assert!(!load.is_resumed());
        put(&mut load, 0..60).await;
        drop(load);
        assert!(require_whole(store.as_ref()).await.unwrap_err().to_string().contains("not finished"));

        let other = Summary { entries: 1, ..all() };
        assert!(Load::begin(store.clone(), other).await.is_err(), "only with what was begun");
        let mut load = Load::begin(store.clone(), all()).await.unwrap();
        assert!(load.is_resumed());
        put(&mut load, 0..ENTRIES).await;
        let complete = load.finish(|_| {}).await.unwrap();
        assert!(is_unfinished(store.as_ref()).await.unwrap(), "it is not served before it is released");
        complete.release().await.unwrap();
        require_whole(store.as_ref()).await.unwrap();
        assert_eq!(contents::summary(&store, Portion::All, |_| {}).await.unwrap(), all());
        assert!(Load::begin(store, all()).await.err().unwrap().to_string().contains("not empty"));
    }

    #[tokio::test]
    async fn what_differs_from_what_was_announced_is_not_served() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await.store();
        let mut load = Load::begin(store.clone(), all()).await.unwrap();
        put(&mut load, 0..ENTRIES - 1).await;
        assert!(load.finish(|_| {}).await.is_err());
        assert!(is_unfinished(store.as_ref()).await.unwrap());
    }
}
