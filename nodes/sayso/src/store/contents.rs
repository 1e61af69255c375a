//! [`Contents`]: what a store holds, or a portion of it, page by page, and what it comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use sayso_store::limits::SCAN_LIMIT_MAX;
use sayso_store::{Key, Range, Store, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::source::Cut;

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
pub(crate) struct Contents<'a> {
    pages: Pages<'a>,
    portion: Portion,
    is_unfinished: bool,
}

/// Where they come from.
enum Pages<'a> {
    /// A store, of which nobody changes what is read.
    Store { store: Arc<dyn Store>, rest: Option<Range> },
    /// A pass over a cut.
    Cut(&'a mut Cut),
}

impl Contents<'static> {
    /// That `portion` of `store`.
    pub(crate) fn of(store: &Arc<dyn Store>, portion: Portion) -> Self {
        let pages = Pages::Store { store: Arc::clone(store), rest: Some(Range::all()) };
        Self { pages, portion, is_unfinished: false }
    }
}

impl<'a> Contents<'a> {
    /// That `portion` of `cut`, in the pass that is next.
    pub(super) fn of_cut(cut: &'a mut Cut, portion: Portion) -> Self {
        Self { pages: Pages::Cut(cut), portion, is_unfinished: false }
    }

    /// The next entries; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<(Key, Value)>>> {
        let page = match &mut self.pages {
            Pages::Store { store, rest } => next_of(store, rest).await?,
            Pages::Cut(cut) => cut.next_page().await?,
        };
        let Some(mut entries) = page else { return Ok(None) };
        self.is_unfinished |= entries.iter().any(|(key, _)| super::load::mark_prefix().contains(key));
        entries.retain(|(key, _)| self.portion.has(key));
        Ok(Some(entries))
    }

    /// Whether something was begun to be put there and not finished, by what was seen so far.
    pub(super) const fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }
}

/// The next page of `store`, of which `rest` is left.
async fn next_of(store: &Arc<dyn Store>, rest: &mut Option<Range>) -> Result<Option<Vec<(Key, Value)>>> {
    let Some(range) = rest.take() else { return Ok(None) };
    let page = store.scan(range, SCAN_LIMIT_MAX).await?;
    *rest = page.rest;
    Ok(Some(page.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()))
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
pub(super) async fn tables(
    contents: &mut Contents<'_>,
    mut reached: impl FnMut(u64),
) -> Result<BTreeMap<String, Table>> {
    let (mut tables, mut bytes) = (BTreeMap::<String, Table>::new(), 0);
    while let Some(page) = contents.next().await? {
        for (key, value) in page {
            let size = (key.as_bytes().len() + value.len()) as u64;
            let table = tables.entry(key.table().unwrap_or("(no table)").to_owned()).or_default();
            table.entries += 1;
            table.bytes += size;
            bytes += size;
        }
        reached(bytes);
    }
    Ok(tables)
}

/// What that `portion` of `store` comes to.
pub(crate) async fn summary(store: &Arc<dyn Store>, portion: Portion, reached: impl FnMut(u64)) -> Result<Summary> {
    summary_of(&mut Contents::of(store, portion), reached).await
}

/// What all of `contents` come to.
pub(super) async fn summary_of(contents: &mut Contents<'_>, mut reached: impl FnMut(u64)) -> Result<Summary> {
    let mut sum = Sum::of(contents.portion);
    while let Some(page) = contents.next().await? {
        page.iter().for_each(|(key, value)| sum.add(key.as_bytes(), value));
        reached(sum.bytes());
    }
    Ok(sum.summary())
}
