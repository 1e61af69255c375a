//! [`Transaction`]: reads at one version, over what it wrote itself; a commit; what is done after an error.

mod attempt;

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use self::attempt::Attempt;
pub(crate) use self::attempt::one;
use crate::code::{
    CLUSTER_VERSION_CHANGED, COMMIT_UNKNOWN_RESULT, Code, FUTURE_VERSION, INVALID_OPTION, NO_COMMIT_VERSION,
    NOT_COMMITTED, TRANSACTION_CANCELLED, TRANSACTION_TIMED_OUT, TRANSACTION_TOO_OLD, is_retryable,
};
use crate::database::{Database, Settings, Watch};
use crate::faults::{CommitFault, Faults, WatchFault};
use crate::future::{Future, Outcome};
use crate::keyspace::{Commit, Mutation, Range, Stamp};
use crate::network::{Network, now};
use crate::pages::Limits;

/// The pause before the first retry; it doubles.
const BACKOFF_FIRST: Duration = Duration::from_millis(10);

/// The longest pause after a version that was too old or in the future.
const BACKOFF_OF_VERSIONS: Duration = Duration::from_millis(10);

/// `FDB_TR_OPTION_NEXT_WRITE_NO_WRITE_CONFLICT_RANGE`.
const NEXT_WRITE_WITHOUT_CONFLICT: u32 = 30;

/// A transaction, shared by its caller and what was asked of it.
#[derive(Debug)]
pub(crate) struct Transaction {
    database: Arc<Database>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    settings: Settings,
    since: Instant,
    retries: u32,
    backoff: Duration,
    is_destroyed: bool,
    attempt: Attempt,
}

impl State {
    /// Whether anything more can be done with it.
    fn check(&self) -> Result<(), Code> {
        if self.is_destroyed {
            return Err(TRANSACTION_CANCELLED);
        }
        if self.settings.timeout.is_some_and(|timeout| self.since.elapsed() > timeout) {
            return Err(TRANSACTION_TIMED_OUT);
        }
        self.attempt.check()
    }

    /// Gives the attempt up.
    fn reset(&mut self) {
        core::mem::take(&mut self.attempt).cancel();
    }

    /// Begins another attempt, if there is time for one.
    fn begin_again(&mut self) -> Result<Outcome, Code> {
        self.reset();
        self.check().map(|()| Outcome::Nothing)
    }
}

