//! What a node says of itself: that it has started with another configuration, and that other keys wrap those of people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::{Actor, Event, Hash, KeyStep, NodeEvent};
use sayso_store::{Condition, Error as StoreError, Op, TypedKey};
use sayso_types::Name;
use sayso_vault::Wrapping;
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

    /// Puts a new shard key in the place of the one that wraps the keys of every person, for `by`, and that on record, while
    /// everybody's records are opened and sealed; of how many people keys were wrapped anew. What was begun is finished, also when
    /// the caller does not wait for it, and what was interrupted by the next call.
    ///
    /// # Errors
    /// As the store and the vault say; to be called again then.
    pub async fn rotate_keys(self: &Arc<Self>, by: Actor) -> Result<u64, Error> {
        let register = Arc::clone(self);
        let rotated = async move {
            let people = register.vault.rotate().await?;
            register.note_keys(by).await?;
            tracing::info!(people, "the keys of every person are wrapped under a new shard key");
            Ok(people)
        };
        self.to_the_end("rotate keys", rotated).await?
    }

    /// What wraps the keys of people now.
    ///
    /// # Errors
    /// As the vault says.
    pub async fn wrapping(&self) -> Result<Wrapping, Error> {
        Ok(self.vault.wrapping().await?)
    }

    /// Puts on record which keys wrap those of people, for `by`, where that is not what is on record: whoever changed them may
    /// have been killed before this.
    ///
    /// # Errors
    /// As the store and the vault say.
    pub async fn note_keys(&self, by: Actor) -> Result<(), Error> {
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
        let events = vec![About::default().by(by, Event::Node(told))];
        self.journal.append(Entry { require: vec![(row, unchanged)], ops, events }).await?;
        Ok(())
    }
}

fn damaged(what: &'static str, error: &serde_json::Error) -> Error {
    Error::Damaged { what, found: format!("{:?} at column {}", error.classify(), error.column()) }
}
