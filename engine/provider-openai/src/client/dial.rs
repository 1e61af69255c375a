//! [`Dialler`]: how a connection comes about.

use core::fmt;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use sayso_provider::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::gated::{GatedIo, Owner};
use crate::{BaseUrl, Endpoint};

/// What the kernel may hold of a request: two seconds of speech. It bounds what was handed over and not sent yet when
/// consent is withdrawn, and still lets an upload run at ten times real time over a round trip of 200 ms.
const SEND_BUFFER_BYTES: u32 = 64 * 1024;
/// Addresses tried of those that a name resolves to: one of each family and one more of each.
const ADDRESSES_MAX: usize = 4;

/// A byte stream to a service, in the clear or under TLS.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// What is spoken over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// Its name in the TLS handshake (RFC 7301).
    const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

pub(crate) struct Dialler {
    base_url: BaseUrl,
    timeout: Duration,
    tls: Option<TlsConnector>,
}

impl Dialler {
    /// Over TLS the service chooses one of `protocols`, the best first; in the clear HTTP/1.1 is spoken.
    pub(crate) fn new(endpoint: &Endpoint, protocols: &[Protocol]) -> Self {
        Self {
            base_url: endpoint.base_url.clone(),
            timeout: endpoint.connect_timeout,
            tls: endpoint.base_url.tls().then(|| TlsConnector::from(Arc::new(tls_config(endpoint, protocols)))),
        }
    }

    /// Opens a connection whose writes run under the permit in `owner`, those of the TLS handshake too.
    pub(crate) async fn dial(&self, owner: &Owner) -> Result<(Box<dyn Io>, Protocol), Error> {
        match timeout(self.timeout, self.dial_unbounded(owner)).await {
            Ok(dialled) => dialled.map_err(|problem| {
                let (host, port) = (self.base_url.host(), self.base_url.port());
                Error::Unreachable(format!("{host} port {port}: {problem}"))
            }),
            Err(_) => Err(Error::Unreachable(format!("no connection within {:?}", self.timeout))),
        }
    }

    /// Opens a connection that belongs to no permit: nothing of anybody's goes over it.
    pub(crate) async fn dial_ungated(&self) -> Result<(Box<dyn Io>, Protocol), Error> {
        let dialled = async {
            let tcp = self.connect().await?;
            let io: Box<dyn Io> = match &self.tls {
                Some(tls) => Box::new(tls.connect(self.base_url.server_name(), tcp).await?),
                None => Box::new(tcp),
            };
            io::Result::Ok((io, Protocol::Http1))
        };
        timeout(self.timeout, dialled).await.unwrap_or(Err(io::ErrorKind::TimedOut.into())).map_err(|problem| {
            let (host, port) = (self.base_url.host(), self.base_url.port());
            Error::Unreachable(format!("{host} port {port}: {problem}"))
        })
    }

    async fn dial_unbounded(&self, owner: &Owner) -> io::Result<(Box<dyn Io>, Protocol)> {
        let gated = GatedIo::new(self.connect().await?, owner.clone())?;
        let Some(tls) = &self.tls else {
            return Ok((Box::new(gated), Protocol::Http1));
        };
        let stream = tls.connect(self.base_url.server_name(), gated).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(Protocol::Http2.alpn());
        Ok((Box::new(stream), if is_http2 { Protocol::Http2 } else { Protocol::Http1 }))
    }

    /// Tries the addresses in the resolver's order; each has an equal share of the time.
    async fn connect(&self) -> io::Result<TcpStream> {
        let found = lookup_host((self.base_url.host(), self.base_url.port())).await?;
        let addresses = found.take(ADDRESSES_MAX).collect::<Vec<_>>();
        let share = self.timeout / u32::try_from(addresses.len().max(1)).expect("at most ADDRESSES_MAX");
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match timeout(share, connect(address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    let tcp = socket.connect(address).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// TLS 1.2 and up on ring, trusting the public authorities and those of the endpoint.
fn tls_config(endpoint: &Endpoint, protocols: &[Protocol]) -> ClientConfig {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let (_added, ignored) = roots.add_parsable_certificates(endpoint.extra_roots.iter().cloned());
    if ignored > 0 {
        tracing::warn!(ignored, "certificate authorities that cannot be parsed are not trusted");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.alpn().to_vec()).collect();
    config
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl BaseUrl {
    fn server_name(&self) -> ServerName<'static> {
        ServerName::try_from(self.host().to_owned()).expect("checked when the URL was parsed")
    }
}
