//! [`Connection`]s: accepted, counted, and through their TLS handshake.

use core::future::{Future, ready};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use futures::{Stream, StreamExt, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo, TlsConnectInfo};

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
    let within = Duration::from_millis(limits.handshake_ms);
    stream::unfold(listener, |listener| async { Some((accept(&listener).await, listener)) })
        .filter_map(move |tcp| ready(Slot::take(&slots).map(|slot| (tcp, slot))))
        .map(move |(tcp, slot)| handshake(tls.clone(), tcp, slot, within))
        .buffer_unordered(limits.handshakes)
        .filter_map(|connection| ready(connection.map(Ok)))
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => return tcp,
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
    slot: Slot,
    within: Duration,
) -> impl Future<Output = Option<Connection>> {
    // Answers are small and awaited. Where the system refuses, they are only later.
    let _ = tcp.set_nodelay(true);
    async move {
        let reason = match timeout(within, tls.accept(tcp)).await {
            Ok(Ok(tls)) => return Some(Connection { tls, _slot: slot }),
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

/// A caller's connection.
pub(crate) struct Connection {
    tls: TlsStream<TcpStream>,
    _slot: Slot,
}

impl Connected for Connection {
    type ConnectInfo = TlsConnectInfo<TcpConnectInfo>;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.tls.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}
