//! What FoundationDB says, as errors of the contract.

use std::io;
use std::path::Path;
use std::sync::Arc;

use foundationdb::FdbError;
use sayso_store::Error;

/// FoundationDB's code of the transaction's own time limit, which is told apart here; all others are left to its own
/// predicates. They do not count it as one to retry, because it ends a retry loop.
pub(crate) const TIMED_OUT: i32 = 1031;

/// `error` as it came up on trying to `action` the cluster of `cluster_file`, after all retries.
pub(crate) fn fdb(action: &'static str, cluster_file: &Path, error: FdbError) -> Error {
    if error.is_retryable() || error.code() == TIMED_OUT {
        metrics::counter!("sayso_store_fdb_unavailable_total").increment(1);
        if error.code() == TIMED_OUT {
            metrics::counter!("sayso_store_timeouts_total", "wait" => "fdb_request").increment(1);
        }
        let (message, code) = (error.message(), error.code());
        let reason = format!("FoundationDB cluster of {}: {message} ({code})", cluster_file.display());
        return Error::Unavailable { reason };
    }
    let source = io::Error::other(format!("{} (FoundationDB error {})", error.message(), error.code()));
    Error::Io { action, file: cluster_file.to_owned(), source: Arc::new(source) }
}

/// Something under the store's prefix that this program did not write.
pub(crate) fn corrupt(what: &str) -> Error {
    Error::Corrupt {
        what: format!("FoundationDB: {what}"),
        found: "it is not what a store writes there".to_owned(),
        remedy: "see whether another program writes under the store's prefix, and restore it from a backup",
    }
}