impl Transaction {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        let state = State {
            settings: database.settings(),
            since: now(),
            retries: 0,
            backoff: BACKOFF_FIRST,
            is_destroyed: false,
            attempt: Attempt::default(),
        };
        Self { database, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `job` done with the transaction in its turn.
    fn post(self: &Arc<Self>, job: impl FnOnce(&Self, &mut State) + Send + 'static) {
        let this = Arc::clone(self);
        Network::of_process().post(move || job(&this, &mut this.state()));
    }

    /// The same, for what it gives.
    fn ask(
        self: &Arc<Self>,
        job: impl FnOnce(&Self, &mut State) -> Result<Outcome, Code> + Send + 'static,
    ) -> Arc<Future> {
        let this = Arc::clone(self);
        Network::of_process().ask(move || {
            let mut state = this.state();
            state.check()?;
            job(&this, &mut state)
        })
    }

    pub(crate) fn read_version(self: &Arc<Self>) -> Arc<Future> {
        self.ask(|this, state| Ok(Outcome::Number(state.attempt.version(&this.database.cluster))))
    }

    pub(crate) fn get(self: &Arc<Self>, key: Vec<u8>, snapshot: bool) -> Arc<Future> {
        self.ask(move |this, state| Ok(Outcome::Value(state.attempt.get(&this.database.cluster, &key, snapshot)?)))
    }

    pub(crate) fn get_range(
        self: &Arc<Self>,
        range: Range,
        limits: Limits,
        snapshot: bool,
        reverse: bool,
    ) -> Arc<Future> {
        self.ask(move |this, state| {
            let rows = state.attempt.get_range(&this.database.cluster, range, limits, snapshot, reverse)?;
            Ok(Outcome::Rows(rows))
        })
    }

    /// Adds `mutation` to what will be committed. That it cannot be is said when something is asked of the transaction.
    pub(crate) fn write(self: &Arc<Self>, mutation: Result<Mutation, Code>) {
        self.post(move |_, state| state.attempt.write(mutation));
    }

    /// Adds a conflict range.
    pub(crate) fn conflict(self: &Arc<Self>, range: Range, is_write: bool) {
        self.post(move |_, state| state.attempt.conflict(range, is_write));
    }

    /// Sets the one option that `store-fdb` sets, by way of the directory layer.
    pub(crate) fn set_option(self: &Arc<Self>, option: u32) -> Result<(), Code> {
        if option != NEXT_WRITE_WITHOUT_CONFLICT {
            return Err(INVALID_OPTION);
        }
        self.post(|_, state| state.attempt.next_write_without_conflict());
        Ok(())
    }

    /// A future that is ready when `key` is no longer what it is now, from the commit of this transaction on.
    pub(crate) fn watch(self: &Arc<Self>, key: Vec<u8>) -> Arc<Future> {
        let fires = Future::new();
        let future = Arc::clone(&fires);
        self.post(move |this, state| {
            let seen = state.check().and_then(|()| state.attempt.get(&this.database.cluster, &key, false));
            match seen {
                Ok(seen) => state.attempt.watches.push(Watch { key, seen, fires }),
                Err(code) => fires.settle(Err(code)),
            }
        });
        future
    }

    /// A future that is ready when the transaction was committed, with its stamp.
    pub(crate) fn stamp(self: &Arc<Self>) -> Arc<Future> {
        let future = Future::new();
        let stamp = Arc::clone(&future);
        self.post(move |_, state| state.attempt.stamps.push(stamp));
        future
    }

    pub(crate) fn commit(self: &Arc<Self>) -> Arc<Future> {
        self.ask(|this, state| {
            let attempt = core::mem::take(&mut state.attempt);
            let (watches, stamps, committed) = this.try_commit(attempt);
            let stamp = committed.and_then(|stamp| stamp.ok_or(NO_COMMIT_VERSION));
            for waiting in stamps {
                waiting.settle(stamp.map(|stamp| Outcome::Key(stamp.to_vec())));
            }
            match committed {
                Ok(_) => this.watch_from_now(watches),
                Err(code) => watches.iter().for_each(|watch| watch.fires.settle(Err(code))),
            }
            committed.map(|_| Outcome::Nothing)
        })
    }

    /// Commits what `attempt` asks for; without a stamp when that is nothing.
    #[expect(clippy::type_complexity, reason = "what is left of an attempt, once")]
    fn try_commit(&self, mut attempt: Attempt) -> (Vec<Watch>, Vec<Arc<Future>>, Result<Option<Stamp>, Code>) {
        let watches = core::mem::take(&mut attempt.watches);
        let stamps = core::mem::take(&mut attempt.stamps);
        let cluster = &self.database.cluster;
        let commit = match attempt.into_commit(cluster) {
            Ok(Some(commit)) => commit,
            Ok(None) => return (watches, stamps, Ok(None)),
            Err(code) => return (watches, stamps, Err(code)),
        };
        // who asks for the stamp can find out what became of the commit
        let committed = match Faults::of_environment().of_commit(!stamps.is_empty()) {
            CommitFault::None => cluster.commit(commit),
            CommitFault::Conflict => Err(NOT_COMMITTED),
            CommitFault::UnknownAndNot => Err(COMMIT_UNKNOWN_RESULT),
            CommitFault::UnknownAndDone => cluster.commit(commit).and(Err(COMMIT_UNKNOWN_RESULT)),
            CommitFault::TimedOutAndLate(late) => {
                self.commit_late(late, commit);
                Err(TRANSACTION_TIMED_OUT)
            }
        };
        (watches, stamps, committed.map(Some))
    }

    /// Commits after `delay`, when nobody waits for it any more.
    fn commit_late(&self, delay: Duration, commit: Commit) {
        let cluster = Arc::clone(&self.database.cluster);
        Network::of_process().post_after(delay, move || {
            let _ = cluster.commit(commit);
        });
    }

    fn watch_from_now(&self, watches: Vec<Watch>) {
        for watch in &watches {
            let (fires, network) = (Arc::clone(&watch.fires), Network::of_process());
            match Faults::of_environment().of_watch() {
                WatchFault::None => {}
                WatchFault::Fires(delay) => {
                    network.post_after(delay, move || fires.settle(Ok(Outcome::Nothing)));
                }
                WatchFault::Fails(delay) => {
                    network.post_after(delay, move || fires.settle(Err(CLUSTER_VERSION_CHANGED)));
                }
            }
        }
        self.database.watch(watches);
    }

    /// A future that is ready when the transaction may be tried again after `code`, or says that it may not.
    pub(crate) fn on_error(self: &Arc<Self>, code: Code) -> Arc<Future> {
        let future = Future::new();
        let (settled, again) = (Arc::clone(&future), Arc::clone(self));
        self.post(move |_, state| {
            let is_over = state.settings.retries_max.is_some_and(|max| state.retries >= max);
            if !is_retryable(code) || is_over {
                return settled.settle(Err(code));
            }
            state.retries += 1;
            let longest = match code {
                TRANSACTION_TOO_OLD | FUTURE_VERSION => BACKOFF_OF_VERSIONS,
                _ => state.backoff,
            };
            state.backoff = (state.backoff * 2).min(state.settings.retry_delay_max);
            let delay = longest.min(state.settings.retry_delay_max).mul_f64(fastrand::f64());
            Network::of_process().post_after(delay, move || settled.settle(again.state().begin_again()));
        });
        future
    }

    pub(crate) fn destroy(self: &Arc<Self>) {
        self.post(|_, state| {
            state.is_destroyed = true;
            state.reset();
        });
    }
}
