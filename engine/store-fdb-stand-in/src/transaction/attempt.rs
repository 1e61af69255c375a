//! [`Attempt`]: what a transaction read and wrote since it began, or began again.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::code::{
    ACCESSED_UNREADABLE, Code, INVERTED_RANGE, KEY_OUTSIDE_LEGAL_RANGE, KEY_TOO_LARGE, TRANSACTION_CANCELLED,
    TRANSACTION_TOO_LARGE, TRANSACTION_TOO_OLD, VALUE_TOO_LARGE,
};
use crate::database::{Cluster, Watch};
use crate::faults::Faults;
use crate::future::{Future, Pair, Rows};
use crate::keyspace::{AGE_MAX, Commit, Held, Mutation, Range};
use crate::pages::Limits;

/// Where keys end that are not the system's.
const KEYS_END: &[u8] = b"\xff";

/// The one key of the system that can be read.
const STATUS_KEY: &[u8] = b"\xff\xff/status/json";

/// What it holds.
const STATUS: &[u8] =
    br#"{"cluster":{"processes":{"stand-in":{"version":"7.3 (a stand-in for tests, no FoundationDB)"}}}}"#;

const KEY_BYTES_MAX: usize = 10_000;
const VALUE_BYTES_MAX: usize = 100_000;
const TRANSACTION_BYTES_MAX: usize = 10_000_000;

/// Bytes that a mutation counts beyond its two parts, and a conflict range beyond its two ends: what FoundationDB's client
/// holds them in.
const MUTATION_BYTES: usize = 40;
const CONFLICT_BYTES: usize = 24;

/// What a transaction read and wrote.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    version: Option<i64>,
    mutations: Vec<Mutation>,
    reads: Vec<Range>,
    writes: Vec<Range>,
    is_next_write_without_conflict: bool,
    /// Why it cannot be committed.
    refused: Option<Code>,
    /// Reads that succeed before one fails, and with what.
    fails: Option<(usize, Code)>,
    pub(super) watches: Vec<Watch>,
    /// Who waits for its stamp.
    pub(super) stamps: Vec<Arc<Future>>,
}

impl Attempt {
    /// Whether it can go on.
    pub(super) fn check(&self) -> Result<(), Code> {
        self.refused.map_or(Ok(()), Err)
    }

    /// Nobody gets what they wait for.
    pub(super) fn cancel(self) {
        let watches = self.watches.into_iter().map(|watch| watch.fires);
        watches.chain(self.stamps).for_each(|waiting| waiting.settle(Err(TRANSACTION_CANCELLED)));
    }

    /// The version that it reads at.
    pub(super) fn version(&mut self, cluster: &Cluster) -> i64 {
        if let Some(version) = self.version {
            return version;
        }
        self.fails = Faults::of_environment().of_reads();
        *self.version.insert(cluster.read_version())
    }

    /// The same, for a read, which may fail.
    fn reading(&mut self, cluster: &Cluster) -> Result<i64, Code> {
        let version = self.version(cluster);
        if version < cluster.clock() - AGE_MAX {
            return Err(TRANSACTION_TOO_OLD);
        }
        match &mut self.fails {
            Some((0, code)) => return Err(*code),
            Some((left, _)) => *left -= 1,
            None => {}
        }
        Ok(version)
    }

    pub(super) fn get(&mut self, cluster: &Cluster, key: &[u8], snapshot: bool) -> Result<Held, Code> {
        if key == STATUS_KEY {
            return Ok(Some(STATUS.into()));
        }
        check_key(key)?;
        let version = self.reading(cluster)?;
        let mut held = cluster.read(|keyspace| keyspace.get(key, version));
        for mutation in &self.mutations {
            if matches!(mutation, Mutation::StampedValue(stamped, _) if stamped == key) {
                return Err(ACCESSED_UNREADABLE);
            }
            held = mutation.of(key, &held).unwrap_or(held);
        }
        // also of a key that it wrote itself, where FoundationDB would not: that is stricter
        if !snapshot {
            self.reads.push(one(key.to_vec()));
        }
        Ok(held)
    }

