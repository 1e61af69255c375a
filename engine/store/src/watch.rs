//! [`Watch`] and the [`Watchers`] that feed it: changes as they become durable, bounded, never silently lost.

use core::fmt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use crate::limits::{self, WATCH_CHANGES_MAX, WATCHES_MAX};
use crate::{Error, Key, Prefix, Value, Version};

/// One key's new state. A batch that touches a key several times makes one change, the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// What it holds now; `None` when it was deleted.
    pub value: Option<Value>,
    /// The commit that made it so.
    pub version: Version,
}

/// Changes were dropped because they were not taken in time: scan again, then go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the watch lagged behind and lost changes: scan its prefix again, then go on")]
pub struct Lagged;

#[derive(Default)]
struct Queue {
    changes: VecDeque<Change>,
    /// Something was dropped after what is queued. Nothing more is queued until the watcher was told.
    lagged: bool,
    closed: bool,
}

impl Queue {
    fn lag(&mut self) {
        self.lagged = true;
        metrics::counter!("sayso_store_watch_lagged_total").increment(1);
    }
}

struct Shared {
    prefix: Prefix,
    queue: Mutex<Queue>,
    ready: Notify,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // nothing panics while it is held
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lag(&self) {
        self.queue().lag();
        self.ready.notify_one();
    }

    fn push(&self, change: &Change) {
        let mut queue = self.queue();
        if queue.lagged {
            return;
        }
        if queue.changes.len() >= WATCH_CHANGES_MAX {
            queue.lag();
        } else {
            queue.changes.push_back(change.clone());
        }
        self.ready.notify_one();
    }
}

/// The changes under a prefix, in the order of their commits. Dropping it ends it.
pub struct Watch(Arc<Shared>);

impl Watch {
    /// The next change; waits for it. `None` when the store is closed. Cancel-safe.
    ///
    /// # Errors
    /// [`Lagged`] when changes were lost between the last one given and now. Every change that becomes durable after
    /// this answer is delivered, so a scan made after it misses nothing.
    pub async fn next(&mut self) -> Option<Result<Change, Lagged>> {
        loop {
            {
                let mut queue = self.0.queue();
                if let Some(change) = queue.changes.pop_front() {
                    return Some(Ok(change));
                }
                if core::mem::take(&mut queue.lagged) {
                    return Some(Err(Lagged));
                }
                if queue.closed {
                    return None;
                }
            }
            // a push between the check and here leaves its notification behind
            self.0.ready.notified().await;
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.0.prefix).finish()
    }
}

#[derive(Default)]
struct Open {
    watches: Vec<Weak<Shared>>,
    closed: bool,
}

/// The watches of one store: the backend's end.
#[derive(Default)]
pub struct Watchers(Mutex<Open>);

