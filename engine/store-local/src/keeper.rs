//! [`Keeper`]: the threads that turn memtables into tables and merge those, so that the writer never does. Merging has one of
//! its own, which also rewrites all tables for a purge: either takes seconds, or longer, in which several memtables fill.

use core::time::Duration;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use sayso_store::Error;

use crate::fault;
use crate::index::Index;
use crate::queue::Purged;
use crate::writer::answer_purges;

/// Closed memtables that may wait to become tables. With one being filled that bounds memory; beyond it the writer
/// waits.
const CLOSED_MAX: usize = 4;

/// How long until a table that could not be written is tried again: long enough to cost nothing, short enough that
/// space, once freed, is used at once.
const RETRY: Duration = Duration::from_millis(200);

/// Tables that no merge has seen at which no more are written while one is under way. A read looks into each of them; and
/// who writes faster for good than can be merged has to wait at some point.
const UNMERGED_MAX: usize = 24;

#[derive(Debug, Default)]
struct State {
    /// The log segments of closed memtables, oldest first.
    segments: VecDeque<PathBuf>,
    /// Who waits for a purge of what is in tables once no closed memtable is left.
    purges: Vec<Purged>,
    /// Those of whom that is so, and who wait for the tables to be rewritten.
    rewrites: Vec<Purged>,
    /// Why the oldest closed memtable is not a table yet.
    trouble: Option<Error>,
    /// Whether a table was written since it was last looked for some to merge.
    unmerged: bool,
    merging: bool,
    stopping: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // nothing panics while it is held
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's end of the threads. Dropping it ends them, each after the step it is at: what is not in a table by then is
/// in the log.
#[derive(Debug)]
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the threads for `index`, whose files are in `dir`.
    pub(crate) fn start(index: Arc<Index>, dir: &Path) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let mut keeper = Self { shared: Arc::clone(&shared), threads: Vec::new() };
        let merger = Merger { index: Arc::clone(&index), shared: Arc::clone(&shared) };
        let mut work = Work { index, shared, log_dir: dir.join("log"), undeleted: Vec::new() };
        keeper.spawn("sayso-store-keep", dir, move || work.run())?;
        keeper.spawn("sayso-store-merge", dir, move || merger.run())?;
        Ok(keeper)
    }

    fn spawn(&mut self, name: &str, dir: &Path, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let thread = thread::Builder::new().name(name.into()).spawn(run);
        self.threads.push(thread.map_err(|e| fault::io("start a thread for", dir, e))?);
        Ok(())
    }

    /// Waits until another memtable may be closed.
    ///
    /// # Errors
    /// Why those that are closed cannot be written to tables, when it would have to wait for that.
    pub(crate) fn room(&self) -> Result<(), Error> {
        let mut state = self.shared.state();
        while state.segments.len() >= CLOSED_MAX {
            if let Some(error) = &state.trouble {
                return Err(error.clone());
            }
            metrics::counter!("sayso_store_local_stalls_total").increment(1);
            state = self.shared.wait(state);
        }
        Ok(())
    }

    /// Has the memtable that was just closed written to a table, and then `segment` of the log deleted, which holds
    /// the same.
    pub(crate) fn flush(&self, segment: PathBuf) {
        let mut state = self.shared.state();
        state.segments.push_back(segment);
        metrics::gauge!("sayso_store_local_closed_memtables").set(state.segments.len() as f64);
        self.shared.changed.notify_all();
    }
}

