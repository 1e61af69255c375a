//! [`Links`]: one mutually authenticated QUIC connection to each peer, used in both directions.
//!
//! ```text
//!   request ──▶ connection to the peer (dialled when there is none) ──▶ a stream ──▶ Service there
//!   accept ──▶ hello ──▶ the peer's connection ──▶ its streams ──▶ Service here
//! ```
//!
//! When two nodes dial each other at the same moment, both keep the connection that the one with the smaller id dialled.

pub(crate) mod frame;
mod hello;
mod tls;

use core::time::Duration;
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, Incoming, TokioRuntime, VarInt};
use sayso_proto::peer::v1::{self as wire, Request, Response, request, response};
use sayso_runtime::{CancellationToken, TaskKind, Tasks};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use self::frame::{Budget, FrameError};
use self::hello::{Greeted, Peer};
use crate::cluster::{Cluster, peer_name};
use crate::early::Answers;
use crate::service::Service;
use crate::within::{Wait, within};
use crate::{Address, Error, NodeId, RaftOptions};

/// How long a handshake and a hello may take, each.
const GREET_WITHIN: Duration = Duration::from_secs(2);
/// How long the last packets have to leave after everything is closed.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// Connections that are being made by others at once: more than a cluster has nodes.
const GREETINGS_MAX: usize = 64;

/// How often an address that is in use is tried again: who held it until now may be on its way out.
const BIND_TRIES: u32 = 250;
/// How long until then.
const BIND_RETRY: Duration = Duration::from_millis(20);

/// How long a peer may take to answer what it is told.
const TELL_WITHIN: Duration = Duration::from_secs(1);
/// What peers were told and have not answered, at most: some rounds of a cluster of five. What is more is not told, because a
/// peer that is so far behind is asked in order.
const TOLD_MAX: usize = 32;

/// How a connection is closed, for those who read packets.
const CLOSED: VarInt = VarInt::from_u32(0);
const DUPLICATE: VarInt = VarInt::from_u32(1);
const REFUSED: VarInt = VarInt::from_u32(2);
const REMOVED: VarInt = VarInt::from_u32(3);

/// The connections of a node.
pub(crate) struct Links {
    pub(crate) cluster: Arc<Cluster>,
    /// Taken when this is closed, so that the address is free again.
    endpoint: Mutex<Option<Endpoint>>,
    client: ClientConfig,
    local_addr: SocketAddr,
    peers: Mutex<HashMap<NodeId, Arc<Slot>>>,
    /// What peers' requests are answered by, while there is somebody.
    service: Mutex<Option<Arc<Service>>>,
    budget: Budget,
    greetings: tokio::sync::Semaphore,
    told: Arc<tokio::sync::Semaphore>,
    tasks: Tasks,
    running: TaskTracker,
    closing: CancellationToken,
}

/// What there is for one peer.
#[derive(Debug, Default)]
struct Slot {
    connected: Mutex<Option<Connected>>,
    /// Held while it is dialled.
    dialling: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Connected {
    connection: Connection,
    incarnation: u64,
    dialled_by: NodeId,
}

impl Links {
    /// Takes the address. Peers are answered once it [serves](Self::serve).
    pub(crate) async fn bind(options: &RaftOptions, cluster: Arc<Cluster>, tasks: Tasks) -> Result<Arc<Self>, Error> {
        let (server, client) = tls::configs(&options.tls, &options.clock)?;
        let bind = |source| Error::Bind { address: options.listen, source: Arc::new(source) };
        let socket = take_address(options.listen).await.map_err(bind)?;
        let runtime = Arc::new(TokioRuntime);
        let endpoint = Endpoint::new(EndpointConfig::default(), Some(server), socket, runtime).map_err(bind)?;
        let local_addr = endpoint.local_addr().map_err(bind)?;
        Ok(Arc::new(Self {
            cluster,
            endpoint: Mutex::new(Some(endpoint)),
            client,
            local_addr,
            peers: Mutex::default(),
            service: Mutex::default(),
            budget: Budget::new(),
            greetings: tokio::sync::Semaphore::new(GREETINGS_MAX),
            told: Arc::new(tokio::sync::Semaphore::new(TOLD_MAX)),
            closing: tasks.stopping(),
            tasks,
            running: TaskTracker::new(),
        }))
    }

