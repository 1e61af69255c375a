//! [`HttpForgetter`]: has a service delete what it was given, by plain JSON over HTTP.
//!
//! OpenAI's API deletes what was uploaded under an id of its own, and nothing else; what services keep of calls has no such
//! way. So this is a small protocol of ours, for the service itself or for a program that stands in front of it:
//!
//! ```text
//! POST {url}/deletions
//! authorization: Bearer KEY
//! idempotency-key: 0123456789abcdef0123456789abcdef-1
//! {"deletion":"0123456789abcdef0123456789abcdef","why":"erasure","part":1,"parts":1,
//!  "requests":["00112233445566778899aabbccddeeff", ...]}
//!
//! 200 {"deletion":"0123456789abcdef0123456789abcdef","deleted":true}     it is gone
//! 200 {"deletion":"...","deleted":false}, or 202                         it is begun: ask again
//! ```
//!
//! `requests` are what each call had in `x-client-request-id`. An order of many requests goes in parts; it is carried out when
//! each of them is. The same order may come again, under the same key.

use core::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use sayso_http::{ExchangeError, exchange};
use sayso_provider::{Error, Forget, Forgetter, Forgotten};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::Endpoint;
use crate::client::{Dialler, Io, Protocol, hex, user_agent};

/// Requests that one part names: some hundred kilobytes of JSON.
const REQUESTS_IN_PART: usize = 4_096;

/// Most bytes of an answer: some hundred times what it must have.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// A service at an end point that deletes.
pub struct HttpForgetter {
    endpoint: Endpoint,
    dialler: Dialler,
}

#[derive(Serialize)]
struct Order<'a> {
    deletion: &'a str,
    why: &'a str,
    part: usize,
    parts: usize,
    requests: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    deletion: String,
    deleted: bool,
}

impl HttpForgetter {
    /// The service whose deletions are at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { dialler: Dialler::new(&endpoint, &[Protocol::Http1]), endpoint }
    }

    /// Sends one part; the answer, if it says that it is done.
    async fn part(&self, order: &Order<'_>) -> Result<Option<Bytes>, Error> {
        let body = serde_json::to_vec(order).expect("texts and numbers are JSON");
        let key = format!("{}-{}", order.deletion, order.part);
        let base_url = &self.endpoint.base_url;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = base_url.target("/deletions").into();
        let header = |text: &str| HeaderValue::from_str(text).expect("it is visible ASCII");
        let headers = request.headers_mut();
        headers.insert(HOST, header(&base_url.authority()));
        headers.insert(USER_AGENT, user_agent());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("idempotency-key", header(&key));
        if let Some(key) = &self.endpoint.api_key {
            headers.insert(AUTHORIZATION, key.authorization());
        }
        let (status, body) = self.exchange(request).await?;
        match status {
            StatusCode::OK => {}
            StatusCode::ACCEPTED => return Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Error::Unauthorized),
            StatusCode::TOO_MANY_REQUESTS => return Err(Error::Busy { retry_after: None }),
            other if other.is_server_error() => return Err(Error::Failed(format!("HTTP {}", other.as_u16()))),
            other => return Err(Error::Rejected(format!("HTTP {}", other.as_u16()))),
        }
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| Error::Malformed("no answer to a deletion".to_owned()))?;
        if answer.deletion != order.deletion {
            return Err(Error::Malformed("an answer to another deletion".to_owned()));
        }
        Ok(answer.deleted.then_some(body))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Error> {
        let (io, _) = self.dialler.dial_ungated().await?;
        let (head, body) = exchange(io as Box<dyn Io>, request, ANSWER_BYTES_MAX).await.map_err(broken)?.into_parts();
        Ok((head.status, body))
    }
}

fn broken(error: ExchangeError) -> Error {
    match error {
        ExchangeError::Body { .. } => Error::Malformed("an answer that breaks off or does not end".to_owned()),
        _ => Error::Incomplete("the connection broke".to_owned()),
    }
}

#[async_trait]
impl Forgetter for HttpForgetter {
    async fn forget(&self, order: &Forget) -> Result<Forgotten, Error> {
        timeout(order.timeout, self.parts(order)).await.unwrap_or(Err(Error::TimedOut(order.timeout)))
    }
}

impl HttpForgetter {
    /// Sends all parts of `order`.
    async fn parts(&self, order: &Forget) -> Result<Forgotten, Error> {
        let deletion = hex(order.id);
        let parts = order.calls.len().div_ceil(REQUESTS_IN_PART);
        let (mut answers, mut is_done) = (Sha256::new(), true);
        for (part, calls) in (1..).zip(order.calls.chunks(REQUESTS_IN_PART)) {
            let requests = calls.iter().map(|call| hex(*call)).collect();
            let asked = Order { deletion: &deletion, why: order.why, part, parts, requests };
            match self.part(&asked).await? {
                Some(answer) => answers.update(&answer),
                None => is_done = false,
            }
        }
        let answer = answers.finalize().into();
        Ok(if is_done { Forgotten::Everything { answer } } else { Forgotten::NotYet })
    }
}

impl fmt::Debug for HttpForgetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpForgetter").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
