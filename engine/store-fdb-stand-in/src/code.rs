//! FoundationDB's error codes, as far as they come up here, and what kind each is of.

use core::ffi::{CStr, c_int};

/// An error code; zero is none.
pub(crate) type Code = c_int;

pub(crate) const SUCCESS: Code = 0;
pub(crate) const TRANSACTION_TOO_OLD: Code = 1007;
pub(crate) const FUTURE_VERSION: Code = 1009;
pub(crate) const NOT_COMMITTED: Code = 1020;
pub(crate) const COMMIT_UNKNOWN_RESULT: Code = 1021;
pub(crate) const TRANSACTION_CANCELLED: Code = 1025;
pub(crate) const TRANSACTION_TIMED_OUT: Code = 1031;
pub(crate) const TOO_MANY_WATCHES: Code = 1032;
pub(crate) const ACCESSED_UNREADABLE: Code = 1036;
pub(crate) const PROCESS_BEHIND: Code = 1037;
pub(crate) const CLUSTER_VERSION_CHANGED: Code = 1039;
pub(crate) const OPERATION_CANCELLED: Code = 1101;
pub(crate) const NO_CLUSTER_FILE_FOUND: Code = 1515;
pub(crate) const CLIENT_INVALID_OPERATION: Code = 2000;
pub(crate) const KEY_OUTSIDE_LEGAL_RANGE: Code = 2004;
pub(crate) const INVERTED_RANGE: Code = 2005;
pub(crate) const INVALID_OPTION_VALUE: Code = 2006;
pub(crate) const INVALID_OPTION: Code = 2007;
pub(crate) const NETWORK_NOT_SETUP: Code = 2008;
pub(crate) const NETWORK_ALREADY_SETUP: Code = 2009;
pub(crate) const INVALID_MUTATION_TYPE: Code = 2018;
pub(crate) const NO_COMMIT_VERSION: Code = 2021;
pub(crate) const TRANSACTION_TOO_LARGE: Code = 2101;
pub(crate) const KEY_TOO_LARGE: Code = 2102;
pub(crate) const VALUE_TOO_LARGE: Code = 2103;
pub(crate) const API_VERSION_UNSET: Code = 2200;
pub(crate) const API_VERSION_ALREADY_SET: Code = 2201;
pub(crate) const API_VERSION_NOT_SUPPORTED: Code = 2203;
pub(crate) const EXACT_MODE_WITHOUT_LIMITS: Code = 2210;

/// What FoundationDB says of `code`.
pub(crate) const fn message(code: Code) -> &'static CStr {
    match code {
        SUCCESS => c"Success",
        TRANSACTION_TOO_OLD => c"Transaction is too old to perform reads or be committed",
        FUTURE_VERSION => c"Request for future version",
        NOT_COMMITTED => c"Transaction not committed due to conflict with another transaction",
        COMMIT_UNKNOWN_RESULT => c"Transaction may or may not have committed",
        TRANSACTION_CANCELLED => c"Operation aborted because the transaction was cancelled",
        TRANSACTION_TIMED_OUT => c"Operation aborted because the transaction timed out",
        TOO_MANY_WATCHES => c"Too many watches currently set",
        ACCESSED_UNREADABLE => c"Attempted to access an unreadable key",
        PROCESS_BEHIND => c"Storage process does not have recent mutations",
        CLUSTER_VERSION_CHANGED => c"Cluster has been upgraded to a new protocol version",
        OPERATION_CANCELLED => c"Asynchronous operation cancelled",
        NO_CLUSTER_FILE_FOUND => c"Unable to locate cluster file",
        CLIENT_INVALID_OPERATION => c"Invalid API call",
        KEY_OUTSIDE_LEGAL_RANGE => c"Key outside legal range",
        INVERTED_RANGE => c"Range begin key larger than end key",
        INVALID_OPTION_VALUE => c"Option set with an invalid value",
        INVALID_OPTION => c"Option not valid in this context",
        NETWORK_NOT_SETUP => c"Action not possible before the network is configured",
        NETWORK_ALREADY_SETUP => c"Network can be configured only once",
        INVALID_MUTATION_TYPE => c"Unrecognized atomic mutation type",
        NO_COMMIT_VERSION => c"Transaction is read-only and therefore does not have a commit version",
        TRANSACTION_TOO_LARGE => c"Transaction exceeds byte limit",
        KEY_TOO_LARGE => c"Key length exceeds limit",
        VALUE_TOO_LARGE => c"Value length exceeds limit",
        API_VERSION_UNSET => c"API version is not set",
        API_VERSION_ALREADY_SET => c"API version may be set only once",
        API_VERSION_NOT_SUPPORTED => c"API version not supported",
        EXACT_MODE_WITHOUT_LIMITS => c"EXACT streaming mode requires limits, but none were given",
        _ => c"An unknown error occurred",
    }
}

/// Whether a transaction that failed with `code` may have been committed all the same.
pub(crate) const fn is_maybe_committed(code: Code) -> bool {
    matches!(code, COMMIT_UNKNOWN_RESULT | CLUSTER_VERSION_CHANGED)
}

/// Whether it was not, and may be if it is tried again.
pub(crate) const fn is_retryable_not_committed(code: Code) -> bool {
    matches!(code, NOT_COMMITTED | TRANSACTION_TOO_OLD | FUTURE_VERSION | PROCESS_BEHIND)
}

/// Whether to try again.
pub(crate) const fn is_retryable(code: Code) -> bool {
    is_maybe_committed(code) || is_retryable_not_committed(code)
}

/// `FDBErrorPredicate`, by its numbers.
pub(crate) const fn predicate(predicate: c_int, code: Code) -> bool {
    match predicate {
        50_000 => is_retryable(code),
        50_001 => is_maybe_committed(code),
        50_002 => is_retryable_not_committed(code),
        _ => false,
    }
}