    /// Where it listens.
    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Answers peers with `service` from now on, until it is closed.
    pub(crate) fn serve(self: &Arc<Self>, service: Arc<Service>) {
        *self.service() = Some(service);
        let links = Arc::clone(self);
        let accept = async move {
            let Some(endpoint) = links.endpoint() else { return };
            loop {
                tokio::select! {
                    biased;
                    () = links.closing.cancelled() => return,
                    incoming = endpoint.accept() => match incoming {
                        Some(incoming) => links.spawn("peer connection", Arc::clone(&links).accept(incoming)),
                        None => return,
                    },
                }
            }
        };
        self.tasks.spawn(TaskKind::Listener, "peers", self.running.track_future(accept)).detach();
    }

    /// Asks `node` at `address`; dials it when there is no connection. Cancel-safe: an answer that nobody waits for is
    /// dropped.
    pub(crate) async fn request(
        self: &Arc<Self>,
        node: NodeId,
        address: &Address,
        request: request::Request,
    ) -> Result<response::Response, Error> {
        let connection = self.connect(node, address).await?;
        self.ask(node, &connection, request).await
    }

    async fn ask(
        &self,
        node: NodeId,
        connection: &Connection,
        request: request::Request,
    ) -> Result<response::Response, Error> {
        let lost = |error: FrameError| Error::unreachable(node, error);
        let (mut send, mut receive) = connection.open_bi().await.map_err(|error| connection_error(node, &error))?;
        frame::write(&mut send, &Request { request: Some(request) }).await.map_err(lost)?;
        let _ = send.finish();
        let (answer, _room): (Response, _) = frame::read(&mut receive, &self.budget).await.map_err(lost)?;
        answer
            .response
            .ok_or_else(|| Error::unreachable(node, "its answer is of a type that this version does not know"))
    }

    /// Sends `entries` to every peer that is connected; where each will answer. Not when much is on its way already.
    pub(crate) fn tell(self: &Arc<Self>, entries: &wire::AppendEntries) -> Answers {
        // nothing panics while it is held
        let peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let connected: Vec<_> = peers.iter().filter_map(|(node, slot)| Some((*node, slot.live()?))).collect();
        drop(peers);
        let mut answers = Answers::new();
        for (node, connection) in connected {
            let Ok(room) = Arc::clone(&self.told).try_acquire_owned() else {
                metrics::counter!("sayso_store_raft_untold_total").increment(1);
                continue;
            };
            let (links, request) = (Arc::clone(self), request::Request::AppendEntries(entries.clone()));
            let (answered, answer) = oneshot::channel();
            self.apart("word to a peer", async move {
                let told = within(Wait::Word, TELL_WITHIN, links.ask(node, &connection, request)).await;
                drop(room);
                match told {
                    // it may not matter any more
                    Ok(Ok(response::Response::AppendEntries(answer))) => drop(answered.send(answer)),
                    _ => tracing::debug!(%node, "a peer was not told"),
                }
            });
            answers.insert(node, answer);
        }
        answers
    }

    /// A stream to `node`, for requests of more than one message.
    pub(crate) async fn stream(
        self: &Arc<Self>,
        node: NodeId,
        address: &Address,
    ) -> Result<(quinn::SendStream, quinn::RecvStream), Error> {
        let connection = self.connect(node, address).await?;
        connection.open_bi().await.map_err(|error| connection_error(node, &error))
    }

    /// The connection to `node`, made when there is none.
    pub(crate) async fn connect(self: &Arc<Self>, node: NodeId, address: &Address) -> Result<Connection, Error> {
        let slot = self.slot(node);
        if let Some(connection) = slot.live() {
            return Ok(connection);
        }
        let _dialling = slot.dialling.lock().await;
        if let Some(connection) = slot.live() {
            return Ok(connection);
        }
        let dialled = within(Wait::Greeting, GREET_WITHIN, self.dial(node, address)).await;
        match dialled.map_err(|_| Error::unreachable(node, format!("{address} does not answer")))?? {
            Some(connection) => Ok(connection),
            None => slot.live().ok_or_else(|| Error::unreachable(node, "it is connecting to this node")),
        }
    }

