//! [`Index`]: the commits by key, in an LSM tree whose log is [ours](crate::log).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::{BufMut, Bytes, BytesMut};
use lsm_tree::compaction::Leveled;
use lsm_tree::config::PinningPolicy;
use lsm_tree::{AbstractTree, AnyTree, Cache, Config, Guard, IterGuardImpl, SequenceNumberCounter};
use sayso_store::decide::{self, Commit};
use sayso_store::limits::SCAN_BYTES_MAX;
use sayso_store::{Change, Entry, Error, Key, Page, Range, Token, Value, Version, Versioned};

use crate::{fault, manifest};

/// The first commit of a store. Far from zero because the tree numbers its own reorganisations from zero since it
/// was opened, and a read sees those whose number is less than its snapshot's.
pub(crate) const FIRST_SEQUENCE: u64 = 1 << 32;

/// What a table holds that a purge writes: as much as one that merging writes, so that merging it later rewrites no more.
const TABLE_BYTES: u64 = 64 << 20;

/// Levels of a tree.
const LEVELS: usize = 7;

/// What begins the keys of the tree: two spaces, of what callers put and of the tokens they did it under.
const ENTRIES: u8 = 0;
const TOKENS: u8 = 1;

/// Every value in the tree begins with the sequence of the commit that wrote it.
const SEQUENCE_BYTES: usize = 8;

/// The tree of a store, and up to where reads may see it.
#[derive(Debug)]
pub(crate) struct Index {
    dir: PathBuf,
    tree: Tree,
    /// Reads see commits below this.
    visible: AtomicU64,
    /// Held by every read. Taking it for writing waits for those under way, so that afterwards no read sees less
    /// than what is visible now, and older versions of keys can go.
    reads: RwLock<()>,
    /// The tables that were written whole, by path. Held for reading while tables are written, in any number of threads;
    /// for writing by whoever looks which of them are not whole.
    whole: RwLock<Mutex<BTreeSet<PathBuf>>>,
}

struct Tree(AnyTree);

impl core::fmt::Debug for Tree {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tree")
    }
}

impl Index {
    /// The tree in `dir`, made if there is none.
    pub(crate) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, Error> {
        // These counters number the tree's own reorganisations, not our commits: see `FIRST_SEQUENCE`.
        let config = Config::new(dir, SequenceNumberCounter::default(), SequenceNumberCounter::default())
            .use_cache(Arc::new(Cache::with_capacity_bytes(cache_bytes)))
            // Index and filter blocks live in the cache, so that memory stays bounded as tables grow in number.
            .index_block_pinning_policy(PinningPolicy::all(false))
            .filter_block_pinning_policy(PinningPolicy::all(false));
        let tree = config.open().map_err(|e| fault::tree("open", dir, e))?;
        let index = Self {
            tree: Tree(tree),
            visible: AtomicU64::new(0),
            reads: RwLock::new(()),
            whole: RwLock::new(Mutex::new(manifest::tables(dir)?)),
            dir: dir.to_owned(),
        };
        index.publish(index.persisted().map_or(FIRST_SEQUENCE, |last| last + 1));
        Ok(index)
    }

    /// The last commit that is in a table.
    pub(crate) fn persisted(&self) -> Option<u64> {
        self.tree.0.get_highest_persisted_seqno()
    }

    /// What `keys` hold, at one moment.
    pub(crate) fn read<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Result<Vec<Option<Versioned>>, Error> {
        self.at_one_moment(|visible| keys.map(|key| self.get(key, visible)).collect())
    }

    fn get(&self, key: &Key, visible: u64) -> Result<Option<Versioned>, Error> {
        let found = self
            .tree
            .0
            .get(tree_key(ENTRIES, key.as_bytes()), visible)
            .map_err(|e| fault::tree("read", &self.dir, e))?;
        found.map(|stored| self.versioned(stored.into())).transpose()
    }