impl Keeper {
    /// Has all tables rewritten without what is deleted, after the memtables that are closed by now became tables.
    pub(crate) fn purge(&self, purges: Vec<Purged>) {
        self.shared.state().purges.extend(purges);
        self.shared.changed.notify_all();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.state().stopping = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

/// What the thread does next.
enum Step {
    Flush(PathBuf),
    Purge(Vec<Purged>),
}

struct Work {
    index: Arc<Index>,
    shared: Arc<Shared>,
    log_dir: PathBuf,
    /// Segments that could not be deleted though their tables are durable.
    undeleted: Vec<PathBuf>,
}

impl Work {
    fn run(&mut self) {
        while let Some(step) = self.next() {
            match step {
                Step::Flush(segment) => match self.index.flush() {
                    Ok(()) => self.delete(&segment),
                    Err(error) => self.pause(error),
                },
                Step::Purge(purges) => match self.delete_undeleted() {
                    Ok(()) => {
                        self.shared.state().rewrites.extend(purges);
                        self.shared.changed.notify_all();
                    }
                    Err(error) => answer(purges, &Err(error)),
                },
            }
        }
    }

    /// The oldest segment whose memtable is closed, and when there is none a purge; waits for either. `None` when it is
    /// time to stop.
    fn next(&self) -> Option<Step> {
        let mut state = self.shared.state();
        loop {
            if state.stopping {
                return None;
            }
            let is_behind = (state.unmerged || state.merging) && self.index.unmerged_tables() >= UNMERGED_MAX;
            if let Some(segment) = state.segments.front().filter(|_| !is_behind) {
                return Some(Step::Flush(segment.clone()));
            }
            if state.segments.is_empty() && !state.purges.is_empty() {
                return Some(Step::Purge(core::mem::take(&mut state.purges)));
            }
            state = self.shared.wait(state);
        }
    }

    /// No segment of the log is left whose memtable is a table, nor would one be after a loss of power.
    fn delete_undeleted(&mut self) -> Result<(), Error> {
        while let Some(segment) = self.undeleted.pop() {
            if let Err(error) = std::fs::remove_file(&segment) {
                let failed = fault::io("delete", &segment, error);
                self.undeleted.push(segment);
                return Err(failed);
            }
        }
        fault::sync_dir(&self.log_dir)
    }

    fn delete(&mut self, segment: &Path) {
        if let Err(error) = std::fs::remove_file(segment) {
            // Harmless until a purge: that all it holds is in tables is found out when the store is opened next.
            tracing::warn!(%error, path = %segment.display(), "cannot delete a segment of the log");
            self.undeleted.push(segment.to_owned());
        }
        let mut state = self.shared.state();
        state.segments.pop_front();
        state.trouble = None;
        state.unmerged = true;
        metrics::gauge!("sayso_store_local_closed_memtables").set(state.segments.len() as f64);
        self.shared.changed.notify_all();
    }

    fn pause(&self, error: Error) {
        tracing::warn!(%error, "cannot write a table, trying again");
        metrics::counter!("sayso_store_local_flush_failures_total").increment(1);
        let mut state = self.shared.state();
        state.trouble = Some(error);
        self.shared.changed.notify_all();
        let stopped = self.shared.changed.wait_timeout_while(state, RETRY, |state| !state.stopping);
        drop(stopped);
    }
}

/// Merges after each table that was written, until there is nothing left to merge.
struct Merger {
    index: Arc<Index>,
    shared: Arc<Shared>,
}

impl Merger {
    fn run(&self) {
        let mut state = self.shared.state();
        while !state.stopping {
            let rewrites = core::mem::take(&mut state.rewrites);
            if rewrites.is_empty() && !state.unmerged {
                state = self.shared.wait(state);
                continue;
            }
            (state.unmerged, state.merging) = (false, true);
            drop(state);
            let more = if rewrites.is_empty() { self.step() } else { self.rewrite(rewrites) };
            state = self.shared.state();
            (state.unmerged, state.merging) = (state.unmerged || more, false);
            // who waits for this looks how many are left
            self.shared.changed.notify_all();
        }
    }

    /// Rewrites all tables without what is deleted. What was written meanwhile may be there to merge.
    fn rewrite(&self, rewrites: Vec<Purged>) -> bool {
        #[cfg(feature = "testing")]
        crate::testing::delay_merge();
        answer(rewrites, &self.index.purge());
        true
    }

    /// Merges some; whether there may be more to merge.
    fn step(&self) -> bool {
        #[cfg(feature = "testing")]
        crate::testing::delay_merge();
        match self.index.compact() {
            Ok(merged) => {
                metrics::counter!("sayso_store_local_merges_total").increment(merged.into());
                merged
            }
            Err(error) => {
                tracing::warn!(%error, "cannot merge tables, going on without");
                metrics::counter!("sayso_store_local_merge_failures_total").increment(1);
                false
            }
        }
    }
}

fn answer(purges: Vec<Purged>, outcome: &Result<(), Error>) {
    let result = if outcome.is_ok() { "ok" } else { "failed" };
    metrics::counter!("sayso_store_local_purges_total", "result" => result).increment(1);
    answer_purges(purges, outcome);
}
