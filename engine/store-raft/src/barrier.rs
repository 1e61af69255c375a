//! [`Barrier`]: what a read must have seen to be linearizable (ReadIndex). Reads that come together ask once.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use crate::types::LogId;

type Round = Shared<BoxFuture<'static, Option<LogId>>>;

/// One round after another, each for all that came before it began.
#[derive(Clone, Default)]
pub(crate) struct Barrier(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// The round that has not begun yet.
    next: Mutex<Option<Round>>,
    /// Held by the round that is under way.
    running: tokio::sync::Mutex<()>,
}

impl Barrier {
    /// What `ask` answers, asked after this was called, by this call or for another.
    pub(crate) async fn wait<F>(&self, ask: F) -> Option<LogId>
    where
        F: Future<Output = Option<LogId>> + Send + 'static,
    {
        let round = {
            // nothing panics while it is held
            let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
            let inner = Arc::clone(&self.0);
            next.get_or_insert_with(|| inner.round(ask).boxed().shared()).clone()
        };
        round.await
    }
}

impl Inner {
    async fn round<F: Future<Output = Option<LogId>>>(self: Arc<Self>, ask: F) -> Option<LogId> {
        let _running = self.running.lock().await;
        // Whoever comes from now on may have to see more than what is asked for here.
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        metrics::counter!("sayso_store_raft_read_rounds_total").increment(1);
        ask.await
    }
}

impl core::fmt::Debug for Barrier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Barrier")
    }
}
