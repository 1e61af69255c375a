//! [`KeyPart`] and [`key!`](crate::key!): typed keys in FoundationDB's tuple encoding, so that they sort as their
//! parts do and all backends share one layout.

use foundationdb_tuple::{TuplePack, TupleUnpack};
use sayso_types::{DeviceId, Name, NoticeId, SessionId, SubjectId, TenantId};

use crate::{Key, Prefix};

/// Why bytes are not a key of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// It belongs to another table.
    #[error("the key is not one of table {table}")]
    Table {
        /// The table that was expected.
        table: &'static str,
    },
    /// Its parts are not of the types that the table's keys have.
    #[error("a key of table {table} has a malformed part")]
    Part {
        /// The table.
        table: &'static str,
    },
}

/// A value that can stand in a key.
pub trait KeyPart: Sized {
    /// The tuple element that it is stored as.
    type Packed: TuplePack + for<'de> TupleUnpack<'de>;

    /// As a tuple element.
    fn pack(&self) -> Self::Packed;

    /// From a tuple element; `None` when it is not one of these.
    fn unpack(packed: Self::Packed) -> Option<Self>;
}

/// A key of one table: what [`key!`](crate::key!) makes.
pub trait TypedKey: Sized {
    /// The table: the first element of every key.
    const TABLE: &'static str;

    /// The key as bytes.
    fn key(&self) -> Key;

    /// The parts of `key`.
    ///
    /// # Errors
    /// [`PartError`] when it is not a key of this table.
    fn parse(key: &Key) -> Result<Self, PartError>;

    /// Every key of the table.
    #[must_use]
    fn table() -> Prefix {
        Prefix::table(Self::TABLE)
    }
}

macro_rules! packs_as_itself {
    ($($type:ty),*) => {$(
        impl KeyPart for $type {
            type Packed = Self;

            fn pack(&self) -> Self {
                self.clone()
            }

            fn unpack(packed: Self) -> Option<Self> {
                Some(packed)
            }
        }
    )*};
}

packs_as_itself!(u32, u64, i64, bool, String, Vec<u8>);

macro_rules! packs_as_bytes {
    ($($type:ident),*) => {$(
        impl KeyPart for $type {
            type Packed = Vec<u8>;

            fn pack(&self) -> Vec<u8> {
                self.0.to_vec()
            }

            fn unpack(packed: Vec<u8>) -> Option<Self> {
                packed.try_into().ok().map(Self)
            }
        }
    )*};
}

packs_as_bytes!(SubjectId, SessionId, NoticeId);

macro_rules! packs_as_text {
    ($($type:ident),*) => {$(
        impl KeyPart for $type {
            type Packed = String;

            fn pack(&self) -> String {
                self.as_str().to_owned()
            }

            fn unpack(packed: String) -> Option<Self> {
                packed.parse().ok()
            }
        }
    )*};
}

packs_as_text!(DeviceId, TenantId, Name);

/// The tuple that `key` is, when it is one of `table`. What [`key!`](crate::key!) expands to.
///
/// # Errors
/// [`PartError`] when it is not.
#[doc(hidden)]
pub fn unpack<'de, T: TupleUnpack<'de>>(table: &'static str, key: &'de Key) -> Result<T, PartError> {
    if !Prefix::table(table).contains(key) {
        return Err(PartError::Table { table });
    }
    foundationdb_tuple::unpack(key.as_bytes()).map_err(|_| PartError::Part { table })
}

/// Declares a typed key: a struct whose fields are the parts of the keys of one table, in order.
///
/// ```
/// use sayso_store::{Prefix, TypedKey, key};
/// use sayso_types::SubjectId;
///
/// key! {
///     /// One consent record of a subject.
///     pub struct RecordKey in "consent" {
///         /// Whose.
///         pub subject: SubjectId,
///         /// Counts up from 1.
///         pub record: u64,
///     }
/// }
///
/// let key = RecordKey { subject: SubjectId([7; 16]), record: 1 };
/// assert_eq!(RecordKey::parse(&key.key()).unwrap(), key);
/// assert!(RecordKey::table().then(&key.subject).contains(&key.key()));
/// ```
#[macro_export]
macro_rules! key {
    ($(#[$doc:meta])* $vis:vis struct $name:ident in $table:literal {
        $($(#[$fdoc:meta])* $fvis:vis $field:ident: $type:ty),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name {
            $($(#[$fdoc])* $fvis $field: $type,)+
        }

        impl $crate::TypedKey for $name {
            const TABLE: &'static str = $table;

            fn key(&self) -> $crate::Key {
                $crate::Prefix::table($table)$(.then(&self.$field))+.into_key()
            }

            fn parse(key: &$crate::Key) -> ::core::result::Result<Self, $crate::PartError> {
                let (_, $($field,)+): (::std::string::String, $(<$type as $crate::KeyPart>::Packed,)+) =
                    $crate::part::unpack($table, key)?;
                let malformed = $crate::PartError::Part { table: $table };
                Ok(Self { $($field: $crate::KeyPart::unpack($field).ok_or(malformed)?,)+ })
            }
        }

        impl ::core::convert::From<&$name> for $crate::Key {
            fn from(key: &$name) -> Self {
                $crate::TypedKey::key(key)
            }
        }

        impl ::core::convert::From<$name> for $crate::Key {
            fn from(key: $name) -> Self {
                $crate::TypedKey::key(&key)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&$crate::TypedKey::key(self), f)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    key! {
        /// A key with parts of several types.
        struct Sample in "sample" {
            tenant: String,
            subject: SubjectId,
            number: u64,
        }
    }

    fn sample(tenant: &str, subject: [u8; 16], number: u64) -> Sample {
        Sample { tenant: tenant.to_owned(), subject: SubjectId(subject), number }
    }

    #[test]
    fn the_encoding_is_foundationdbs() {
        let key = sample("a\0b", [7; 16], 258).key();
        let mut golden = b"\x02sample\0\x02a\0\xffb\0\x01".to_vec();
        golden.extend([7; 16]);
        golden.extend(b"\0\x16\x01\x02");
        assert_eq!(key.as_bytes(), golden);
    }

    #[test]
    fn keys_of_other_tables_and_damaged_ones_are_refused() {
        let other = Prefix::table("samples").then(&1u64).into_key();
        assert_eq!(Sample::parse(&other), Err(PartError::Table { table: "sample" }));
        let short = Sample::table().then(&String::from("a")).into_key();
        assert_eq!(Sample::parse(&short), Err(PartError::Part { table: "sample" }));
        let id = Sample::table().then(&String::from("a")).then(&vec![1u8; 15]).then(&1u64).into_key();
        assert_eq!(Sample::parse(&id), Err(PartError::Part { table: "sample" }));
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort_as_their_parts(
            a: (String, [u8; 16], u64),
            b: (String, [u8; 16], u64),
        ) {
            let (a, b) = (sample(&a.0, a.1, a.2), sample(&b.0, b.1, b.2));
            prop_assert_eq!(&Sample::parse(&a.key()).unwrap(), &a);
            prop_assert_eq!(a.cmp(&b), a.key().cmp(&b.key()));
        }

        #[test]
        fn parsing_never_panics(bytes: Vec<u8>) {
            let damaged = [Sample::table().as_bytes(), &bytes].concat();
            let _ = Sample::parse(&Key::from_bytes(bytes));
            let _ = Sample::parse(&Key::from_bytes(damaged));
        }
    }
}