    /// A page of what `range` holds.
    pub(super) fn get_range(
        &mut self,
        cluster: &Cluster,
        range: Range,
        mut limits: Limits,
        snapshot: bool,
        reverse: bool,
    ) -> Result<Rows, Code> {
        check_range(&range)?;
        let version = self.reading(cluster)?;
        let (mut rows, mut more) = (Vec::new(), false);
        let mut take = |key: &[u8], value: Arc<[u8]>| {
            let is_full = limits.take(key.len() + value.len());
            rows.push((Box::from(key), value));
            more = is_full || (!limits.is_exact && Faults::of_environment().ends_page());
            more
        };
        let own: Vec<&Mutation> = self.mutations.iter().filter(|mutation| overlaps(mutation, &range)).collect();
        cluster.read(|keyspace| {
            let stored = keyspace.range(&range, version);
            if own.is_empty() {
                find(stored, reverse, |(key, value)| take(key, value));
                return Ok(());
            }
            let mut held: BTreeMap<Vec<u8>, Held> = stored.map(|(key, value)| (key.to_vec(), Some(value))).collect();
            for mutation in own {
                overlay(&mut held, mutation)?;
            }
            let held = held.iter().filter_map(|(key, held)| Some((key, held.clone()?)));
            find(held, reverse, |(key, value)| take(key, value));
            Ok::<_, Code>(())
        })?;
        if !snapshot {
            let (begin, end) = range;
            let last = rows.last().filter(|_| more).map(|(key, _): &Pair| key.to_vec());
            self.reads.push(match last {
                None => (begin, end),
                Some(last) if reverse => (last, end),
                Some(last) => (begin, one(last).1),
            });
        }
        Ok(Rows::new(rows, more))
    }

    pub(super) fn write(&mut self, mutation: Result<Mutation, Code>) {
        let has_conflict = !core::mem::take(&mut self.is_next_write_without_conflict);
        let checked = mutation.and_then(|mutation| check(&mutation).map(|()| mutation));
        match checked {
            Ok(Mutation::Clear((begin, end))) if begin == end => {}
            Ok(mutation) => {
                self.writes.extend(touched(&mutation).filter(|_| has_conflict));
                self.mutations.push(mutation);
            }
            Err(code) => self.refused = self.refused.or(Some(code)),
        }
    }

    pub(super) fn conflict(&mut self, range: Range, is_write: bool) {
        match check_range(&range) {
            Ok(()) if is_write => self.writes.push(range),
            Ok(()) => self.reads.push(range),
            Err(code) => self.refused = self.refused.or(Some(code)),
        }
    }

    pub(super) fn next_write_without_conflict(&mut self) {
        self.is_next_write_without_conflict = true;
    }

    /// What is to be committed, which may be nothing.
    pub(super) fn into_commit(mut self, cluster: &Cluster) -> Result<Option<Commit>, Code> {
        if self.mutations.is_empty() && self.writes.is_empty() {
            return Ok(None);
        }
        if self.size() > TRANSACTION_BYTES_MAX {
            return Err(TRANSACTION_TOO_LARGE);
        }
        let read_version = self.version(cluster);
        Ok(Some(Commit { read_version, reads: self.reads, writes: self.writes, mutations: self.mutations }))
    }

    /// What it counts towards its limit.
    fn size(&self) -> usize {
        let mutations = self.mutations.iter().map(|mutation| MUTATION_BYTES + mutation.bytes());
        let conflicts = self.reads.iter().chain(&self.writes);
        let conflicts = conflicts.map(|(begin, end)| CONFLICT_BYTES + begin.len() + end.len());
        mutations.chain(conflicts).sum()
    }
}

/// The range that has `key` and nothing else.
pub(crate) fn one(key: Vec<u8>) -> Range {
    let end = [key.as_slice(), &[0]].concat();
    (key, end)
}

fn touched(mutation: &Mutation) -> Option<Range> {
    mutation.touches().map(|(begin, end)| match end {
        Bound::Excluded(end) => (begin.to_vec(), end.to_vec()),
        _ => one(begin.to_vec()),
    })
}

fn overlaps(mutation: &Mutation, (begin, end): &Range) -> bool {
    touched(mutation).is_some_and(|(from, to)| from < *end && *begin < to)
}

/// Calls `take` on one after the other until it has enough.
fn find<T>(items: impl DoubleEndedIterator<Item = T>, reverse: bool, mut take: impl FnMut(T) -> bool) {
    if reverse {
        items.rev().any(&mut take);
    } else {
        let mut items = items;
        items.any(&mut take);
    }
}

/// Does what `mutation` does to what is `held`.
fn overlay(held: &mut BTreeMap<Vec<u8>, Held>, mutation: &Mutation) -> Result<(), Code> {
    match mutation {
        Mutation::StampedValue(..) => return Err(ACCESSED_UNREADABLE),
        Mutation::Clear((begin, end)) => {
            held.range_mut(begin.clone()..end.clone()).for_each(|(_, held)| *held = None);
        }
        other => {
            if let Some((key, _)) = other.touches() {
                let one = held.entry(key.to_vec()).or_default();
                *one = other.of(key, one).unwrap_or_default();
            }
        }
    }
    Ok(())
}

