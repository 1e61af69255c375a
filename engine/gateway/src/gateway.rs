//! [`Gateway`]: the node's door for devices.

use std::fmt;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, EndpointConfig, TokioRuntime, VarInt};
use sayso_runtime::{CancellationToken, TaskKind, Tasks};
use sayso_session::Sessions;
use sayso_types::Clock;
use sayso_wire::GoodbyeReason;
use sayso_wire::token::TokenVerifier;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::admission::{Admission, Verdict};
use crate::metrics::PacketCounters;
use crate::options::{GatewayOptions, Limits};
use crate::{Error, connection, metrics, tls};

/// How long the last packets have to leave after everything is closed.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// Serves devices over QUIC on one address.
#[derive(Debug)]
pub struct Gateway {
    endpoint: Endpoint,
    local_addr: SocketAddr,
    admission: Admission,
    shared: Arc<Shared>,
    tasks: Tasks,
    /// Connections under way, from first packet to last.
    connections: TaskTracker,
    /// Connections so far.
    count: u64,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) tokens: Option<TokenVerifier>,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<PacketCounters>,
    /// Asks every connection to say goodbye.
    pub(crate) draining: CancellationToken,
}

impl Shared {
    /// When the device of this connection may come again after a drain: spread evenly over the configured time
    /// (Fibonacci hashing), so that the next node does not get all of them at once.
    pub(crate) fn reconnect_in(&self, number: u64) -> Duration {
        let share = u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Duration::from_millis(((share * u128::from(self.limits.reconnect_spread_ms)) >> 64) as u64)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Takes the address. Devices are served once it [runs](Self::run). Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`Error`] names what is wrong with the address or the certificates.
    pub fn bind(
        options: GatewayOptions,
        sessions: Arc<dyn Sessions>,
        tasks: Tasks,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let GatewayOptions { listen, tls, tokens, limits } = options;
        if tls.device_roots.is_empty() && tokens.is_none() {
            return Err(Error::NoAuthentication);
        }
        let config = tls::server_config(tls, &limits, clock.clone())?;
        let bind = |source| Error::Bind { addr: listen, source };
        let socket = UdpSocket::bind(listen).map_err(bind)?;
        let runtime = Arc::new(TokioRuntime);
        let endpoint = Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime).map_err(bind)?;
        let local_addr = endpoint.local_addr().map_err(bind)?;
        let (counters, draining) = (Arc::new(PacketCounters::new()), tasks.stopping());
        let shared = Arc::new(Shared { sessions, tokens, limits, clock, counters, draining });
        let (admission, connections) = (Admission::new(limits), TaskTracker::new());
        Ok(Self { endpoint, local_addr, admission, shared, tasks, connections, count: 0 })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves devices until `shutdown`, then drains: takes no more, tells those that are here when to connect again,
    /// and cuts off who has not left when the time for that is over.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = self.shared.draining.cancelled() => break,
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => self.admit(incoming),
                    None => break,
                },
            }
        }
        self.drain().await;
    }

    fn admit(&mut self, incoming: quinn::Incoming) {
        let ip = incoming.remote_address().ip();
        match self.admission.decide(ip, incoming.remote_address_validated()) {
            Verdict::Admit(slot) => {
                self.count += 1;
                let serve = connection::serve(self.shared.clone(), incoming, slot, self.count);
                let serve = self.connections.track_future(serve);
                self.tasks.spawn(TaskKind::Connection, "device connection", serve).detach();
            }
            Verdict::Validate => {
                metrics::validated();
                if let Err(error) = incoming.retry() {
                    error.into_incoming().refuse();
                }
            }
            Verdict::Refuse(limit) => {
                metrics::refused(limit);
                incoming.refuse();
            }
        }
    }

    async fn drain(self) {
        tracing::info!(connections = self.connections.len(), "draining device connections");
        self.shared.draining.cancel();
        self.connections.close();
        let refuse_others = async {
            while let Some(incoming) = self.endpoint.accept().await {
                metrics::refused("shutting_down");
                incoming.refuse();
            }
        };
        tokio::select! {
            () = refuse_others => {}
            gone = timeout(Duration::from_millis(self.shared.limits.drain_ms), self.connections.wait()) => {
                if gone.is_err() {
                    tracing::warn!(connections = self.connections.len(), "device connections are cut off");
                }
            }
        }
        let code = VarInt::from_u32(GoodbyeReason::ShuttingDown.close_code());
        self.endpoint.close(code, b"the node is shutting down");
        // whatever is still in flight then is lost with the process anyway
        let _ = timeout(CLOSE_WITHIN, self.endpoint.wait_idle()).await;
    }
}
