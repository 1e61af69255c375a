//! [`Recent`]: the end of the log in memory. Each entry is read soon after it is appended, by who sends it to others and by
//! who applies it; the disk is asked for what is older only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::EntryPayload;
use sayso_store::limits::SCAN_BYTES_MAX;

use crate::types::Entry;

/// Bytes of entries that are kept, more than go into one message. An entry that is greater is not kept at all.
const BYTES_MAX: usize = 4 << 20;
/// What an entry counts beyond its proposal, so that entries are bounded in number, too.
const ENTRY_OVERHEAD_BYTES: usize = 512;

/// The last entries of a log, without a gap. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Recent {
    /// Takes in entries that are on the disk by now.
    pub(crate) fn append(&self, appended: Vec<Entry>) {
        let mut kept = self.entries();
        for entry in appended {
            if kept.entries.back().is_some_and(|last| last.log_id.index + 1 != entry.log_id.index) {
                *kept = Entries::default();
            }
            kept.bytes += size(&entry);
            kept.entries.push_back(entry);
            while kept.bytes > BYTES_MAX
                && let Some(oldest) = kept.entries.pop_front()
            {
                kept.bytes -= size(&oldest);
            }
        }
    }

    /// Forgets the entries from `since` on.
    pub(crate) fn truncate(&self, since: u64) {
        let mut kept = self.entries();
        while let Some(last) = kept.entries.pop_back_if(|last| last.log_id.index >= since) {
            kept.bytes -= size(&last);
        }
    }

    /// Forgets the entries up to `upto`.
    pub(crate) fn purge(&self, upto: u64) {
        let mut kept = self.entries();
        while let Some(first) = kept.entries.pop_front_if(|first| first.log_id.index <= upto) {
            kept.bytes -= size(&first);
        }
    }

    /// The entries from `start` to before `end`, or the first of them that make up a page; none if one of them is not here.
    pub(crate) fn page(&self, start: u64, end: u64) -> Option<Vec<Entry>> {
        let kept = self.entries();
        let first = kept.entries.front()?.log_id.index;
        let (from, to) = (start.checked_sub(first)?, end.checked_sub(first)?);
        if start >= end || to > kept.entries.len() as u64 {
            return None;
        }
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            let fits = bytes < SCAN_BYTES_MAX;
            bytes += size(entry);
            fits
        };
        Some(kept.entries.range(from as usize..to as usize).take_while(fits).cloned().collect())
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // nothing panics while it is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(entry: &Entry) -> usize {
    let proposal = match &entry.payload {
        EntryPayload::Normal(proposal) => proposal.0.len(),
        EntryPayload::Blank | EntryPayload::Membership(_) => 0,
    };
    ENTRY_OVERHEAD_BYTES + proposal
}

#[cfg(test)]
mod tests {
    use openraft::CommittedLeaderId;

    use super::*;
    use crate::types::{LogId, NodeId, Proposal};

    fn entry(index: u64, bytes: usize) -> Entry {
        let log_id = LogId::new(CommittedLeaderId::new(1, NodeId(1)), index);
        Entry { log_id, payload: EntryPayload::Normal(Proposal(vec![7; bytes].into())) }
    }

    fn indexes(page: Option<Vec<Entry>>) -> Option<Vec<u64>> {
        page.map(|entries| entries.iter().map(|entry| entry.log_id.index).collect())
    }

    fn filled(indexes: core::ops::RangeInclusive<u64>) -> Recent {
        let recent = Recent::default();
        recent.append(indexes.map(|index| entry(index, 1)).collect());
        recent
    }

    #[test]
    fn what_is_all_there_is_given_and_nothing_else() {
        let recent = filled(5..=9);
        assert_eq!(indexes(recent.page(5, 10)), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(indexes(recent.page(7, 8)), Some(vec![7]));
        for (start, end) in [(4, 6), (8, 11), (10, 11), (7, 7), (8, 7)] {
            assert_eq!(indexes(recent.page(start, end)), None, "{start}..{end}");
        }
    }

    #[test]
    fn what_is_deleted_at_either_end_is_gone() {
        let recent = filled(5..=9);
        recent.truncate(8);
        recent.purge(5);
        assert_eq!(indexes(recent.page(6, 8)), Some(vec![6, 7]));
        assert_eq!(recent.page(5, 8), None);
        assert_eq!(recent.page(6, 9), None);
        recent.append(vec![entry(8, 1)]);
        assert_eq!(indexes(recent.page(6, 9)), Some(vec![6, 7, 8]));
        recent.truncate(0);
        assert_eq!(recent.entries().bytes, 0);
    }

    #[test]
    fn a_log_that_goes_on_elsewhere_has_no_gap() {
        let recent = filled(5..=9);
        recent.append(vec![entry(20, 1)]);
        assert_eq!(recent.page(9, 10), None);
        assert_eq!(indexes(recent.page(20, 21)), Some(vec![20]));
    }

    #[test]
    fn pages_and_memory_are_bounded() {
        let recent = Recent::default();
        recent.append((1..=100).map(|index| entry(index, SCAN_BYTES_MAX / 2)).collect());
        assert!(recent.entries().bytes <= BYTES_MAX);
        assert_eq!(recent.page(1, 2), None);
        assert_eq!(indexes(recent.page(97, 101)), Some(vec![97, 98]));
        recent.append(vec![entry(101, BYTES_MAX)]);
        assert_eq!(recent.entries().bytes, 0, "one that is greater than all that is kept");
        assert_eq!(recent.page(101, 102), None);
    }
}
