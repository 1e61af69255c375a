//! What keeps a store bounded: the log is cut off behind its readers, old tokens are forgotten. Every process does it;
//! what one has done is done for all.

use core::time::Duration;
use std::sync::Arc;

use foundationdb::options::{MutationType, StreamingMode};
use foundationdb::{FdbResult, RangeOption, Transaction};
use sayso_store::limits::TOKENS_REMEMBERED;
use sayso_store::{Error, Token};

use crate::cluster::Cluster;
use crate::fault;
use crate::layout::{self, LANES};
use crate::read::Stopped;

/// Time between two rounds.
const EVERY: Duration = Duration::from_secs(10);

/// How long the log is kept, in FoundationDB's versions, of which there are a million a second: five minutes, thirty
/// times as long as a follower leaves it unread. Recoveries of the cluster skip versions, so it may be less; a watcher
/// who lost something by that is told.
const LOG_VERSIONS: i64 = 300_000_000;

/// Tokens that one transaction forgets.
const FORGET_AT_ONCE: usize = 1_000;

/// Looks after `cluster` for ever.
pub(crate) async fn run(cluster: Arc<Cluster>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = round(&cluster).await {
            tracing::warn!(%error, "cannot look after the store, trying again");
        }
    }
}

async fn round(cluster: &Cluster) -> Result<(), Error> {
    trim(cluster).await?;
    for lane in 0..LANES {
        while forget(cluster, lane).await? == FORGET_AT_ONCE {}
    }
    Ok(())
}

/// Cuts off what is old in the log.
async fn trim(cluster: &Cluster) -> Result<(), Error> {
    let mut transaction = cluster.transaction()?;
    loop {
        let version = match transaction.get_read_version().await {
            Ok(version) => version,
            Err(error) => {
                transaction = cluster.again(transaction, error).await?;
                continue;
            }
        };
        let start = layout::after(version.saturating_sub(LOG_VERSIONS).max(0));
        for lane in 0..LANES {
            let (from, to) = cluster.layout.log_before(lane, start);
            transaction.clear_range(&from, &to);
        }
        // another process may have got further
        transaction.atomic_op(&cluster.layout.trimmed(), &start.to_bytes(), MutationType::ByteMax);
        match transaction.commit().await {
            Ok(_) => return Ok(()),
            Err(error) => transaction = cluster.again_after_commit(error).await?,
        }
    }
}

/// Forgets the oldest tokens of `lane` beyond [`TOKENS_REMEMBERED`], and says how many.
async fn forget(cluster: &Cluster, lane: u8) -> Result<usize, Error> {
    let mut transaction = cluster.transaction()?;
    loop {
        let count = match forget_in(&transaction, cluster, lane).await {
            Ok(count) => count,
            Err(Stopped::Fdb(error)) => {
                transaction = cluster.again(transaction, error).await?;
                continue;
            }
            Err(Stopped::Store(error)) => return Err(error),
        };
        if count == 0 {
            return Ok(0);
        }
        match transaction.commit().await {
            Ok(_) => {
                metrics::counter!("sayso_store_fdb_tokens_forgotten_total").increment(count as u64);
                return Ok(count);
            }
            // Tried again, it counts anew: also when this one was committed after all, or another process was faster.
            Err(error) => transaction = cluster.again_after_commit(error).await?,
        }
    }
}

async fn forget_in(transaction: &Transaction, cluster: &Cluster, lane: u8) -> Result<usize, Stopped> {
    let layout = &cluster.layout;
    // Whoever forgets reads this and writes it, so that of two at once one conflicts. Everything else is read without
    // conflict ranges: commits go on.
    let forgotten = count(transaction, &layout.forgotten(lane), false).await?;
    let commits = count(transaction, &layout.commits(lane), true).await?;
    let kept = commits.saturating_sub(forgotten);
    let excess = usize::try_from(kept).unwrap_or(usize::MAX).saturating_sub(TOKENS_REMEMBERED).min(FORGET_AT_ONCE);
    if excess == 0 {
        return Ok(0);
    }
    // Any other mode ends a page where it has some bytes, which is far from `excess` tokens.
    let mode = StreamingMode::Exact;
    let option = RangeOption { limit: Some(excess), mode, ..layout.token_ages(lane).into() };
    let oldest = transaction.get_range(&option, 1, true).await?;
    for age in &oldest {
        let token = age.value().try_into().map_err(|_| fault::corrupt("a token's age"))?;
        transaction.clear(&layout.token(&Token(token)));
        transaction.clear(age.key());
    }
    let forgotten = forgotten + oldest.len() as u64;
    transaction.set(&layout.forgotten(lane), &forgotten.to_le_bytes());
    Ok(oldest.len())
}

/// A count, little-endian as FoundationDB's `ADD` keeps it; zero where there is none.
async fn count(transaction: &Transaction, key: &[u8], snapshot: bool) -> FdbResult<u64> {
    let stored = transaction.get(key, snapshot).await?;
    let bytes = stored.and_then(|stored| stored.first_chunk().copied());
    Ok(bytes.map_or(0, u64::from_le_bytes))
}
