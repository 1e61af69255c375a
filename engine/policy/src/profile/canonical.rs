//! The canonical form of a profile, its hash, and the spellings of TOML values that serde does not know.
//!
//! Canonical form: the parsed document with its defaults filled in, as JSON by RFC 8785: keys sorted, no white space,
//! shortest escapes. Lists whose order means nothing (`purpose`, `processor`, `accepts`, ...) are sorted, entries
//! with an id become an object by id, and times are milliseconds since the Unix epoch. Comments, white space and
//! order in the file are therefore not part of it.

use core::fmt;
use std::collections::BTreeMap;

use jiff::Timestamp;
use sayso_types::{ProcessorId, Purpose, WallTime};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::{Document, Processor, PurposeRule};

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
            return Err(D::Error::custom(format_args!("`{id}` is declared twice; rename or remove one")));
        }
        map.insert(id, entry);
    }
    Ok(map)
}

/// Reads a TOML date-time with an offset, or a date (midnight UTC).
pub(super) fn wall_time<'de, D: Deserializer<'de>>(d: D) -> Result<WallTime, D::Error> {
    let text = toml::value::Datetime::deserialize(d)?.to_string();
    let with_time = if text.contains('T') { text.clone() } else { format!("{text}T00:00:00Z") };
    let timestamp: Timestamp = with_time.parse().map_err(|_| {
        D::Error::custom(format_args!("`{text}` is not a moment; write a date or a date-time with an offset"))
    })?;
    u64::try_from(timestamp.as_millisecond()).map(WallTime).map_err(|_| D::Error::custom("a time before 1970"))
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
