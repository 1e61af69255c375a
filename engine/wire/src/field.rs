//! How a field of a protobuf message becomes a value, or an error that names it.

use core::str::FromStr;

use crate::{Error, Invalid};

/// The error of `field`.
pub(crate) fn invalid(field: &'static str, invalid: impl Into<Invalid>) -> Error {
    Error::Field { field, invalid: invalid.into() }
}

/// A message field, which protobuf never requires.
pub(crate) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| invalid(field, Invalid::Missing))
}

/// A text that has a type of its own.
pub(crate) fn parse<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    Invalid: From<T::Err>,
{
    text.parse().map_err(|e: T::Err| invalid(field, e))
}

/// At most `max` bytes or entries.
pub(crate) fn at_most(field: &'static str, len: usize, max: usize) -> Result<(), Error> {
    if len > max { Err(invalid(field, Invalid::TooLong { len, max })) } else { Ok(()) }
}

/// At most `max` bytes, all of which `allowed` allows.
pub(crate) fn text(
    field: &'static str,
    text: String,
    max: usize,
    allowed: impl Fn(u8) -> bool,
) -> Result<String, Error> {
    at_most(field, text.len(), max)?;
    match text.bytes().position(|b| !allowed(b)) {
        Some(at) => Err(invalid(field, Invalid::Character { at })),
        None => Ok(text),
    }
}

/// A closed list of the protocol: the enum without the `Unspecified` of its protobuf namesake.
macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            pub(crate) const fn to_proto(self) -> i32 {
                match self {
                    $(Self::$variant => sayso_proto::device::v1::$name::$variant as i32,)*
                }
            }

            pub(crate) fn from_proto(field: &'static str, value: i32) -> Result<Self, crate::Error> {
                match sayso_proto::device::v1::$name::try_from(value) {
                    $(Ok(sayso_proto::device::v1::$name::$variant) => Ok(Self::$variant),)*
                    Ok(sayso_proto::device::v1::$name::Unspecified) => {
                        Err(crate::field::invalid(field, crate::Invalid::Missing))
                    }
                    Err(_) => Err(crate::field::invalid(field, crate::Invalid::Unlisted(value.into()))),
                }
            }
        }
    };
}
pub(crate) use closed_list;
