//! Reads and scans: one transaction each, one read version, no conflict ranges.

use foundationdb::options::StreamingMode;
use foundationdb::{FdbError, RangeOption, Transaction};
use futures::{StreamExt, TryStreamExt, stream};
use sayso_store::limits::SCAN_BYTES_MAX;
use sayso_store::{Entry, Error, Key, Page, Range, Value, Version, Versioned};

use crate::cluster::Cluster;
use crate::{fault, layout};

/// Keys that are asked for at once: enough to hide the way to the servers and back, few enough to bound what waits.
const READS_AT_ONCE: usize = 256;

/// What a read of the database ended with, if not as hoped.
pub(crate) enum Stopped {
    /// FoundationDB said no; it may be worth another try.
    Fdb(FdbError),
    /// No other try helps.
    Store(Error),
}

impl From<FdbError> for Stopped {
    fn from(error: FdbError) -> Self {
        Self::Fdb(error)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Cluster {
    /// What `keys` hold, at one moment.
    pub(crate) async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let mut transaction = self.transaction()?;
        loop {
            match self.held(&transaction, keys.iter(), true).try_collect().await {
                Ok(held) => return Ok(held),
                Err(Stopped::Fdb(error)) => transaction = self.again(transaction, error).await?,
                Err(Stopped::Store(error)) => return Err(error),
            }
        }
    }

    /// What `keys` hold, in their order. With `snapshot`, the transaction can commit whatever becomes of them since.
    pub(crate) fn held<'a>(
        &'a self,
        transaction: &'a Transaction,
        keys: impl Iterator<Item = &'a Key> + Send + 'a,
        snapshot: bool,
    ) -> impl futures::Stream<Item = Result<Option<Versioned>, Stopped>> + Send + 'a {
        let get = move |key: &Key| transaction.get(&self.layout.entry(key), snapshot);
        stream::iter(keys.map(get)).buffered(READS_AT_ONCE).map(|stored| match stored? {
            Some(stored) => Ok(Some(versioned(&stored)?)),
            None => Ok(None),
        })
    }

    /// The first entries of `range`, at one moment.
    pub(crate) async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        if range.is_empty() {
            return Ok(Page::default());
        }
        let mut transaction = self.transaction()?;
        loop {
            match self.page(&transaction, &range, limit).await {
                Ok(page) => return Ok(page),
                Err(Stopped::Fdb(error)) => transaction = self.again(transaction, error).await?,
                Err(Stopped::Store(error)) => return Err(error),
            }
        }
    }

    async fn page(&self, transaction: &Transaction, range: &Range, limit: usize) -> Result<Page, Stopped> {
        let option = RangeOption {
            limit: Some(limit + 1),
            target_bytes: SCAN_BYTES_MAX,
            mode: StreamingMode::WantAll,
            ..RangeOption::from(self.layout.entries(range))
        };
        let mut found = transaction.get_ranges(option, true);
        let mut page = Page::default();
        let mut bytes = 0;
        while let Some(found) = found.try_next().await? {
            for entry in &found {
                let key = self.layout.key_of(entry.key()).ok_or_else(|| fault::corrupt("an entry's key"))?;
                if page.entries.len() >= limit || bytes >= SCAN_BYTES_MAX {
                    page.rest = Some(Range { start: key, end: range.end.clone() });
                    return Ok(page);
                }
                let Versioned { value, version } = versioned(entry.value())?;
                bytes += key.as_bytes().len() + value.len();
                page.entries.push(Entry { key, value, version });
            }
        }
        Ok(page)
    }
}

/// An entry's value as it is stored.
fn versioned(stored: &[u8]) -> Result<Versioned, Error> {
    let (version, value) = layout::split_stamp(stored).ok_or_else(|| fault::corrupt("an entry without a stamp"))?;
    Ok(Versioned { value: Value::from(value.to_vec()), version })
}

/// The commit whose stamp `stored`, which is `what`, begins with.
pub(crate) fn version_of(stored: &[u8], what: &str) -> Result<Version, Error> {
    layout::split_stamp(stored).map(|(version, _)| version).ok_or_else(|| fault::corrupt(what))
}
