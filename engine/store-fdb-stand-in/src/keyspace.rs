//! [`Keyspace`]: keys with what they held at each version of the last seconds, and which commits are let in.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::code::{Code, NOT_COMMITTED, TRANSACTION_TOO_OLD};

/// What a key holds.
pub(crate) type Held = Option<Arc<[u8]>>;

/// From the first key to before the second.
pub(crate) type Range = (Vec<u8>, Vec<u8>);

/// A commit's version and its place among those of that version, both big-endian.
pub(crate) type Stamp = [u8; 10];

/// Versions that a transaction may be behind: five seconds.
pub(crate) const AGE_MAX: i64 = 5_000_000;

/// Commits after which what nobody can read any more is swept away.
const SWEEP_EVERY: u64 = 1_024;

/// Bytes that end the operand of a versionstamped operation: where the stamp goes, little-endian.
const OFFSET_BYTES: usize = 4;

/// What a transaction does to the keyspace.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    Set(Vec<u8>, Vec<u8>),
    Clear(Range),
    Add(Vec<u8>, Vec<u8>),
    ByteMax(Vec<u8>, Vec<u8>),
    StampedKey(Vec<u8>, Vec<u8>),
    StampedValue(Vec<u8>, Vec<u8>),
}

impl Mutation {
    /// What it makes of `key`, which holds `held`; `None` when it leaves it as it is. Stamps are not known before the commit.
    pub(crate) fn of(&self, key: &[u8], held: &Held) -> Option<Held> {
        let is = |one: &[u8]| one == key;
        match self {
            Self::Set(one, value) if is(one) => Some(Some(value.as_slice().into())),
            Self::Clear((begin, end)) if begin.as_slice() <= key && key < end.as_slice() => Some(None),
            Self::Add(one, operand) if is(one) => Some(Some(added(held.as_deref(), operand).into())),
            Self::ByteMax(one, operand) if is(one) => Some(Some(
                held.as_deref().map_or_else(|| operand.as_slice().into(), |held| held.max(operand.as_slice()).into()),
            )),
            _ => None,
        }
    }

    /// The range of keys that it changes; of a stamped key none, as it is known to nobody yet.
    pub(crate) fn touches(&self) -> Option<(&[u8], Bound<&[u8]>)> {
        match self {
            Self::Clear((begin, end)) => Some((begin, Bound::Excluded(end))),
            Self::Set(key, _) | Self::Add(key, _) | Self::ByteMax(key, _) | Self::StampedValue(key, _) => {
                Some((key, Bound::Included(key)))
            }
            Self::StampedKey(..) => None,
        }
    }

    /// The lengths of its two parts.
    pub(crate) fn bytes(&self) -> usize {
        let (Self::Set(one, other)
        | Self::Clear((one, other))
        | Self::Add(one, other)
        | Self::ByteMax(one, other)
        | Self::StampedKey(one, other)
        | Self::StampedValue(one, other)) = self;
        one.len() + other.len()
    }

    /// What it is once the stamp is known.
    fn stamped(self, stamp: &Stamp) -> Self {
        match self {
            Self::StampedKey(key, value) => Self::Set(fill(key, stamp), value),
            Self::StampedValue(key, value) => Self::Set(key, fill(value, stamp)),
            other => other,
        }
    }
}

/// Whether `operand` of a versionstamped operation says where a stamp goes, and has room for it there.
pub(crate) fn has_room_for_a_stamp(operand: &[u8]) -> bool {
    let Some((rest, offset)) = operand.split_last_chunk::<OFFSET_BYTES>() else { return false };
    (u32::from_le_bytes(*offset) as usize).checked_add(size_of::<Stamp>()).is_some_and(|end| end <= rest.len())
}

fn fill(mut operand: Vec<u8>, stamp: &Stamp) -> Vec<u8> {
    if let Some((_, offset)) = operand.split_last_chunk::<OFFSET_BYTES>() {
        let at = u32::from_le_bytes(*offset) as usize;
        operand.truncate(operand.len() - OFFSET_BYTES);
        operand[at..at + stamp.len()].copy_from_slice(stamp);
    }
    operand
}

/// Little-endian, as long as `operand`.
fn added(held: Option<&[u8]>, operand: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let digits = operand.iter().enumerate().map(|(at, digit)| {
        let sum = u16::from(*digit) + u16::from(held.and_then(|held| held.get(at)).copied().unwrap_or(0)) + carry;
        carry = sum >> 8;
        (sum & 0xff) as u8
    });
    digits.collect()
}

/// What a transaction asks to have committed.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The version that it read at.
    pub(crate) read_version: i64,
    /// What it read, which must not have changed since.
    pub(crate) reads: Vec<Range>,
    /// What others must not have read.
    pub(crate) writes: Vec<Range>,
    /// What it does.
    pub(crate) mutations: Vec<Mutation>,
}

