//! [`Writer`]: the one thread that changes anything.
//!
//! ```text
//!   queue ──group──▶ decide ──frames──▶ log (one fsync) ──▶ index ──▶ visible ──▶ watchers ──▶ answers
//! ```

use std::sync::Arc;

use sayso_store::decide::{Commit, Group, State, Tokens};
use sayso_store::{Batch, Error, Key, Token, Version, Versioned, Watchers};
use sayso_types::Clock;

use crate::index::Index;
use crate::keeper::Keeper;
use crate::log::{AppendError, Log, encode};
use crate::queue::{Caller, Durability, Purged, Queue, Request, Work};

/// Owns everything that commits change.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) index: Arc<Index>,
    pub(crate) log: Log,
    pub(crate) keeper: Keeper,
    pub(crate) tokens: Tokens,
    /// The sequence of the next commit.
    pub(crate) next: u64,
    pub(crate) memtable_bytes: u64,
}

/// What the writer shares with the store's callers.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) watchers: Watchers,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Whatever ends the writer, also a panic, nobody is left waiting for it.
struct Ended<'a>(&'a Queue);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    /// Answers commits until the queue is closed and empty.
    pub(crate) fn run(mut self, shared: &Shared) {
        let _ended = Ended(&shared.queue);
        let mut broken = None;
        while let Some(work) = shared.queue.pop() {
            let group = match work {
                Work::Group(group) => group,
                Work::Purge(purges) => {
                    self.purge(purges, &mut broken);
                    continue;
                }
            };
            let (requests, callers): (Vec<_>, _) = group.into_iter().map(Request::split).unzip();
            let outcomes = match &broken {
                Some(error) => Err(Error::clone(error)),
                None => self.commit(requests, shared).map_err(|failed| note(failed, &mut broken)),
            };
            answer(callers, outcomes, shared);
        }
        if broken.is_none()
            && let Err(error) = self.log.sync()
        {
            tracing::error!(%error, "cannot sync the log on closing");
        }
    }

    fn commit(
        &mut self,
        requests: Vec<(Batch, Durability)>,
        shared: &Shared,
    ) -> Result<Vec<Result<Version, Error>>, AppendError> {
        self.rotate_when_full()?;
        let is_synced = requests.iter().any(|(_, durability)| *durability == Durability::Synced);
        let durability = if is_synced { Durability::Synced } else { Durability::Ordered };
        let mut decided = Group::new(self, self.next);
        let outcomes = requests.into_iter().map(|(batch, _)| decided.decide(batch)).collect();
        let commits = decided.into_commits();
        let mut frames = Vec::new();
        commits.iter().for_each(|commit| encode(commit, &mut frames));
        if !commits.is_empty() {
            self.log.append(&frames, durability)?;
            self.take_in(&commits, &shared.watchers);
        } else if is_synced {
            // What is answered may be the outcome of a commit that is not synced yet.
            self.log.sync().map_err(AppendError::Broken)?;
        }
        metrics::histogram!("sayso_store_local_group_commits").record(commits.len() as f64);
        Ok(outcomes)
    }

    /// Makes durable commits visible, whole groups at once.
    fn take_in(&mut self, commits: &[Commit], watchers: &Watchers) {
        for commit in commits {
            self.index.apply(commit);
            self.tokens.remember(commit.token, commit.sequence);
            self.next = commit.sequence + 1;
        }
        self.index.publish(self.next);
        for commit in commits {
            watchers.publish(&commit.changes);
        }
    }

    fn rotate_when_full(&mut self) -> Result<(), AppendError> {
        if self.index.memtable_bytes() >= self.memtable_bytes { self.rotate() } else { Ok(()) }
    }

    /// Closes the memtable and its segment, and has the table of both written.
    fn rotate(&mut self) -> Result<(), AppendError> {
        self.keeper.room().map_err(AppendError::Refused)?;
        // A segment is whole before there is another, and before its table is.
        self.log.sync().map_err(AppendError::Broken)?;
        let segment = self.log.rotate(self.next)?;
        self.index.rotate();
        self.keeper.flush(segment);
        Ok(())
    }

    /// Has everything that was committed written to one set of tables, without what is deleted.
    fn purge(&mut self, purges: Vec<Purged>, broken: &mut Option<Error>) {
        let begun = match &*broken {
            Some(error) => Err(error.clone()),
            // A segment without commits has nothing to purge, and the next would have its name.
            None if self.log.is_empty() => Ok(()),
            None => self.rotate().map_err(|failed| note(failed, broken)),
        };
        match begun {
            Ok(()) => self.keeper.purge(purges),
            Err(error) => answer_purges(purges, &Err(error)),
        }
    }
}

impl State for Writer {
    fn read(&self, keys: &[&Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.index.read(keys.iter().copied())
    }

    fn commit_of(&self, token: &Token) -> Option<u64> {
        self.tokens.get(token)
    }
}

/// Why it `failed`. A log that is broken is noted in `broken`: nothing is written to it any more.
fn note(failed: AppendError, broken: &mut Option<Error>) -> Error {
    match failed {
        AppendError::Refused(error) => error,
        AppendError::Broken(error) => {
            tracing::error!(%error, "the log is broken, refusing commits until the store is opened again");
            let reason = format!("its log is broken until it is opened again ({error})");
            broken.insert(Error::Unavailable { reason }).clone()
        }
    }
}

/// Tells everybody who asked for a purge what came of it.
pub(crate) fn answer_purges(purges: Vec<Purged>, outcome: &Result<(), Error>) {
    for purged in purges {
        // Whoever asked may have gone.
        let _ = purged.send(outcome.clone());
    }
}

fn answer(callers: Vec<Caller>, outcomes: Result<Vec<Result<Version, Error>>, Error>, shared: &Shared) {
    let outcomes = outcomes.unwrap_or_else(|error| vec![Err(error); callers.len()]);
    let now = shared.clock.now();
    for (caller, outcome) in callers.into_iter().zip(outcomes) {
        metrics::histogram!("sayso_store_local_commit_seconds").record(now.since(caller.since).as_secs_f64());
        match &outcome {
            Err(Error::Conflict { .. }) => metrics::counter!("sayso_store_local_conflicts_total").increment(1),
            Err(Error::Full { .. }) => metrics::counter!("sayso_store_local_full_total").increment(1),
            _ => {}
        }
        // Whoever asked may have gone; the outcome stands.
        let _ = caller.answer.send(outcome);
    }
}
