//! [`Bucket`]: a dump in an object store that speaks the protocol of Amazon S3.
//!
//! Requests are signed by rusty-s3 (Signature Version 4, in the URL). What is written goes with its SHA-256, which the
//! service compares and gives back when it is asked what it holds.

mod settings;

use core::time::Duration;
use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rusty_s3::{Credentials, Map, S3Action};
use tokio::time::{sleep, timeout};

pub(super) use self::settings::Settings;
use super::sha256;

/// How often a request is sent to a service that does not answer it, or says that it cannot now.
const TRIES: u32 = 5;
/// How long until it is sent again; twice as long each time.
const RETRY: Duration = Duration::from_millis(200);
/// How long a try may take: a part of 16 MiB at a slow 100 kB/s.
const ANSWER_WITHIN: Duration = Duration::from_secs(180);
/// How long a signed request is good for: longer than it is on its way.
const SIGNED_FOR: Duration = Duration::from_secs(300);
/// Bytes of an answer that says what is wrong.
const REASON_BYTES_MAX: u64 = 64 << 10;
/// Characters of it that are repeated.
const REASON_CHARS_MAX: usize = 200;
/// Asks for the checksum of an object, together with the object itself.
const CHECKSUM_MODE: (&str, &str) = ("x-amz-checksum-mode", "ENABLED");
/// The SHA-256 of an object, in Base64.
const CHECKSUM: &str = "x-amz-checksum-sha256";
/// Which of the checksums it is. Amazon's service needs no telling; others look for it.
const CHECKSUM_ALGORITHM: (&str, &str) = ("x-amz-sdk-checksum-algorithm", "SHA256");

type Http = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A part of a bucket: what begins with a prefix.
pub(crate) struct Bucket {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    prefix: String,
    http: Http,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Bucket {
    /// What lies under `prefix` in the bucket `name` of the service in `settings`.
    pub(super) fn open(name: &str, prefix: &str, settings: &Settings) -> Result<Self> {
        let bucket = rusty_s3::Bucket::new(settings.endpoint()?, settings.style(), name.to_owned(), settings.region());
        let bucket = bucket.with_context(|| format!("s3://{name} is no bucket of {}", settings.address()))?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(settings.tls()?).https_or_http().enable_http1();
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector.build());
        Ok(Self { bucket, credentials: settings.credentials().clone(), prefix: prefix.to_owned(), http })
    }

    /// The object `name`, of at most `max` bytes.
    pub(super) async fn get(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>> {
        let object = self.object(name);
        let action = || self.bucket.get_object(Some(&self.credentials), &object);
        let answer = self.ask(Method::GET, action, &[], &Bytes::new(), max).await;
        let Answer { status, body, .. } = answer.with_context(|| format!("cannot read {object} of {self}"))?;
        Ok((status == StatusCode::OK).then(|| body.into()))
    }

    /// Writes the object `name`. The service refuses bytes that got damaged on their way.
    pub(super) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let (object, checksum) = (self.object(name), encoded(&sha256(&bytes)));
        let (bytes, headers) = (Bytes::from(bytes), [(CHECKSUM, checksum.as_str()), CHECKSUM_ALGORITHM]);
        let action = || self.bucket.put_object(Some(&self.credentials), &object);
        let put = self.ask(Method::PUT, action, &headers, &bytes, REASON_BYTES_MAX).await;
        let Answer { status, .. } = put.with_context(|| format!("cannot write {object} of {self}"))?;
        if status == StatusCode::NOT_FOUND {
            bail!("there is no bucket {}: make it first", self.bucket.name());
        }
        Ok(())
    }

