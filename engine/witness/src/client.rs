//! [`WitnessClient`]: asks a witness elsewhere to cosign a checkpoint.

mod address;

use core::time::Duration;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sayso_audit::note::NOTE_LEN_MAX;
use sayso_audit::witness::{ADD_CHECKPOINT_PATH, AddCheckpoint, Answer, SIZE_CONTENT_TYPE, Witness, WitnessError};
use sayso_http::{ExchangeError, exchange};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub use self::address::{Address, AddressError};

/// How long a witness has to answer, connecting included: it writes a file in between, and nobody waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A witness at an address. Each request has a connection of its own: there is one every few seconds at most.
#[derive(Clone)]
pub struct WitnessClient {
    address: Address,
    tls: Option<TlsConnector>,
    answer_within: Duration,
}

impl core::fmt::Debug for WitnessClient {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "WitnessClient({})", self.address)
    }
}

impl WitnessClient {
    /// The witness at `address`. Under `https://` its certificate must be by a public authority or one of `roots`.
    #[must_use]
    pub fn new(address: Address, roots: &[CertificateDer<'static>]) -> Self {
        let tls = address.tls.then(|| TlsConnector::from(Arc::new(tls_config(roots))));
        Self { address, tls, answer_within: ANSWER_WITHIN }
    }

    /// The same with another time for a request, connecting included; 10 s unless told.
    #[must_use]
    pub fn answers_within(self, answer_within: Duration) -> Self {
        Self { answer_within, ..self }
    }

    /// Posts `body`.
    async fn post(&self, body: String) -> Result<Response<Bytes>, Failure> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{ADD_CHECKPOINT_PATH}", self.address.prefix))
            .header(HOST, self.address.authority())
            .body(Full::new(Bytes::from(body)))
            .expect("a parsed prefix and a constant path make a path");
        let Address { host, port, .. } = &self.address;
        let tcp = TcpStream::connect((host.as_str(), *port)).await?;
        tcp.set_nodelay(true)?;
        match &self.tls {
            Some(tls) => {
                let name = ServerName::try_from(host.clone()).expect("checked when the address was parsed");
                Ok(exchange(tls.connect(name, tcp).await?, request, NOTE_LEN_MAX).await?)
            }
            None => Ok(exchange(tcp, request, NOTE_LEN_MAX).await?),
        }
    }
}

#[async_trait]
impl Witness for WitnessClient {
    async fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<Answer, WitnessError> {
        let unreached = |problem: String| WitnessError::Unreached(problem);
        let answered = timeout(self.answer_within, self.post(request.encode())).await;
        let response = answered
            .map_err(|_| unreached(format!("no answer within {:?}", self.answer_within)))?
            .map_err(|failure| unreached(failure.to_string()))?;
        let text = core::str::from_utf8(response.body()).map_err(|_| WitnessError::Malformed("it is not UTF-8"));
        match response.status() {
            StatusCode::OK => Ok(Answer::Cosigned(text?.to_owned())),
            StatusCode::CONFLICT
                if response.headers().get(CONTENT_TYPE).is_some_and(|value| value == SIZE_CONTENT_TYPE) =>
            {
                let size = text?.strip_suffix('\n').and_then(|size| size.parse().ok());
                size.map(Answer::OtherSize).ok_or(WitnessError::Malformed("its size is not a number"))
            }
            other => Err(WitnessError::Refused(other.as_u16())),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] ExchangeError),
}

/// TLS 1.2 and up on ring, trusting the public authorities and `roots`, speaking HTTP/1.1.
fn tls_config(roots: &[CertificateDer<'static>]) -> ClientConfig {
    let mut trusted = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let (_added, ignored) = trusted.add_parsable_certificates(roots.iter().cloned());
    if ignored > 0 {
        tracing::warn!(ignored, "certificate authorities that cannot be parsed are not trusted");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
