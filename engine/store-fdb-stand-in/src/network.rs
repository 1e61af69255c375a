//! [`Network`]: the one thread on which everything happens, in the order in which it was asked for.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::code::{
    API_VERSION_ALREADY_SET, API_VERSION_NOT_SUPPORTED, API_VERSION_UNSET, Code, NETWORK_ALREADY_SETUP,
    NETWORK_NOT_SETUP,
};
use crate::faults::Faults;
use crate::future::{Future, Outcome};

/// The version of the API that this stands in for, and no other.
pub(crate) const API_VERSION: i32 = 730;

type Job = Box<dyn FnOnce() + Send>;

/// What is to be done, and how far starting and stopping has come.
#[derive(Default)]
struct Queue {
    version: Option<i32>,
    is_set_up: bool,
    is_stopped: bool,
    now: VecDeque<Job>,
    /// By when it is due, and how many were put off before.
    later: BTreeMap<(Instant, u64), Job>,
    put_off: u64,
}

/// The network's thread, seen from outside.
pub(crate) struct Network {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// The one of this process.
static NETWORK: Network = Network {
    queue: Mutex::new(Queue {
        version: None,
        is_set_up: false,
        is_stopped: false,
        now: VecDeque::new(),
        later: BTreeMap::new(),
        put_off: 0,
    }),
    changed: Condvar::new(),
};

impl Network {
    /// The one of this process.
    pub(crate) fn of_process() -> &'static Self {
        &NETWORK
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn select_version(&self, runtime: i32, header: i32) -> Result<(), Code> {
        let mut queue = self.queue();
        match queue.version {
            Some(_) => Err(API_VERSION_ALREADY_SET),
            None if (runtime, header) != (API_VERSION, API_VERSION) => Err(API_VERSION_NOT_SUPPORTED),
            None => {
                queue.version = Some(runtime);
                Ok(())
            }
        }
    }

    /// Whether an option may be set: between the selection of a version and the set-up.
    pub(crate) fn takes_options(&self) -> Result<(), Code> {
        let queue = self.queue();
        match (queue.version, queue.is_set_up) {
            (None, _) => Err(API_VERSION_UNSET),
            (_, true) => Err(NETWORK_ALREADY_SETUP),
            _ => Ok(()),
        }
    }

    pub(crate) fn set_up(&self) -> Result<(), Code> {
        self.takes_options()?;
        self.queue().is_set_up = true;
        Ok(())
    }

    /// Does what there is to do until it is stopped. What is left then is never done.
    pub(crate) fn run(&self) -> Result<(), Code> {
        if !self.queue().is_set_up {
            return Err(NETWORK_NOT_SETUP);
        }
        while let Some(job) = self.next() {
            job();
        }
        Ok(())
    }

    pub(crate) fn stop(&self) -> Result<(), Code> {
        let mut queue = self.queue();
        if !queue.is_set_up {
            return Err(NETWORK_NOT_SETUP);
        }
        queue.is_stopped = true;
        self.changed.notify_all();
        Faults::of_environment().tell();
        Ok(())
    }

    /// Waits for the next job; `None` when it is stopped.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if queue.is_stopped {
                return None;
            }
            let now = now();
            while let Some(entry) = queue.later.first_entry().filter(|entry| entry.key().0 <= now) {
                let job = entry.remove();
                queue.now.push_back(job);
            }
            if let Some(job) = queue.now.pop_front() {
                return Some(job);
            }
            let due = queue.later.first_key_value().map(|((due, _), _)| *due);
            queue = match due {
                Some(due) => {
                    let waited = self.changed.wait_timeout(queue, due.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Has `job` done after everything that was asked for before.
    pub(crate) fn post(&self, job: impl FnOnce() + Send + 'static) {
        self.queue().now.push_back(Box::new(job));
        self.changed.notify_all();
    }

    /// Has `job` done after `delay`.
    pub(crate) fn post_after(&self, delay: Duration, job: impl FnOnce() + Send + 'static) {
        if delay.is_zero() {
            return self.post(job);
        }
        let mut queue = self.queue();
        queue.put_off += 1;
        let due = (now() + delay, queue.put_off);
        queue.later.insert(due, Box::new(job));
        self.changed.notify_all();
    }

    /// Has `job` done in its turn; the future that is given back becomes ready with what it gives, now and then late.
    pub(crate) fn ask(&'static self, job: impl FnOnce() -> Result<Outcome, Code> + Send + 'static) -> Arc<Future> {
        let future = Future::new();
        let settled = Arc::clone(&future);
        self.post(move || {
            let outcome = job();
            self.settle(settled, outcome, Faults::of_environment().delay());
        });
        future
    }

    /// Settles `future` after `delay`.
    pub(crate) fn settle(&self, future: Arc<Future>, outcome: Result<Outcome, Code>, delay: Duration) {
        if delay.is_zero() {
            future.settle(outcome);
        } else {
            self.post_after(delay, move || future.settle(outcome));
        }
    }
}

/// The machine's clock: a C library is handed none.
#[expect(clippy::disallowed_methods, reason = "what stands in for a library of others has no Clock to be given")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
