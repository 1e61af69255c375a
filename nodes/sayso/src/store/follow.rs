//! [`Follow`]: makes a store the same as another that may be written to meanwhile.
//!
//! ```text
//!   the old store ──watch──▶ keys that are late ──▶ read anew ──┐
//!         └─── a pass over both, in order ──▶ what differs ──▶ batches ──▶ the new store, marked as unfinished
//! ```
//!
//! One task does all of it, one batch after the other, so that what was read before is never written after what was read
//! later. The first pass copies, the second compares; from there on what is late is all that can differ. The end is for
//! whoever has seen to it that nobody writes any more. What is broken off goes on with a pass, which finds most of it there.

use core::convert::Infallible;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use futures::FutureExt;
use sayso_models::Progress;
use sayso_store::limits::{BATCH_BYTES_MAX, SCAN_LIMIT_MAX, VALUE_BYTES_MAX};
use sayso_store::{Batch, Change, Key, Lagged, Op, Page, Prefix, Range, Store, Value, Versioned, Watch};

use super::contents::{self, Portion, is_data};
use super::load::{self, BATCH_BYTES};

/// Keys that are brought at once: with the greatest values still one batch.
const LATE_AT_ONCE: usize = 50;
const _: () = assert!(LATE_AT_ONCE * VALUE_BYTES_MAX < BATCH_BYTES_MAX);
/// Keys that are late and known: some ten megabytes of them. Beyond it, a pass finds them again.
const LATE_MAX: usize = 100_000;
/// So few keys that nobody who waits for them notices.
const LATE_FEW: usize = 100;
/// Batches of late keys within which they have to become few: more than it takes to bring all that may be known.
const CATCH_UPS_MAX: usize = 10_000;
/// Passes within which the two have to be found alike: one is enough unless more is written than the new store takes.
const PASSES_MAX: usize = 10;
/// How long until a new store that cannot be reached is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Two stores that are becoming the same.
pub(super) struct Follow {
    source: Arc<dyn Store>,
    target: Arc<dyn Store>,
    watch: Watch,
    /// Keys that were changed and not brought yet.
    late: BTreeSet<Key>,
    /// Whether others may have been, so that only a pass finds them.
    is_lost: bool,
}

impl Follow {
    /// Begins to make `target`, which is empty, the same as `source`, which people know as `from`; or goes on with it.
    pub(super) async fn begin(source: Arc<dyn Store>, target: Arc<dyn Store>, from: &str) -> Result<Self> {
        // before anything is read: from here on every change is known
        let watch = source.watch(Prefix::default()).await?;
        load::mark_followed(&target, from).await?;
        Ok(Self { source, target, watch, late: BTreeSet::new(), is_lost: true })
    }

    /// Copies everything, compares it, and brings what was changed meanwhile, until little is left.
    pub(super) async fn draw_near(&mut self, progress: &mut dyn Progress) -> Result<()> {
        progress.begin("reading what there is", 0);
        let all = contents::summary(&self.source, Portion::All, |bytes| progress.reach(bytes)).await?.bytes;
        progress.end();
        for _ in 0..PASSES_MAX {
            progress.begin("copying", all);
            self.pass(|bytes| progress.reach(bytes)).await?;
            progress.end();
            if !self.catch_up().await? {
                continue;
            }
            progress.begin("comparing", all);
            let differing = self.pass(|bytes| progress.reach(bytes)).await?;
            self.settle().await?;
            progress.end();
            if self.is_lost {
                continue;
            }
            let unexplained = differing.iter().filter(|key| !self.late.contains(key)).count();
            ensure!(
                unexplained == 0,
                "{unexplained} entries of the new store are not what was put there: use the old one"
            );
            if self.catch_up().await? {
                return Ok(());
            }
        }
        bail!("more is written to the old store than the new one takes: move it when less is written")
    }

    /// Brings what is late until little is; `false` when not all that is late is known.
    async fn catch_up(&mut self) -> Result<bool> {
        for _ in 0..CATCH_UPS_MAX {
            self.absorb();
            if self.is_lost {
                return Ok(false);
            }
            if self.late.len() <= LATE_FEW {
                return Ok(true);
            }
            self.bring().await?;
        }
        Ok(false)
    }

