//! [`RaftSweep`]: one pass over what callers put, as it was at one moment.

use core::fmt;
use std::sync::Arc;

use sayso_store::{Entry, Error, Key};
use sayso_store_local::Sweep;

use super::{ENTRIES, Machine, data_key, versioned};

/// One pass over a replicated store as it was at one moment, whatever is committed meanwhile. It keeps the files of that moment:
/// a [purge](sayso_store::Store::purge) waits until it is dropped.
pub struct RaftSweep {
    sweep: Sweep,
    /// Bytes of a key that are this node's own.
    prefix: usize,
}

impl RaftSweep {
    /// The next entries, of about [`SCAN_BYTES_MAX`](sayso_store::limits::SCAN_BYTES_MAX); none at the end.
    ///
    /// # Errors
    /// What the disk says.
    pub fn next_page(&mut self) -> Result<Vec<Entry>, Error> {
        let entries = self.sweep.next_page()?.into_iter().map(|entry| {
            let key = Key::from_bytes(entry.key.as_bytes()[self.prefix..].to_vec());
            let held = versioned(entry.value.0)?;
            Ok(Entry { key, value: held.value, version: held.version })
        });
        entries.collect()
    }
}

impl fmt::Debug for RaftSweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RaftSweep")
    }
}

impl Machine {
    /// Two passes over what is applied now.
    pub(crate) async fn sweep_twice(self: &Arc<Self>) -> Result<[RaftSweep; 2], Error> {
        // no snapshot takes the generation's place meanwhile
        let _still = self.applied.lock().await;
        let key = data_key(self.generation(), ENTRIES, &[]);
        let key = key.as_bytes();
        Ok(self.disk.sweep_twice(key)?.map(|sweep| RaftSweep { sweep, prefix: key.len() }))
    }
}
