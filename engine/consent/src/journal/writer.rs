//! The task that appends.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::HashSet;
use std::sync::Arc;

use sayso_audit::leaf::STEP_BACK_MS;
use sayso_audit::merkle::leaf_hash;
use sayso_audit::{Actor, Event, Fact, Place, Reference};
use sayso_runtime::queue::Receiver;
use sayso_store::limits::BATCH_BYTES_MAX;
use sayso_store::{Batch, Condition, Error as StoreError, Key, Store, Version};
use sayso_types::{Clock, WallTime};
use tokio_util::sync::CancellationToken;

use super::log::{self, End};
use super::notes::Notes;
use super::{About, ENTRY_BYTES_MAX, LEAF_BYTES, Newest, Noted, SHARD, Waiting};
use crate::Error;

/// Changes in one batch: enough to make an fsync cheap, few enough to keep the first one's wait short.
const BATCH_ENTRIES_MAX: usize = 512;

/// Bytes of changes in a batch after which no further one joins.
const BATCH_BYTES: usize = 2 << 20;

/// Leaves in a batch that nobody waits for.
const BATCH_NOTES_MAX: usize = 2_048;

const _: () = assert!(BATCH_BYTES + ENTRY_BYTES_MAX + (BATCH_NOTES_MAX + 2) * LEAF_BYTES <= BATCH_BYTES_MAX);

/// How long until a batch whose outcome is not known is sent again: long enough to cost nothing, a fraction of the
/// shortest life of a permit.
const RESEND: Duration = Duration::from_millis(100);

pub(super) struct Writer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    newest: Arc<Newest>,
    notes: Arc<Notes>,
    end: End,
    head: Option<Version>,
    /// Segments that this process opened and has not closed. Those that somebody outside of it asked for are not among
    /// them: they close when their holders say so, and whoever comes next finds them in the store.
    open: HashSet<Reference>,
    /// Whether it is on record that the clock was set back and has not caught up yet.
    is_set_back: bool,
    /// What begins the next batch: it requires something of what the one before writes.
    next: Option<Waiting>,
}