    /// The first entries of `range`, at one moment.
    pub(crate) fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        if range.is_empty() {
            return Ok(Page::default());
        }
        self.at_one_moment(|visible| {
            let mut page = Page::default();
            let mut bytes = 0;
            let keys = tree_key(ENTRIES, range.start.as_bytes())..tree_key(ENTRIES, range.end.as_bytes());
            for item in self.tree.0.range(keys, visible, None) {
                let entry = self.entry(item)?;
                if page.entries.len() >= limit || bytes >= SCAN_BYTES_MAX {
                    page.rest = Some(Range { start: entry.key, end: range.end });
                    break;
                }
                bytes += entry.key.as_bytes().len() + entry.value.len();
                page.entries.push(entry);
            }
            Ok(page)
        })
    }

    /// Passes over `range`, all of it as it is now.
    pub(crate) fn sweeps<const N: usize>(self: &Arc<Self>, range: &Range) -> [Sweep; N] {
        let keys = tree_key(ENTRIES, range.start.as_bytes())..tree_key(ENTRIES, range.end.as_bytes());
        self.at_one_moment(|visible| {
            core::array::from_fn(|_| {
                let items = self.tree.0.range(keys.clone(), visible, None);
                Sweep { index: Arc::clone(self), items }
            })
        })
    }

    /// The entry of `range` with the greatest key.
    pub(crate) fn last(&self, range: &Range) -> Result<Option<Entry>, Error> {
        let keys = tree_key(ENTRIES, range.start.as_bytes())..tree_key(ENTRIES, range.end.as_bytes());
        self.at_one_moment(|visible| {
            let last = self.tree.0.range(keys, visible, None).next_back();
            last.map(|item| self.entry(item)).transpose()
        })
    }

    fn entry(&self, item: IterGuardImpl) -> Result<Entry, Error> {
        let (key, stored) = item.into_inner().map_err(|e| fault::tree("read", &self.dir, e))?;
        let Versioned { value, version } = self.versioned(stored.into())?;
        Ok(Entry { key: Key::from_bytes(Bytes::from(key).slice(1..)), value, version })
    }

    /// The tokens of the last commits, oldest first.
    pub(crate) fn tokens(&self) -> Result<Vec<(u64, Token)>, Error> {
        let mut tokens = self.at_one_moment(|visible| {
            let slots = self.tree.0.range([TOKENS].., visible, None);
            slots
                .map(|item| {
                    let (_, stored) = item.into_inner().map_err(|e| fault::tree("read", &self.dir, e))?;
                    let damaged = || fault::corrupt(&self.dir, "the record of a commit's token is malformed");
                    let (sequence, token) = stored.split_first_chunk().ok_or_else(damaged)?;
                    let token = token.try_into().map_err(|_| damaged())?;
                    Ok((u64::from_be_bytes(*sequence), Token(token)))
                })
                .collect::<Result<Vec<_>, Error>>()
        })?;
        tokens.sort_unstable();
        Ok(tokens)
    }

    /// Takes in a durable commit. It is seen by nobody before it is [published](Self::publish).
    pub(crate) fn apply(&self, commit: &Commit) {
        let sequence = commit.sequence;
        for Change { key, value, .. } in &commit.changes {
            match value {
                Some(value) => self.tree.0.insert(tree_key(ENTRIES, key.as_bytes()), stored(sequence, value), sequence),
                None => self.tree.0.remove(tree_key(ENTRIES, key.as_bytes()), sequence),
            };
        }
        let slot = tree_key(TOKENS, &decide::slot(sequence));
        self.tree.0.insert(slot, stored(sequence, &commit.token.0), sequence);
    }

    /// Lets reads see the commits below `next`.
    pub(crate) fn publish(&self, next: u64) {
        self.visible.store(next, Ordering::Release);
    }

    /// Bytes of changes that are in no table yet and still taken in together.
    pub(crate) fn memtable_bytes(&self) -> u64 {
        self.tree.0.active_memtable().size()
    }

    /// Closes the memtable; what comes next goes to a new one.
    pub(crate) fn rotate(&self) {
        self.tree.0.rotate_memtable();
    }

    /// Writes what is in closed memtables to tables. It is durable afterwards.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.reorganise("write a table to", || {
            let lock = self.tree.0.get_flush_lock();
            self.tree.0.flush(&lock, self.oldest_seen()).map(|_| ())
        })
    }

    /// Merges tables, one step; `false` when there was nothing to merge.
    pub(crate) fn compact(&self) -> Result<bool, Error> {
        let before = self.shape();
        self.reorganise("merge tables of", || self.tree.0.compact(Arc::new(Leveled::default()), self.oldest_seen()))?;
        Ok(self.shape() != before)
    }

    /// Merges all tables into the last level, without anything that is deleted or replaced, and makes it durable that
    /// the old ones are gone. Waits for a [`compact`](Self::compact) that is under way.
    pub(crate) fn purge(&self) -> Result<(), Error> {
        if self.tree.0.table_count() > 0 {
            self.reorganise("rewrite the tables of", || self.tree.0.major_compact(TABLE_BYTES, self.oldest_seen()))?;
            fault::sync_dir(&self.dir.join("tables"))?;
        }
        Ok(())
    }

    fn reorganise(&self, action: &'static str, step: impl FnOnce() -> lsm_tree::Result<()>) -> Result<(), Error> {
        let under_way = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        let outcome = step();
        if outcome.is_ok() {
            let there = manifest::tables(&self.dir)?;
            let mut whole = under_way.lock().unwrap_or_else(PoisonError::into_inner);
            // what is merged into another may still be read for a while
            whole.retain(|table| there.contains(table));
            whole.extend(manifest::current(&self.dir)?);
        }
        drop(under_way);
        outcome.map_err(|error| {
            let mut none_under_way = self.whole.write().unwrap_or_else(PoisonError::into_inner);
            let whole = none_under_way.get_mut().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = manifest::delete_strays(&self.dir, whole) {
                tracing::warn!(%error, "cannot delete what is left of a table");
            }
            fault::tree(action, &self.dir, error)
        })
    }

    /// Tables in the first level: those that were not merged with any other yet.
    pub(crate) fn unmerged_tables(&self) -> usize {
        self.tree.0.level_table_count(0).unwrap_or_default()
    }

    fn shape(&self) -> [Option<usize>; LEVELS] {
        core::array::from_fn(|level| self.tree.0.level_table_count(level))
    }

    fn at_one_moment<T>(&self, read: impl FnOnce(u64) -> T) -> T {
        let _under_way = self.reads.read().unwrap_or_else(PoisonError::into_inner);
        read(self.visible.load(Ordering::Acquire))
    }

    /// A sequence below which no read under way, nor any to come, distinguishes commits.
    fn oldest_seen(&self) -> u64 {
        let _none_under_way = self.reads.write().unwrap_or_else(PoisonError::into_inner);
        self.visible.load(Ordering::Acquire)
    }

    fn versioned(&self, mut stored: Bytes) -> Result<Versioned, Error> {
        let Some(sequence) = stored.first_chunk().copied() else {
            return Err(fault::corrupt(&self.dir, "a value has no version"));
        };
        let value = Value(stored.split_off(SEQUENCE_BYTES));
        Ok(Versioned { value, version: Version::from_sequence(u64::from_be_bytes(sequence)) })
    }
}

/// One pass over a range as it was when this was made. It keeps the tables and memtables of that moment, so that nothing
/// that happens meanwhile changes what it gives.
pub(crate) struct Sweep {
    index: Arc<Index>,
    items: Box<dyn Iterator<Item = IterGuardImpl> + Send>,
}

impl Sweep {
    /// The next entries: as many as make up [`SCAN_BYTES_MAX`]; none when the range is exhausted.
    pub(crate) fn next_page(&mut self) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        while bytes < SCAN_BYTES_MAX
            && let Some(item) = self.items.next()
        {
            let entry = self.index.entry(item)?;
            bytes += entry.key.as_bytes().len() + entry.value.len();
            entries.push(entry);
        }
        Ok(entries)
    }
}

fn tree_key(space: u8, key: &[u8]) -> Bytes {
    let mut tree_key = BytesMut::with_capacity(1 + key.len());
    tree_key.put_u8(space);
    tree_key.put_slice(key);
    tree_key.freeze()
}

fn stored(sequence: u64, value: &[u8]) -> Bytes {
    let mut stored = BytesMut::with_capacity(SEQUENCE_BYTES + value.len());
    stored.put_u64(sequence);
    stored.put_slice(value);
    stored.freeze()
}