/// Keys and their past.
#[derive(Debug, Default)]
pub(crate) struct Keyspace {
    entries: BTreeMap<Vec<u8>, Vec<(i64, Held)>>,
    /// Ends and latest versions of what was written, by beginnings: single keys.
    written: BTreeMap<Vec<u8>, i64>,
    /// The same, of ranges.
    cleared: Vec<(Range, i64)>,
    /// The latest commit, whose version another may share as long as nobody reads at it.
    last: i64,
    place: u16,
    /// The latest version that was given to read at.
    given: i64,
    commits: u64,
}

impl Keyspace {
    /// The version to read at when the clock shows `now`.
    pub(crate) fn read_version(&mut self, now: i64) -> i64 {
        self.given = now.max(self.last).max(self.given);
        self.given
    }

    /// What `key` held at `version`.
    pub(crate) fn get(&self, key: &[u8], version: i64) -> Held {
        self.entries.get(key).and_then(|past| at(past, version))
    }

    /// What the keys of `range` held at `version`, those that held something.
    pub(crate) fn range<'a>(
        &'a self,
        range: &Range,
        version: i64,
    ) -> impl DoubleEndedIterator<Item = (&'a [u8], Arc<[u8]>)> + use<'a> {
        // an inverted range is none
        let range = range.0.clone()..range.1.clone().max(range.0.clone());
        let entries = self.entries.range(range);
        entries.filter_map(move |(key, past)| at(past, version).map(|held| (key.as_slice(), held)))
    }

    /// Lets `commit` in when the clock shows `now`, if nothing that it read has changed. It shares its version with the one
    /// before, with `share`, as long as that is of no moment to anybody.
    pub(crate) fn commit(&mut self, commit: Commit, now: i64, share: bool) -> Result<Stamp, Code> {
        if commit.read_version < now - AGE_MAX {
            return Err(TRANSACTION_TOO_OLD);
        }
        if commit.reads.iter().any(|read| self.changed_since(read, commit.read_version)) {
            return Err(NOT_COMMITTED);
        }
        if share && self.last > self.given {
            self.place += 1;
        } else {
            (self.last, self.place) = (now.max(self.last + 1).max(self.given + 1), 0);
        }
        let mut stamp = [0; 10];
        stamp[..8].copy_from_slice(&self.last.to_be_bytes());
        stamp[8..].copy_from_slice(&self.place.to_be_bytes());
        for range in commit.writes {
            self.note_written(range);
        }
        for mutation in commit.mutations {
            self.apply(&mutation.stamped(&stamp), now - AGE_MAX);
        }
        self.commits += 1;
        if self.commits.is_multiple_of(SWEEP_EVERY) {
            self.sweep(now - AGE_MAX);
        }
        Ok(stamp)
    }

    fn changed_since(&self, (begin, end): &Range, version: i64) -> bool {
        let key = self.written.range(begin.clone()..end.clone()).any(|(_, written)| *written > version);
        let overlaps = |(from, to): &Range| from < end && begin < to;
        key || self.cleared.iter().any(|(range, cleared)| *cleared > version && overlaps(range))
    }

    fn note_written(&mut self, (begin, end): Range) {
        let is_one_key = end.strip_prefix(begin.as_slice()) == Some(&[0][..]);
        if is_one_key {
            self.written.insert(begin, self.last);
        } else {
            self.cleared.push(((begin, end), self.last));
        }
    }

    fn apply(&mut self, mutation: &Mutation, oldest: i64) {
        let Some((begin, end)) = mutation.touches() else { return };
        let keys: Vec<Vec<u8>> = match mutation {
            Mutation::Clear(_) => {
                let touched = self.entries.range::<[u8], _>((Bound::Included(begin), end));
                touched.map(|(key, _)| key.clone()).collect()
            }
            _ => vec![begin.to_vec()],
        };
        for key in keys {
            let held = self.get(&key, self.last);
            if matches!(mutation, Mutation::Set(..)) {
                // nobody can have read a key that only a stamp makes, and yet it is written
                self.written.insert(key.clone(), self.last);
            }
            let Some(becomes) = mutation.of(&key, &held) else { continue };
            let past = self.entries.entry(key).or_default();
            past.retain(|(version, _)| *version != self.last);
            past.push((self.last, becomes));
            forget(past, oldest);
        }
    }

    /// Drops what nobody can read or conflict on any more.
    fn sweep(&mut self, oldest: i64) {
        self.written.retain(|_, written| *written >= oldest);
        self.cleared.retain(|(_, cleared)| *cleared >= oldest);
        self.entries.retain(|_, past| {
            forget(past, oldest);
            !matches!(past.as_slice(), [] | [(_, None)])
        });
    }
}

/// What was held at `version`, of what was held over time.
fn at(past: &[(i64, Held)], version: i64) -> Held {
    past.iter().rev().find(|(since, _)| *since <= version).and_then(|(_, held)| held.clone())
}

