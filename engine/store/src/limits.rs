//! What a request may hold. They are FoundationDB's limits, less what a backend needs for itself, for every backend:
//! a data set that one can hold, all can.

use crate::{Error, Key, Range};

/// FoundationDB refuses keys over 10,000 bytes; 100 of them are left to the backend's own prefix.
pub const KEY_BYTES_MAX: usize = 10_000 - 100;

/// FoundationDB refuses values over 100,000 bytes; 100 of them are left to the backend's own header (the version).
pub const VALUE_BYTES_MAX: usize = 100_000 - 100;

/// FoundationDB refuses transactions over 10,000,000 bytes; a tenth is left for its conflict ranges, the backend's
/// prefixes and the token's record.
pub const BATCH_BYTES_MAX: usize = 9_000_000;

/// Times that the key of a condition or an operation counts: those of a delete, of which FoundationDB counts the most.
/// It clears a range, which has the key at both ends, and so has its conflict range; a backend that keeps a log of
/// changes writes it once more. A put counts it one time less, a condition only at both ends of a conflict range.
pub const BATCH_KEY_TIMES: usize = 5;

/// Bytes that each condition and operation counts beyond its key and value: what FoundationDB and a backend's prefix
/// of 40 bytes add to one. A batch of many small ones is bounded in number, too.
pub const BATCH_ITEM_BYTES: usize = 256;

/// Keys in one read: with the greatest values a read stays within 100 MB.
pub const READ_KEYS_MAX: usize = 1_000;

/// Entries in one page of a scan.
pub const SCAN_LIMIT_MAX: usize = 10_000;

/// Bytes of keys and values after which a page of a scan ends, so that one fits FoundationDB's five seconds and a
/// reader's memory.
pub const SCAN_BYTES_MAX: usize = 1_000_000;

/// Open watches of one store: each costs every commit a comparison.
pub const WATCHES_MAX: usize = 10_000;

/// Changes that wait in one watch before it is told that it lagged.
pub const WATCH_CHANGES_MAX: usize = 1_024;

/// Commits whose tokens a backend remembers, newest first: far more than can be in flight while a client resends.
pub const TOKENS_REMEMBERED: usize = 65_536;

/// Checks a request to read `keys`.
///
/// # Errors
/// [`Error::TooLarge`] or [`Error::ReservedKey`].
pub fn check_read(keys: &[Key]) -> Result<(), Error> {
    at_most("keys in one read", keys.len(), READ_KEYS_MAX)?;
    keys.iter().try_for_each(check_key)
}

/// Checks a request to scan `range`.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::ReservedKey`], or [`Error::Invalid`] for a limit of zero.
pub fn check_scan(range: &Range, limit: usize) -> Result<(), Error> {
    check_range(range)?;
    if limit == 0 {
        return Err(Error::Invalid { what: "a scan's limit is at least one entry" });
    }
    at_most("entries in one scan", limit, SCAN_LIMIT_MAX)
}

pub(crate) fn check_key(key: &Key) -> Result<(), Error> {
    if key.as_bytes().first() == Some(&0xff) {
        return Err(Error::ReservedKey);
    }
    at_most("bytes in a key", key.as_bytes().len(), KEY_BYTES_MAX)
}

/// A range may end where the reserved keys begin.
fn check_range(range: &Range) -> Result<(), Error> {
    if range.is_empty() {
        return Ok(());
    }
    if range.end > Range::all().end {
        return Err(Error::ReservedKey);
    }
    // the end is often the successor of a key of the greatest length
    at_most("bytes in a key", range.start.as_bytes().len().max(range.end.as_bytes().len()), KEY_BYTES_MAX + 1)
}

/// Checks that `size` is no more than `max`; `what` there is, with its unit, is named when it is, and what was refused for it is
/// counted.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn at_most(what: &'static str, size: usize, max: usize) -> Result<(), Error> {
    if size > max {
        metrics::counter!("sayso_store_refused_total", "limit" => what).increment(1);
        return Err(Error::TooLarge { what, size, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::{Batch, Prefix, Watchers};

    /// A request that is over a limit.
    type Ask<'a> = &'a dyn Fn() -> Result<(), Error>;

    #[test]
    fn each_limit_counts_what_it_refuses() {
        let (key, long) = (Key::from_bytes("k"), Key::from_bytes(vec![1; KEY_BYTES_MAX + 1]));
        let value = || vec![0; VALUE_BYTES_MAX];
        let full =
            (0..BATCH_BYTES_MAX / VALUE_BYTES_MAX).fold(Batch::new(), |batch, _| batch.put(key.clone(), value()));
        let watches = Watchers::default();
        let open: Vec<_> = (0..WATCHES_MAX).map(|_| watches.watch(Prefix::from_bytes("p")).unwrap()).collect();
        let refused: [(&str, Ask<'_>); 6] = [
            ("keys in one read", &|| check_read(&vec![key.clone(); READ_KEYS_MAX + 1])),
            ("entries in one scan", &|| check_scan(&Range::all(), SCAN_LIMIT_MAX + 1)),
            ("bytes in a key", &|| check_read(core::slice::from_ref(&long))),
            ("bytes in a value", &|| Batch::new().put(key.clone(), vec![0; VALUE_BYTES_MAX + 1]).check()),
            ("bytes in a batch", &|| full.clone().put(key.clone(), value()).check()),
            ("open watches", &|| watches.watch(Prefix::from_bytes("p")).map(drop)),
        ];
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            for (limit, ask) in refused {
                assert!(matches!(ask(), Err(Error::TooLarge { what, .. }) if what == limit), "{limit}");
                let counted = format!("sayso_store_refused_total{{limit=\"{limit}\"}} 1");
                assert!(metrics.render().contains(&counted), "{counted} is not in {}", metrics.render());
            }
        });
        drop(open);
    }
}
