//! [`WitnessServer`]: a witness. It cosigns what has grown from what it cosigned before, and remembers before it answers.

mod desk;

use core::time::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use sayso_audit::witness::{ADD_CHECKPOINT_PATH, REQUEST_LEN_MAX, SIZE_CONTENT_TYPE};
use sayso_audit::{Cosigner, VerifierKey};
use sayso_http::{Answer, BindError, HttpServer, Request, text};
use sayso_runtime::{CancellationToken, Tasks};
use sayso_types::Clock;
use tokio::time::timeout;

use self::desk::{Desk, Verdict};
use crate::{Ledger, LedgerError};

/// How long a request's body may take to arrive.
const ARRIVE_WITHIN: Duration = Duration::from_secs(30);

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
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The directory cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A witness that listens.
#[derive(Debug)]
pub struct WitnessServer {
    http: HttpServer,
    desk: Arc<Desk>,
}

impl WitnessServer {
    /// Opens the ledger and takes the address. Logs are served once it [runs](Self::run).
    ///
    /// # Errors
    /// [`Error`] says what cannot be had. A checkpoint in the ledger that cannot be read is found here.
    pub async fn bind(options: Options, clock: Arc<dyn Clock>, tasks: Tasks) -> Result<Self, Error> {
        let Options { listen, dir, cosigner, logs } = options;
        let ledger = Ledger::open(&dir)?;
        for log in &logs {
            ledger.last(log.name())?;
        }
        let http = HttpServer::bind(listen, tasks.clone()).await?;
        Ok(Self { http, desk: Arc::new(Desk::new(ledger, cosigner, logs, clock, tasks)) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.http.local_addr()
    }

    /// Serves until `shutdown`. Requests under way are answered.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { http, desk } = self;
        let answer = move |request| {
            let desk = Arc::clone(&desk);
            async move { answer(&desk, request).await }
        };
        http.run(shutdown, answer).await;
    }
}

async fn answer(desk: &Desk, request: Request) -> Answer {
    if request.uri().path() != ADD_CHECKPOINT_PATH {
        return text(StatusCode::NOT_FOUND, "a witness answers POST /add-checkpoint only (c2sp.org/tlog-witness)\n");
    }
    if request.method() != Method::POST {
        return text(StatusCode::METHOD_NOT_ALLOWED, "give the checkpoint with POST\n");
    }
    let body = match timeout(ARRIVE_WITHIN, Limited::new(request.into_body(), REQUEST_LEN_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "the request is longer than any can be\n");
        }
        Ok(Err(_)) => return text(StatusCode::BAD_REQUEST, "the request broke off\n"),
        Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time\n"),
    };
    let Ok(body) = String::from_utf8(body.into()) else {
        return text(StatusCode::BAD_REQUEST, "the request is not UTF-8\n");
    };
    let verdict = desk.judge(body).await;
    metrics::counter!("sayso_witness_requests_total", "status" => verdict.status().to_string()).increment(1);
    match verdict {
        Verdict::Cosigned(line) => text(StatusCode::OK, line),
        Verdict::Size(size) => {
            let mut response = text(StatusCode::CONFLICT, format!("{size}\n"));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SIZE_CONTENT_TYPE));
            response
        }
        Verdict::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).expect("refusals have HTTP statuses");
            text(status, format!("{refusal}\n"))
        }
        Verdict::Failed => {
            text(StatusCode::INTERNAL_SERVER_ERROR, "nothing was cosigned; the witness's log says why\n")
        }
    }
}
