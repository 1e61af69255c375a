//! Identifiers: who and which. Subjects and sessions are random; devices and tenants are named by integrators.

use core::fmt;
use core::str::FromStr;

use hex::FromHex;
use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It is empty or longer than an identifier may be.
    #[error("must have 1 to {max} characters, has {len}")]
    Length {
        /// Characters found.
        len: usize,
        /// Characters allowed.
        max: usize,
    },
    /// It holds a character that identifiers may not hold.
    #[error("character {at} is not a letter, digit, '-', '_', '.' or ':'")]
    Character {
        /// Byte position, from 0.
        at: usize,
    },
    /// It is not 32 hexadecimal digits.
    #[error("must be 32 hexadecimal digits")]
    Hex,
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A new one from the system's random source.
            ///
            /// # Panics
            /// When the operating system has no random source, without which nothing here can be kept secret.
            #[must_use]
            pub fn random() -> Self {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(s: &str) -> Result<Self, IdError> {
                <[u8; 16]>::from_hex(s).map(Self).map_err(|_| IdError::Hex)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

random_id! {
    /// The person whose data it is: a random pseudonym, never derived from a phone number or a MAC address.
    SubjectId
}
random_id! {
    /// One device's live conversation.
    SessionId
}
random_id! {
    /// A notice to people: that the policy changes, say, or that the service ends.
    NoticeId
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Most characters that one may have.
            pub const LEN_MAX: usize = 64;

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(s: &str) -> Result<Self, IdError> {
                if s.is_empty() || s.len() > Self::LEN_MAX {
                    return Err(IdError::Length { len: s.len(), max: Self::LEN_MAX });
                }
                match s.bytes().position(|b| !(b.is_ascii_alphanumeric() || b"-_.:".contains(&b))) {
                    Some(at) => Err(IdError::Character { at }),
                    None => Ok(Self(s.to_owned())),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(s: String) -> Result<Self, IdError> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A device, as its integrator names it: 1 to 64 letters, digits, `-`, `_`, `.`, `:`.
    DeviceId
}
text_id! {
    /// The integrator whose devices these are: 1 to 64 letters, digits, `-`, `_`, `.`, `:`.
    TenantId
}

/// One utterance and its answer: counts up within a session, from 1. Zero is "no turn".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnId(pub u32);

impl TurnId {
    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A subject's consent version (`cv`): goes up by one with every change of that subject's consents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsentVersion(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_round_trip_as_hex() {
        let id = SubjectId::random();
        assert_eq!(id.to_string().parse::<SubjectId>(), Ok(id));
        assert_eq!("xyz".parse::<SubjectId>(), Err(IdError::Hex));
        assert_eq!("é".repeat(16).parse::<SubjectId>(), Err(IdError::Hex));
    }

    #[test]
    fn text_ids_refuse_what_could_split_a_key_or_a_log_line() {
        assert!("kitchen-speaker.02".parse::<DeviceId>().is_ok());
        assert_eq!("a b".parse::<DeviceId>(), Err(IdError::Character { at: 1 }));
        assert_eq!("".parse::<DeviceId>(), Err(IdError::Length { len: 0, max: 64 }));
        assert!("x".repeat(65).parse::<DeviceId>().is_err());
    }
}