/// Keeps of `past` what was held at `oldest` and later.
fn forget(past: &mut Vec<(i64, Held)>, oldest: i64) {
    let first = past.iter().rposition(|(since, _)| *since <= oldest).unwrap_or(0);
    past.drain(..first);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &[u8]) -> Range {
        (key.to_vec(), [key, &[0]].concat())
    }

    fn set(read_version: i64, key: &[u8], value: &[u8]) -> Commit {
        let mutations = vec![Mutation::Set(key.to_vec(), value.to_vec())];
        Commit { read_version, reads: Vec::new(), writes: vec![one(key)], mutations }
    }

    #[test]
    fn a_version_shows_what_was_committed_up_to_it() {
        let mut keyspace = Keyspace::default();
        keyspace.commit(set(1, b"a", b"1"), 10, false).unwrap();
        let version = keyspace.read_version(20);
        keyspace.commit(set(version, b"a", b"2"), 15, false).unwrap();
        assert_eq!(keyspace.get(b"a", version).as_deref(), Some(&b"1"[..]));
        let later = keyspace.read_version(20);
        assert_eq!(keyspace.get(b"a", later).as_deref(), Some(&b"2"[..]));
        assert_eq!(keyspace.get(b"b", later), None);
    }

    #[test]
    fn what_was_read_and_changed_since_is_a_conflict() {
        let mut keyspace = Keyspace::default();
        keyspace.commit(set(1, b"a", b"1"), 10, false).unwrap();
        let reading = |read_version, key: &[u8]| Commit { reads: vec![one(key)], ..set(read_version, b"z", b"") };
        assert_eq!(keyspace.commit(reading(9, b"a"), 11, false), Err(NOT_COMMITTED));
        assert!(keyspace.commit(reading(10, b"a"), 12, false).is_ok());
        assert!(keyspace.commit(reading(9, b"b"), 13, false).is_ok());
        let clear = (b"a".to_vec(), b"c".to_vec());
        let clearing = Commit {
            read_version: 13,
            reads: Vec::new(),
            writes: vec![clear.clone()],
            mutations: vec![Mutation::Clear(clear)],
        };
        keyspace.commit(clearing, 14, false).unwrap();
        assert_eq!(keyspace.commit(reading(13, b"b"), 15, false), Err(NOT_COMMITTED));
        assert_eq!(keyspace.get(b"a", 20), None);
        assert_eq!(keyspace.commit(reading(13, b"b"), 14 + AGE_MAX, false), Err(TRANSACTION_TOO_OLD));
    }

    #[test]
    fn commits_that_share_a_version_have_stamps_of_their_own() {
        let mut keyspace = Keyspace::default();
        let first = keyspace.commit(set(1, b"a", b""), 10, true).unwrap();
        let second = keyspace.commit(set(1, b"b", b""), 11, true).unwrap();
        assert!(first < second && first[..8] == second[..8]);
        keyspace.read_version(10);
        let third = keyspace.commit(set(1, b"c", b""), 10, true).unwrap();
        assert!(second[..8] < third[..8], "somebody reads at the version of the first two");
    }

    #[test]
    fn operands_are_filled_and_added() {
        let mut keyspace = Keyspace::default();
        let value = [&[0; 10][..], b"v", &[0; 4]].concat();
        assert!(has_room_for_a_stamp(&value) && !has_room_for_a_stamp(&value[3..]));
        let mutations = vec![
            Mutation::StampedValue(b"a".to_vec(), value),
            Mutation::Add(b"n".to_vec(), vec![255, 0]),
            Mutation::Add(b"n".to_vec(), vec![2, 0]),
            Mutation::ByteMax(b"m".to_vec(), b"2".to_vec()),
            Mutation::ByteMax(b"m".to_vec(), b"1".to_vec()),
        ];
        let commit = Commit { read_version: 1, reads: Vec::new(), writes: Vec::new(), mutations };
        let stamp = keyspace.commit(commit, 10, false).unwrap();
        assert_eq!(keyspace.get(b"a", 10).as_deref(), Some([&stamp[..], b"v"].concat().as_slice()));
        assert_eq!(keyspace.get(b"n", 10).as_deref(), Some(&[1, 1][..]));
        assert_eq!(keyspace.get(b"m", 10).as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn what_nobody_can_read_is_forgotten() {
        let mut keyspace = Keyspace::default();
        for n in 0..4 {
            keyspace.commit(set(n * AGE_MAX, b"a", b"1"), n * AGE_MAX, false).unwrap();
        }
        assert_eq!(keyspace.entries[b"a".as_slice()].len(), 2);
        keyspace.apply(&Mutation::Clear(one(b"a")), 0);
        keyspace.sweep(10 * AGE_MAX);
        assert!(keyspace.entries.is_empty() && keyspace.written.is_empty());
    }
}
