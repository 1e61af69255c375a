//! [`WitnessServer`]: a witness. It cosigns what has grown from what it cosigned before, and remembers before it answers.

mod desk;

use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sayso_audit::witness::{ADD_CHECKPOINT_PATH, REQUEST_LEN_MAX, SIZE_CONTENT_TYPE};
use sayso_audit::{Cosigner, VerifierKey};
use sayso_runtime::{CancellationToken, TaskKind, Tasks};
use sayso_types::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::desk::{Desk, Verdict};
use crate::{Ledger, LedgerError};

/// Connections at a time: more than there are logs that one witness looks after, and few enough to cost nothing.
const CONNECTIONS_MAX: usize = 64;

/// How long a request may take to arrive, or a connection be idle: a log that asks every ten seconds keeps its own.
const ARRIVE_WITHIN: Duration = Duration::from_secs(30);

/// Bytes of a request's head: proxies add a few lines.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// How long to wait after the system has refused a connection, as when there are no more file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What a witness is set up with.
#[derive(Debug)]
pub struct Options {
    /// TCP address.
    pub listen: SocketAddr,
    /// Where it keeps what it must not forget.
    pub dir: PathBuf,
    /// Its key.
    pub cosigner: Cosigner,
    /// The logs that it looks after. A log may have several keys while it changes from one to the next.
    pub logs: Vec<VerifierKey>,
}

/// Why a witness cannot start, or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be had.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// Which.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A witness that listens.
#[derive(Debug)]
pub struct WitnessServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    desk: Arc<Desk>,
    tasks: Tasks,
}

impl WitnessServer {
    /// Opens the ledger and takes the address. Logs are served once it [runs](Self::run).
    ///
    /// # Errors
    /// [`Error`] says what cannot be had. A checkpoint in the ledger that cannot be read is found here.
    pub async fn bind(options: Options, clock: Arc<dyn Clock>, tasks: Tasks) -> Result<Self, Error> {
        let Options { listen: addr, dir, cosigner, logs } = options;
        let ledger = Ledger::open(&dir)?;
        for log in &logs {
            ledger.last(log.name())?;
        }
        let failed = |source| Error::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let desk = Arc::new(Desk::new(ledger, cosigner, logs, clock, tasks.clone()));
        Ok(Self { listener, local_addr, desk, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown`. Requests under way are answered.
    pub async fn run(self, shutdown: CancellationToken) {
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
            let (desk, shutdown) = (Arc::clone(&self.desk), shutdown.clone());
            let serving = async move {
                serve(stream, desk, shutdown).await;
                drop(slot);
            };
            self.tasks.spawn(TaskKind::Connection, "witness connection", serving).detach();
        }
    }
}

/// Answers the requests of one connection, one after the other.
async fn serve(stream: TcpStream, desk: Arc<Desk>, shutdown: CancellationToken) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, core::convert::Infallible>(answer(&desk, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ARRIVE_WITHIN)
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

async fn answer(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.uri().path() != ADD_CHECKPOINT_PATH {
        return says(StatusCode::NOT_FOUND, "a witness answers POST /add-checkpoint only (c2sp.org/tlog-witness)\n");
    }
    if request.method() != Method::POST {
        return says(StatusCode::METHOD_NOT_ALLOWED, "give the checkpoint with POST\n");
    }
    let body = match timeout(ARRIVE_WITHIN, Limited::new(request.into_body(), REQUEST_LEN_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return says(StatusCode::PAYLOAD_TOO_LARGE, "the request is longer than any can be\n");
        }
        Ok(Err(_)) => return says(StatusCode::BAD_REQUEST, "the request broke off\n"),
        Err(_) => return says(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time\n"),
    };
    let Ok(body) = String::from_utf8(body.into()) else {
        return says(StatusCode::BAD_REQUEST, "the request is not UTF-8\n");
    };
    let verdict = desk.judge(body).await;
    metrics::counter!("sayso_witness_requests_total", "status" => verdict.status().to_string()).increment(1);
    match verdict {
        Verdict::Cosigned(line) => says(StatusCode::OK, line),
        Verdict::Size(size) => {
            let mut response = says(StatusCode::CONFLICT, format!("{size}\n"));
            response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(SIZE_CONTENT_TYPE));
            response
        }
        Verdict::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).expect("refusals have HTTP statuses");
            says(status, format!("{refusal}\n"))
        }
        Verdict::Failed => {
            says(StatusCode::INTERNAL_SERVER_ERROR, "nothing was cosigned; the witness's log says why\n")
        }
    }
}

fn says(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
