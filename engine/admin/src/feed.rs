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
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
}

impl Feeds {
    pub(crate) fn new(limit: usize, clock: Arc<dyn Clock>, shutdown: CancellationToken) -> Self {
        Self { slots: Arc::new(Semaphore::new(limit)), limit, clock, shutdown }
    }

    /// A place for one more feed.
    pub(crate) fn slot(&self) -> Result<Slot, Refusal> {
        let permit = Arc::clone(&self.slots).try_acquire_owned();
        let permit = permit.map_err(|_| Refusal::OverLimit { what: "streams that follow", limit: self.limit })?;
        metrics::gauge!("sayso_admin_feeds").increment(1);
        Ok(Slot { _permit: permit })
    }

    /// `source`, until it ends, `operator` may no longer read, or the node shuts down; the last item says which.
    pub(crate) fn open<T: Send + 'static>(
        &self,
        slot: Slot,
        operator: &Operator,
        source: impl Stream<Item = Result<T, Refusal>> + Send + 'static,
    ) -> Feed<T> {
        let (remaining, shutdown) = (operator.until.0.saturating_sub(self.clock.wall().0), self.shutdown.clone());
        let over = async move {
            tokio::select! {
                () = shutdown.cancelled() => Refusal::ShuttingDown,
                () = tokio::time::sleep(Duration::from_millis(remaining)) => Unproved::Expired.into(),
            }
        };
        let running = Some((Box::pin(source), Box::pin(over), slot));
        let items = stream::unfold(running, |running| async move {
            let (mut source, mut over, slot) = running?;
            let next = tokio::select! {
                biased;
                refusal = &mut over => Err(refusal),
                next = source.next() => next?,
            };
            match next {
                Ok(item) => Some((Ok(item), Some((source, over, slot)))),
                Err(refusal) => Some((Err(refusal.into()), None)),
            }
        });
        items.boxed()
    }
}

/// A place among the feeds.
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        metrics::gauge!("sayso_admin_feeds").decrement(1);
    }
}
