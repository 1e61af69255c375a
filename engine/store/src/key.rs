//! [`Key`], [`Prefix`] and [`Range`]: bytes in order.

use core::fmt;

use bytes::Bytes;

use crate::KeyPart;

/// Where a value is stored: bytes that sort as bytes. Made by typed keys ([`key!`](crate::key!)).
///
/// Its `Debug` shows the table and the length only, because the rest names people.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Bytes);

impl Key {
    /// The key that is exactly `bytes`.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The least key greater than this.
    #[must_use]
    pub fn successor(&self) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + 1);
        bytes.extend_from_slice(&self.0);
        bytes.push(0);
        Self(bytes.into())
    }

    /// The table, when the key is a typed one.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        let text = self.0.strip_prefix(&[STRING_CODE])?;
        let end = text.iter().position(|b| !(b.is_ascii_lowercase() || *b == b'_'))?;
        if end == 0 || text[end] != 0 {
            return None;
        }
        core::str::from_utf8(&text[..end]).ok()
    }
}

/// The tuple layer's type code of a string.
const STRING_CODE: u8 = 0x02;

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {} bytes)", self.table().unwrap_or("-"), self.0.len())
    }
}

/// What a set of keys begins with: a table, or a table and the first parts of its keys.
///
/// ```
/// use sayso_store::Prefix;
///
/// let of_one_tenant = Prefix::table("device").then(&String::from("acme"));
/// assert!(of_one_tenant.contains(&of_one_tenant.clone().then(&7u64).into_key()));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Vec<u8>);

impl Prefix {
    /// Every key of `table`. A table's name is a word of `a-z` and `_`.
    #[must_use]
    pub fn table(table: &'static str) -> Self {
        Self(foundationdb_tuple::pack(&(table,)))
    }

    /// Every key that begins with `bytes`; all keys, for none.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Those of them whose next part is `part`.
    #[must_use]
    pub fn then<P: KeyPart>(mut self, part: &P) -> Self {
        foundationdb_tuple::pack_into(&(part.pack(),), &mut self.0);
        self
    }

    /// The key that is this prefix and nothing more.
    #[must_use]
    pub fn into_key(self) -> Key {
        Key(self.0.into())
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `key` begins with this.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        key.0.starts_with(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.clone().into_key();
        write!(f, "Prefix({}, {} bytes)", key.table().unwrap_or("-"), self.0.len())
    }
}

/// The keys from `start` on that are less than `end`. One whose `end` is not greater than its `start` is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The first key that may be in it.
    pub start: Key,
    /// The first key that is beyond it.
    pub end: Key,
}

impl Range {
    /// Every key there can be: those below the reserved byte 0xff.
    #[must_use]
    pub fn all() -> Self {
        Self { start: Key::default(), end: Key::from_bytes(&[0xff][..]) }
    }

    /// Whether `key` is in it.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        self.start <= *key && *key < self.end
    }

    /// Whether no key can be in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

impl From<&Prefix> for Range {
    fn from(prefix: &Prefix) -> Self {
        // the first bytes that sort after everything that begins with the prefix: drop what cannot grow, add one
        let kept = prefix.0.iter().rposition(|b| *b != 0xff);
        let Some(last) = kept else { return Self::all() };
        let mut end = prefix.0[..=last].to_vec();
        end[last] += 1;
        Self { start: Key::from_bytes(prefix.0.clone()), end: Key::from_bytes(end) }
    }
}

impl From<Prefix> for Range {
    fn from(prefix: Prefix) -> Self {
        Self::from(&prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formatting_shows_the_table_and_nobody() {
        let key = Prefix::table("consent").then(&String::from("alice@example.com")).into_key();
        assert_eq!(format!("{key:?}"), "Key(consent, 28 bytes)");
        assert_eq!(format!("{:?}", Key::from_bytes("alice")), "Key(-, 5 bytes)");
        assert_eq!(format!("{:?}", Key::from_bytes("\x02alice@example.com\0")), "Key(-, 19 bytes)");
        assert_eq!(format!("{:?}", Prefix::table("consent")), "Prefix(consent, 9 bytes)");
    }

    proptest! {
        #[test]
        fn a_prefix_and_its_range_hold_the_same_keys(prefix: Vec<u8>, key: Vec<u8>, suffix: Vec<u8>) {
            // keys that begin with 0xff are reserved, so no range needs to reach them
            prop_assume!(prefix.first() != Some(&0xff) && key.first() != Some(&0xff));
            prop_assume!(!prefix.is_empty() || suffix.first() != Some(&0xff));
            let range = Range::from(&Prefix::from_bytes(prefix.clone()));
            let under = Key::from_bytes([prefix.clone(), suffix].concat());
            prop_assert!(range.contains(&under));
            let key = Key::from_bytes(key);
            prop_assert_eq!(range.contains(&key), Prefix::from_bytes(prefix).contains(&key));
        }

        #[test]
        fn nothing_lies_between_a_key_and_its_successor(a: Vec<u8>, b: Vec<u8>) {
            let (a, b) = (Key::from_bytes(a), Key::from_bytes(b));
            prop_assert!(a < a.successor());
            prop_assert!(!(a < b && b < a.successor()));
        }
    }
}
