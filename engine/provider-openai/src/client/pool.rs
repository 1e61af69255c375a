//! [`Pool`]: connections that wait for the next call.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sayso_types::{Clock, Mono};

use super::connection::Connection;

/// Connections kept for one endpoint: the calls that overlap on a small node. More are closed after use.
const IDLE_MAX: usize = 16;
/// How long one is kept: longer than the pause between two turns of a conversation, shorter than the minute after which
/// load balancers and address translators forget a silent connection without telling.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Pool {
    clock: Arc<dyn Clock>,
    /// Oldest first.
    idle: Mutex<VecDeque<(Mono, Connection)>>,
}

impl Pool {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, idle: Mutex::default() }
    }

    /// The connection used last, unless it has waited too long. Those that have are closed.
    pub(super) fn take(&self) -> Option<Connection> {
        let now = self.clock.now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| now.since(*since) < IDLE_TIMEOUT);
        idle.pop_back().map(|(_, connection)| connection)
    }

    /// Keeps `connection`, which is idle. The oldest is closed when there are too many.
    pub(super) fn put(&self, connection: Connection) {
        let now = self.clock.now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() == IDLE_MAX {
            metrics::counter!("sayso_provider_openai_pool_overflows_total").increment(1);
            idle.pop_front();
        }
        idle.push_back((now, connection));
    }
}
