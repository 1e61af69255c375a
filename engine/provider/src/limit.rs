//! [`Limit`]: the time that a call has, from its first wait to the end of its stream.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use futures::{Stream, StreamExt};
use tokio::time::{Sleep, sleep};

use crate::Error;

/// A running [`Call::timeout`](crate::Call::timeout). What it bounds ends with [`Error::TimedOut`] when it is over.
#[derive(Debug)]
pub struct Limit {
    timeout: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Limit {
    /// Starts to count now.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled.
    #[must_use]
    pub fn start(timeout: Duration) -> Self {
        Self { timeout, sleep: Box::pin(sleep(timeout)) }
    }

    /// Waits for `work`, and drops it when the limit is over.
    ///
    /// # Errors
    /// [`Error::TimedOut`], or what `work` fails with.
    pub async fn bound<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = work => done,
            () = &mut self.sleep => Err(Error::TimedOut(self.timeout)),
        }
    }

    /// `stream`, dropped when the limit is over: [`Error::TimedOut`] is its last item then.
    pub fn stream<S>(self, stream: S) -> Limited<S> {
        Limited { limit: self, stream: Some(stream) }
    }
}

/// A stream with a [`Limit`]. It drops what it bounds as soon as that ends, fails or takes too long.
pub struct Limited<S> {
    limit: Limit,
    stream: Option<S>,
}

impl<S, T> Stream for Limited<S>
where
    S: Stream<Item = Result<T, Error>> + Unpin,
{
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        let item = match stream.poll_next_unpin(cx) {
            Poll::Ready(item) => item,
            Poll::Pending => {
                core::task::ready!(self.limit.sleep.as_mut().poll(cx));
                Some(Err(Error::TimedOut(self.limit.timeout)))
            }
        };
        if !matches!(item, Some(Ok(_))) {
            self.stream = None;
        }
        Poll::Ready(item)
    }
}

impl<S> fmt::Debug for Limited<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limited").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::future::pending;
    use std::sync::Arc;

    use futures::stream;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn work_in_time_is_let_through_and_late_work_is_not() {
        assert_eq!(Limit::start(LIMIT).bound(async { Ok(1) }).await, Ok(1));
        assert_eq!(Limit::start(LIMIT).bound(pending::<Result<(), _>>()).await, Err(Error::TimedOut(LIMIT)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_limit_covers_the_wait_for_a_stream_and_the_stream() {
        let mut limit = Limit::start(LIMIT);
        let started = limit.bound(async {
            sleep(LIMIT * 3 / 4).await;
            Ok(stream::once(Box::pin(async {
                sleep(LIMIT / 2).await;
                Ok(())
            })))
        });
        let stream = started.await.unwrap();
        assert_eq!(limit.stream(stream).collect::<Vec<_>>().await, [Err(Error::TimedOut(LIMIT))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_stream_is_dropped_before_the_limit_is_told() {
        let held = Arc::new(());
        let kept = Arc::clone(&held);
        let endless = stream::once(Box::pin(async move {
            pending::<()>().await;
            drop(kept);
            Ok(())
        }));
        let mut limited = Limit::start(LIMIT).stream(endless);
        assert_eq!(limited.next().await, Some(Err(Error::TimedOut(LIMIT))));
        assert_eq!(Arc::strong_count(&held), 1);
        assert_eq!(limited.next().await, None);
    }
}