    /// Whether the object `name` is of this length and has this checksum. One whose checksum the service does not tell has
    /// not.
    pub(super) async fn holds(&self, name: &str, length: u64, sha256: &str) -> Result<bool> {
        let object = self.object(name);
        let action = || self.bucket.head_object(Some(&self.credentials), &object);
        let held = self.ask(Method::HEAD, action, &[CHECKSUM_MODE], &Bytes::new(), REASON_BYTES_MAX).await;
        let Answer { status, headers, .. } = held.with_context(|| format!("cannot look for {object} of {self}"))?;
        let is = |name: &str, value: &str| headers.get(name).is_some_and(|header| header == value);
        Ok(status == StatusCode::OK && is("content-length", &length.to_string()) && is(CHECKSUM, &encoded(sha256)))
    }

    /// Deletes the object `name`.
    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        let object = self.object(name);
        let action = || self.bucket.delete_object(Some(&self.credentials), &object);
        let deleted = self.ask(Method::DELETE, action, &[], &Bytes::new(), REASON_BYTES_MAX).await;
        deleted.map(drop).with_context(|| format!("cannot delete {object} of {self}"))
    }

    fn object(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    /// Does `action` with `headers`, which are signed, until it is answered: that it was done, or that nothing is there.
    async fn ask<'a, A: S3Action<'a>>(
        &self,
        method: Method,
        action: impl Fn() -> A,
        headers: &[(&'static str, &str)],
        body: &Bytes,
        max: u64,
    ) -> Result<Answer> {
        let mut pause = RETRY;
        for _ in 1..TRIES {
            // signed anew each time: a signature has a time
            match self.ask_once(request(&method, action(), headers, body)?, max).await {
                Err(error) => crate::output::note(format!("{self}: {error:#}; trying again")),
                Ok(answer) if !may_pass(answer.status) => return finished(answer),
                Ok(answer) => crate::output::note(format!("{self}: {}; trying again", reason(&answer))),
            }
            sleep(pause).await;
            pause *= 2;
        }
        finished(self.ask_once(request(&method, action(), headers, body)?, max).await?)
    }

    async fn ask_once(&self, request: Request<Full<Bytes>>, max: u64) -> Result<Answer> {
        let answered = timeout(ANSWER_WITHIN, async {
            let (parts, body) = self.http.request(request).await?.into_parts();
            let most = if parts.status.is_success() { max } else { REASON_BYTES_MAX };
            let body = Limited::new(body, usize::try_from(most)?).collect().await;
            let body = body.map_err(|error| anyhow!(error).context("its answer is cut off, or longer than it was"))?;
            Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
        });
        answered.await.with_context(|| format!("no answer within {ANSWER_WITHIN:?}"))?
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{separator}{}", self.bucket.name(), self.prefix)
    }
}

fn request<'a>(
    method: &Method,
    mut action: impl S3Action<'a>,
    headers: &[(&'static str, &str)],
    body: &Bytes,
) -> Result<Request<Full<Bytes>>> {
    let signed: &mut Map<'a> = action.headers_mut();
    for (name, value) in headers {
        signed.insert(*name, (*value).to_owned());
    }
    let mut request = Request::builder().method(method).uri(action.sign(SIGNED_FOR).as_str());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.body(Full::new(body.clone()))?)
}

/// Whether a service may answer otherwise a moment later.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
}

fn finished(answer: Answer) -> Result<Answer> {
    if answer.status.is_success() || answer.status == StatusCode::NOT_FOUND {
        return Ok(answer);
    }
    bail!("the service refuses: {}", reason(&answer))
}

/// What the service says is wrong.
fn reason(answer: &Answer) -> String {
    let said = String::from_utf8_lossy(&answer.body);
    let element = |name: &str| said.split_once(&format!("<{name}>"))?.1.split_once('<').map(|(text, _)| text);
    let said = [element("Code"), element("Message")].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let said: String = said.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    if said.is_empty() { answer.status.to_string() } else { format!("{}: {said}", answer.status) }
}

/// A checksum in hexadecimal digits as the service has it.
fn encoded(sha256: &str) -> String {
    BASE64_STANDARD.encode(hex::decode(sha256).unwrap_or_default())
}

#[cfg(test)]
mod tests;
