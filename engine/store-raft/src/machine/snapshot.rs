//! Snapshots: nothing is copied to make one. It is a pass over the disk as it is now; what is received goes into a
//! generation of its own, which takes the place of the current one in one write.

use core::fmt;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use openraft::RaftSnapshotBuilder;
use sayso_proto::peer::v1 as wire;
use sayso_store::{Batch, Error, Key};
use sayso_store_local::{Durability, Sweep};

use super::{Applied, Applier, Machine, read_removed, read_tokens};
use crate::disk::{self, APPLIED, generation_prefix};
use crate::types::{Snapshot, SnapshotMeta, StorageError, StorageIoError, Types};

/// The contents of a snapshot: records, keys without their generation.
pub(crate) enum SnapshotData {
    /// Of this node, to be read.
    Local(Box<Sweep>),
    /// Of another, received in full.
    Received(Receiving),
}

impl SnapshotData {
    /// The next records of a snapshot of this node; none at its end.
    pub(crate) fn next_page(&mut self) -> Result<Vec<wire::Record>, Error> {
        let Self::Local(reading) = self else {
            return Err(Error::Invalid { what: "a snapshot that was received is for installing" });
        };
        let prefix = generation_prefix(0).len();
        let records = reading
            .next_page()?
            .into_iter()
            .map(|entry| wire::Record { key: entry.key.as_bytes()[prefix..].to_vec().into(), value: entry.value.0 });
        Ok(records.collect())
    }
}

impl fmt::Debug for SnapshotData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local(_) => "Local",
            Self::Received(_) => "Received",
        })
    }
}

/// A snapshot on its way in. Dropped before it is installed, it leaves nothing that lasts: what is there of it is deleted
/// when the next one begins.
#[derive(Debug)]
pub(crate) struct Receiving {
    machine: Arc<Machine>,
    generation: u32,
}

impl Receiving {
    /// Writes records of the snapshot; they are seen by nobody.
    pub(crate) async fn write(&self, records: Vec<wire::Record>) -> Result<(), Error> {
        let prefix = generation_prefix(self.generation);
        let batch = records.into_iter().fold(Batch::new(), |batch, wire::Record { key, value }| {
            batch.put(Key::from_bytes([&prefix[..], &key].concat()), value)
        });
        self.machine.disk.write(batch, Durability::Ordered).await
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.machine.receiving.send_modify(|receiving| {
            receiving.remove(&self.generation);
        });
    }
}

impl Machine {
    /// Room for a snapshot, empty. What is left of others that were never installed is deleted.
    pub(super) async fn begin_receiving(self: &Arc<Self>) -> Result<Receiving, Error> {
        let _still = self.applied.lock().await;
        let newest = self.delete_stale().await?;
        let mut generation = newest;
        self.receiving.send_modify(|receiving| {
            generation = receiving.last().map_or(newest, |last| newest.max(*last)) + 1;
            receiving.insert(generation);
        });
        Ok(Receiving { machine: Arc::clone(self), generation })
    }

    /// Deletes what is left of snapshots that were never installed, or that were replaced; the newest generation that there was.
    /// Only while nothing is applied, so that none becomes current or is begun meanwhile.
    async fn delete_stale(&self) -> Result<u32, Error> {
        let current = self.generation();
        let mut newest = current;
        for generation in self.disk.generations()? {
            newest = newest.max(generation);
            if generation != current && !self.receiving.borrow().contains(&generation) {
                self.disk.delete_all(&generation_prefix(generation)).await?;
            }
        }
        Ok(newest)
    }

    /// Rewrites the disk without what was deleted or replaced. Waits for snapshots that are on their way in, which may have it,
    /// and for those on their way out, which keep files that have it.
    pub(crate) async fn purge(&self) -> Result<(), Error> {
        // the senders live as long as this
        let _ = self.receiving.subscribe().wait_for(BTreeSet::is_empty).await;
        {
            let _still = self.applied.lock().await;
            self.delete_stale().await?;
        }
        self.disk.purge().await
    }

    /// Replaces the state by that of a snapshot.
    pub(super) async fn install(self: &Arc<Self>, meta: &SnapshotMeta, mut data: SnapshotData) -> Result<(), Error> {
        let received = match data {
            SnapshotData::Received(received) => received,
            SnapshotData::Local(_) => {
                let copy = self.begin_receiving().await?;
                loop {
                    let records = data.next_page()?;
                    if records.is_empty() {
                        break copy;
                    }
                    copy.write(records).await?;
                }
            }
        };
        let generation = received.generation;
        let (tokens, next) = read_tokens(&self.disk, generation)?;
        let removed = read_removed(&self.disk, generation)?;
        let (last_log_id, membership) = (meta.last_log_id, meta.last_membership.clone());
        let installed = Applied { last_log_id, membership, tokens, next };
        let batch = disk::put_record(Batch::new(), APPLIED, &installed.record(generation));
        let mut applied = self.applied.lock().await;
        self.disk.write(batch, Durability::Synced).await?;
        *applied = installed;
        let replaced = {
            let mut current = self.generation.write().unwrap_or_else(PoisonError::into_inner);
            core::mem::replace(&mut *current, generation)
        };
        self.watchers.lag();
        self.seen.send_replace(next - 1);
        self.removed.send_replace(removed);
        drop(applied);
        // the log is cut while what was replaced is deleted
        drop(received);
        self.disk.delete_all(&generation_prefix(replaced)).await
    }

    /// The state as it is now.
    pub(super) async fn snapshot(self: &Arc<Self>) -> Result<Snapshot, Error> {
        let applied = self.applied.lock().await;
        let sweep = self.disk.sweep(&generation_prefix(self.generation()))?;
        Ok(Snapshot { meta: applied.meta(), snapshot: Box::new(SnapshotData::Local(Box::new(sweep))) })
    }
}

impl RaftSnapshotBuilder<Types> for Applier {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        self.0.snapshot().await.map_err(|e| StorageIoError::read_snapshot(None, &e).into())
    }
}
