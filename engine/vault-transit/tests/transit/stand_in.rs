//! [`StandIn`]: what a transit engine answers to three of its questions, without a service behind it. Its ciphertexts are
//! the plaintexts in another alphabet, with a checksum.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(crate) const KEY: &str = "sayso";
pub(crate) const TOKEN: &str = "s.a-token-of-the-test";

struct State {
    version: u32,
    decrypt_from: u32,
    is_sealed: bool,
    is_broken: bool,
    questions: VecDeque<String>,
}

/// A running one; it ends when this is dropped.
pub(crate) struct StandIn {
    pub(crate) address: String,
    pub(crate) ca_file: Option<PathBuf>,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

impl StandIn {
    /// Starts one; with a directory for the certificate of its authority, under TLS.
    pub(crate) async fn start(tls: Option<&Path>) -> Self {
        let state =
            State { version: 1, decrypt_from: 1, is_sealed: false, is_broken: false, questions: VecDeque::new() };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ca_file, acceptor) = tls.map(certify).unzip();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, acceptor, Arc::clone(&state)));
        Self { address: format!("{scheme}://127.0.0.1:{port}"), ca_file, state, _tasks: tasks }
    }

    /// What was asked, in order.
    pub(crate) fn questions(&self) -> Vec<String> {
        self.state.lock().unwrap().questions.iter().cloned().collect()
    }

    /// Makes a new version of the key.
    pub(crate) fn rotate(&self) {
        self.state.lock().unwrap().version += 1;
    }

    /// Sets `min_decryption_version`.
    pub(crate) fn decrypt_from(&self, version: u32) {
        self.state.lock().unwrap().decrypt_from = version;
    }

    pub(crate) fn seal(&self, is_sealed: bool) {
        self.state.lock().unwrap().is_sealed = is_sealed;
    }

    /// From here on it speaks another protocol.
    pub(crate) fn answer_nonsense(&self) {
        self.state.lock().unwrap().is_broken = true;
    }
}

async fn serve(listener: TcpListener, acceptor: Option<TlsAcceptor>, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        connections.spawn(async move {
            match acceptor {
                None => converse(tcp, state).await,
                // One who does not trust the certificate goes away.
                Some(acceptor) => {
                    if let Ok(tls) = acceptor.accept(tcp).await {
                        converse(tls, state).await;
                    }
                }
            }
        });
    }
}

async fn converse(io: impl AsyncRead + AsyncWrite + Unpin, state: Arc<Mutex<State>>) {
    let service = service_fn(|request| async { Ok::<_, Infallible>(answer(request, &state).await) });
    // A client that leaves is no fault.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(io), service).await;
}

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let state = &mut *state.lock().unwrap();
    let problem = |status: StatusCode, text: &str| respond(status, &json!({ "errors": [text] }));
    if state.is_sealed {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed");
    }
    if state.is_broken {
        return respond(StatusCode::OK, &json!("welcome"));
    }
    if head.headers.get("x-vault-token").is_none_or(|token| token != TOKEN) {
        return problem(StatusCode::FORBIDDEN, "permission denied");
    }
    let path = head.uri.path().strip_prefix("/v1/keys/transit/").and_then(|path| path.split_once('/'));
    let Some((operation, KEY)) = path.filter(|_| head.method == Method::POST) else {
        return problem(StatusCode::NOT_FOUND, "no handler for route");
    };
    state.questions.push_back(operation.to_owned());
    let question: Value = serde_json::from_slice(&body).unwrap();
    let text = |name: &str| question[name].as_str().unwrap().to_owned();
    let outcome = match operation {
        "encrypt" => Ok(json!({ "ciphertext": encrypt(state, &STANDARD.decode(text("plaintext")).unwrap()) })),
        "decrypt" => decrypt(state, &text("ciphertext")).map(|plain| json!({ "plaintext": STANDARD.encode(plain) })),
        "rewrap" => decrypt(state, &text("ciphertext")).map(|plain| json!({ "ciphertext": encrypt(state, &plain) })),
        other => panic!("the client asks {other}"),
    };
    match outcome {
        Ok(data) => respond(StatusCode::OK, &json!({ "request_id": "0", "lease_id": "", "data": data })),
        Err(text) => problem(StatusCode::BAD_REQUEST, text),
    }
}

fn encrypt(state: &State, plaintext: &[u8]) -> String {
    let sum = Sha256::digest(plaintext);
    format!("vault:v{}:{}", state.version, URL_SAFE_NO_PAD.encode([&sum[..], plaintext].concat()))
}

fn decrypt(state: &State, ciphertext: &str) -> Result<Vec<u8>, &'static str> {
    let (version, text) = ciphertext.strip_prefix("vault:v").and_then(|c| c.split_once(':')).ok_or("no prefix")?;
    let version: u32 = version.parse().map_err(|_| "version could not be decoded")?;
    if version < state.decrypt_from {
        return Err("ciphertext or signature version is disallowed by policy (too old)");
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "could not decode base64")?;
    let (sum, plaintext) = bytes.split_at_checked(32).ok_or("invalid ciphertext")?;
    if sum == Sha256::digest(plaintext).as_slice() {
        Ok(plaintext.to_vec())
    } else {
        Err("cipher: message authentication failed")
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(Bytes::from(body.to_string()))).unwrap()
}

/// A certificate for this machine, of an authority whose own is written to `dir`.
fn certify(dir: &Path) -> (PathBuf, TlsAcceptor) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let ca_file = dir.join("ca.pem");
    std::fs::write(&ca_file, authority_certificate.pem()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (ca_file, TlsAcceptor::from(Arc::new(config)))
}
