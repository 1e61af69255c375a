//! [`Client`]: requests to one endpoint, over connections that are kept for the next one.

mod backoff;
mod connection;
mod dial;
mod driver;
mod gated;
mod pool;
mod response;
mod upload;

use core::fmt::{self, Write as _};
use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use hyper::body::Incoming;
use sayso_policy::Permit;
use sayso_provider::Error;
use sayso_types::Clock;

pub(crate) use self::backoff::Backoff;
use self::connection::Connection;
pub(crate) use self::dial::{Dialler, Io, Protocol};
pub(crate) use self::gated::Owner;
use self::pool::Pool;
pub(crate) use self::response::{Response, failure};
pub(crate) use self::upload::{Sealed, Upload, seal};
use crate::Endpoint;

/// What a request says about itself.
pub(crate) struct Head {
    /// Where to, under the base URL; begins with a slash.
    pub(crate) path: &'static str,
    /// What the body is.
    pub(crate) content_type: HeaderValue,
    /// What the answer should be.
    pub(crate) accept: HeaderValue,
    /// What the call is called, which the service is told.
    pub(crate) call: [u8; 16],
}

pub(crate) struct Client {
    endpoint: Endpoint,
    dialler: Dialler,
    pool: Pool,
}

/// Why an attempt failed, and the body if nothing of it was taken.
struct Failed {
    error: Error,
    untouched: Option<Upload>,
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            dialler: Dialler::new(&endpoint, &[Protocol::Http2, Protocol::Http1]),
            pool: Pool::new(clock),
            endpoint,
        })
    }

    pub(crate) fn model(&self) -> &str {
        &self.endpoint.model
    }

    /// Sends a request under `permit` and waits for the head of a successful answer.
    pub(crate) async fn post(self: &Arc<Self>, permit: &Permit, head: Head, body: Upload) -> Result<Response, Error> {
        let mut body = body;
        let mut backoff = Backoff::default();
        loop {
            permit.guard(|| ())?;
            let failed = match self.attempt(permit, &head, body).await {
                Ok((connection, answer)) => {
                    return Response::accept(Arc::clone(self), permit.clone(), connection, answer);
                }
                Err(failed) => failed,
            };
            let (Some(untouched), Some(pause)) = (failed.untouched, backoff.next()) else {
                return Err(failed.error);
            };
            metrics::counter!("sayso_provider_openai_retries_total").increment(1);
            tracing::debug!(code = failed.error.code(), ?pause, "trying again");
            tokio::time::sleep(pause).await;
            body = untouched;
        }
    }

    async fn attempt(
        &self,
        permit: &Permit,
        head: &Head,
        body: Upload,
    ) -> Result<(Connection, http::Response<Incoming>), Failed> {
        let mut connection = match self.connection(permit).await {
            Ok(connection) => connection,
            Err(error) => {
                return Err(Failed { error, untouched: Some(body) });
            }
        };
        let refusal = body.refusal();
        match connection.send(self.request(head, connection.protocol(), body)).await {
            Ok(answer) => Ok((connection, answer)),
            // hyper hands back a request that it did not begin to take
            Err(mut failed) => match failed.take_message() {
                Some(request) => Err(Failed {
                    error: Error::Unreachable("closed the connection before the request".to_owned()),
                    untouched: Some(request.into_body()),
                }),
                None => {
                    let error = refusal.get().map_or_else(|| explain(permit, &failed.into_error()), Error::from);
                    Err(Failed { error, untouched: None })
                }
            },
        }
    }

    /// A connection that belongs to `permit`'s call from here on: a kept one, or a new one.
    async fn connection(&self, permit: &Permit) -> Result<Connection, Error> {
        while let Some(mut kept) = self.pool.take() {
            if kept.revive(permit).await {
                metrics::counter!("sayso_provider_openai_connections_reused_total").increment(1);
                return Ok(kept);
            }
        }
        #[cfg(feature = "mutant-m6")]
        crate::mutant::replay(&self.dialler).await;
        metrics::counter!("sayso_provider_openai_connections_opened_total").increment(1);
        Connection::open(&self.dialler, permit).await
    }

    fn request(&self, head: &Head, protocol: Protocol, body: Upload) -> Request<Upload> {
        let base_url = &self.endpoint.base_url;
        let (authority, target) = (base_url.authority(), base_url.target(head.path));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        match protocol {
            Protocol::Http1 => {
                let host = HeaderValue::from_str(&authority).expect("a parsed authority is visible ASCII");
                request.headers_mut().insert(HOST, host);
                *request.uri_mut() = target.into();
            }
            // spoken under TLS only; the authority is part of the request line (RFC 9113, 8.3.1)
            Protocol::Http2 => {
                let uri = Uri::builder().scheme("https").authority(authority).path_and_query(target).build();
                *request.uri_mut() = uri.expect("the parts of a parsed base URL make one");
            }
        }
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, user_agent());
        headers.insert(CONTENT_TYPE, head.content_type.clone());
        headers.insert(ACCEPT, head.accept.clone());
        headers.insert(CALL_ID, call_id(head.call));
        if let Some(key) = &self.endpoint.api_key {
            headers.insert(AUTHORIZATION, key.authorization());
        }
        request
    }
}

/// Where a service is told what the caller calls a request; by that name it may be told later to delete what it got.
pub(crate) const CALL_ID: HeaderName = HeaderName::from_static("x-client-request-id");

/// The value of that header.
pub(crate) fn call_id(call: [u8; 16]) -> HeaderValue {
    HeaderValue::from_str(&hex(call)).expect("digits are visible ASCII")
}

/// 32 hexadecimal digits.
pub(crate) fn hex(id: [u8; 16]) -> String {
    id.iter().fold(String::with_capacity(32), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes what is written");
        text
    })
}

/// What this is, and of which version.
pub(crate) const fn user_agent() -> HeaderValue {
    HeaderValue::from_static(concat!("sayso/", env!("CARGO_PKG_VERSION")))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What went wrong on a connection. A refusal comes first: it is why the rest broke.
fn explain(permit: &Permit, error: &hyper::Error) -> Error {
    if let Err(refused) = permit.guard(|| ()) {
        return refused.into();
    }
    if error.is_parse() {
        return Error::Malformed("not an HTTP response".to_owned());
    }
    Error::Incomplete("the connection broke".to_owned())
}
