//! [`FakeHttp2`]: a service that speaks HTTP/2 under TLS, recognises everything as the same, and counts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::fake_openai::HEARD;

/// What arrived so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// Connections accepted.
    pub accepted: usize,
    /// Connections that ended, by whatever.
    pub ended: usize,
    /// Bytes of bodies.
    pub body: usize,
    /// Requests of which the whole body arrived.
    pub requests: Vec<(String, usize)>,
    /// Requests whose body was cut short.
    pub cut: usize,
}

/// The service. Dropping it ends it.
pub(crate) struct FakeHttp2 {
    pub address: SocketAddr,
    log: watch::Sender<Log>,
    _connections: JoinSet<()>,
}

impl FakeHttp2 {
    /// One that reads bodies as far as `pause_after` and then waits for `read_on`.
    pub(crate) async fn start(tls: TlsAcceptor, pause_after: usize, read_on: Arc<Notify>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = watch::Sender::<Log>::default();
        let mut connections = JoinSet::new();
        let told = log.clone();
        connections.spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                told.send_modify(|log| log.accepted += 1);
                let (tls, log, read_on) = (tls.clone(), told.clone(), Arc::clone(&read_on));
                served.spawn(async move {
                    if let Ok(stream) = tls.accept(tcp).await {
                        let answer =
                            service_fn(|request| recognise(request, pause_after, Arc::clone(&read_on), log.clone()));
                        let connection = http2::Builder::new(TokioExecutor::new());
                        _ = connection.serve_connection(TokioIo::new(stream), answer).await;
                    }
                    log.send_modify(|log| log.ended += 1);
                });
            }
        });
        Self { address, log, _connections: connections }
    }

    /// What arrived so far.
    pub(crate) fn log(&self) -> Log {
        self.log.borrow().clone()
    }

    /// Waits until what arrived satisfies `condition`.
    pub(crate) async fn wait_until(&self, condition: impl FnMut(&Log) -> bool) -> Log {
        self.log.subscribe().wait_for(condition).await.unwrap().clone()
    }
}

async fn recognise(
    request: Request<Incoming>,
    pause_after: usize,
    read_on: Arc<Notify>,
    log: watch::Sender<Log>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!(request.version(), Version::HTTP_2);
    let uri = request.uri().to_string();
    let (mut body, mut received) = (request.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            log.send_modify(|log| log.cut += 1);
            break;
        };
        let bytes = frame.into_data().map_or(0, |data| data.len());
        received += bytes;
        log.send_modify(|log| log.body += bytes);
        if received >= pause_after && received - bytes < pause_after {
            read_on.notified().await;
        }
    }
    log.send_modify(|log| log.requests.push((uri, received)));
    let text = serde_json::json!({"text": HEARD}).to_string();
    Ok(Response::new(Full::from(text)))
}
