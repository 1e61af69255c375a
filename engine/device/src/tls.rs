//! The QUIC side of a device.

use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, TransportConfig, VarInt};
use rustls::RootCertStore;

use crate::{Error, Identity};

/// Bytes of sound that wait in each direction: two seconds, which is more than anyone would wait to hear.
const DATAGRAM_BUFFER: usize = 32 * 1_024;

/// Silence after which the connection counts as lost: a person does not wait for longer in front of a device whose node
/// was killed. A node says something every 20 seconds at least, which leaves ten to repeat what is lost on the way.
const IDLE: Duration = Duration::from_secs(30);

/// What quinn needs to reach a node.
pub(crate) fn client_config(roots: RootCertStore, identity: &Identity, datagrams: bool) -> Result<ClientConfig, Error> {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(Error::Certificate)?
        .with_root_certificates(roots);
    let mut crypto = match identity {
        Identity::Certificate { chain, key } => {
            builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(Error::Certificate)?
        }
        Identity::Token(_) => builder.with_no_client_auth(),
    };
    crypto.alpn_protocols = vec![sayso_wire::ALPN.to_vec()];

    let crypto = QuicClientConfig::try_from(crypto).expect("TLS 1.3 is on, with the cipher that QUIC begins with");
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport(datagrams)));
    Ok(config)
}

fn transport(datagrams: bool) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        // the device opens the one stream that there is
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(datagrams.then_some(DATAGRAM_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_BUFFER)
        .max_idle_timeout(IDLE.try_into().ok());
    transport
}
