//! [`Follower`]: reads the log of all commits and feeds the watches.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foundationdb::options::StreamingMode;
use foundationdb::{FdbResult, RangeOption, Transaction};
use futures::future::{BoxFuture, select_all, try_join_all};
use futures::{FutureExt, TryStreamExt};
use sayso_store::{Change, Error, Key, Prefix, Version, Watchers};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::fault;
use crate::layout::{self, LANES};
use crate::read::{Stopped, version_of};
use crate::record::{self, Became};

/// How long the log is left unread when no native watch fires: they are a hint, and FoundationDB may drop one.
const READ_EVERY: Duration = Duration::from_secs(10);

/// How long until the log is read again after FoundationDB could not be reached or a native watch failed.
const READ_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Bytes of one lane's log that are read at once. More than the chunks of the greatest batch, which have at most a
/// fifth of its bytes, so that every read gets at least one commit further.
const LANE_BYTES_MAX: usize = 4_000_000;

/// Bytes of values that the log only names after which no further commit joins a round, so that they are read within
/// FoundationDB's five seconds.
const ELSEWHERE_BYTES_MAX: usize = 16_000_000;

/// Bytes that such a value counts beyond its own: it is looked up by itself.
const ELSEWHERE_ITEM_BYTES: usize = 1_000;

/// Changes that are handed out before those who watch get a turn.
const HANDED_OUT_AT_ONCE: usize = 256;

/// What the follower shares with the store.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) watchers: Watchers,
    /// Counts who asked for the log to be read.
    asked: AtomicU64,
    ask: Notify,
    answered: watch::Sender<Answer>,
}

/// What became of the last round that read the log to its end.
#[derive(Debug)]
struct Answer {
    /// Who had asked when it began, counted.
    asked: u64,
    outcome: Result<(), Error>,
}

impl Default for Follow {
    fn default() -> Self {
        let (asked, ask) = (AtomicU64::new(0), Notify::new());
        let answered = watch::Sender::new(Answer { asked: 0, outcome: Ok(()) });
        Self { watchers: Watchers::default(), asked, ask, answered }
    }
}

impl Follow {
    /// Waits until every commit that was acknowledged before this call has been handed out.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        let mut answered = self.answered.subscribe();
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.wake();
        let answer = answered.wait_for(|answer| answer.asked >= number).await.map_err(|_| Error::Closed)?;
        answer.outcome.clone()
    }

    /// Has the log read now.
    pub(crate) fn wake(&self) {
        self.ask.notify_one();
    }
}

/// Hands out what every commit changed, once, in the order of the commits.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) follow: Arc<Follow>,
    /// The commits before it were handed out.
    next: Version,
}

/// What one look at the log brought.
struct Round {
    commits: u64,
    changes: Vec<Change>,
    /// Where changes were lost.
    lost: Vec<Prefix>,
    /// The commits before it are in `changes`, or were handed out before.
    next: Version,
    /// Whether nothing is left to read.
    is_complete: bool,
    /// Native watches: one resolves when there is more to read.
    more: Vec<BoxFuture<'static, FdbResult<()>>>,
}

impl Follower {
    pub(crate) fn new(cluster: Arc<Cluster>, follow: Arc<Follow>) -> Self {
        Self { cluster, follow, next: Version::default() }
    }

    /// Follows until `closing`, and then to the last commit that was acknowledged before.
    pub(crate) async fn run(mut self, closing: CancellationToken) {
        loop {
            // both before the read version is asked for, which is then as late as they promise
            let is_last = closing.is_cancelled();
            let asked = self.follow.asked.load(Ordering::SeqCst);
            let (outcome, more) = match self.round().await {
                Ok(Round { is_complete: false, .. }) => continue,
                Ok(round) => (Ok(()), round.more),
                Err(error) => (Err(error), Vec::new()),
            };
            let failed = outcome.is_err();
            if let Err(error) = &outcome {
                tracing::warn!(%error, "cannot follow the changes of the store, trying again");
            }
            self.follow.answered.send_replace(Answer { asked, outcome });
            if is_last {
                return;
            }
            tokio::select! {
                () = closing.cancelled() => {}
                () = self.follow.ask.notified() => {}
                () = woken(more), if !failed => {}
                () = tokio::time::sleep(if failed { READ_AGAIN_AFTER } else { READ_EVERY }) => {}
            }
        }
    }

    /// Reads what is new in the log and hands it out.
    async fn round(&mut self) -> Result<Round, Error> {
        let mut transaction = self.cluster.transaction()?;
        let mut round = loop {
            let round = match self.look(&transaction).await {
                Ok(round) => round,
                Err(Stopped::Fdb(error)) => {
                    transaction = self.cluster.again(transaction, error).await?;
                    continue;
                }
                Err(Stopped::Store(error)) => return Err(error),
            };
            // it wrote nothing: this sets its native watches
            match transaction.commit().await {
                Ok(_) => break round,
                Err(error) => transaction = self.cluster.again_after_commit(error).await?,
            }
        };
        metrics::counter!("sayso_store_fdb_followed_commits_total").increment(round.commits);
        metrics::counter!("sayso_store_fdb_log_lost_total").increment(round.lost.len() as u64);
        for lost in &round.lost {
            self.follow.watchers.lag_under(lost);
        }
        for changes in core::mem::take(&mut round.changes).chunks(HANDED_OUT_AT_ONCE) {
            self.follow.watchers.publish(changes);
            tokio::task::yield_now().await;
        }
        self.next = round.next;
        Ok(round)
    }

