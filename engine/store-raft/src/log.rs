//! [`Log`]: the replicated log on this node's disk. One fsync an append, however many entries it has. What a leader appends
//! is on its way to the others ([`Early`]) while its own disk writes; whoever reads it soon after does so from memory
//! ([`Recent`]).

use core::fmt::Debug;
use core::ops::{Bound, RangeBounds};
use std::io;
use std::sync::Arc;

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use sayso_proto::peer::v1 as wire;
use sayso_store::limits::SCAN_LIMIT_MAX;
use sayso_store::{Batch, Error, Range};
use sayso_store_local::Durability;

use crate::codec::{Malformed, entry_from, entry_into, log_id_from, log_id_into, vote_from, vote_into};
use crate::disk::{self, Disk, ENTRY, PURGED, VOTE, log_key};
use crate::early::Early;
use crate::machine::Machine;
use crate::recent::Recent;
use crate::types::{Entry, LogId, StorageError, StorageIoError, Types, Vote};

/// Bytes of entries that are written together; what is more goes before, in order, and is synced with the last.
const WRITE_BYTES_MAX: usize = 4 << 20;

/// The log of a node. Where it begins and ends is kept here, and its end in memory.
#[derive(Debug)]
pub(crate) struct Log {
    disk: Arc<Disk>,
    machine: Arc<Machine>,
    purged: Option<LogId>,
    last: Option<LogId>,
    /// What is known to be committed since it was opened.
    committed: Option<LogId>,
    recent: Recent,
    early: Arc<Early>,
}

impl Log {
    /// The log on `disk` that leads to the state of `machine`.
    pub(crate) fn open(disk: Arc<Disk>, machine: Arc<Machine>, early: Arc<Early>) -> Result<Self, Error> {
        let purged = disk.record::<wire::LogId>(PURGED)?.map(log_id_from);
        let last = disk.last(&Range { start: log_key(0), end: log_key(u64::MAX) })?;
        let last = last.map(|entry| entry_of(&entry.value)).transpose()?;
        let last = last.map(|entry| entry.log_id).or(purged);
        Ok(Self { disk, machine, purged, last, committed: None, recent: Recent::default(), early })
    }

    /// Deletes entries from `first` to before `end`, with what else is in `batch`.
    async fn delete(&self, mut batch: Batch, first: u64, end: u64) -> Result<(), Error> {
        for index in first..end {
            batch = batch.delete(log_key(index));
        }
        self.disk.write(batch, Durability::Ordered).await
    }

    fn first(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.index + 1)
    }

    async fn write(&self, entries: &[wire::Entry], first: u64) -> Result<(), Error> {
        let mut batch = Batch::new();
        for (index, entry) in (first..).zip(entries) {
            if batch.size() >= WRITE_BYTES_MAX {
                self.disk.write(core::mem::take(&mut batch), Durability::Ordered).await?;
            }
            batch = batch.put(log_key(index), disk::encode_record(ENTRY, entry));
        }
        self.disk.write(batch, Durability::Synced).await
    }
}

/// Reads the log for those who send it.
#[derive(Clone, Debug)]
pub(crate) struct LogReader {
    disk: Arc<Disk>,
    recent: Recent,
}

impl LogReader {
    /// The entries from `start` to before `end` that make up a page.
    fn page(&self, start: u64, end: u64) -> Result<Vec<Entry>, Error> {
        if let Some(entries) = self.recent.page(start, end) {
            return Ok(entries);
        }
        let page = self.disk.scan(Range { start: log_key(start), end: log_key(end) }, SCAN_LIMIT_MAX)?;
        page.entries.iter().map(|entry| entry_of(&entry.value)).collect()
    }
}

fn entry_of(stored: &bytes::Bytes) -> Result<Entry, Error> {
    let entry = disk::decode_record::<wire::Entry>(ENTRY, "raft entry", stored)?;
    entry_from(entry).map_err(|Malformed { what }| disk::malformed("raft entry", what))
}

