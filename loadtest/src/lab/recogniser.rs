//! [`Recogniser`]: a speech service at the other end of a TCP connection, which counts what arrives.

mod http;
mod realtime;
mod tap;
mod upload;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use clap::ValueEnum;
use rustls::ServerConfig;
use sayso_runtime::TaskKind;
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

use self::tap::Tap;
pub(crate) use self::upload::Upload;
use crate::lab::{Authority, Ground};

/// What the kernel may hold in front of this service: little, so that an upload waits at the sender while it is not read.
const RECEIVE_BUFFER_BYTES: u32 = 16 * 1024;
/// Connections that wait to be accepted: more than there are callers.
const BACKLOG: u32 = 64;

/// How a recogniser is talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// Whole utterances over HTTP/1.1, in the clear.
    Http1,
    /// Whole utterances over HTTP/2, under TLS.
    Http2,
    /// Utterances as they are spoken, over a WebSocket in the clear.
    Websocket,
}

impl Protocol {
    /// What it is called in a report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Websocket => "WebSocket",
        }
    }
}

/// Recognises nothing, and answers with how many bytes it was sent. A [watched](Self::watch) upload it never answers.
pub(crate) struct Recogniser {
    /// Where its interface begins.
    pub(crate) base_url: String,
    next: Next,
}

/// The upload that is to be watched.
type Next = Arc<Mutex<Option<Arc<Upload>>>>;

/// What the service knows of the upload that it is about to take.
enum Announced {
    /// Its length in bytes.
    Length(u64),
    /// Its language.
    Language(String),
}

/// Which uploads are watched.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// Those of this many bytes or more, where the length is told first.
    pub(crate) from_bytes: u64,
    /// Those in this language, where it is not.
    pub(crate) language: &'static str,
}

impl Watched {
    fn covers(&self, announced: &Announced) -> bool {
        match announced {
            Announced::Length(bytes) => *bytes >= self.from_bytes,
            Announced::Language(language) => language == self.language,
        }
    }
}

impl Recogniser {
    /// Starts one on this machine, whose certificate is `authority`'s where it needs one.
    pub(crate) fn start(protocol: Protocol, watched: Watched, authority: &Authority, ground: &Ground) -> Result<Self> {
        let socket = TcpSocket::new_v4().context("cannot open a TCP socket")?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = socket.listen(BACKLOG)?;
        let (port, next) = (listener.local_addr()?.port(), Next::default());
        let tls = match protocol {
            Protocol::Http2 => Some(acceptor(authority)?),
            Protocol::Http1 | Protocol::Websocket => None,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let service = Service { protocol, watched, tls, next: Arc::clone(&next), ground: ground.clone() };
        ground.tasks.spawn(TaskKind::Client, "recogniser", accept(listener, service)).detach();
        Ok(Self { base_url: format!("{scheme}://localhost:{port}/v1"), next })
    }

    /// Watches the next upload of those that are watched: something is to be done at its `offset`, where it `stops` or not.
    pub(crate) fn watch(&self, offset: u64, stops: bool, ground: &Ground) -> Arc<Upload> {
        let upload = Arc::new(Upload::new(offset, stops, Arc::clone(&ground.clock)));
        *lock(&self.next) = Some(Arc::clone(&upload));
        upload
    }

    /// Watches no further upload.
    pub(crate) fn watch_nothing(&self) {
        *lock(&self.next) = None;
    }
}

/// What serves connections.
#[derive(Clone)]
struct Service {
    protocol: Protocol,
    watched: Watched,
    tls: Option<TlsAcceptor>,
    next: Next,
    ground: Ground,
}

impl Service {
    /// The watched upload that `announced` is, from here on over the connection of `tap`; [`None`] if it is none.
    fn watched(&self, announced: &Announced, tap: &Arc<Tap>) -> Option<Arc<Upload>> {
        let upload = lock(&self.next).take_if(|_| self.watched.covers(announced))?;
        upload.begin(Arc::clone(tap));
        Some(upload)
    }
}

async fn accept(listener: TcpListener, service: Service) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tap, io) = Tap::new(stream);
        let tasks = service.ground.tasks.clone();
        let pump = Arc::clone(&tap).pump(io.behind);
        tasks.spawn(TaskKind::Client, "recogniser's connection", pump).detach();
        let service = service.clone();
        let serve = async move {
            match (service.protocol, service.tls.clone()) {
                (Protocol::Websocket, _) => realtime::serve(io.front, &service, &tap).await,
                (_, None) => http::serve1(io.front, service, tap).await,
                (_, Some(tls)) => {
                    if let Ok(stream) = tls.accept(io.front).await {
                        http::serve2(stream, service, tap).await;
                    }
                }
            }
        };
        tasks.spawn(TaskKind::Client, "recogniser's answers", serve).detach();
    }
}

/// TLS with a certificate of `authority`, for HTTP/2.
fn acceptor(authority: &Authority) -> Result<TlsAcceptor> {
    let credential = authority.node()?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![credential.certificate], credential.key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
