//! [`Feeds`]: streams without an end of their own, and what ends them.

use core::time::Duration;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use sayso_types::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::operator::{Operator, Unproved};
use crate::refusal::Refusal;

/// What a caller reads.
pub(crate) type Feed<T> = BoxStream<'static, Result<T, Status>>;

/// Opens feeds, as many at once as may be.
#[derive(Clone)]
pub(crate) struct Feeds {
    slots: Arc<Semaphore>,
    limit: usize,
    /// What they are called.
    what: &'static str,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
}

impl Feeds {
    /// At most `limit` of `what`.
    pub(crate) fn new(what: &'static str, limit: usize, clock: Arc<dyn Clock>, shutdown: CancellationToken) -> Self {
        Self { slots: Arc::new(Semaphore::new(limit)), limit, what, clock, shutdown }
    }

    /// A place for one more feed.
    pub(crate) fn slot(&self) -> Result<Slot, Refusal> {
        let permit = Arc::clone(&self.slots).try_acquire_owned();
        let permit = permit.map_err(|_| Refusal::OverLimit { what: self.what, limit: self.limit })?;
        metrics::gauge!("sayso_admin_feeds", "of" => self.what).increment(1);
        Ok(Slot { what: self.what, _permit: permit })
    }

    /// Cancelled when the node shuts down: a source that gathers what it tells stops gathering then.
    pub(crate) const fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// `source`, until it ends, `operator` may no longer read, or the node shuts down; the last item says which. What
    /// the source has ready is still told before the node shuts down.
    pub(crate) fn open<T: Send + 'static>(
        &self,
        slot: Slot,
        operator: &Operator,
        source: impl Stream<Item = Result<T, Refusal>> + Send + 'static,
    ) -> Feed<T> {
        let (remaining, shutdown) = (operator.until.0.saturating_sub(self.clock.wall().0), self.shutdown.clone());
        let expiry = Box::pin(tokio::time::sleep(Duration::from_millis(remaining)));
        let running = Some((Box::pin(source), expiry, slot));
        let items = stream::unfold(running, move |running| {
            let shutdown = shutdown.clone();
            async move {
                let (mut source, mut expiry, slot) = running?;
                let next = tokio::select! {
                    biased;
                    () = &mut expiry => Err(Unproved::Expired.into()),
                    next = source.next() => next?,
                    () = shutdown.cancelled() => Err(Refusal::ShuttingDown),
                };
                match next {
                    Ok(item) => Some((Ok(item), Some((source, expiry, slot)))),
                    Err(refusal) => Some((Err(refusal.into()), None)),
                }
            }
        });
        items.boxed()
    }
}

/// A place among the feeds.
pub(crate) struct Slot {
    what: &'static str,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        metrics::gauge!("sayso_admin_feeds", "of" => self.what).decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use sayso_types::ManualClock;
    use tonic::Code;

    use super::*;

    fn feeds(shutdown: &CancellationToken) -> Feeds {
        Feeds::new("feeds", 1, Arc::new(ManualClock::new()), shutdown.clone())
    }

    fn reader(seconds_left: u64) -> Operator {
        Operator::test(ManualClock::new().wall().0 + 1_000 * seconds_left)
    }

    #[tokio::test(start_paused = true)]
    async fn ends_when_its_reader_may_no_longer_read() {
        let feeds = feeds(&CancellationToken::new());
        let source = stream::iter([Ok(1)]).chain(stream::pending());
        let mut feed = feeds.open(feeds.slot().unwrap(), &reader(60), source);
        assert_eq!(feed.next().await.unwrap().unwrap(), 1);
        assert_eq!(feed.next().await.unwrap().unwrap_err().code(), Code::Unauthenticated);
        assert!(feed.next().await.is_none());
        assert!(feeds.slot().is_ok(), "its place is free before it is dropped");
    }

    #[tokio::test]
    async fn ends_with_its_source_or_its_refusal_or_the_node() {
        let shutdown = CancellationToken::new();
        let feeds = feeds(&shutdown);
        let mut feed = feeds.open(feeds.slot().unwrap(), &reader(60), stream::empty::<Result<(), _>>());
        assert!(feed.next().await.is_none());
        let refusing = stream::iter([Err::<(), _>(Refusal::PastTheEnd { size: 1 }), Ok(())]);
        let mut feed = feeds.open(feeds.slot().unwrap(), &reader(60), refusing);
        assert_eq!(feed.next().await.unwrap().unwrap_err().code(), Code::OutOfRange);
        assert!(feed.next().await.is_none());
        shutdown.cancel();
        let last_word = stream::iter([Ok(())]).chain(stream::pending());
        let mut feed = feeds.open(feeds.slot().unwrap(), &reader(60), last_word);
        assert!(feed.next().await.unwrap().is_ok());
        assert!(feed.next().await.unwrap().unwrap_err().message().starts_with("the node is shutting down"));
    }
}
