//! [`Tenure`]: the right to own the register of a store that several processes have open, one of them at a time.
//!
//! A register keeps its permits and the turns of its subjects in memory, and its journal the end of the log. A second one
//! over the same store would answer OK to a withdrawal while the first still lets data through. So a process owns the
//! register only while it renews a record in the store; no permit outlives what was renewed; and another process takes
//! the record only after it has seen it unchanged for longer than that.
//!
//! ```text
//!   owner    ── put, if it is mine ──▶ record      until = when the put was sent + LASTS
//!   standby  ── look ──▶ record        unchanged for LASTS and a margin, or given back ── put, if unchanged ──▶ owner
//! ```
//!
//! Each side measures elapsed time on its own monotonic clock; the clocks are never compared, only their rates matter.
//! A former owner that wakes up late finds its permits ended, its renewal refused, and the end of the log moved.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;

use sayso_store::{Batch, Condition, Error as StoreError, Key, Prefix, Retryable, Store, TypedKey, Version};
use sayso_types::{Clock, Mono};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::journal::SHARD;
use crate::tables::{TENURE, TenureKey};
use crate::{Error, format, mutant};

/// How long a tenure lasts after it was renewed: a renewal may be due when the store loses its leader, which it is then
/// without for 1.5 s at most in ninety-nine cases of a hundred, and as much again is left, so that an election does not
/// close gates. Short, because a node that died is replaced no sooner.
const LASTS: Duration = Duration::from_millis(3_000);
/// How long a record must be seen unchanged before it is taken. There would be two owners if one clock ran a seventh slower
/// than the other. Clocks of machines that work run within 0.06 % of each other: crystals are good to 0.01 %, and what
/// disciplines a clock slews it by 0.05 % at most.
const TAKEN_AFTER: Duration = Duration::from_millis(3_500);
/// How often it is renewed: a commit each, and how much of the tenure is gone when a store fails.
const RENEWED_EVERY: Duration = Duration::from_millis(500);
/// How often a standby looks: a read each, and how much later than possible it takes over.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
/// How long giving back may take. What is not given back in time is taken over a little later.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(2);

/// How long this process owns the register. Clones are the same tenure.
#[derive(Clone)]
pub struct Tenure(Option<Arc<AtomicU64>>);

impl Tenure {
    /// For a store that only this process has open.
    #[must_use]
    pub const fn sole() -> Self {
        Self(None)
    }

    /// How much of it is left at least while renewals succeed: what is permitted within it has to be renewed more often.
    pub(crate) const fn left(&self) -> Duration {
        if self.0.is_none() { Duration::MAX } else { LASTS.saturating_sub(RENEWED_EVERY) }
    }

    /// Until when: nothing may be permitted beyond it.
    #[must_use]
    pub fn until(&self) -> Mono {
        self.0.as_ref().map_or(Mono(u64::MAX), |until| Mono(until.load(Ordering::Acquire)))
    }
}

impl Default for Tenure {
    fn default() -> Self {
        Self::sole()
    }
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tenure").field(&self.until()).finish()
    }
}

/// Where the record is: it belongs to how a store is used, and is no part of its data.
#[must_use]
pub fn records() -> Prefix {
    TenureKey::table()
}

/// Somebody who may own the register of a store.
pub struct Candidate {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its name, for operators. Two processes MUST NOT have one name at the same time: who bears the owner's name goes on
    /// at once, as the owner that was started again.
    pub name: String,
    /// Measures how long a record stays unchanged, and how long a tenure lasts.
    pub clock: Arc<dyn Clock>,
}

impl Candidate {
    /// Waits until this process owns the register. `standing_by` is told, once for each, who owns it meanwhile. A store
    /// that cannot be reached is waited for.
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer program has used the store; [`Error::Store`] when the store fails in a way that waiting
    /// does not mend; [`Error::Damaged`] when the record cannot be read.
    pub async fn stand(self, mut standing_by: impl FnMut(&str)) -> Result<Owner, Error> {
        let key = TenureKey { shard: SHARD }.key();
        let mut seen = Seen::default();
        loop {
            let taken = match self.look(&key).await {
                Ok(found) => {
                    // after the answer: whoever renewed the record had sent that by now
                    let (now, version) = (self.clock.now(), found.as_ref().map(|(_, version)| *version));
                    let owner = found.map(|(owner, _)| owner);
                    match &owner {
                        Some(name) if *name != self.name && !seen.is_over(version, now) => {
                            if seen.is_new(name) {
                                standing_by(name);
                            }
                            None
                        }
                        _ => self.take(&key, version).await?,
                    }
                }
                Err(Error::Store(error)) if error.retryable() => {
                    tracing::debug!(%error, "who owns the register cannot be read yet");
                    None
                }
                Err(error) => return Err(error),
            };
            if let Some((version, until)) = taken {
                let until = Arc::new(AtomicU64::new(until.0));
                return Ok(Owner { store: self.store, name: self.name, clock: self.clock, key, version, until });
            }
            sleep(LOOKS_EVERY).await;
        }
    }

