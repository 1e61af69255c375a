//! [`NodeEvent`]: what becomes of a node, and of the keys that wrap those of people. It is about nobody.

use sayso_types::Name;

use crate::merkle::Hash;

/// Something that happened to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeEvent {
    /// `config.changed`: the node has started with another configuration than the one on record. One leaf for each setting
    /// that changed.
    ConfigChanged {
        /// Which setting, such as `sessions.max`; `all` where none was on record.
        setting: Name,
        /// SHA-256 of the whole configuration, which names files of secrets and holds none.
        config: Hash,
    },
    /// `key.created`: the first of the keys that wrap those of people is there. `key.rotated`: another one is, or what wraps
    /// it is another. What lies sealed has not changed.
    Key {
        /// Which of the two.
        step: KeyStep,
        /// What is new: `shard_key` or `kek`.
        which: Name,
        /// The shard key that wraps the keys of people from here on, counted from 1.
        generation: u32,
        /// SHA-256 of what names the version of the KEK that wraps it.
        kek: Hash,
    },
}

/// What happens to keys that wrap others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyStep {
    /// There was none before.
    Created,
    /// There was another before.
    Rotated,
}

impl KeyStep {
    /// Every step.
    pub const ALL: [Self; 2] = [Self::Created, Self::Rotated];

    /// The name of its event in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "key.created",
            Self::Rotated => "key.rotated",
        }
    }
}

impl NodeEvent {
    /// Its name in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConfigChanged { .. } => "config.changed",
            Self::Key { step, .. } => step.name(),
        }
    }
}
