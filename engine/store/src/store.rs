//! [`Store`]: what every backend does.

use core::fmt;

use async_trait::async_trait;

use crate::{Batch, Error, Key, Prefix, Range, Value, Version, Versioned, Watch};

/// One key of a scan with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// What it holds.
    pub value: Value,
    /// The commit that wrote it.
    pub version: Version,
}

/// A piece of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys and values, keys ascending.
    pub entries: Vec<Entry>,
    /// What is left to scan; `None` when the range is exhausted.
    pub rest: Option<Range>,
}

/// An ordered keyspace of bytes with mini-transactions.
///
/// # Rules that every backend keeps
///
/// - All operations are linearizable: each takes effect at one moment between its call and its answer.
/// - A commit MUST NOT be answered `Ok` before it would survive `kill -9` and the loss of power.
/// - All conditions of a batch hold and all its operations apply, or nothing does; nobody sees a part of it.
/// - Versions grow: of two commits, the one that takes effect later has the greater [`Version`].
/// - A batch whose token committed before MUST NOT apply again; it is answered with the version it committed at.
///   A batch that was refused leaves no trace, so sending it again asks afresh. Backends remember at least
///   [`TOKENS_REMEMBERED`](crate::limits::TOKENS_REMEMBERED) commits, across restarts.
/// - Every limit of [`limits`](crate::limits) is checked before anything is sent or written.
///
/// Dropping the future of a `commit` does not undo it: its outcome is unknown to the caller until the same batch is
/// sent again.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What `keys` hold, at one moment, in the order asked; `None` for a key that is absent.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than [`READ_KEYS_MAX`](crate::limits::READ_KEYS_MAX) keys or a key over its
    /// limit; otherwise the state of the store.
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error>;

    /// The first entries of `range`, at one moment: at most `limit`, and no more than fit
    /// [`SCAN_BYTES_MAX`](crate::limits::SCAN_BYTES_MAX) (but at least one). A page ends where one of these or the
    /// range does, and nowhere before. Go on with [`Page::rest`]; pages are of different moments.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a `limit` over [`SCAN_LIMIT_MAX`](crate::limits::SCAN_LIMIT_MAX),
    /// [`Error::Invalid`] for one of zero; otherwise the state of the store.
    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error>;

    /// Applies `batch` if all it requires holds, and answers once that is durable.
    ///
    /// # Errors
    /// [`Error::Conflict`] names the first condition, in the batch's order, that does not hold.
    /// After [`Error::Unavailable`] or [`Error::Closed`] the outcome may be unknown: send the same batch, with the same
    /// token. After every other error nothing was applied.
    async fn commit(&self, batch: Batch) -> Result<Version, Error>;

    /// Every change under `prefix` from now on. To follow a set of keys without a gap: watch, then scan, then
    /// apply the changes whose version is greater than the entry's.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when [`WATCHES_MAX`](crate::limits::WATCHES_MAX) are open; otherwise the state of the
    /// store.
    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error>;

    /// Answers once no file of the store, on any of its replicas, holds what was deleted or replaced before the call: what was
    /// deleted is of no use while its bytes can still be read from a log. It says which replicas there are, by their numbers;
    /// none where the store is in one place. It rewrites the store, which serves meanwhile, so whoever calls it paces
    /// themselves. What a disk keeps of files that were deleted is beyond it, and so is a replica that has left the store.
    ///
    /// # Errors
    /// [`Error::Unsupported`] from a backend that cannot, which is every one that does not say otherwise;
    /// [`Error::Unpurged`] names the replicas that have not done so, which the next call asks again; else the state of the store.
    async fn purge(&self) -> Result<Vec<u64>, Error> {
        Err(Error::Unsupported { what: "purging what was deleted" })
    }
}
