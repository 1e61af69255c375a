//! The task that appends.

use std::sync::{Arc, PoisonError};

use sayso_audit::merkle::leaf_hash;
use sayso_audit::{Fact, Place};
use sayso_runtime::queue::Receiver;
use sayso_store::{Batch, Condition, Error as StoreError, Store, Version};
use sayso_types::Clock;
use tokio_util::sync::CancellationToken;

use super::log::{self, End};
use super::{Noted, Notes, SHARD, Waiting};
use crate::Error;

/// Changes in one batch: at a few hundred bytes a leaf this stays far below the store's limit on a batch.
const BATCH_ENTRIES_MAX: usize = 512;

pub(super) struct Writer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    profile_rev: u32,
    notes: Arc<Notes>,
    end: End,
    head: Option<Version>,
}

impl Writer {
    pub(super) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        (end, head): (End, Option<Version>),
        profile_rev: u32,
        notes: Arc<Notes>,
    ) -> Self {
        Self { store, clock, profile_rev, notes, end, head }
    }

    /// Appends what comes until asked to stop, then what is left; returns when nothing waits.
    pub(super) async fn run(mut self, mut queue: Receiver<Waiting>, stopping: CancellationToken) -> Result<(), Error> {
        loop {
            let first = tokio::select! {
                biased;
                waiting = queue.recv() => match waiting {
                    Some(waiting) => Some(waiting),
                    None => break,
                },
                () = self.notes.ready.notified() => None,
                () = stopping.cancelled() => break,
            };
            self.round(first, &mut queue).await?;
        }
        while let Some(waiting) = queue.try_recv() {
            self.round(Some(waiting), &mut queue).await?;
        }
        self.round(None, &mut queue).await
    }

    /// Takes what waits and commits it as one batch.
    async fn round(&mut self, first: Option<Waiting>, queue: &mut Receiver<Waiting>) -> Result<(), Error> {
        let mut waiting: Vec<Waiting> = first.into_iter().collect();
        while waiting.len() < BATCH_ENTRIES_MAX {
            let Some(next) = queue.try_recv() else { break };
            waiting.push(next);
        }
        let notes = core::mem::take(&mut *self.notes.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let failed = self.commit(waiting, notes).await;
        if let Err(error) = &failed {
            tracing::error!(%error, "the journal stops: what follows could not be ordered");
        }
        failed
    }

    /// Commits, taking out the entries whose own condition does not hold.
    async fn commit(&mut self, mut waiting: Vec<Waiting>, mut notes: Vec<Noted>) -> Result<(), Error> {
        while !(waiting.is_empty() && notes.is_empty()) {
            let (batch, end) = self.batch(&waiting, &notes);
            match self.store.commit(batch).await {
                Ok(version) => {
                    metrics::histogram!("sayso_consent_journal_batch_entries").record(waiting.len() as f64);
                    self.end = end;
                    self.head = Some(version);
                    for entry in waiting {
                        let _ = entry.done.send(Ok(version));
                    }
                    return Ok(());
                }
                Err(StoreError::Conflict { key }) if key == log::head(SHARD) => {
                    return Err(Error::Log("another process writes to it".to_owned()));
                }
                Err(StoreError::Conflict { key }) => {
                    let (refused, rest): (Vec<_>, Vec<_>) =
                        waiting.into_iter().partition(|w| w.entry.require.iter().any(|(k, _)| *k == key));
                    waiting = rest;
                    for entry in refused {
                        let _ = entry.done.send(Err(StoreError::Conflict { key: key.clone() }.into()));
                    }
                }
                // Nothing was applied, and the store goes on: only the callers are told, the notes wait.
                Err(error @ (StoreError::Full { .. } | StoreError::TooLarge { .. })) => {
                    for entry in waiting {
                        let _ = entry.done.send(Err(error.clone().into()));
                    }
                    let mut later = self.notes.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    notes.append(&mut later);
                    *later = notes;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn batch(&self, waiting: &[Waiting], notes: &[Noted]) -> (Batch, End) {
        let mut end = self.end.clone();
        let mut batch = Batch::new();
        batch.require.push((log::head(SHARD), self.head.map_or(Condition::Absent, Condition::Version)));
        let wall = self.clock.wall();
        // What was closed comes before what waited for the closing.
        for noted in notes.iter().chain(waiting.iter().flat_map(|w| &w.entry.events)) {
            end.clock = end.clock.next(wall);
            let place = Place { shard: SHARD, sequence: end.frontier.size(), clock: end.clock, wall };
            let about = &noted.about;
            let fact = Fact {
                subject: about.tag,
                actor: noted.actor,
                cv: about.cv,
                profile_rev: self.profile_rev,
                epoch: end.epoch,
                event: noted.event.clone(),
            };
            let leaf = fact.at(place).encode();
            batch.ops.push(log::put_leaf(SHARD, place.sequence, &leaf));
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
