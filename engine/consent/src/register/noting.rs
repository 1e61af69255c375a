//! What a node says of itself: that it has started with another configuration, and that other keys wrap those of people.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Event, Hash, KeyStep, NodeEvent};
use sayso_store::{Condition, Error as StoreError, Op, TypedKey};
use sayso_types::Name;
use serde::{Deserialize, Serialize};

use super::Register;
use crate::journal::{About, SHARD};
use crate::tables::{CONFIG, ConfigKey, WRAPPING, WrappingKey};
use crate::{Entry, Error};

/// The configuration of a node, as SHA-256. It names files of secrets and holds none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// Of all of it.
    #[serde(with = "hex")]
    pub whole: [u8; 32],
    /// Of each of its settings.
    pub settings: BTreeMap<Name, String>,
}

/// What wraps the keys of people. The stored form, schema version 1, is JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wraps {
    /// The newest shard key, counted from 1.
    pub(crate) shard_key: u32,
    /// SHA-256 of what names the version of the KEK.
    #[serde(with = "hex")]
    pub(crate) kek: [u8; 32],
}

impl Configured {
    /// The settings that are not as `before`.
    fn differing(&self, before: &Self) -> BTreeSet<Name> {
        let names = self.settings.keys().chain(before.settings.keys());
        names.filter(|name| self.settings.get(name) != before.settings.get(name)).copied().collect()
    }
}

impl Register {
    /// Puts on record that the `node` has started with the configuration `now`, where that is not the one on record; which
    /// settings have changed.
    ///
    /// # Errors
    /// As the store says.
    pub async fn note_config(&self, node: u64, now: &Configured) -> Result<BTreeSet<Name>, Error> {
        let row = ConfigKey { node }.key();
        let stored = self.store.read(core::slice::from_ref(&row)).await?.pop().flatten();
        let before =
            stored.as_ref().map(|stored| CONFIG.decode(&stored.value)).transpose().map_err(StoreError::from)?;
        let before = before.map(|(_, body)| serde_json::from_slice(body).map_err(|e| damaged("config", &e)));
        let changed = match before.transpose()? {
            Some(before) => now.differing(&before),
            None => [Name::constant("all")].into(),
        };
        if changed.is_empty() {
            return Ok(changed);
        }
        let told = |setting: &Name| NodeEvent::ConfigChanged { setting: *setting, config: Hash(now.whole) };
        let events = changed.iter().map(|setting| About::default().event(Event::Node(told(setting)))).collect();
        let unchanged = stored.map_or(Condition::Absent, |stored| Condition::Version(stored.version));
        let json = serde_json::to_vec(now).expect("texts are JSON");
        let ops = vec![Op::Put(row.clone(), CONFIG.encode(&json))];
        self.journal.append(Entry { require: vec![(row, unchanged)], ops, events }).await?;
        Ok(changed)
    }

    /// Puts on record which keys wrap those of people, where that is not what is on record: whoever changed them may have
    /// been killed before this.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn note_keys(&self) -> Result<(), Error> {
        let wrapping = self.vault.wrapping().await?;
        let now = Wraps { shard_key: wrapping.shard_key, kek: Hash::of(&wrapping.kek).0 };
        let row = WrappingKey { shard: SHARD }.key();
        let stored = self.store.read(core::slice::from_ref(&row)).await?.pop().flatten();
        let before =
            stored.as_ref().map(|stored| WRAPPING.decode(&stored.value)).transpose().map_err(StoreError::from)?;
        let before = before.map(|(_, body)| serde_json::from_slice(body).map_err(|e| damaged("wrapping", &e)));
        let before: Option<Wraps> = before.transpose()?;
        let (step, which) = match &before {
            None => (KeyStep::Created, "shard_key"),
            Some(before) if before.shard_key != now.shard_key => (KeyStep::Rotated, "shard_key"),
            Some(before) if before.kek != now.kek => (KeyStep::Rotated, "kek"),
            Some(_) => return Ok(()),
        };
        let told = NodeEvent::Key { step, which: Name::constant(which), generation: now.shard_key, kek: Hash(now.kek) };
        let unchanged = stored.map_or(Condition::Absent, |stored| Condition::Version(stored.version));
        let json = serde_json::to_vec(&now).expect("numbers are JSON");
        let ops = vec![Op::Put(row.clone(), WRAPPING.encode(&json))];
        let events = vec![About::default().event(Event::Node(told))];
        self.journal.append(Entry { require: vec![(row, unchanged)], ops, events }).await?;
        Ok(())
    }
}

fn damaged(what: &'static str, error: &serde_json::Error) -> Error {
    Error::Damaged { what, found: format!("{:?} at column {}", error.classify(), error.column()) }
}