    async fn look(&self, transaction: &Transaction) -> Result<Round, Stopped> {
        let layout = &self.cluster.layout;
        let end = layout::after(transaction.get_read_version().await?);
        let (changes, lost, more) = (Vec::new(), Vec::new(), Vec::new());
        let mut round = Round { commits: 0, changes, lost, next: end, is_complete: true, more };
        // Asked after the read version: who watches from now on is owed nothing before it.
        if self.follow.watchers.is_idle() {
            return Ok(round);
        }
        round.more = (0..LANES).map(|lane| transaction.watch(&layout.commits(lane)).boxed()).collect();
        let trimmed = transaction.get(&layout.trimmed(), true).await?;
        let start = trimmed.map(|stored| version_of(&stored, "the log's start")).transpose()?.unwrap_or_default();
        if self.next < start {
            round.lost.push(Prefix::default());
        }
        let from = self.next.max(start);
        let lanes = try_join_all((0..LANES).map(|lane| self.lane(transaction, lane, from))).await?;
        // A lane that was not read to its end is known before its last commit, and so is everything together.
        if let Some(known) = lanes.iter().filter_map(|lane| lane.known_before).min() {
            (round.next, round.is_complete) = (known, false);
        }
        let mut chunks: Vec<Chunk> = lanes.into_iter().flat_map(|lane| lane.chunks).collect();
        chunks.retain(|chunk| chunk.version < round.next);
        chunks.sort_unstable_by_key(|chunk| (chunk.version, chunk.number));
        self.hand_over(transaction, chunks, &mut round).await?;
        Ok(round)
    }

    /// The log of `lane` from the commit `from` on, or its beginning.
    async fn lane(&self, transaction: &Transaction, lane: u8, from: Version) -> Result<Lane, Stopped> {
        let option = RangeOption { mode: StreamingMode::WantAll, ..self.cluster.layout.log(lane, from).into() };
        let mut found = transaction.get_ranges(option, true);
        let mut read = Lane { chunks: Vec::new(), known_before: None };
        let mut bytes = 0;
        while let Some(found) = found.try_next().await? {
            for stored in &found {
                let damaged = || fault::corrupt("a commit in the log");
                let (version, number) = self.cluster.layout.log_place(stored.key()).ok_or_else(damaged)?;
                let changes = record::decode(stored.value()).ok_or_else(damaged)?;
                read.chunks.push(Chunk { version, number, changes });
                bytes += stored.key().len() + stored.value().len();
                if bytes > LANE_BYTES_MAX {
                    read.known_before = Some(version);
                    return Ok(read);
                }
            }
        }
        Ok(read)
    }

    /// Makes changes of `chunks`, as far as anybody watches them.
    async fn hand_over(&self, transaction: &Transaction, chunks: Vec<Chunk>, round: &mut Round) -> Result<(), Stopped> {
        let mut bytes = 0;
        // changes whose values are not in the log, by their place in the round
        let mut elsewhere = Vec::new();
        for Chunk { version, number, changes } in chunks {
            if number == 0 && bytes > ELSEWHERE_BYTES_MAX {
                (round.next, round.is_complete) = (version, false);
                break;
            }
            round.commits += u64::from(number == 0);
            for (key, became) in changes.into_iter().filter(|(key, _)| self.follow.watchers.is_watched(key)) {
                let value = match became {
                    Became::Absent => None,
                    Became::Holds(value) => Some(value),
                    Became::HoldsWhatIsThere { bytes: more } => {
                        bytes += more + ELSEWHERE_ITEM_BYTES;
                        elsewhere.push(round.changes.len());
                        None
                    }
                };
                round.changes.push(Change { key, value, version });
            }
        }
        let keys = elsewhere.iter().map(|at| &round.changes[*at].key);
        let held: Vec<_> = self.cluster.held(transaction, keys, true).try_collect().await?;
        let mut overwritten = BTreeSet::new();
        for (at, held) in elsewhere.into_iter().zip(held) {
            let change = &mut round.changes[at];
            match held.filter(|held| held.version == change.version) {
                Some(held) => change.value = Some(held.value),
                None => {
                    overwritten.insert(at);
                    round.lost.push(Prefix::from_bytes(change.key.as_bytes()));
                }
            }
        }
        let mut at = 0..;
        round.changes.retain(|_| !at.next().is_some_and(|at| overwritten.contains(&at)));
        Ok(())
    }
}

impl Drop for Follower {
    /// Whatever ends the follower, nobody is left waiting for it.
    fn drop(&mut self) {
        self.follow.answered.send_replace(Answer { asked: u64::MAX, outcome: Err(Error::Closed) });
        self.follow.watchers.close();
    }
}

/// A part of what a commit changed.
struct Chunk {
    version: Version,
    /// Counts the commit's chunks, from zero.
    number: u16,
    changes: Vec<(Key, Became)>,
}

/// What was read of a lane's log.
struct Lane {
    chunks: Vec<Chunk>,
    /// Set when there is more: the commit from which on something may be missing.
    known_before: Option<Version>,
}

/// Resolves when one of `watches` fires. With none, never: nobody watches.
async fn woken(watches: Vec<BoxFuture<'static, FdbResult<()>>>) {
    if watches.is_empty() {
        return core::future::pending().await;
    }
    let (fired, _, _) = select_all(watches).await;
    if let Err(error) = fired {
        metrics::counter!("sayso_store_fdb_native_watch_failures_total").increment(1);
        tracing::debug!(error = error.message(), "a native watch ended");
        tokio::time::sleep(READ_AGAIN_AFTER).await;
    }
}