impl RaftLogReader<Types> for LogReader {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let mut start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        let mut entries = Vec::new();
        while start < end {
            let page = self.page(start, end).map_err(|e| StorageIoError::read_logs(&e))?;
            let Some(last) = page.last() else { break };
            start = last.log_id.index + 1;
            entries.extend(page);
        }
        Ok(entries)
    }

    /// As many as make up a megabyte, so that a message to a node that is far behind is bounded.
    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        self.page(start, end).map_err(|e| StorageIoError::read_logs(&e).into())
    }
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        self.get_log_reader().await.try_get_log_entries(range).await
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = LogReader;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        Ok(LogState { last_purged_log_id: self.purged, last_log_id: self.last })
    }

    async fn get_log_reader(&mut self) -> LogReader {
        LogReader { disk: Arc::clone(&self.disk), recent: self.recent.clone() }
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let batch = disk::put_record(Batch::new(), VOTE, &vote_into(vote));
        self.disk.write(batch, Durability::Synced).await.map_err(|e| StorageIoError::write_vote(&e).into())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let mut vote = self.disk.record::<wire::Vote>(VOTE).map_err(|e| StorageIoError::read_vote(&e))?;
        // Who led and starts again does not lead in that term any more: others may have entries of it which this disk lost,
        // and there would be two under one number.
        if let Some(vote) = vote.as_mut().filter(|vote| self.early.is_from(vote.node)) {
            vote.committed = false;
        }
        vote.map(|vote| vote_from(Some(vote))).transpose().map_err(|e| StorageIoError::read_vote(&e).into())
    }

    /// Kept for what is sent [early](Early) only. It is not written: the state is on this disk before anybody sees it, and so
    /// does not fall behind what was answered.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        self.committed = committed;
        Ok(())
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<Types>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let appended: Vec<_> = entries.into_iter().collect();
        let (first, last) =
            (appended.first().map(|entry| entry.log_id.index), appended.last().map(|entry| entry.log_id));
        let entries: Vec<_> = appended.iter().map(entry_into).collect();
        metrics::histogram!("sayso_store_raft_append_entries").record(entries.len() as f64);
        if let Some(last) = last {
            self.early.send(self.last, self.committed, &entries, last);
        }
        let written = self.write(&entries, first.unwrap_or_default()).await;
        if written.is_ok() {
            self.last = last.or(self.last);
            self.recent.append(appended);
        }
        callback.log_io_completed(written.map_err(io::Error::other));
        Ok(())
    }

    async fn truncate(&mut self, since: LogId) -> Result<(), StorageError> {
        let end = self.last.map_or(since.index, |last| last.index + 1);
        self.recent.truncate(since.index);
        let deleted = self.delete(Batch::new(), since.index, end).await;
        deleted.map_err(|e| StorageIoError::write_logs(&e))?;
        let before = since.index.checked_sub(1).filter(|before| *before >= self.first());
        let reader = self.get_log_reader().await;
        let before = before.map(|index| reader.page(index, index + 1));
        let entries = before.transpose().map_err(|e| StorageIoError::read_logs(&e))?.unwrap_or_default();
        self.last = entries.last().map(|entry| entry.log_id).or(self.purged);
        Ok(())
    }

    /// openraft has what a snapshot stands for purged while the machine may still be installing it. Were that written first,
    /// a node that is killed in between would have neither the entries nor the state.
    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        if self.machine.misses(upto).await {
            let reason = format!("the snapshot up to {upto} was not installed, so its entries stay");
            return Err(StorageIoError::write_logs(&Error::Unavailable { reason }).into());
        }
        self.recent.purge(upto.index);
        let batch = disk::put_record(Batch::new(), PURGED, &log_id_into(&upto));
        let end = self.last.map_or(0, |last| last.index + 1).min(upto.index + 1);
        let deleted = self.delete(batch, self.first(), end).await;
        deleted.map_err(|e| StorageIoError::write_logs(&e))?;
        self.purged = Some(upto);
        self.last = self.last.max(Some(upto));
        Ok(())
    }
}
