//! [`Schema`]: every stored record begins with the version of its schema.

use crate::Value;

/// Why a stored record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It is too short to have a version.
    #[error("a {record} record has no schema version: it is not one, or it is damaged")]
    Missing {
        /// The record type.
        record: &'static str,
    },
    /// It was written by a program that knows more, or by one so old that this cannot read it any more.
    #[error(
        "a {record} record has schema version {found}, this program reads {oldest} to {current}: run a version that knows it"
    )]
    Unknown {
        /// The record type.
        record: &'static str,
        /// The version found.
        found: u16,
        /// The oldest that this program reads.
        oldest: u16,
        /// The one that this program writes.
        current: u16,
    },
}

/// The versions of one type of stored record. A record is stored as its version, two bytes big-endian, then its body.
///
/// ```
/// use sayso_store::Schema;
///
/// const CONSENT: Schema = Schema::new("consent", 1, 2);
/// let stored = CONSENT.encode(b"body");
/// assert_eq!(CONSENT.decode(&stored), Ok((2, &b"body"[..])));
/// assert!(Schema::new("consent", 1, 1).decode(&stored).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    record: &'static str,
    oldest: u16,
    current: u16,
}

impl Schema {
    /// Records of type `record` that are written in version `current` and read from `oldest` on.
    #[must_use]
    pub const fn new(record: &'static str, oldest: u16, current: u16) -> Self {
        assert!(oldest <= current, "a program reads what it writes");
        Self { record, oldest, current }
    }

    /// The type of the records.
    #[must_use]
    pub const fn record(&self) -> &'static str {
        self.record
    }

    /// The version that this program writes.
    #[must_use]
    pub const fn current(&self) -> u16 {
        self.current
    }

    /// `body` as a record of the current version.
    #[must_use]
    pub fn encode(&self, body: &[u8]) -> Value {
        let mut record = Vec::with_capacity(2 + body.len());
        record.extend_from_slice(&self.current.to_be_bytes());
        record.extend_from_slice(body);
        Value::from(record)
    }

    /// The version and the body of `stored`.
    ///
    /// # Errors
    /// [`SchemaError`] for a version that this program does not read.
    pub fn decode<'a>(&self, stored: &'a [u8]) -> Result<(u16, &'a [u8]), SchemaError> {
        let Self { record, oldest, current } = *self;
        let (version, body) = stored.split_first_chunk().ok_or(SchemaError::Missing { record })?;
        let found = u16::from_be_bytes(*version);
        if !(oldest..=current).contains(&found) {
            return Err(SchemaError::Unknown { record, found, oldest, current });
        }
        Ok((found, body))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCHEMA: Schema = Schema::new("thing", 2, 3);

    #[test]
    fn unknown_versions_are_refused_by_name() {
        assert_eq!(SCHEMA.decode(&[0]), Err(SchemaError::Missing { record: "thing" }));
        for found in [0, 1, 4, u16::MAX] {
            let refused = SchemaError::Unknown { record: "thing", found, oldest: 2, current: 3 };
            assert_eq!(SCHEMA.decode(&found.to_be_bytes()), Err(refused));
        }
        assert_eq!(SCHEMA.decode(&[0, 2, 9]), Ok((2, &[9][..])));
    }

    #[test]
    fn the_layout_is_fixed() {
        assert_eq!(&SCHEMA.encode(b"ab")[..], b"\x00\x03ab");
    }

    proptest! {
        #[test]
        fn records_round_trip(body: Vec<u8>) {
            let stored = SCHEMA.encode(&body);
            prop_assert_eq!(SCHEMA.decode(&stored), Ok((3, &body[..])));
        }
    }
}