impl Watchers {
    /// A new watch of `prefix`. Changes published after this returns reach it.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when [`WATCHES_MAX`] are open; [`Error::Closed`] after [`close`](Self::close).
    pub fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        let mut open = self.open();
        if open.closed {
            return Err(Error::Closed);
        }
        open.watches.retain(|watch| watch.strong_count() > 0);
        limits::at_most("open watches", open.watches.len() + 1, WATCHES_MAX)?;
        let shared = Arc::new(Shared { prefix, queue: Mutex::default(), ready: Notify::new() });
        open.watches.push(Arc::downgrade(&shared));
        metrics::gauge!("sayso_store_watches").set(open.watches.len() as f64);
        Ok(Watch(shared))
    }

    /// Hands out `changes` of one commit. Call it in the order of the commits, after they are durable and visible to
    /// reads.
    pub fn publish(&self, changes: &[Change]) {
        self.open().watches.retain(|watch| {
            let Some(watch) = watch.upgrade() else { return false };
            changes.iter().filter(|change| watch.prefix.contains(&change.key)).for_each(|change| watch.push(change));
            true
        });
    }

    /// Tells every watch that it lost changes: for a backend whose contents were replaced as a whole.
    pub fn lag(&self) {
        self.lag_under(&Prefix::default());
    }

    /// Tells every watch that could have seen a change under `prefix` that it lost some: for a backend that lost track
    /// of what happened there.
    pub fn lag_under(&self, prefix: &Prefix) {
        let lost = prefix.as_bytes();
        for watch in self.open().watches.iter().filter_map(Weak::upgrade) {
            let watched = watch.prefix.as_bytes();
            if watched.starts_with(lost) || lost.starts_with(watched) {
                watch.lag();
            }
        }
    }

    /// Whether nobody watches.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open().watches.iter().all(|watch| watch.strong_count() == 0)
    }

    /// Whether somebody watches `key`.
    #[must_use]
    pub fn is_watched(&self, key: &Key) -> bool {
        self.open().watches.iter().filter_map(Weak::upgrade).any(|watch| watch.prefix.contains(key))
    }

    /// Ends every watch, after what is queued in it.
    pub fn close(&self) {
        let mut open = self.open();
        open.closed = true;
        for watch in open.watches.drain(..).filter_map(|watch| watch.upgrade()) {
            watch.queue().closed = true;
            watch.ready.notify_one();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // nothing panics while it is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watchers({} open)", self.open().watches.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(key: &'static str, sequence: u64) -> Change {
        Change { key: Key::from_bytes(key), value: None, version: Version::from_sequence(sequence) }
    }

    #[tokio::test]
    async fn a_watch_sees_its_prefix_only_and_ends_with_the_store() {
        let watchers = Watchers::default();
        let mut watch = watchers.watch(Prefix::from_bytes("a")).unwrap();
        watchers.publish(&[change("ab", 1), change("b", 1)]);
        watchers.publish(&[change("a", 2)]);
        watchers.close();
        assert_eq!(watch.next().await, Some(Ok(change("ab", 1))));
        assert_eq!(watch.next().await, Some(Ok(change("a", 2))));
        assert_eq!(watch.next().await, None);
        assert_eq!(watch.next().await, None);
        assert!(matches!(watchers.watch(Prefix::default()), Err(Error::Closed)));
    }

    #[tokio::test]
    async fn a_slow_watcher_is_told_once_and_then_sees_what_comes() {
        let watchers = Watchers::default();
        let mut watch = watchers.watch(Prefix::default()).unwrap();
        let sent = WATCH_CHANGES_MAX as u64 + 10;
        (0..sent).for_each(|i| watchers.publish(&[change("k", i)]));
        for i in 0..WATCH_CHANGES_MAX as u64 {
            assert_eq!(watch.next().await, Some(Ok(change("k", i))));
        }
        assert_eq!(watch.next().await, Some(Err(Lagged)));
        watchers.publish(&[change("k", sent)]);
        assert_eq!(watch.next().await, Some(Ok(change("k", sent))));
    }

    #[tokio::test]
    async fn who_lost_everything_is_told_after_what_is_queued() {
        let watchers = Watchers::default();
        let mut watch = watchers.watch(Prefix::default()).unwrap();
        watchers.publish(&[change("k", 1)]);
        watchers.lag();
        watchers.publish(&[change("k", 9)]);
        assert_eq!(watch.next().await, Some(Ok(change("k", 1))));
        assert_eq!(watch.next().await, Some(Err(Lagged)));
        watchers.publish(&[change("k", 10)]);
        assert_eq!(watch.next().await, Some(Ok(change("k", 10))));
    }

    #[tokio::test]
    async fn what_a_backend_lost_is_told_to_whom_it_concerns() {
        let watchers = Watchers::default();
        assert!(watchers.is_idle());
        let watch = |prefix: &str| watchers.watch(Prefix::from_bytes(prefix)).unwrap();
        let (mut under, mut over, mut beside) = (watch("abc"), watch("a"), watch("b"));
        assert!(!watchers.is_idle() && watchers.is_watched(&Key::from_bytes("b1")));
        assert!(!watchers.is_watched(&Key::from_bytes("c")));
        watchers.publish(&[change("abcd", 1)]);
        watchers.lag_under(&Prefix::from_bytes("ab"));
        watchers.publish(&[change("abcd", 2), change("b", 2)]);
        for watch in [&mut under, &mut over] {
            assert_eq!(watch.next().await, Some(Ok(change("abcd", 1))));
            assert_eq!(watch.next().await, Some(Err(Lagged)));
        }
        assert_eq!(beside.next().await, Some(Ok(change("b", 2))));
    }

    #[test]
    fn dropped_watches_make_room() {
        let watchers = Watchers::default();
        let open: Vec<_> = (0..WATCHES_MAX).map(|_| watchers.watch(Prefix::default()).unwrap()).collect();
        assert!(matches!(watchers.watch(Prefix::default()), Err(Error::TooLarge { .. })));
        drop(open);
        assert!(watchers.watch(Prefix::default()).is_ok());
    }
}
