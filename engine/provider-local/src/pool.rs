//! [`InferencePool`]: the threads that models run on.
//!
//! Inference keeps a core busy for up to seconds, so it runs neither on the async runtime nor on threads without number:
//! as many inferences run as the pool has threads, so many may wait as its queue has places, and the next is refused.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use metrics::{counter, gauge, histogram};
use sayso_provider::Error;
use sayso_types::Clock;
use tokio::sync::oneshot;

const QUEUED: &str = "sayso_provider_local_queued_inferences";

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads with a bounded queue in front. Dropped, it ends them after what waits is done or found
/// cancelled.
///
/// Metrics, each labelled with the `stage`: `sayso_provider_local_queued_inferences` (gauge, now waiting),
/// `sayso_provider_local_refused_inferences_total` (queue full), `sayso_provider_local_queue_seconds` and
/// `sayso_provider_local_run_seconds` (histograms), `sayso_provider_local_panics_total`.
pub struct InferencePool {
    queue: SyncSender<Job>,
    clock: Arc<dyn Clock>,
}

impl InferencePool {
    /// A pool of `threads` (at least one) with room for `queued_max` (at least one) waiting inferences; `clock` measures
    /// them.
    ///
    /// # Errors
    /// When the system does not give a thread.
    pub fn new(threads: usize, queued_max: usize, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(queued_max.max(1));
        let jobs = Arc::new(Mutex::new(jobs));
        for i in 0..threads.max(1) {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("inference-{i}")).spawn(move || serve(&jobs))?;
        }
        Ok(Self { queue, clock })
    }

    /// Queues `work`, which blocks, under the name `stage`. Dropping what is returned cancels it: work that waits is not
    /// begun, work that runs is told through its [`Cancelled`].
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full. The returned future ends with [`Error::Failed`] when `work` panics.
    pub fn run<R: Send + 'static>(
        &self,
        stage: &'static str,
        work: impl FnOnce(&Cancelled) -> R + Send + 'static,
    ) -> Result<Running<R>, Error> {
        let (answer, result) = oneshot::channel();
        let cancelled = Cancelled(Arc::new(AtomicBool::new(false)));
        let running = Running { result, cancelled: cancelled.clone() };
        let clock = Arc::clone(&self.clock);
        let queued_at = clock.now();
        let job = move || {
            gauge!(QUEUED, "stage" => stage).decrement(1);
            let begun_at = clock.now();
            histogram!("sayso_provider_local_queue_seconds", "stage" => stage).record(begun_at.since(queued_at));
            if cancelled.is_cancelled() {
                return;
            }
            // the work is consumed and its answer dropped with the panic: nothing half-done is seen again
            let done = catch_unwind(AssertUnwindSafe(|| work(&cancelled)));
            histogram!("sayso_provider_local_run_seconds", "stage" => stage).record(clock.now().since(begun_at));
            match done {
                // nobody waits for the answer of a cancelled inference
                Ok(done) => _ = answer.send(done),
                Err(_) => counter!("sayso_provider_local_panics_total", "stage" => stage).increment(1),
            }
        };
        // counted before a thread can take it, so that the gauge is never below zero
        gauge!(QUEUED, "stage" => stage).increment(1);
        self.queue.try_send(Box::new(job)).map_err(|_| {
            gauge!(QUEUED, "stage" => stage).decrement(1);
            counter!("sayso_provider_local_refused_inferences_total", "stage" => stage).increment(1);
            Error::Busy { retry_after: None }
        })?;
        Ok(running)
    }
}

impl fmt::Debug for InferencePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InferencePool").finish_non_exhaustive()
    }
}

fn serve(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job();
    }
}

/// Tells work that nobody waits for it any more.
#[derive(Clone, Debug)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// Whether to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Work that waits or runs. Dropping it cancels the work.
#[derive(Debug)]
#[must_use = "dropping it cancels the work"]
pub struct Running<R> {
    result: oneshot::Receiver<R>,
    cancelled: Cancelled,
}

impl<R> Future for Running<R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = core::task::ready!(Pin::new(&mut self.result).poll(cx));
        Poll::Ready(result.map_err(|_| Error::Failed("an inference panicked; the log has where".to_owned())))
    }
}

impl<R> Drop for Running<R> {
    fn drop(&mut self) {
        self.cancelled.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use sayso_types::ManualClock;

    use super::*;

    fn pool(threads: usize, queued_max: usize) -> InferencePool {
        InferencePool::new(threads, queued_max, Arc::new(ManualClock::new())).unwrap()
    }

    /// Occupies a thread of `pool` until the returned sender is dropped.
    fn occupy(pool: &InferencePool) -> (Running<()>, SyncSender<()>) {
        let (release, held) = sync_channel::<()>(0);
        let (begin, begun) = sync_channel(1);
        let running = pool.run("test", move |_| {
            begin.send(()).unwrap();
            held.recv().unwrap_err();
        });
        begun.recv().unwrap();
        (running.unwrap(), release)
    }

    #[tokio::test]
    async fn work_runs_on_a_thread_of_the_pool_and_answers() {
        let name = pool(1, 1).run("test", |_| thread::current().name().map(str::to_owned)).unwrap().await;
        assert_eq!(name.unwrap().unwrap(), "inference-0");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_recovers() {
        let pool = pool(1, 1);
        let (occupied, release) = occupy(&pool);
        let waiting = pool.run("test", |_| 7).unwrap();
        assert_eq!(pool.run("test", |_| 8).unwrap_err(), Error::Busy { retry_after: None });
        drop(release);
        occupied.await.unwrap();
        assert_eq!(waiting.await, Ok(7));
        assert_eq!(pool.run("test", |_| 9).unwrap().await, Ok(9));
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_call_and_nothing_else() {
        let pool = pool(1, 2);
        let panicking = pool.run("test", |_| -> () { panic!("on purpose") }).unwrap();
        let next = pool.run("test", |_| 1).unwrap();
        assert!(matches!(panicking.await, Err(Error::Failed(_))));
        assert_eq!(next.await, Ok(1));
    }

    #[tokio::test]
    async fn dropped_work_that_waits_is_not_begun() {
        let pool = pool(1, 2);
        let (occupied, release) = occupy(&pool);
        let (begin, begun) = sync_channel::<()>(1);
        drop(pool.run("test", move |_| begin.send(())).unwrap());
        drop(release);
        occupied.await.unwrap();
        pool.run("test", |_| ()).unwrap().await.unwrap();
        begun.recv().expect_err("its sender was dropped unused");
    }

    #[test]
    fn dropped_work_that_runs_is_told() {
        let pool = pool(1, 1);
        let (begin, begun) = sync_channel(1);
        let (end, ended) = sync_channel(1);
        let running = pool.run("test", move |cancelled| {
            begin.send(()).unwrap();
            while !cancelled.is_cancelled() {
                thread::yield_now();
            }
            end.send(()).unwrap();
        });
        begun.recv().unwrap();
        drop(running);
        ended.recv().unwrap();
    }
}
