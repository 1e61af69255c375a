//! [`Fleet`]: the devices that a server is measured with.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, TransportConfig};
use sayso_types::{DeviceId, TenantId};

use crate::lab::authority::Credential;
use crate::lab::{Authority, Device};

/// Devices that connect at the same time: below half of the handshakes that a gateway takes at once, from where on
/// it asks for one more round trip.
const CONNECTING_MAX: usize = 64;

/// How often a connection that is silent shows that it is there: well below the 30 s after which quinn gives it up.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Devices on one socket.
pub(crate) struct Fleet {
    pub(crate) authority: Authority,
    endpoint: Endpoint,
}

impl Fleet {
    /// A fleet with an authority of its own. Call it within a tokio runtime.
    pub(crate) fn new() -> Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Self { authority: Authority::new()?, endpoint: Endpoint::client(any).context("cannot open a UDP socket")? })
    }

    /// `count` connections to a bare server.
    pub(crate) async fn connect(&self, server: SocketAddr, count: usize) -> Result<Vec<Connection>> {
        let config = self.config(None)?;
        let dial = |_| async { Ok(self.endpoint.connect_with(config.clone(), server, "localhost")?.await?) };
        stream::iter(0..count).map(dial).buffered(CONNECTING_MAX).try_collect().await
    }

    /// The devices of these numbers at a node.
    pub(crate) async fn attach(&self, node: SocketAddr, numbers: Range<usize>) -> Result<Vec<Device>> {
        let dial = |number| self.attach_one(node, number);
        stream::iter(numbers).map(dial).buffered(CONNECTING_MAX).try_collect().await
    }

    async fn attach_one(&self, node: SocketAddr, number: usize) -> Result<Device> {
        let id = device_id(number);
        let config = self.config(Some(self.authority.device(&tenant(), &id)?))?;
        let connection = self.endpoint.connect_with(config, node, "localhost")?.await?;
        Device::greet(connection, id).await
    }

    fn config(&self, credential: Option<Credential>) -> Result<ClientConfig> {
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(self.authority.roots()?);
        let mut crypto = match credential {
            Some(Credential { certificate, key }) => builder.with_client_auth_cert(vec![certificate], key)?,
            None => builder.with_no_client_auth(),
        };
        crypto.alpn_protocols = vec![sayso_wire::ALPN.to_vec()];
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(crypto)?));
        let mut transport = TransportConfig::default();
        transport.keep_alive_interval(Some(KEEP_ALIVE));
        config.transport_config(Arc::new(transport));
        Ok(config)
    }
}

/// Whose devices they are.
pub(crate) fn tenant() -> TenantId {
    "loadtest".parse().expect("lower-case letters are an id")
}

/// The device of this number, from 0.
pub(crate) fn device_id(number: usize) -> DeviceId {
    format!("device-{number}").parse().expect("letters, digits and a dash are an id")
}
