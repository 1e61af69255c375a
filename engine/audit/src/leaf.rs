//! [`Leaf`]: one entry of the log: a [`Fact`] and its [`Place`], with one encoding.

mod cell;
mod desk;
mod flow;
mod lineage;
mod node;
mod wire;

use prost::Message;
use sayso_proto::audit::v1::AuditLeaf;
use sayso_types::{ConsentVersion, WallTime};

use crate::{ActorTag, Event, SubjectTag};

/// The version of the leaf layout that this crate writes and reads.
pub const VERSION: u32 = 1;

/// The most that an encoded leaf may have: entry bundles give its length in 16 bits.
pub const LEN_MAX: usize = u16::MAX as usize;

/// What happened, to whom, by whom, under which versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Whose data it concerns; [`None`] when it concerns no one person.
    pub subject: Option<SubjectTag>,
    /// Who did it.
    pub actor: Actor,
    /// The person's consent version when it had happened: a grant's leaf has the version that the grant made.
    pub cv: ConsentVersion,
    /// The profile revision that governed it.
    pub profile_rev: u32,
    /// The revision of the registry of processors and switches: of a decision, the one that it was made by; of a leaf that
    /// changes the registry, the one that it makes.
    pub registry_rev: u32,
    /// The fencing number of the shard's owner; goes up with every restart.
    pub epoch: u64,
    /// What.
    pub event: Event,
}

impl Fact {
    /// The leaf of this fact at `place`.
    #[must_use]
    pub const fn at(self, place: Place) -> Leaf {
        Leaf { place, fact: self }
    }
}

/// Where in the log, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The shard whose log it is.
    pub shard: u32,
    /// The index in that log, from 0.
    pub sequence: u64,
    /// The time that orders it with the rest.
    pub clock: HybridClock,
    /// The time for people.
    pub wall: WallTime,
}

/// A fact at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Where.
    pub place: Place,
    /// What.
    pub fact: Fact,
}

/// How far a clock may step back before it is put on record: what a time server corrects at once and nobody notices.
pub const STEP_BACK_MS: u64 = 1_000;

/// A hybrid logical clock: milliseconds since the Unix epoch shifted left by 16, and a counter. It follows the wall
/// clock but never goes back, whatever the wall clock does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HybridClock(pub u64);

impl HybridClock {
    /// The reading for an event at `wall` that comes after the one read as `self`.
    #[must_use]
    pub fn next(self, wall: WallTime) -> Self {
        Self((wall.0 << 16).max(self.0.saturating_add(1)))
    }

    /// Its milliseconds, without the counter.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 >> 16
    }
}

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// In which role.
    pub kind: ActorKind,
    /// Which of them; [`None`] where the role says it all.
    pub tag: Option<ActorTag>,
}

impl Actor {
    /// The engine itself.
    pub const SYSTEM: Self = Self { kind: ActorKind::System, tag: None };
    /// The person whose data it is.
    pub const SUBJECT: Self = Self { kind: ActorKind::Subject, tag: None };
}

/// In which role somebody acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// The person whose data it is.
    Subject,
    /// The person's guardian.
    Guardian,
    /// A device by itself.
    Device,
    /// The operator of the engine.
    Operator,
    /// The integrator whose device it is.
    Tenant,
    /// The engine itself.
    System,
}

/// Why bytes are not a leaf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Not a protocol buffer.
    #[error("not an AuditLeaf message: {0}")]
    Wire(#[from] prost::DecodeError),
    /// Written by a later version.
    #[error("leaf version {0} is not known; read it with a newer release (this one reads version {VERSION})")]
    Version(u32),
    /// An event that is not in the list.
    #[error("event {0:?} is not in the list of events")]
    Event(String),
    /// A field that the event must have is missing or malformed.
    #[error("field `{0}` is missing or malformed")]
    Field(&'static str),
    /// Another encoding than the one that the fields have, or a field that the event does not have.
    #[error("not the canonical encoding of its fields")]
    NotCanonical,
}

impl Leaf {
    /// The canonical encoding: what the log's tree is built over.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bytes = wire::write(self).encode_to_vec();
        debug_assert!(bytes.len() <= LEN_MAX, "every field of a leaf is bounded");
        bytes
    }

    /// Reads a leaf. Accepts exactly what [`encode`](Self::encode) writes.
    ///
    /// # Errors
    /// [`LeafError`] says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        let leaf = wire::read(&AuditLeaf::decode(bytes)?)?;
        if leaf.encode() == bytes { Ok(leaf) } else { Err(LeafError::NotCanonical) }
    }
}

#[cfg(test)]
mod tests;