    async fn dial(self: &Arc<Self>, node: NodeId, address: &Address) -> Result<Option<Connection>, Error> {
        metrics::counter!("sayso_store_raft_dials_total").increment(1);
        let resolved = tokio::net::lookup_host(&address.0).await.ok().and_then(|mut found| found.next());
        let resolved = resolved.ok_or_else(|| Error::unreachable(node, format!("{address} is not known")))?;
        let name = peer_name(&self.cluster.name, node);
        let endpoint = self.endpoint().ok_or_else(|| Error::unreachable(node, "this node is closing"))?;
        let connecting = endpoint.connect_with(self.client.clone(), resolved, &name);
        let connecting = connecting.map_err(|error| Error::unreachable(node, error))?;
        let connection = connecting.await.map_err(|error| connection_error(node, &error))?;
        match hello::greet(&connection, &self.cluster, node).await? {
            Greeted::Duplicate => {
                connection.close(DUPLICATE, b"");
                Ok(None)
            }
            Greeted::Welcome(peer) => {
                self.register(peer, &connection, self.cluster.node);
                self.spawn("peer connection", Arc::clone(self).answer(connection.clone(), node));
                Ok(Some(connection))
            }
        }
    }

    async fn accept(self: Arc<Self>, incoming: Incoming) {
        let Ok(_greeting) = self.greetings.try_acquire() else {
            metrics::counter!("sayso_store_refused_total", "limit" => "peers that say hello").increment(1);
            return incoming.refuse();
        };
        let Ok(Ok(connection)) = within(Wait::Greeting, GREET_WITHIN, async { incoming.accept()?.await }).await else {
            return;
        };
        let admit = |peer: Peer| self.register(peer, &connection, peer.node);
        match within(Wait::Greeting, GREET_WITHIN, hello::receive(&connection, &self.cluster, admit)).await {
            Ok(Ok(Some(peer))) => {
                drop(_greeting);
                Arc::clone(&self).answer(connection, peer.node).await;
            }
            _ => connection.close(REFUSED, b""),
        }
    }

    /// Puts a connection in its place, if it is the one to keep.
    fn register(&self, peer: Peer, connection: &Connection, dialled_by: NodeId) -> bool {
        let slot = self.slot(peer.node);
        let mut connected = slot.connected();
        if let Some(old) = connected.as_ref().filter(|old| old.connection.close_reason().is_none()) {
            let crossed = old.incarnation == peer.incarnation && old.dialled_by != dialled_by;
            if crossed && dialled_by > old.dialled_by {
                return false;
            }
            old.connection.close(DUPLICATE, b"");
        } else {
            tracing::info!(node = %peer.node, "a peer is connected");
        }
        *connected = Some(Connected { connection: connection.clone(), incarnation: peer.incarnation, dialled_by });
        true
    }