    /// Whose the record is.
    async fn look(&self, key: &Key) -> Result<Option<(String, Version)>, Error> {
        let Some(found) = self.store.read(core::slice::from_ref(key)).await?.pop().flatten() else { return Ok(None) };
        let (_, body) = TENURE.decode(&found.value).map_err(StoreError::from)?;
        let owner = String::from_utf8(body.to_vec())
            .map_err(|_| Error::Damaged { what: "tenure", found: "it is not text".to_owned() })?;
        Ok(Some((owner, found.version)))
    }

    /// Takes the record as it was seen; `None` when it has changed, or when it is not known whether it was taken.
    async fn take(&self, key: &Key, seen: Option<Version>) -> Result<Option<(Version, Mono)>, Error> {
        // A newer program says what it knows while it owns the register, and so before the record was seen, or changes it.
        match format::require_known(self.store.as_ref()).await {
            Err(Error::Store(error)) if error.retryable() => return Ok(None),
            known => known?,
        }
        let sent = self.clock.now();
        match self.store.commit(put(key, seen, &self.name)).await {
            Ok(version) => Ok(Some((version, sent.after(LASTS)))),
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) if error.retryable() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Since when a standby has seen the same record.
#[derive(Default)]
struct Seen {
    record: Option<(Version, Mono)>,
    owner: String,
}

impl Seen {
    /// Whether the tenure behind a record that is at `version` at `now` is over for certain.
    fn is_over(&mut self, version: Option<Version>, now: Mono) -> bool {
        let Some(version) = version.filter(|_| !mutant::does_not_fence()) else { return true };
        let over_after = if mutant::has_no_margin() { LASTS } else { TAKEN_AFTER };
        match self.record {
            Some((seen, since)) if seen == version => now.since(since) >= over_after,
            _ => {
                self.record = Some((version, now));
                false
            }
        }
    }

    fn is_new(&mut self, owner: &str) -> bool {
        let is_new = self.owner != owner;
        if is_new {
            owner.clone_into(&mut self.owner);
        }
        is_new
    }
}

/// The owner of a register, which has to [keep](Self::keep) it.
pub struct Owner {
    store: Arc<dyn Store>,
    name: String,
    clock: Arc<dyn Clock>,
    key: Key,
    version: Version,
    until: Arc<AtomicU64>,
}

impl Owner {
    /// What the register is opened with.
    #[must_use]
    pub fn tenure(&self) -> Tenure {
        Tenure(Some(Arc::clone(&self.until)))
    }

    /// Renews the tenure until `stop` is cancelled, then gives it back. While the store cannot be reached the tenure runs
    /// out, and goes on when it can be again and nobody else has taken it.
    ///
    /// # Errors
    /// [`Error::Stopped`] when another process has taken it: this one must end; or as the store says.
    pub async fn keep(mut self, stop: CancellationToken) -> Result<(), Error> {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep(RENEWED_EVERY) => {}
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                renewed = self.renew() => renewed?,
            }
        }
        self.until.store(0, Ordering::Release);
        let given_back = Batch::new().require(self.key.clone(), Condition::Version(self.version)).delete(self.key);
        if tokio::time::timeout(GIVEN_BACK_WITHIN, self.store.commit(given_back)).await.is_err() {
            tracing::info!("the register was not given back in time; it will be taken over");
        }
        Ok(())
    }

    async fn renew(&mut self) -> Result<(), Error> {
        let sent = self.clock.now();
        let batch = put(&self.key, Some(self.version), &self.name);
        loop {
            match self.store.commit(batch.clone()).await {
                Ok(version) => {
                    self.version = version;
                    self.until.store(sent.after(LASTS).0, Ordering::Release);
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) => {
                    self.until.store(0, Ordering::Release);
                    tracing::error!("another node owns the register now");
                    return Err(Error::Stopped);
                }
                Err(error) if error.retryable() => {
                    metrics::counter!("sayso_consent_tenure_unrenewed_total").increment(1);
                    tracing::warn!(%error, "the tenure of the register could not be renewed, trying again");
                    sleep(LOOKS_EVERY).await;
                }
                Err(error) => {
                    self.until.store(0, Ordering::Release);
                    return Err(error.into());
                }
            }
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("name", &self.name).field("tenure", &self.tenure()).finish_non_exhaustive()
    }
}

/// Puts `owner` into the record, if it is still at `seen`.
fn put(key: &Key, seen: Option<Version>, owner: &str) -> Batch {
    let unchanged = seen.map_or(Condition::Absent, Condition::Version);
    Batch::new().require(key.clone(), unchanged).put(key.clone(), TENURE.encode(owner.as_bytes()))
}

#[cfg(test)]
mod tests;
