//! [`HttpServer`]: accepts connections, and has their requests answered one after the other.

use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sayso_runtime::{CancellationToken, TaskKind, Tasks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections at a time: a proxy in front keeps a few dozen, and this many cost nothing. More wait to be accepted.
pub const CONNECTIONS_MAX: usize = 64;

/// How long a request's head may take to arrive, or a connection be idle: a log that asks its witness every ten seconds
/// keeps its own.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// Bytes of a request's head: proxies add a few lines.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// How long to wait after the system has refused a connection, as when there are no more file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What is asked. Its body has no bound of its own: whoever reads it sets one.
pub type Request = http::Request<Incoming>;

/// What is answered.
pub type Answer = Response<Full<Bytes>>;

/// An address that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}")]
pub struct BindError {
    /// Which.
    pub addr: SocketAddr,
    /// Why.
    pub source: io::Error,
}

/// A server that listens.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    tasks: Tasks,
}

impl HttpServer {
    /// Takes the TCP address `addr`. Requests are answered once it [runs](Self::run).
    ///
    /// # Errors
    /// [`BindError`] when it cannot be had.
    pub async fn bind(addr: SocketAddr, tasks: Tasks) -> Result<Self, BindError> {
        let failed = |source| BindError { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, local_addr, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Has requests answered by `answer` until `shutdown`. Those under way are answered to their end.
    pub async fn run<A, F>(self, shutdown: CancellationToken, answer: A)
    where
        A: Fn(Request) -> F + Clone + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let slot = Arc::clone(&slots).acquire_owned().await.expect("the slots are never closed");
            let stream = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                        continue;
                    }
                },
                () = shutdown.cancelled() => return,
            };
            let (answer, shutdown) = (answer.clone(), shutdown.clone());
            let serving = async move {
                serve(stream, answer, shutdown).await;
                drop(slot);
            };
            self.tasks.spawn(TaskKind::Connection, "http connection", serving).detach();
        }
    }
}

/// Answers the requests of one connection, one after the other.
async fn serve<A, F>(stream: TcpStream, answer: A, shutdown: CancellationToken)
where
    A: Fn(Request) -> F + Send,
    F: Future<Output = Answer> + Send,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, core::convert::Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = core::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// An answer in plain text.
#[must_use]
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
