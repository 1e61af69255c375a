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
    /// Does `work` with each of them; how much that comes to. What holds up one holds up no other: what is left is due at the next
    /// look, and the last error says why.
    pub(crate) async fn each<E, W>(mut self, mut work: impl FnMut(K) -> W) -> Result<u64, E>
    where
        E: From<StoreError>,
        W: Future<Output = Result<u64, E>>,
    {
        let (mut count, mut outcome) = (0, Ok(()));
        while let Some(key) = self.next().await? {
            match work(key).await {
                Ok(done) => count += done,
                Err(error) => {
                    metrics::counter!("sayso_consent_held_up_total", "of" => K::TABLE).increment(1);
                    outcome = Err(error);
                }
            }
        }
        outcome.map(|()| count)
    }

    /// The next of them.
    async fn next(&mut self) -> Result<Option<K>, StoreError> {
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
