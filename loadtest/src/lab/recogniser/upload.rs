//! [`Upload`]: an upload that is watched from its beginning to its end.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use sayso_types::{Clock, Mono};
use tokio::sync::{Notify, watch};

use super::lock;
use super::tap::Tap;

/// An upload that is watched. Bytes are those of the connection, whatever they mean.
pub(crate) struct Upload {
    /// Where there is something to do, in bytes after its beginning.
    offset: u64,
    /// It stops to read there, until it is told to go on.
    stops: bool,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
    begun: watch::Sender<bool>,
    reached: Notify,
    read_on: Notify,
    ended: watch::Sender<bool>,
}

/// What is known of an upload at one moment.
#[derive(Default)]
struct Seen {
    tap: Option<Arc<Tap>>,
    /// Bytes that came over the connection before it.
    before: u64,
    /// Bytes that were read.
    bytes: u64,
    /// When the last of them was read.
    last: Option<Mono>,
    is_reached: bool,
    is_whole: bool,
}

/// How an upload ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ended {
    /// Bytes that came, whenever.
    pub(crate) bytes: u64,
    /// When the last of them was read.
    pub(crate) last: Option<Mono>,
    /// Whether the whole utterance came.
    pub(crate) is_whole: bool,
}

impl Upload {
    pub(super) fn new(offset: u64, stops: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            offset,
            stops,
            clock,
            seen: Mutex::default(),
            begun: watch::Sender::default(),
            reached: Notify::new(),
            read_on: Notify::new(),
            ended: watch::Sender::default(),
        }
    }

    /// It begins now, over the connection of `tap`.
    pub(super) fn begin(self: &Arc<Self>, tap: Arc<Tap>) {
        let before = tap.watch(Arc::clone(self));
        let mut seen = lock(&self.seen);
        (seen.before, seen.tap) = (before, Some(tap));
        self.begun.send_replace(true);
    }

    /// So many bytes were read over its connection by now.
    pub(super) fn count(&self, read: u64) {
        let mut seen = lock(&self.seen);
        seen.bytes = read - seen.before;
        seen.last = Some(self.clock.now());
    }

    /// Tells once that the offset is reached, and waits there if it stops.
    pub(super) async fn has_come(&self) {
        let is_due = {
            let mut seen = lock(&self.seen);
            let is_due = !seen.is_reached && seen.bytes >= self.offset;
            seen.is_reached |= is_due;
            is_due
        };
        if is_due {
            self.reached.notify_one();
            if self.stops {
                self.read_on.notified().await;
            }
        }
    }

    /// The service has the whole utterance.
    pub(super) fn is_whole(&self) {
        lock(&self.seen).is_whole = true;
    }

    /// The connection has ended.
    pub(super) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Waits until it has begun.
    pub(crate) async fn begun(&self) -> Result<()> {
        self.begun.subscribe().wait_for(|begun| *begun).await.context("the recogniser has ended")?;
        Ok(())
    }

    /// Waits until its offset has been read.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Has it read on where it stopped.
    pub(crate) fn read_on(&self) {
        self.read_on.notify_one();
    }

    /// Bytes of it that are here, read or waiting to be; none before it has begun.
    pub(crate) fn arrived(&self) -> Result<u64> {
        let (tap, before) = {
            let seen = lock(&self.seen);
            (seen.tap.clone(), seen.before)
        };
        tap.map_or(Ok(0), |tap| Ok(tap.arrived()? - before))
    }

    /// Waits for its end, by whatever; at once if it never began.
    pub(crate) async fn ended(&self) -> Result<Ended> {
        if !*self.begun.borrow() {
            return Ok(Ended::default());
        }
        self.ended.subscribe().wait_for(|ended| *ended).await.context("the recogniser has ended")?;
        let Seen { bytes, last, is_whole, .. } = *lock(&self.seen);
        Ok(Ended { bytes, last, is_whole })
    }
}
