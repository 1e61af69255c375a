//! A call in a task of its own, ended by its permit, its caller or itself.

use futures::stream::{BoxStream, StreamExt};
use futures::{Stream, stream};
use sayso_consent::Lease;
use sayso_provider::Error as ProviderError;
use sayso_runtime::tasks::Exit;
use sayso_runtime::{CancellationToken, TaskHandle, TaskKind, Tasks};
use tokio::sync::{mpsc, oneshot};

use crate::Error;
#[cfg(any(feature = "mutant-m3", feature = "mutant-m6"))]
use crate::mutant;

/// How a call ended, for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome(pub &'static str);

impl Outcome {
    /// The outcome of `result`.
    #[must_use]
    pub fn of<T>(result: &Result<T, ProviderError>) -> Self {
        Self(result.as_ref().err().map_or("done", ProviderError::code))
    }
}

/// Runs `work` until it ends or the permit is taken back. The order at the end is the point: first the work with all
/// its buffers and connections is dropped, then the lease.
async fn run(lease: Lease, work: impl Future<Output = Outcome> + Send) {
    #[cfg(any(feature = "mutant-m3", feature = "mutant-m6"))]
    if mutant::is_chosen() {
        return mutant::run(lease, work).await;
    }
    let outcome = {
        let work = core::pin::pin!(work);
        tokio::select! {
            biased;
            () = lease.revoked() => Outcome("revoked"),
            outcome = work => outcome,
        }
    };
    lease.finish(outcome.0);
}

/// Runs `work` until it ends or one of `leases` is taken back, which the call holds beside its own: for what it takes along of
/// other purposes. They are let go after the work, as its own is.
async fn run_with(leases: Vec<Lease>, work: impl Future<Output = Outcome> + Send) -> Outcome {
    let outcome = {
        let work = core::pin::pin!(work);
        tokio::select! {
            biased;
            () = any(leases.iter().map(Lease::revoked)) => Outcome("revoked"),
            outcome = work => outcome,
        }
    };
    leases.into_iter().for_each(|lease| lease.finish(outcome.0));
    outcome
}

/// Waits for the first of `waits`; for ever when there is none.
async fn any(waits: impl Iterator<Item = impl Future<Output = ()> + Send>) {
    let waits: Vec<_> = waits.map(Box::pin).collect();
    if waits.is_empty() {
        return core::future::pending().await;
    }
    futures::future::select_all(waits).await;
}

/// Runs a call that yields one result. Dropping the future ends the call.
pub(crate) async fn result<T, F>(tasks: &Tasks, name: &'static str, lease: Lease, call: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, ProviderError>> + Send + 'static,
{
    let (done, result) = oneshot::channel();
    let revoked = lease.revocation();
    let work = async move {
        let result = call.await;
        let outcome = Outcome::of(&result);
        // A caller who left does not want to know.
        let _ = done.send(result);
        outcome
    };
    let task = tasks.spawn(TaskKind::Call, name, run(lease, work));
    match result.await {
        // What was made of data that was taken back is not handed on.
        Ok(_) if revoked.is_cancelled() => Err(Error::REVOKED),
        Ok(result) => Ok(result?),
        Err(_) => Err(cut_off(task).await),
    }
}

/// Runs a call that yields a stream; its items wait in a queue of `capacity`. Dropping the stream ends the call. It ends as
/// well when one of `others` is taken back.
pub(crate) fn stream<T, F>(
    tasks: &Tasks,
    name: &'static str,
    lease: Lease,
    others: Vec<Lease>,
    capacity: usize,
    open: F,
) -> impl Stream<Item = Result<T, Error>> + Send + use<T, F>
where
    T: Send + 'static,
    F: Future<Output = Result<BoxStream<'static, Result<T, ProviderError>>, ProviderError>> + Send + 'static,
{
    let (sender, items) = mpsc::channel(capacity);
    let revoked = core::iter::once(&lease).chain(&others).map(Lease::revocation).collect();
    let work = async move {
        let mut items = match open.await {
            Ok(items) => items,
            Err(error) => {
                let outcome = Outcome(error.code());
                let _ = sender.send(Err(error)).await;
                return outcome;
            }
        };
        while let Some(item) = items.next().await {
            let outcome = Outcome::of(&item);
            let ended = item.is_err();
            if sender.send(item.map(Some)).await.is_err() {
                return Outcome("dropped");
            }
            if ended {
                return outcome;
            }
        }
        // Told apart from a queue that closes because the permit was taken back.
        let _ = sender.send(Ok(None)).await;
        Outcome("done")
    };
    let task = tasks.spawn(TaskKind::Call, name, run(lease, run_with(others, work)));
    stream::unfold(Some(Open { items, task, revoked }), next)
}

/// A call whose items are being taken.
struct Open<T> {
    /// Items, then `None` when the stream is complete.
    items: mpsc::Receiver<Result<Option<T>, ProviderError>>,
    task: TaskHandle,
    /// Of all that it was made of.
    revoked: Vec<CancellationToken>,
}

async fn next<T>(open: Option<Open<T>>) -> Option<(Result<T, Error>, Option<Open<T>>)> {
    let mut open = open?;
    let item = tokio::select! {
        biased;
        // What was made of data that was taken back is not handed on, also if it waits already.
        () = any(open.revoked.iter().map(CancellationToken::cancelled)) => return Some((Err(Error::REVOKED), None)),
        item = open.items.recv() => item,
    };
    match item {
        Some(Ok(Some(item))) => Some((Ok(item), Some(open))),
        Some(Ok(None)) => None,
        Some(Err(error)) => Some((Err(error.into()), None)),
        None => Some((Err(cut_off(open.task).await), None)),
    }
}

/// Why `task` ended without a result.
async fn cut_off(task: TaskHandle) -> Error {
    match task.join().await {
        Exit::Panicked => ProviderError::Failed("it panicked; the log says where".to_owned()).into(),
        Exit::Done | Exit::Failed | Exit::Cancelled => Error::REVOKED,
    }
}
