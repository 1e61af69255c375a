//! [`Layout`]: where everything lies under a store's prefix.
//!
//! ```text
//!   prefix 00                      version of this layout
//!   prefix 01 key               -> stamp, value           what callers put
//!   prefix 02 token             -> stamp                  which commit a token names
//!   prefix 03 lane stamp chunk  -> changes                the log that watches are fed from
//!   prefix 04 lane              -> commits so far         little-endian; changes with every commit, and is watched
//!   prefix 05 lane stamp        -> token                  tokens by age
//!   prefix 06 lane              -> tokens forgotten       little-endian
//!   prefix 07                   -> stamp                  the log has nothing before it any more
//! ```

use bytes::Bytes;
#[cfg(feature = "fdb")]
use sayso_store::Range;
use sayso_store::{Key, Token, Version};

/// Bytes of a prefix at most: [`BATCH_ITEM_BYTES`](sayso_store::limits::BATCH_ITEM_BYTES) counts on it, and it leaves
/// the longest key well within FoundationDB's 10,000 bytes.
#[cfg(feature = "fdb")]
pub(crate) const PREFIX_BYTES_MAX: usize = 40;

/// Lanes that commits are spread over by their token, so that appending to the log loads several storage servers and
/// not the one at its end. Every store follows all of them; changing it changes the layout.
pub(crate) const LANES: u8 = 8;

/// Bytes of a stamp: a commit's version and its place among those of that version, both big-endian.
pub(crate) const STAMP_BYTES: usize = 10;

/// Bytes that end the operand of a versionstamped operation: where the stamp goes, little-endian. FoundationDB cuts
/// them off (from API version 520 on).
const OFFSET_BYTES: usize = 4;

const LAYOUT: u8 = 0;
const ENTRIES: u8 = 1;
const TOKENS: u8 = 2;
const LOG: u8 = 3;
const COMMITS: u8 = 4;
const TOKEN_AGES: u8 = 5;
const FORGOTTEN: u8 = 6;
const TRIMMED: u8 = 7;

/// The keys of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    prefix: Vec<u8>,
}

impl Layout {
    /// The keys of the store under `prefix`, of at most [`PREFIX_BYTES_MAX`] bytes.
    pub(crate) const fn new(prefix: Vec<u8>) -> Self {
        Self { prefix }
    }

    /// Holds the version of the layout.
    pub(crate) fn layout(&self) -> Vec<u8> {
        self.at(LAYOUT, &[])
    }

    /// What a caller's `key` is stored under.
    pub(crate) fn entry(&self, key: &Key) -> Vec<u8> {
        self.at(ENTRIES, key.as_bytes())
    }

    /// Where the entries of a caller's `range` lie.
    #[cfg(feature = "fdb")]
    pub(crate) fn entries(&self, range: &Range) -> (Vec<u8>, Vec<u8>) {
        (self.entry(&range.start), self.entry(&range.end))
    }

    /// The caller's key of an entry.
    pub(crate) fn key_of(&self, entry: &[u8]) -> Option<Key> {
        let key = entry.strip_prefix(self.prefix.as_slice())?.strip_prefix(&[ENTRIES])?;
        Some(Key::from_bytes(Bytes::copy_from_slice(key)))
    }

    /// Says which commit `token` names.
    pub(crate) fn token(&self, token: &Token) -> Vec<u8> {
        self.at(TOKENS, &token.0)
    }

    /// Operand of `SET_VERSIONSTAMPED_KEY`: chunk `chunk` of the commit's changes in the log.
    pub(crate) fn log_operand(&self, lane: u8, chunk: u16) -> Vec<u8> {
        self.stamped(LOG, lane, &chunk.to_be_bytes())
    }

    /// The log of `lane`, from the commit `from` on.
    pub(crate) fn log(&self, lane: u8, from: Version) -> (Vec<u8>, Vec<u8>) {
        (self.since(LOG, lane, from), self.at(LOG, &[lane + 1]))
    }

    /// The log of `lane` before the commit `to`.
    pub(crate) fn log_before(&self, lane: u8, to: Version) -> (Vec<u8>, Vec<u8>) {
        (self.at(LOG, &[lane]), self.since(LOG, lane, to))
    }

    /// Which commit a chunk in the log belongs to, and which of its chunks it is.
    pub(crate) fn log_place(&self, key: &[u8]) -> Option<(Version, u16)> {
        let place = key.strip_prefix(self.prefix.as_slice())?.strip_prefix(&[LOG])?.get(1..)?;
        let (stamp, chunk) = place.split_first_chunk::<STAMP_BYTES>()?;
        Some((Version::from_bytes(*stamp), u16::from_be_bytes(chunk.try_into().ok()?)))
    }

    /// Counts the commits of `lane`.
    pub(crate) fn commits(&self, lane: u8) -> Vec<u8> {
        self.at(COMMITS, &[lane])
    }

    /// Operand of `SET_VERSIONSTAMPED_KEY`: the token under its age.
    pub(crate) fn token_age_operand(&self, lane: u8) -> Vec<u8> {
        self.stamped(TOKEN_AGES, lane, &[])
    }

    /// The tokens of `lane` by age.
    pub(crate) fn token_ages(&self, lane: u8) -> (Vec<u8>, Vec<u8>) {
        (self.at(TOKEN_AGES, &[lane]), self.at(TOKEN_AGES, &[lane + 1]))
    }

    /// Counts the tokens of `lane` that were forgotten.
    pub(crate) fn forgotten(&self, lane: u8) -> Vec<u8> {
        self.at(FORGOTTEN, &[lane])
    }

