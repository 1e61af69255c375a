//! The canonical form of a profile, its hash, and the spellings of TOML values that serde does not know.
//!
//! Canonical form: the parsed document with its defaults filled in, as JSON by RFC 8785: keys sorted, no white space,
//! shortest escapes. Lists whose order means nothing (`purpose`, `processor`, `accepts`, ...) are sorted, entries
//! with an id become an object by id, and times are milliseconds since the Unix epoch. Comments, white space and
//! order in the file are therefore not part of it.

use core::fmt;
use std::collections::BTreeMap;

use sayso_types::{ProcessorId, Purpose, WallTime};
use serde::de::{Error as _, IntoDeserializer as _};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::{Clause, ClauseId, Date, Document, Exemption, ExemptionCode, Processor, PurposeRule};
use crate::error::TWICE;

/// SHA-256 of a profile's canonical form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileHash(pub [u8; 32]);

impl ProfileHash {
    pub(super) fn of(document: &Document) -> Self {
        Self(Sha256::digest(canonical(document)).into())
    }
}

impl fmt::Display for ProfileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for ProfileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileHash({self})")
    }
}

pub(super) fn canonical(document: &Document) -> String {
    let mut value = serde_json::to_value(document).expect("string keys and plain values only");
    value.sort_all_objects();
    value.to_string()
}

/// What a list entry is known by.
pub(super) trait Identified {
    type Id: Ord + fmt::Display;

    fn id(&self) -> Self::Id;
}

impl Identified for PurposeRule {
    type Id = Purpose;

    fn id(&self) -> Purpose {
        self.id
    }
}

impl Identified for Processor {
    type Id = ProcessorId;

    fn id(&self) -> ProcessorId {
        self.id
    }
}

impl Identified for Clause {
    type Id = ClauseId;

    fn id(&self) -> ClauseId {
        self.id.clone()
    }
}

impl Identified for Exemption {
    type Id = ExemptionCode;

    fn id(&self) -> ExemptionCode {
        self.code
    }
}

/// Reads a list of entries, each with an id of its own.
pub(super) fn by_id<'de, D, T>(d: D) -> Result<BTreeMap<T::Id, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Identified + Deserialize<'de>,
{
    let mut map = BTreeMap::new();
    for entry in Vec::<T>::deserialize(d)? {
        let id = entry.id();
        if map.contains_key(&id) {
            return Err(D::Error::custom(format_args!("`{id}` {TWICE}")));
        }
        map.insert(id, entry);
    }
    Ok(map)
}

/// Reads a table whose keys are words of a closed list. By way of texts, so that an error below a key can be told with it.
pub(super) fn by_word<'de, D, K, T>(d: D) -> Result<BTreeMap<K, T>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord,
    T: Deserialize<'de>,
{
    let entries = BTreeMap::<String, T>::deserialize(d)?.into_iter();
    entries.map(|(key, value)| Ok((K::deserialize(key.into_deserializer())?, value))).collect()
}

/// Reads a TOML date-time with an offset, or a date (midnight UTC).
pub(super) fn wall_time<'de, D: Deserializer<'de>>(d: D) -> Result<WallTime, D::Error> {
    match Date::deserialize(d)? {
        Date::Moment(at) => Ok(at),
        Date::Incomplete(words) => {
            Err(D::Error::custom(format_args!("`{words}` is not a date; write one as 2026-02-27")))
        }
    }
}

/// 32 bytes in hexadecimal.
pub(super) mod hex32 {
    use hex::FromHex;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(in crate::profile) fn serialize<S: Serializer>(hash: &Option<[u8; 32]>, s: S) -> Result<S::Ok, S::Error> {
        match hash {
            None => s.serialize_none(),
            Some(hash) => s.collect_str(&super::ProfileHash(*hash)),
        }
    }

    pub(in crate::profile) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<[u8; 32]>, D::Error> {
        let Some(text) = Option::<String>::deserialize(d)? else { return Ok(None) };
        let wrong = || D::Error::custom(format_args!("`{text}` is not a SHA-256 in hexadecimal (64 digits)"));
        <[u8; 32]>::from_hex(&text).map(Some).map_err(|_| wrong())
    }
}

/// A [`Duration`](core::time::Duration) written as an ISO 8601 duration of hours, minutes and seconds.
pub(super) mod iso_duration {
    use core::time::Duration;

    use jiff::SignedDuration;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::profile) fn serialize<S: Serializer>(duration: &Duration, s: S) -> Result<S::Ok, S::Error> {
        let duration = SignedDuration::try_from(*duration).map_err(serde::ser::Error::custom)?;
        s.collect_str(&duration)
    }

    pub(in crate::profile) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(d)?;
        // jiff also reads "3 seconds"; a profile has one spelling only
        let parsed = text.starts_with('P').then(|| text.parse::<SignedDuration>().ok()).flatten();
        parsed
            .and_then(|duration| Duration::try_from(duration).ok())
            .ok_or_else(|| D::Error::custom(format_args!("`{text}` is not an ISO 8601 duration such as PT3S")))
    }
}
