//! Tags and commitments: how leaves refer to people and to what they said without holding either.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sayso_types::SubjectId;
use sha2::Sha256;
use zeroize::ZeroizeOnDrop;

/// The key under which tags and commitments are made. When it is destroyed, nobody can tell any more whom a leaf is
/// about.
#[derive(Clone, ZeroizeOnDrop)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    /// The key with these bytes, which must come from a random source.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The tag of a person: HMAC-SHA256 over the subject's id and `sayso/audit/v1`, the first 16 bytes.
    #[must_use]
    pub fn subject(&self, subject: SubjectId) -> SubjectTag {
        SubjectTag(self.first_half(&[&subject.0, b"sayso/audit/v1"]))
    }

    /// The tag of somebody who acts, such as an operator: HMAC-SHA256 over the name and `sayso/audit/v1/actor`, the
    /// first 16 bytes.
    #[must_use]
    pub fn actor(&self, name: &str) -> ActorTag {
        ActorTag(self.first_half(&[name.as_bytes(), b"sayso/audit/v1/actor"]))
    }

    /// A commitment to `value`: shows nothing, and can be opened later by whoever holds the key and the value.
    /// HMAC-SHA256 over the value and `sayso/audit/v1/commitment`.
    #[must_use]
    pub fn commit(&self, value: &[u8]) -> Commitment {
        Commitment(self.mac(&[value, b"sayso/audit/v1/commitment"]))
    }

    fn first_half(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mac = self.mac(parts);
        core::array::from_fn(|i| mac[i])
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(..)")
    }
}

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}
pub(crate) use bytes_id;

bytes_id! {
    /// Stands for a person in the log.
    SubjectTag, 16
}
bytes_id! {
    /// Stands for somebody who acted.
    ActorTag, 16
}
bytes_id! {
    /// Binds to a value without showing it.
    Commitment, 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_depend_on_key_and_person_and_show_neither() {
        let (a, b) = (AuditKey::new([1; 32]), AuditKey::new([2; 32]));
        let (anna, ben) = (SubjectId([3; 16]), SubjectId([4; 16]));
        assert_eq!(a.subject(anna), a.subject(anna));
        assert_ne!(a.subject(anna), a.subject(ben));
        assert_ne!(a.subject(anna), b.subject(anna));
        assert_ne!(a.commit(b"yes"), a.commit(b"no"));
        assert_eq!(format!("{a:?}"), "AuditKey(..)");
    }

    #[test]
    fn the_tag_is_the_documented_hmac() {
        // python3: hmac.new(bytes(32), bytes(16) + b"sayso/audit/v1", "sha256").hexdigest()[:32]
        let tag = AuditKey::new([0; 32]).subject(SubjectId([0; 16]));
        assert_eq!(tag.to_string(), "cb336fa32a18e53f9cf90e4a4f52d584");
    }
}
