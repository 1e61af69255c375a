//! [`Client`]: one question over HTTP, bounded in time and size.

use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use sayso_vault::KekError;
use serde::Deserialize;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::OptionError;
use crate::transit::authorities;

/// How long a question may take, connection included: three tries of a lost first packet, and the service's own work.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Bytes of an answer: many times those of a wrapped key.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Characters of what the service says is wrong that an error repeats.
const REASON_CHARS_MAX: usize = 200;

/// The header that carries the token.
const TOKEN_HEADER: &str = "x-vault-token";

type Http = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Asks one service.
pub(crate) struct Client {
    address: String,
    http: Http,
}

/// What the service says is wrong.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problems {
    errors: Vec<String>,
}

impl Client {
    /// A client of the service at `address`.
    pub(crate) fn new(address: String, ca_file: Option<&Path>) -> Result<Self, OptionError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = ca_file {
            for certificate in authorities(path)? {
                let wrong = |e: rustls::Error| OptionError::CaFile { path: path.to_owned(), problem: e.to_string() };
                roots.add(certificate).map_err(wrong)?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the cipher suites of TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        // Questions are rare: a connection that is kept would only be found dead.
        let http = legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { address, http })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The answer to `question`.
    pub(crate) async fn post(
        &self,
        path: &str,
        token: Zeroizing<String>,
        question: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let mut token = HeaderValue::from_str(&token)
            .map_err(|_| self.refused("its token holds characters that no token has".to_owned()))?;
        token.set_sensitive(true);
        let request = Request::post(format!("{}{path}", self.address))
            .header(TOKEN_HEADER, token)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from_owner(question)))
            .expect("the address and the path were checked");
        match timeout(ANSWER_WITHIN, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.unavailable(&format!("no answer within {ANSWER_WITHIN:?}"))),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let response = self.http.request(request).await.map_err(|e| self.unavailable(&causes(&e)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|e| self.unavailable(&causes(&*e)))?;
        let body = Zeroizing::new(body.to_bytes().to_vec());
        if status == StatusCode::OK {
            return Ok(body);
        }
        let problems: Problems = serde_json::from_slice(&body).unwrap_or_default();
        let said: String =
            problems.errors.join("; ").chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
        let reason = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
        // A service that is sealed, standing by or overloaded may be none of it later; all else stays as it is.
        let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        Err(if passes { self.unavailable(&reason) } else { self.refused(reason) })
    }

    pub(crate) fn unavailable(&self, reason: &str) -> KekError {
        KekError::Unavailable { service: self.address.clone(), reason: reason.to_owned() }
    }

    fn refused(&self, reason: String) -> KekError {
        KekError::Refused { service: self.address.clone(), reason }
    }
}

/// What `error` says, and what caused it: hyper's own text is "client error (Connect)".
fn causes(error: &(dyn core::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
