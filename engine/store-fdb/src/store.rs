//! [`FdbStore`]: the contract, on a part of a FoundationDB cluster.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use sayso_runtime::{TaskHandle, TaskKind, Tasks};
use sayso_store::limits::{self, BATCH_BYTES_MAX};
use sayso_store::{Batch, Error, Key, Page, Prefix, Range, Room, Store, Version, Versioned, Watch};
use sayso_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::follower::{Follow, Follower};
use crate::{FdbNetwork, FdbOptions, upkeep};

/// A store in a part of a FoundationDB cluster. Any number of processes may have it open at once.
pub struct FdbStore {
    follow: Arc<Follow>,
    clock: Arc<dyn Clock>,
    batches: Room,
    reads: Room,
    /// Taken when the store is closed.
    open: RwLock<Option<Open>>,
}

/// What there is while the store is open.
struct Open {
    cluster: Arc<Cluster>,
    closing: CancellationToken,
    follower: TaskHandle,
    _upkeep: TaskHandle,
}

impl FdbStore {
    /// Opens the store in `options.space`, which is made if there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the cluster does not answer within the time of one request; [`Error::Io`] when the
    /// cluster file is missing or is not one; [`Error::Schema`] when a newer program made the store; [`Error::Corrupt`]
    /// when the directory holds something else; [`Error::Invalid`] and [`Error::TooLarge`] for the name of the space.
    pub async fn open(network: Arc<FdbNetwork>, options: FdbOptions, tasks: &Tasks) -> Result<Arc<Self>, Error> {
        let mut cluster = Cluster::new(network, &options)?;
        cluster.locate(&options.space).await?;
        let (cluster, follow) = (Arc::new(cluster), Arc::new(Follow::default()));
        let closing = CancellationToken::new();
        let follower = Follower::new(Arc::clone(&cluster), Arc::clone(&follow)).run(closing.clone());
        let follower = tasks.spawn(TaskKind::Upkeep, "follow the store", follower);
        let upkeep = tasks.spawn(TaskKind::Upkeep, "look after the store", upkeep::run(Arc::clone(&cluster)));
        let in_flight_bytes = options.in_flight_bytes.clamp(BATCH_BYTES_MAX, u32::MAX as usize);
        Ok(Arc::new(Self {
            follow,
            clock: options.clock,
            batches: Room::new("fdb_commit_bytes", in_flight_bytes),
            reads: Room::new("fdb_reads", options.reads_max.max(1)),
            open: RwLock::new(Some(Open { cluster, closing, follower, _upkeep: upkeep })),
        }))
    }

    /// Hands out to watches what was committed so far, ends them, and lets go of the cluster. Every use after this is
    /// answered [`Error::Closed`]; commits under way end as they would have. Closing again does nothing.
    pub async fn close(&self) {
        self.batches.close();
        self.reads.close();
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(open) = open {
            open.closing.cancel();
            // it ends the watches when it is gone
            open.follower.join().await;
        }
    }

    /// The versions of the cluster's servers, as they say themselves; several while it is being upgraded.
    ///
    /// # Errors
    /// The state of the store.
    pub async fn server_versions(&self) -> Result<Vec<String>, Error> {
        self.cluster()?.server_versions().await
    }

    fn cluster(&self) -> Result<Arc<Cluster>, Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(|open| Arc::clone(&open.cluster)).ok_or(Error::Closed)
    }
}

#[async_trait]
impl Store for FdbStore {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        limits::check_read(keys)?;
        let _reading = self.reads.take(1).await?;
        self.cluster()?.read(keys).await
    }

    async fn scan(&self, range: Range, limit: usize) -> Result<Page, Error> {
        limits::check_scan(&range, limit)?;
        let _reading = self.reads.take(1).await?;
        self.cluster()?.scan(range, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Version, Error> {
        batch.check()?;
        let since = self.clock.now();
        let bytes = u32::try_from(batch.size()).expect("a batch is within BATCH_BYTES_MAX");
        let _room = self.batches.take(bytes).await?;
        let outcome = self.cluster()?.commit(&batch).await;
        let took = self.clock.now().since(since);
        metrics::histogram!("sayso_store_fdb_commit_seconds").record(took.as_secs_f64());
        if let Err(Error::Conflict { .. }) = outcome {
            metrics::counter!("sayso_store_fdb_conflicts_total").increment(1);
        }
        outcome
    }

    async fn watch(&self, prefix: Prefix) -> Result<Watch, Error> {
        self.cluster()?;
        self.follow.catch_up().await?;
        let watch = self.follow.watchers.watch(prefix)?;
        // the follower sets native watches only while somebody watches
        self.follow.wake();
        Ok(watch)
    }
}

impl fmt::Debug for FdbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FdbStore").field("follow", &self.follow).finish_non_exhaustive()
    }
}
