//! [`Contents`]: what a store holds, or a portion of it, page by page, and what it comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use sayso_store::limits::SCAN_LIMIT_MAX;
use sayso_store::{Entry, Key, Range, Store};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What of a store there is to be, or is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Portion {
    /// All of it: what is moved, what there is where keys are elsewhere, and what earlier versions wrote.
    #[default]
    All,
    /// What is of nobody without the keys.
    Data,
    /// The keys of people alone, as they are wrapped.
    Keys,
}

impl Portion {
    const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    fn has(self, key: &Key) -> bool {
        let is_key = || sayso_vault::key_tables().iter().any(|table| table.contains(key));
        is_data(key)
            && match self {
                Self::All => true,
                Self::Data => !is_key(),
                Self::Keys => is_key(),
            }
    }
}

/// What a data set comes to: two with the same summary are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Of what.
    #[serde(default, skip_serializing_if = "Portion::is_all")]
    pub(crate) portion: Portion,
    /// Keys.
    pub(crate) entries: u64,
    /// Bytes of keys and values.
    pub(crate) bytes: u64,
    /// SHA-256 over all of them in order, each with its length.
    pub(crate) sha256: String,
}

/// Adds up a data set.
#[derive(Default)]
pub(crate) struct Sum {
    portion: Portion,
    entries: u64,
    bytes: u64,
    hash: Sha256,
}

impl Sum {
    /// Nothing yet, of `portion`.
    pub(crate) fn of(portion: Portion) -> Self {
        Self { portion, ..Self::default() }
    }

    /// Counts the next entry.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.bytes += (key.len() + value.len()) as u64;
        for part in [key, value] {
            self.hash.update((part.len() as u32).to_be_bytes());
            self.hash.update(part);
        }
    }

    /// Bytes so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it comes to.
    pub(crate) fn summary(self) -> Summary {
        let Self { portion, entries, bytes, hash } = self;
        Summary { portion, entries, bytes, sha256: hex::encode(hash.finalize()) }
    }
}

/// A store's entries in order, without those that say who uses it.
pub(crate) struct Contents {
    store: Arc<dyn Store>,
    portion: Portion,
    rest: Option<Range>,
}

impl Contents {
    /// That `portion` of `store`.
    pub(crate) fn of(store: &Arc<dyn Store>, portion: Portion) -> Self {
        Self { store: Arc::clone(store), portion, rest: Some(Range::all()) }
    }

    /// The next entries; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        let Some(range) = self.rest.take() else { return Ok(None) };
        let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
        self.rest = page.rest;
        let mut entries = page.entries;
        entries.retain(|entry| self.portion.has(&entry.key));
        Ok(Some(entries))
    }
}

/// Whether a key is part of the data, rather than of how the store is used.
pub(crate) fn is_data(key: &Key) -> bool {
    ![sayso_consent::tenure::records(), super::load::mark_prefix(), super::moved::prefix()]
        .iter()
        .any(|of| of.contains(key))
}

/// What a table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Table {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// Adds up each table.
pub(crate) async fn tables(store: &Arc<dyn Store>, mut reached: impl FnMut(u64)) -> Result<BTreeMap<String, Table>> {
    let (mut contents, mut tables) = (Contents::of(store, Portion::All), BTreeMap::<String, Table>::new());
    let mut bytes = 0;
    while let Some(page) = contents.next().await? {
        for entry in page {
            let size = (entry.key.as_bytes().len() + entry.value.len()) as u64;
            let table = tables.entry(entry.key.table().unwrap_or("(no table)").to_owned()).or_default();
            table.entries += 1;
            table.bytes += size;
            bytes += size;
        }
        reached(bytes);
    }
    Ok(tables)
}

/// What that `portion` of `store` comes to.
pub(crate) async fn summary(store: &Arc<dyn Store>, portion: Portion, mut reached: impl FnMut(u64)) -> Result<Summary> {
    let (mut contents, mut sum) = (Contents::of(store, portion), Sum::of(portion));
    while let Some(page) = contents.next().await? {
        page.iter().for_each(|entry| sum.add(entry.key.as_bytes(), &entry.value));
        reached(sum.bytes());
    }
    Ok(sum.summary())
}