    /// Answers the requests that come in on a connection, until it ends. Boxed, because answers may need connections.
    fn answer(self: Arc<Self>, connection: Connection, from: NodeId) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let stream = tokio::select! {
                    biased;
                    () = self.closing.cancelled() => return connection.close(CLOSED, b""),
                    stream = connection.accept_bi() => stream,
                };
                let Ok((send, receive)) = stream else {
                    if is_goodbye(&connection) {
                        self.cluster.part().await;
                    } else if self.slot(from).live().is_none() {
                        tracing::warn!(node = %from, "a peer is out of reach");
                    }
                    return;
                };
                self.spawn("peer request", Arc::clone(&self).answer_one(from, send, receive));
            }
        })
    }

    async fn answer_one(self: Arc<Self>, from: NodeId, mut send: quinn::SendStream, mut receive: quinn::RecvStream) {
        let answered = async {
            let (request, _room): (Request, _) = frame::read(&mut receive, &self.budget).await?;
            let service = self.service().clone().ok_or(FrameError::NotServing)?;
            let response = service.answer(from, request, &mut receive, &self.budget).await?;
            frame::write(&mut send, &Response { response: Some(response) }).await
        };
        let answered = tokio::select! {
            biased;
            () = self.closing.cancelled() => return,
            answered = answered => answered,
        };
        match answered {
            Ok(()) => {
                let _ = send.finish();
            }
            Err(error) => tracing::debug!(%error, node = %from, "a peer's request was not answered"),
        }
    }

    fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(TaskKind::Connection, name, self.running.track_future(work)).detach();
    }

    /// Runs `work` apart from whoever waits for it, until this is closed.
    pub(crate) fn apart(self: &Arc<Self>, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let closing = self.closing.clone();
        self.spawn(name, async move {
            tokio::select! {
                () = closing.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Ends all connections and waits for what runs on them.
    pub(crate) async fn close(&self) {
        self.stop_serving();
        self.running.close();
        let endpoint = self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(endpoint) = endpoint else { return };
        endpoint.close(CLOSED, b"");
        self.running.wait().await;
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // whatever is still in flight then is lost with the process anyway
        let _ = within(Wait::LastPackets, CLOSE_WITHIN, endpoint.wait_idle()).await;
    }

    fn endpoint(&self) -> Option<Endpoint> {
        // nothing panics while it is held
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers nobody any more. The service needs connections, so each of the two would keep the other for ever.
    pub(crate) fn stop_serving(&self) {
        self.closing.cancel();
        self.service().take();
    }

    fn service(&self) -> MutexGuard<'_, Option<Arc<Service>>> {
        // nothing panics while it is held
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection to a node that was removed, and tells it so. If it does not hear that, it is told when it connects again.
    pub(crate) fn say_goodbye(&self, node: NodeId) {
        if let Some(connection) = self.live(node) {
            tracing::info!(%node, "a peer was removed");
            connection.close(REMOVED, b"");
        }
    }

    /// The connection to `node`, if there is one.
    pub(crate) fn live(&self, node: NodeId) -> Option<Connection> {
        self.slot(node).live()
    }

    fn slot(&self, node: NodeId) -> Arc<Slot> {
        // nothing panics while it is held
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(peers.entry(node).or_default())
    }
}

impl Slot {
    fn connected(&self) -> MutexGuard<'_, Option<Connected>> {
        // nothing panics while it is held
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> Option<Connection> {
        let connected = self.connected();
        let live = connected.as_ref().filter(|connected| connected.connection.close_reason().is_none());
        live.map(|connected| connected.connection.clone())
    }
}

/// Whether a peer has ended `connection` because this node was removed.
fn is_goodbye(connection: &Connection) -> bool {
    let reason = connection.close_reason();
    matches!(reason, Some(ConnectionError::ApplicationClosed(close)) if close.error_code == REMOVED)
}

/// Binds `address`; waits a little for one that was let go just now.
async fn take_address(address: SocketAddr) -> io::Result<UdpSocket> {
    let mut tries = BIND_TRIES;
    loop {
        tries -= 1;
        match UdpSocket::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => tokio::time::sleep(BIND_RETRY).await,
            bound => return bound,
        }
    }
}

/// What the end of a connection to `node` means: no trust, or no connection.
fn connection_error(node: NodeId, error: &ConnectionError) -> Error {
    /// The transport error codes that stand for TLS alerts (RFC 9001, section 4.8).
    const CRYPTO: core::ops::Range<u64> = 0x100..0x200;
    /// That of the alert that no protocol is spoken by both (RFC 7301): the name that TLS is given has the version in it.
    const NO_PROTOCOL: u64 = CRYPTO.start + 120;
    /// Those of the alerts that a certificate is another node's, that its authority is not known, and that its signature is not
    /// the authority's of that name (RFC 8446, section 6). By a wrong clock there is another one, that it has expired.
    const FOREIGN: [u64; 3] = [CRYPTO.start + 42, CRYPTO.start + 48, CRYPTO.start + 51];
    let code = match error {
        ConnectionError::TransportError(error) => Some(u64::from(error.code)),
        ConnectionError::ConnectionClosed(close) => Some(u64::from(close.error_code)),
        _ => None,
    };
    match code {
        Some(NO_PROTOCOL) => Error::Version { node },
        Some(code) if CRYPTO.contains(&code) => {
            Error::ForeignCertificate { node, reason: error.to_string(), for_good: FOREIGN.contains(&code) }
        }
        _ => Error::unreachable(node, error),
    }
}
