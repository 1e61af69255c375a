//! [`Value`], [`Version`] and the two together.

use core::fmt;
use core::ops::Deref;

use bytes::Bytes;

/// What a key holds. Its `Debug` shows the length only: records are about people.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub Bytes);

impl Deref for Value {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

impl<T: Into<Bytes>> From<T> for Value {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.len())
    }
}

/// Where a commit stands in the order of all commits of a store: later is greater. Opaque; ten bytes, big-endian,
/// because that is what FoundationDB's versionstamp has.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u8; 10]);

impl Version {
    /// The version of the `sequence`-th commit, for backends that count their commits.
    #[must_use]
    pub const fn from_sequence(sequence: u64) -> Self {
        let s = sequence.to_be_bytes();
        Self([s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], 0, 0])
    }

    /// The version that [`to_bytes`](Self::to_bytes) gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    /// Ten bytes that compare as versions do.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 10] {
        self.0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Version(")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

/// What a key holds and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// What it holds.
    pub value: Value,
    /// The commit that wrote it; changes with every put, also of an equal value.
    pub version: Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_sequence() {
        assert!(Version::from_sequence(255) < Version::from_sequence(256));
        assert_eq!(Version::from_bytes(Version::from_sequence(7).to_bytes()), Version::from_sequence(7));
    }

    #[test]
    fn a_value_does_not_print_itself() {
        assert_eq!(format!("{:?}", Value::from("secret")), "Value(6 bytes)");
    }
}
