//! [`LocalOptions`]: how much memory a store may take, and where its time comes from.

use core::fmt;
use std::sync::Arc;

use sayso_types::Clock;

/// What a [`LocalStore`](crate::LocalStore) needs to be told.
#[derive(Clone)]
pub struct LocalOptions {
    /// Measures how long commits take.
    pub clock: Arc<dyn Clock>,
    /// Bytes of commits that wait for the disk at once; a commit beyond them waits until there is room. At least one
    /// batch of the greatest size fits.
    pub queue_bytes: usize,
    /// Bytes of changes in memory before they are written to a table, and so the size of a segment of the log. Up to
    /// six times as much is held while tables are written.
    pub memtable_bytes: u64,
    /// Bytes of table blocks kept in memory for reads.
    pub cache_bytes: u64,
}

impl LocalOptions {
    /// Sizes for a node with a few hundred megabytes to spare: 32 MB of queue, 16 MB memtables, 32 MB of cache.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, queue_bytes: 32 << 20, memtable_bytes: 16 << 20, cache_bytes: 32 << 20 }
    }
}

impl fmt::Debug for LocalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalOptions")
            .field("queue_bytes", &self.queue_bytes)
            .field("memtable_bytes", &self.memtable_bytes)
            .field("cache_bytes", &self.cache_bytes)
            .finish_non_exhaustive()
    }
}
