//! [`Connection`]s: accepted, counted, and through their TLS handshake.

use core::future::{Future, ready};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::{Stream, StreamExt, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo, TlsConnectInfo};

use crate::newcomers::{Newcomer, Newcomers, Proof};
use crate::options::Limits;

/// How long to wait after the system refused to accept, which it does when the process has no file left: others must
/// close theirs first.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Connections as they complete their handshake. Each handshake has a time of its own, so a slow one holds up nobody;
/// with too many under way, the next wait in the system's queue.
pub(crate) fn connections(
    listener: TcpListener,
    tls: TlsAcceptor,
    limits: &Limits,
) -> impl Stream<Item = io::Result<Connection>> + use<> {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let newcomers = Newcomers::default();
    let (per_source, within) = (limits.newcomers_per_source, Duration::from_millis(limits.handshake_ms));
    let first_call = Duration::from_millis(limits.first_call_ms);
    stream::unfold(listener, |listener| async { Some((accept(&listener).await, listener)) })
        .filter_map(move |(tcp, from)| {
            let newcomer = newcomers.admit(from.ip(), per_source);
            ready(newcomer.and_then(|newcomer| Some((tcp, Slot::take(&slots)?, newcomer))))
        })
        .map(move |(tcp, slot, newcomer)| handshake(tls.clone(), tcp, (slot, newcomer), (within, first_call)))
        .buffer_unordered(limits.handshakes)
        .filter_map(|connection| ready(connection.map(Ok)))
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "an admin connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

fn handshake(
    tls: TlsAcceptor,
    tcp: TcpStream,
    (slot, newcomer): (Slot, Newcomer),
    (within, first_call): (Duration, Duration),
) -> impl Future<Output = Option<Connection>> {
    // Answers are small and awaited. Where the system refuses, they are only later.
    let _ = tcp.set_nodelay(true);
    async move {
        let reason = match timeout(within, tls.accept(tcp)).await {
            Ok(Ok(tls)) => {
                let (proof, due) = (Proof::awaited_of(newcomer), Some(Box::pin(sleep(first_call))));
                return Some(Connection { tls, proof, due, _slot: slot });
            }
            Ok(Err(_)) => "failed",
            Err(_) => "timed_out",
        };
        metrics::counter!("sayso_admin_handshakes_failed_total", "reason" => reason).increment(1);
        None
    }
}

/// A place among the connections.
struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    fn take(slots: &Arc<Semaphore>) -> Option<Self> {
        let Ok(permit) = Arc::clone(slots).try_acquire_owned() else {
            metrics::counter!("sayso_admin_connections_refused_total").increment(1);
            return None;
        };
        metrics::gauge!("sayso_admin_connections").increment(1);
        Some(Self { _permit: permit })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        metrics::gauge!("sayso_admin_connections").decrement(1);
    }
}

/// A caller's connection. It ends when nobody proves on it in time who they are: places are for those who do.
pub(crate) struct Connection {
    tls: TlsStream<TcpStream>,
    proof: Proof,
    /// When they must have; [`None`] once they have.
    due: Option<Pin<Box<Sleep>>>,
    _slot: Slot,
}

impl Connection {
    /// An error when somebody should have proved by now who they are.
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(due) = &mut self.due else { return Ok(()) };
        if !self.proof.is_awaited() {
            self.due = None;
        } else if due.as_mut().poll(cx).is_ready() {
            metrics::counter!("sayso_admin_connections_unproved_total").increment(1);
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

/// What each call on a connection knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) tls: TlsConnectInfo<TcpConnectInfo>,
    pub(crate) proof: Proof,
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Self::ConnectInfo {
        Caller { tls: self.tls.connect_info(), proof: self.proof.clone() }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.in_time(cx)?;
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}
