//! [`Driver`]: moves the bytes of a connection while its call waits.

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hyper::rt::Executor;

type Errand = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What hyper wants to have spawned: for HTTP/2 its inner connection, and the upload of a body. There is one upload at a
/// time, because a connection works for one call.
#[derive(Clone, Default)]
pub(super) struct Errands(Arc<Mutex<Vec<Errand>>>);

impl Errands {
    fn take(&self) -> Vec<Errand> {
        std::mem::take(&mut self.lock())
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Errand>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future + Send + 'static> Executor<F> for Errands {
    fn execute(&self, errand: F) {
        let errand = Box::pin(async move { _ = errand.await });
        self.lock().push(errand);
    }
}

/// hyper's half that moves the bytes, with its errands.
pub(super) struct Driver {
    /// [`None`] once it has ended.
    connection: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    errands: Errands,
    running: FuturesUnordered<Errand>,
}

impl Driver {
    pub(super) fn new(connection: impl Future<Output = hyper::Result<()>> + Send + 'static, errands: Errands) -> Self {
        Self { connection: Some(Box::pin(connection)), errands, running: FuturesUnordered::new() }
    }

    /// Waits for `work` while moving bytes. How the connection ends is told by what `work` returns.
    pub(super) async fn run<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll(cx);
            let done = work.as_mut().poll(cx);
            if done.is_pending() {
                // what the work has asked for begins now
                self.poll(cx);
            }
            done
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(ended) = connection.as_mut().poll(cx)
        {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
            self.connection = None;
        }
        // an errand may ask for another
        loop {
            self.running.extend(self.errands.take());
            while let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {}
            if self.errands.is_empty() {
                return;
            }
        }
    }
}
