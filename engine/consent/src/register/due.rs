//! [`Due`]: what has come due of a table whose keys begin with a moment.

use core::marker::PhantomData;

use sayso_store::{Entry, Error as StoreError, Range, Store, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::WallTime;

use super::Register;

/// Keys whose moment has come, the earliest first. It reads a page at a time, so the rows that were given may be deleted.
pub(crate) struct Due<'a, K> {
    store: &'a dyn Store,
    rest: Option<Range>,
    found: std::vec::IntoIter<Entry>,
    keys: PhantomData<fn() -> K>,
}

impl Register {
    /// What has come due by `now` in the table of `K`, whose keys begin with milliseconds since the Unix epoch.
    pub(crate) fn due<K: TypedKey>(&self, now: WallTime) -> Due<'_, K> {
        let later = K::table().then(&now.0.saturating_add(1)).into_key();
        let range = Range { end: later, ..K::table().into() };
        Due { store: self.store.as_ref(), rest: Some(range), found: Vec::new().into_iter(), keys: PhantomData }
    }
}

impl<K: TypedKey> Due<'_, K> {
    /// The next of them.
    pub(crate) async fn next(&mut self) -> Result<Option<K>, StoreError> {
        loop {
            if let Some(entry) = self.found.next() {
                return Ok(Some(K::parse(&entry.key)?));
            }
            let Some(range) = self.rest.take() else { return Ok(None) };
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            (self.rest, self.found) = (page.rest, page.entries.into_iter());
        }
    }
}
