//! [`FdbOptions`]: which cluster, which part of it, and how long to try.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;
use std::sync::Arc;

use sayso_store::limits::BATCH_BYTES_MAX;
use sayso_types::Clock;

/// Which part of a cluster is the store's. Several stores share a cluster when each has a part of its own; this is
/// also how tenants are kept apart. (FoundationDB's own tenants are experimental in 7.3 and gone in 8; they are not
/// used.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Space {
    /// Everything under these strings, tuple-encoded: readable, and the same on every cluster. At most 40 bytes with
    /// two for each string.
    Subspace(Vec<String>),
    /// The directory at this path of FoundationDB's directory layer, made if there is none. Its prefix is a few bytes,
    /// and it can be moved and listed with other tools.
    Directory(Vec<String>),
}

/// What an [`FdbStore`](crate::FdbStore) needs to be told.
#[derive(Clone)]
pub struct FdbOptions {
    /// Measures how long commits take.
    pub clock: Arc<dyn Clock>,
    /// The cluster file. FoundationDB's client rewrites it when coordinators change, so its directory must be writable.
    /// `None` for `FDB_CLUSTER_FILE`, or else `/etc/foundationdb/fdb.cluster`.
    pub cluster_file: Option<PathBuf>,
    /// The part of the cluster.
    pub space: Space,
    /// How long one request is tried, with all its retries, before it is answered that the store cannot be reached. At
    /// least a second.
    pub transaction_timeout: Duration,
    /// How often one request is tried again, however quickly.
    pub retries_max: u32,
    /// The longest pause before a retry; pauses grow up to it.
    pub retry_delay_max: Duration,
    /// Bytes of batches that are on their way at once; a commit beyond them waits. At least one batch of the greatest
    /// size fits.
    pub in_flight_bytes: usize,
    /// Reads and scans that are on their way at once, each of which may bring up to 100 MB; one beyond them waits.
    pub reads_max: usize,
}

impl FdbOptions {
    /// The default cluster, ten seconds a request (a transaction may live for five, so that one that became too old is
    /// tried a second time), 100 retries, up to half a second apart, 64 MB of batches, 256 reads.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, space: Space) -> Self {
        Self {
            clock,
            cluster_file: None,
            space,
            transaction_timeout: Duration::from_secs(10),
            retries_max: 100,
            retry_delay_max: Duration::from_millis(500),
            in_flight_bytes: 64_000_000.max(BATCH_BYTES_MAX),
            reads_max: 256,
        }
    }
}

impl fmt::Debug for FdbOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FdbOptions")
            .field("cluster_file", &self.cluster_file)
            .field("space", &self.space)
            .field("transaction_timeout", &self.transaction_timeout)
            .field("retries_max", &self.retries_max)
            .field("retry_delay_max", &self.retry_delay_max)
            .field("in_flight_bytes", &self.in_flight_bytes)
            .field("reads_max", &self.reads_max)
            .finish_non_exhaustive()
    }
}