fn check(mutation: &Mutation) -> Result<(), Code> {
    match mutation {
        Mutation::Clear(range) => check_range(range),
        Mutation::Set(key, value)
        | Mutation::Add(key, value)
        | Mutation::ByteMax(key, value)
        | Mutation::StampedKey(key, value)
        | Mutation::StampedValue(key, value) => {
            check_key(key)?;
            if key.len() > KEY_BYTES_MAX {
                return Err(KEY_TOO_LARGE);
            }
            if value.len() > VALUE_BYTES_MAX {
                return Err(VALUE_TOO_LARGE);
            }
            Ok(())
        }
    }
}

fn check_key(key: &[u8]) -> Result<(), Code> {
    if key >= KEYS_END { Err(KEY_OUTSIDE_LEGAL_RANGE) } else { Ok(()) }
}

fn check_range((begin, end): &Range) -> Result<(), Code> {
    if begin > end {
        return Err(INVERTED_RANGE);
    }
    // the end of a range may be where the system's keys begin
    if begin.as_slice() > KEYS_END || end.as_slice() > KEYS_END {
        return Err(KEY_OUTSIDE_LEGAL_RANGE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::code::SUCCESS;
    use crate::database::Database;

    fn cluster() -> Arc<Cluster> {
        // any file will do: nobody looks into it
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        Database::new(Some(file)).unwrap().cluster
    }

    fn set(key: &[u8], value: &[u8]) -> Result<Mutation, Code> {
        Ok(Mutation::Set(key.to_vec(), value.to_vec()))
    }

    #[test]
    fn it_reads_what_it_wrote_itself() {
        let cluster = cluster();
        let mut first = Attempt::default();
        for key in [b"own a", b"own b", b"own c"] {
            first.write(set(key, b"1"));
        }
        cluster.commit(first.into_commit(&cluster).unwrap().unwrap()).unwrap();

        let mut second = Attempt::default();
        second.write(set(b"own d", b"2"));
        second.write(Ok(Mutation::Clear(one(b"own a".to_vec()))));
        second.write(Ok(Mutation::Add(b"own b".to_vec(), vec![1])));
        let value = |attempt: &mut Attempt, key| attempt.get(&cluster, key, true).unwrap();
        assert_eq!(value(&mut second, b"own a"), None);
        assert_eq!(value(&mut second, b"own b").as_deref(), Some(&b"2"[..]));
        assert_eq!(value(&mut second, b"own c").as_deref(), Some(&b"1"[..]));
        let all = || (b"own ".to_vec(), b"own z".to_vec());
        let limits = |rows| Limits::new(rows, 0, 0, 0).unwrap();
        let page = second.get_range(&cluster, all(), limits(2), false, false).unwrap();
        assert_eq!((page.as_slice().len(), page.more), (2, true));
        let page = second.get_range(&cluster, all(), limits(9), true, true).unwrap();
        assert_eq!((page.as_slice().len(), page.more), (3, false));
        assert_eq!(second.reads, [(b"own ".to_vec(), b"own c\0".to_vec())], "as far as it was read");
        second.write(Ok(Mutation::StampedValue(b"own e".to_vec(), vec![0; 14])));
        assert_eq!(second.get(&cluster, b"own e", true), Err(ACCESSED_UNREADABLE));
        assert!(matches!(second.get_range(&cluster, all(), limits(9), true, false), Err(ACCESSED_UNREADABLE)));
    }

    #[test]
    fn a_delete_counts_its_key_four_times() {
        let cluster = cluster();
        let clears = |count: u8| {
            let mut attempt = Attempt::default();
            for n in 0..count {
                attempt.write(Ok(Mutation::Clear(one(vec![n; KEY_BYTES_MAX]))));
            }
            attempt.into_commit(&cluster).map(|_| ())
        };
        // each has four times 10,000 bytes, two that end ranges, and what holds them
        assert_eq!(TRANSACTION_BYTES_MAX / (4 * KEY_BYTES_MAX + 2 + MUTATION_BYTES + CONFLICT_BYTES), 249);
        assert_eq!((clears(249), clears(250)), (Ok(()), Err(TRANSACTION_TOO_LARGE)));
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        let code = |mutation: Result<Mutation, Code>| {
            let mut attempt = Attempt::default();
            attempt.write(mutation);
            attempt.check().err().unwrap_or(SUCCESS)
        };
        assert_eq!(code(set(&[1; KEY_BYTES_MAX], &[1; VALUE_BYTES_MAX])), SUCCESS);
        assert_eq!(code(set(&[1; KEY_BYTES_MAX + 1], b"")), KEY_TOO_LARGE);
        assert_eq!(code(set(b"a", &[1; VALUE_BYTES_MAX + 1])), VALUE_TOO_LARGE);
        assert_eq!(code(set(b"\xff", b"")), KEY_OUTSIDE_LEGAL_RANGE);
        assert_eq!(code(Ok(Mutation::Clear((b"b".to_vec(), b"a".to_vec())))), INVERTED_RANGE);
    }
}
