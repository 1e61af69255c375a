//! [`WitnessClient`]: asks a witness elsewhere to cosign a checkpoint.

mod address;

use core::pin::pin;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sayso_audit::note::NOTE_LEN_MAX;
use sayso_audit::witness::{ADD_CHECKPOINT_PATH, AddCheckpoint, Answer, SIZE_CONTENT_TYPE, Witness, WitnessError};
use tokio::io::{AsyncRead, AsyncWrite};
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

    /// Posts `body`; status, content type and body of the answer.
    async fn post(&self, body: String) -> Result<Response, Failure> {
        let Address { host, port, .. } = &self.address;
        let tcp = TcpStream::connect((host.as_str(), *port)).await?;
        tcp.set_nodelay(true)?;
        match &self.tls {
            Some(tls) => {
                let name = ServerName::try_from(host.clone()).expect("checked when the address was parsed");
                self.exchange(tls.connect(name, tcp).await?, body).await
            }
            None => self.exchange(tcp, body).await,
        }
    }

    async fn exchange<S>(&self, stream: S, body: String) -> Result<Response, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{ADD_CHECKPOINT_PATH}", self.address.prefix))
            .header(HOST, self.address.authority())
            .body(Full::new(Bytes::from(body)))
            .expect("a parsed prefix and a constant path make a path");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let answer = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, NOTE_LEN_MAX).collect().await.map_err(|_| Failure::Body)?.to_bytes();
            Ok(Response { status: head.status, content_type: head.headers.get(CONTENT_TYPE).cloned(), body })
        };
        let (mut answer, mut connection) = (pin!(answer), pin!(connection));
        let mut is_open = true;
        // hyper moves bytes only while its connection is polled
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                _ = &mut connection, if is_open => is_open = false,
            }
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
        let text = core::str::from_utf8(&response.body).map_err(|_| WitnessError::Malformed("it is not UTF-8"));
        match response.status {
            StatusCode::OK => Ok(Answer::Cosigned(text?.to_owned())),
            StatusCode::CONFLICT if response.content_type.is_some_and(|value| value == SIZE_CONTENT_TYPE) => {
                let size = text?.strip_suffix('\n').and_then(|size| size.parse().ok());
                size.map(Answer::OtherSize).ok_or(WitnessError::Malformed("its size is not a number"))
            }
            other => Err(WitnessError::Refused(other.as_u16())),
        }
    }
}

/// What a witness answered.
struct Response {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error("its answer broke off, or is longer than {NOTE_LEN_MAX} bytes")]
    Body,
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