    /// Says before which commit the log has nothing any more.
    pub(crate) fn trimmed(&self) -> Vec<u8> {
        self.at(TRIMMED, &[])
    }

    fn at(&self, area: u8, rest: &[u8]) -> Vec<u8> {
        [&self.prefix, core::slice::from_ref(&area), rest].concat()
    }

    fn since(&self, area: u8, lane: u8, stamp: Version) -> Vec<u8> {
        self.at(area, &[&[lane], stamp.to_bytes().as_slice()].concat())
    }

    fn stamped(&self, area: u8, lane: u8, rest: &[u8]) -> Vec<u8> {
        let offset = u32::try_from(self.prefix.len() + 2).expect("a prefix is short");
        let stamp = [0; STAMP_BYTES];
        self.at(area, &[&[lane], stamp.as_slice(), rest, &offset.to_le_bytes()].concat())
    }
}

/// The lane of the commit that `token` names.
pub(crate) const fn lane(token: &Token) -> u8 {
    token.0[0] % LANES
}

/// Operand of `SET_VERSIONSTAMPED_VALUE`: the commit's stamp, then `value`.
pub(crate) fn stamped_value(value: &[u8]) -> Vec<u8> {
    let mut operand = vec![0; STAMP_BYTES];
    operand.extend_from_slice(value);
    operand.extend_from_slice(&[0; OFFSET_BYTES]);
    operand
}

/// What [`stamped_value`] left: the commit, and the value.
pub(crate) fn split_stamp(stored: &[u8]) -> Option<(Version, &[u8])> {
    let (stamp, value) = stored.split_first_chunk::<STAMP_BYTES>()?;
    Some((Version::from_bytes(*stamp), value))
}

/// The least stamp that a commit after FoundationDB's `version` can have.
pub(crate) fn after(version: i64) -> Version {
    let mut stamp = [0; STAMP_BYTES];
    stamp[..8].copy_from_slice(&version.saturating_add(1).to_be_bytes());
    Version::from_bytes(stamp)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout() -> Layout {
        Layout::new(b"p".to_vec())
    }

    #[test]
    fn the_layout_is_fixed() {
        let (layout, token, stamp) = (layout(), Token([9; 16]), Version::from_bytes([8; 10]));
        assert_eq!(layout.layout(), b"p\0");
        assert_eq!(layout.entry(&Key::from_bytes("k")), b"p\x01k");
        assert_eq!(layout.token(&token), [b"p\x02".as_slice(), &[9; 16]].concat());
        assert_eq!(layout.log_operand(3, 258), b"p\x03\x03\0\0\0\0\0\0\0\0\0\0\x01\x02\x03\0\0\0");
        assert_eq!(
            layout.log(3, stamp),
            (b"p\x03\x03\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08".to_vec(), b"p\x03\x04".to_vec())
        );
        assert_eq!(layout.log_before(3, stamp).0, b"p\x03\x03");
        assert_eq!(layout.log_before(3, stamp).1, layout.log(3, stamp).0);
        assert_eq!(layout.commits(3), b"p\x04\x03");
        assert_eq!(layout.token_age_operand(3), b"p\x05\x03\0\0\0\0\0\0\0\0\0\0\x03\0\0\0");
        assert_eq!(layout.token_ages(3), (b"p\x05\x03".to_vec(), b"p\x05\x04".to_vec()));
        assert_eq!(layout.forgotten(3), b"p\x06\x03");
        assert_eq!(layout.trimmed(), b"p\x07");
        assert_eq!(lane(&token), 1);
        assert_eq!(stamped_value(b"v"), b"\0\0\0\0\0\0\0\0\0\0v\0\0\0\0");
    }

    #[test]
    fn a_place_in_the_log_is_read_back() {
        let layout = layout();
        let operand = layout.log_operand(7, 2);
        let (key, offset) = operand.split_at(operand.len() - OFFSET_BYTES);
        let at = u32::from_le_bytes(offset.try_into().unwrap()) as usize;
        let mut key = key.to_vec();
        key[at..at + STAMP_BYTES].copy_from_slice(&[5; STAMP_BYTES]);
        assert_eq!(layout.log_place(&key), Some((Version::from_bytes([5; STAMP_BYTES]), 2)));
        assert_eq!(layout.log_place(&key[..key.len() - 1]), None);
        assert_eq!(layout.log_place(b"p\x03"), None);
        assert_eq!(layout.log_place(b"q"), None);
    }

    #[test]
    fn nothing_comes_between_a_version_and_after_it() {
        let last_of_seven = Version::from_bytes([0, 0, 0, 0, 0, 0, 0, 7, 255, 255]);
        assert!(last_of_seven < after(7));
        assert_eq!(after(7), Version::from_bytes([0, 0, 0, 0, 0, 0, 0, 8, 0, 0]));
    }

    proptest! {
        #[test]
        fn entries_sort_as_their_keys_and_are_read_back(a: Vec<u8>, b: Vec<u8>) {
            let (layout, a, b) = (layout(), Key::from_bytes(a), Key::from_bytes(b));
            prop_assert_eq!(layout.key_of(&layout.entry(&a)), Some(a.clone()));
            prop_assert_eq!(layout.entry(&a).cmp(&layout.entry(&b)), a.cmp(&b));
        }

        #[test]
        fn a_stamp_is_split_off(value: Vec<u8>) {
            let operand = stamped_value(&value);
            let stored = &operand[..operand.len() - OFFSET_BYTES];
            prop_assert_eq!(split_stamp(stored), Some((Version::default(), value.as_slice())));
        }
    }
}