    /// Brings what is late, for as long as this is polled.
    pub(super) async fn keep_up(&mut self) -> Infallible {
        loop {
            self.absorb();
            if self.late.is_empty() {
                match self.watch.next().await {
                    Some(next) => self.take(next),
                    // the store is closed: nothing more is late
                    None => std::future::pending().await,
                }
            } else if let Err(error) = self.bring().await {
                tracing::warn!(%error, "what is written meanwhile does not get to the new store yet, trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Brings the rest, of a source that nobody writes to any more, and compares it.
    pub(super) async fn finish(mut self) -> Result<()> {
        self.settle().await?;
        if self.is_lost {
            self.pass(|_| {}).await?;
            let differing = self.pass(|_| {}).await?;
            ensure!(differing.is_empty(), "the new store does not keep what is put there: use the old one");
        }
        let rest: Vec<Key> = self.late.iter().cloned().collect();
        while !self.late.is_empty() {
            self.bring().await?;
        }
        for keys in rest.chunks(LATE_AT_ONCE) {
            let (there, here) = (self.source.read(keys).await?, self.target.read(keys).await?);
            let value = |held: Option<Versioned>| held.map(|held| held.value);
            let alike = there.into_iter().map(value).eq(here.into_iter().map(value));
            ensure!(alike, "the new store does not keep what is put there: use the old one");
        }
        Ok(())
    }

    /// One pass over both, after which the target is as the source was when it passed. Which keys differed.
    async fn pass(&mut self, mut reached: impl FnMut(u64)) -> Result<Vec<Key>> {
        self.is_lost = false;
        let (mut rest, mut differing, mut bytes) = (Some(Range::all()), Vec::new(), 0);
        while let Some(range) = rest.take() {
            let Page { entries, rest: left } = self.source.scan(range.clone(), SCAN_LIMIT_MAX).await?;
            let end = left.as_ref().map_or(range.end, |left| left.start.clone());
            let held = self.held(Range { start: range.start, end }).await?;
            bytes += entries.iter().map(|entry| (entry.key.as_bytes().len() + entry.value.len()) as u64).sum::<u64>();
            let wanted = entries.into_iter().map(|entry| (entry.key, entry.value)).filter(|(key, _)| is_data(key));
            let ops = differences(wanted, held);
            differing.extend(ops.iter().map(|op| op.key().clone()));
            self.put(ops).await?;
            // often, because a watch holds little
            self.absorb();
            reached(bytes);
            rest = left;
        }
        Ok(differing)
    }

    /// The data of the target in `range`.
    async fn held(&self, range: Range) -> Result<Vec<(Key, Value)>> {
        let (mut rest, mut held) = (Some(range), Vec::new());
        while let Some(range) = rest.take() {
            let page = self.target.scan(range, SCAN_LIMIT_MAX).await?;
            held.extend(page.entries.into_iter().map(|entry| (entry.key, entry.value)).filter(|(key, _)| is_data(key)));
            rest = page.rest;
        }
        Ok(held)
    }

    /// Brings some of what is late. Dropped on the way, it leaves them late.
    async fn bring(&mut self) -> Result<()> {
        let keys: Vec<Key> = self.late.iter().take(LATE_AT_ONCE).cloned().collect();
        if keys.is_empty() {
            return Ok(());
        }
        let found = self.source.read(&keys).await?;
        let ops = keys.iter().cloned().zip(found).map(|(key, found)| match found {
            Some(found) => Op::Put(key, found.value),
            None => Op::Delete(key),
        });
        self.put(ops.collect()).await?;
        // what was changed since they were read is still in the watch
        for key in &keys {
            self.late.remove(key);
        }
        self.count();
        Ok(())
    }

    async fn put(&self, ops: Vec<Op>) -> Result<()> {
        let (mut batch, mut size) = (Batch::new(), 0);
        for op in ops {
            size += op.size();
            batch.ops.push(op);
            if size >= BATCH_BYTES {
                load::commit(&self.target, core::mem::take(&mut batch)).await?;
                size = 0;
            }
        }
        if batch.ops.is_empty() { Ok(()) } else { load::commit(&self.target, batch).await }
    }

    /// Takes what is known of changes, until all that were made before this was called are.
    async fn settle(&mut self) -> Result<()> {
        let mark = load::mark_key();
        // Commits take effect one after the other, and so are they seen: what comes before this was seen when this is.
        let version = self.source.commit(Batch::new().delete(mark.clone())).await?;
        loop {
            match self.watch.next().await {
                Some(Ok(change)) if change.key == mark && change.version == version => return Ok(()),
                Some(next @ Err(Lagged)) => {
                    // what was lost may be the mark; what changes after this answer is seen, and a pass finds the rest
                    self.take(next);
                    return Ok(());
                }
                Some(next) => self.take(next),
                None => bail!("the store is closed"),
            }
        }
    }

    /// Takes what is known of changes by now.
    fn absorb(&mut self) {
        while let Some(Some(next)) = self.watch.next().now_or_never() {
            self.take(next);
        }
        self.count();
    }

    fn take(&mut self, next: Result<Change, Lagged>) {
        match next {
            Ok(change) if is_data(&change.key) => {
                self.late.insert(change.key);
            }
            Ok(_) => {}
            Err(Lagged) => self.is_lost = true,
        }
        if self.late.len() > LATE_MAX {
            self.late.clear();
            self.is_lost = true;
        }
    }

    fn count(&self) {
        metrics::gauge!("sayso_node_move_late_keys").set(self.late.len() as f64);
    }
}

/// What makes `held` into `wanted`; both in order.
fn differences(wanted: impl Iterator<Item = (Key, Value)>, held: Vec<(Key, Value)>) -> Vec<Op> {
    let (mut ops, mut held) = (Vec::new(), held.into_iter().peekable());
    for (key, value) in wanted {
        while let Some((surplus, _)) = held.next_if(|(other, _)| *other < key) {
            ops.push(Op::Delete(surplus));
        }
        let is_same = held.next_if(|(other, _)| *other == key).is_some_and(|(_, other)| other == value);
        if !is_same {
            ops.push(Op::Put(key, value));
        }
    }
    ops.extend(held.map(|(surplus, _)| Op::Delete(surplus)));
    ops
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sayso_store_local::{LocalOptions, LocalStore};
    use sayso_types::ManualClock;

    use super::*;

    /// Enough for several pages and batches, and for more changes than a watch holds.
    const KEYS: u64 = 3_000;

    fn open(dir: &Path) -> Arc<dyn Store> {
        LocalStore::open(dir, LocalOptions::new(Arc::new(ManualClock::new()))).unwrap()
    }

    fn put(n: u64, round: u8) -> Batch {
        Batch::new().put(Key::from_bytes(format!("{n:08}")), vec![round; 1_000])
    }

    async fn write(store: &Arc<dyn Store>, numbers: impl Iterator<Item = u64>, round: u8) {
        for chunk in numbers.collect::<Vec<_>>().chunks(1_000) {
            let ops = chunk.iter().flat_map(|n| put(*n, round).ops).collect();
            store.commit(Batch { ops, ..Batch::new() }).await.unwrap();
        }
    }

    async fn alike(one: &Arc<dyn Store>, other: &Arc<dyn Store>) {
        let all = async |store| contents::summary(store, Portion::All, |_| {}).await;
        let (one, other) = (all(one).await, all(other).await);
        assert_eq!(one.unwrap(), other.unwrap());
    }

    #[tokio::test]
    async fn what_is_written_meanwhile_is_in_both_and_what_is_deleted_is_in_neither() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (source, target) = (open(old.path()), open(new.path()));
        write(&source, 0..KEYS, 1).await;
        let mut follow = Follow::begin(source.clone(), target.clone(), "old").await.unwrap();
        // each of them a change of its own, one after the other for as long as it copies and compares
        let busy = async {
            for n in 0.. {
                source.commit(put(n % (2 * KEYS), 2)).await.unwrap();
                source.commit(Batch::new().delete(Key::from_bytes(format!("{:08}", n / 2)))).await.unwrap();
            }
        };
        let told: &mut dyn Progress = &mut ();
        tokio::select! {
            near = follow.draw_near(told) => near.unwrap(),
            () = busy => unreachable!("it goes on for ever"),
        }
        write(&source, 0..10, 3).await;
        tokio::select! {
            biased;
            never = follow.keep_up() => match never {},
            () = async {
                while target.read(&[Key::from_bytes("00000009")]).await.unwrap()[0].as_ref().is_none_or(|held| held.value[0] != 3) {
                    tokio::task::yield_now().await;
                }
            } => {}
        }
        write(&source, 5..20, 4).await;
        follow.finish().await.unwrap();
        alike(&source, &target).await;
        assert!(load::is_unfinished(target.as_ref()).await.unwrap(), "it is released by whoever leaves the old store");
    }

    #[tokio::test]
    async fn more_changes_than_a_watch_holds_are_found_by_a_pass() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (source, target) = (open(old.path()), open(new.path()));
        let mut follow = Follow::begin(source.clone(), target.clone(), "old").await.unwrap();
        follow.draw_near(&mut ()).await.unwrap();
        write(&source, 0..KEYS, 1).await;
        follow.finish().await.unwrap();
        alike(&source, &target).await;
    }

    #[tokio::test]
    async fn what_was_broken_off_goes_on_from_the_same_store_and_from_no_other() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (source, target) = (open(old.path()), open(new.path()));
        write(&source, 0..KEYS, 1).await;
        let mut follow = Follow::begin(source.clone(), target.clone(), "old").await.unwrap();
        follow.draw_near(&mut ()).await.unwrap();
        drop(follow);
        // the node went on with its store meanwhile
        write(&source, KEYS..KEYS + 10, 2).await;
        source.commit(Batch::new().delete(Key::from_bytes("00000000"))).await.unwrap();

        let other = Follow::begin(source.clone(), target.clone(), "another").await.err().unwrap();
        assert!(other.to_string().contains("another data set"), "{other}");
        let mut follow = Follow::begin(source.clone(), target.clone(), "old").await.unwrap();
        follow.draw_near(&mut ()).await.unwrap();
        follow.finish().await.unwrap();
        alike(&source, &target).await;
        load::release_followed(&target, "old").await.unwrap();
        let full = Follow::begin(source, target, "old").await.err().unwrap();
        assert!(full.to_string().contains("not empty"), "what may be served is never written to: {full}");
    }
}