impl Writer {
    pub(super) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        (end, head): (End, Option<Version>),
        newest: Arc<Newest>,
        notes: Arc<Notes>,
    ) -> Self {
        Self { store, clock, newest, notes, end, head, open: HashSet::new(), is_set_back: false, next: None }
    }

    /// Appends what comes until asked to stop, then what is left; returns when nothing waits and every segment is
    /// closed, because those who hold one are being asked to stop at the same moment.
    pub(super) async fn run(mut self, mut queue: Receiver<Waiting>, stopping: CancellationToken) -> Result<(), Error> {
        let mut is_stopping = false;
        while !(is_stopping && self.open.is_empty()) {
            let first = tokio::select! {
                biased;
                () = core::future::ready(()), if self.next.is_some() => self.next.take(),
                waiting = queue.recv() => match waiting {
                    Some(waiting) => Some(waiting),
                    None => break,
                },
                () = self.notes.ready() => None,
                () = stopping.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    None
                }
            };
            self.round(first, &mut queue).await?;
        }
        while let Some(waiting) = self.next.take().or_else(|| queue.try_recv()) {
            self.round(Some(waiting), &mut queue).await?;
        }
        self.round(None, &mut queue).await
    }

    /// Takes what waits and commits it, as one batch if it fits.
    async fn round(&mut self, first: Option<Waiting>, queue: &mut Receiver<Waiting>) -> Result<(), Error> {
        let mut waiting: Vec<Waiting> = first.into_iter().collect();
        let mut bytes: usize = waiting.iter().map(|w| w.size).sum();
        let mut written: HashSet<Key> = waiting.iter().flat_map(Waiting::written).cloned().collect();
        while waiting.len() < BATCH_ENTRIES_MAX && bytes < BATCH_BYTES {
            let Some(next) = queue.try_recv() else { break };
            // what a batch requires holds before any of it is written: it would not see what the other one changes
            if next.entry.require.iter().any(|(key, _)| written.contains(key)) {
                self.next = Some(next);
                break;
            }
            written.extend(next.written().cloned());
            bytes += next.size;
            waiting.push(next);
        }
        loop {
            // What was closed comes before what waited for the closing: more of it than fits goes ahead.
            let notes = self.notes.take(BATCH_NOTES_MAX);
            let is_last = notes.len() < BATCH_NOTES_MAX;
            let joining = if is_last { core::mem::take(&mut waiting) } else { Vec::new() };
            match self.commit(joining, notes).await {
                Ok(None) if is_last => return Ok(()),
                Ok(None) => {}
                Ok(Some(refused)) => {
                    answer(waiting, &refused);
                    return Ok(());
                }
                Err(error) => {
                    tracing::error!(%error, "the journal stops: what follows could not be ordered");
                    return Err(error);
                }
            }
        }
    }

    /// Commits, taking out the entries whose own condition does not hold. Gives back why, if the store refused all of
    /// it: nothing was applied then, the callers are told, and the notes wait.
    async fn commit(&mut self, mut waiting: Vec<Waiting>, notes: Vec<Noted>) -> Result<Option<StoreError>, Error> {
        while !(waiting.is_empty() && notes.is_empty()) {
            let wall = self.clock.wall();
            let behind_ms = self.end.clock.millis().saturating_sub(wall.0);
            let is_set_back = behind_ms > STEP_BACK_MS;
            let anomaly =
                (is_set_back && !self.is_set_back).then(|| About::default().event(Event::ClockAnomaly { behind_ms }));
            let (batch, end) = self.batch(wall, anomaly.iter().chain(&notes), &waiting);
            match self.send(batch).await {
                Ok(version) => {
                    self.is_set_back = is_set_back;
                    metrics::histogram!("sayso_consent_journal_batch_entries").record(waiting.len() as f64);
                    self.end = end;
                    self.head = Some(version);
                    self.count_segments(notes.iter().chain(waiting.iter().flat_map(|w| &w.entry.events)));
                    for entry in waiting {
                        let _ = entry.done.send(Ok(version));
                    }
                    return Ok(None);
                }
                Err(StoreError::Conflict { key }) if key == log::head(SHARD) => {
                    return Err(Error::Log("another process writes to it".to_owned()));
                }
                Err(StoreError::Conflict { key }) => {
                    let (refused, rest): (Vec<_>, Vec<_>) =
                        waiting.into_iter().partition(|w| w.entry.require.iter().any(|(k, _)| *k == key));
                    let error = StoreError::Conflict { key };
                    if refused.is_empty() {
                        return Err(error.into());
                    }
                    waiting = rest;
                    answer(refused, &error);
                }
                Err(error @ (StoreError::Full { .. } | StoreError::TooLarge { .. })) => {
                    answer(waiting, &error);
                    self.notes.put_back(notes);
                    return Ok(Some(error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Commits `batch`, and sends it again for as long as the store cannot be reached, because only then is its outcome
    /// known. Permits are not renewed meanwhile: if it takes long, the gates close.
    async fn send(&self, batch: Batch) -> Result<Version, StoreError> {
        loop {
            match self.store.commit(batch.clone()).await {
                Err(error @ StoreError::Unavailable { .. }) => {
                    metrics::counter!("sayso_consent_journal_resent_total").increment(1);
                    tracing::warn!(%error, "the journal cannot be written, trying again");
                    tokio::time::sleep(RESEND).await;
                }
                outcome => return outcome,
            }
        }
    }

    fn count_segments<'a>(&mut self, noted: impl Iterator<Item = &'a Noted>) {
        for noted in noted {
            match noted.event {
                Event::SegmentOpened { segment, .. } if noted.actor == Actor::SYSTEM => {
                    self.open.insert(segment);
                }
                Event::SegmentClosed { segment, .. } => {
                    self.open.remove(&segment);
                }
                _ => {}
            }
        }
    }

    fn batch<'a>(
        &self,
        wall: WallTime,
        notes: impl Iterator<Item = &'a Noted>,
        waiting: &'a [Waiting],
    ) -> (Batch, End) {
        let mut end = self.end.clone();
        let mut batch = Batch::new();
        batch.require.push((log::head(SHARD), self.head.map_or(Condition::Absent, Condition::Version)));
        let profile_rev = self.newest.profile.load(Ordering::Acquire);
        let registry_rev = self.newest.registry.load(Ordering::Acquire);
        // What was closed comes before what waited for the closing.
        for noted in notes.chain(waiting.iter().flat_map(|w| &w.entry.events)) {
            end.clock = end.clock.next(wall);
            let place = Place { shard: SHARD, sequence: end.frontier.size(), clock: end.clock, wall };
            let about = &noted.about;
            let fact = Fact {
                subject: about.tag,
                actor: noted.actor,
                cv: about.cv,
                profile_rev: about.profile_rev.unwrap_or(profile_rev),
                registry_rev: about.registry_rev.unwrap_or(registry_rev),
                epoch: end.epoch,
                event: noted.event.clone(),
            };
            let leaf = fact.at(place).encode();
            batch.ops.push(log::put_leaf(SHARD, place.sequence, &leaf));
            batch.ops.extend(log::put_receipt(SHARD, place.sequence, &noted.event));
            end.frontier.append(leaf_hash(&leaf));
        }
        for waiting in waiting {
            batch.require.extend(waiting.entry.require.iter().cloned());
            batch.ops.extend(waiting.entry.ops.iter().cloned());
        }
        batch.ops.push(log::put_head(SHARD, &end));
        (batch, end)
    }
}

fn answer(waiting: Vec<Waiting>, error: &StoreError) {
    for entry in waiting {
        let _ = entry.done.send(Err(error.clone().into()));
    }
}
