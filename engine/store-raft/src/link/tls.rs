//! The QUIC side of a node: certificates both ways, and what a connection may take up.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{AckFrequencyConfig, ClientConfig, Connection, ServerConfig, TransportConfig, VarInt};
use rustls::client::{Resumption, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use sayso_types::Clock;

use crate::{Error, Tls};

/// Protocol and version, as TLS negotiates it.
const ALPN: &[u8] = b"sayso-peer/1";
/// Requests of a peer that are under way at once: each of its forwarded commits is one.
const STREAMS_MAX: u32 = 512;
/// Bytes of one request that may arrive before they are read.
const STREAM_WINDOW: u32 = 4 << 20;
/// The same of all requests of a peer.
const RECEIVE_WINDOW: u32 = 16 << 20;
/// How long a peer that says nothing is taken to be there. Shorter than anything a person notices, longer than a stall of
/// a busy machine.
const IDLE: Duration = Duration::from_secs(3);
/// How far a peer is taken to be before that is known: nodes of a cluster are near, so what is lost on the way to a first
/// answer is sent again soon.
const INITIAL_RTT: Duration = Duration::from_millis(50);
/// Packets after which a peer acknowledges them without delay, unless one is missing. Most requests are a packet, and its
/// acknowledgement goes with the answer: one of its own costs as much as the answer does.
const UNACKNOWLEDGED_MAX: u32 = 8;
/// How often a silent connection is used, so that it is not idle.
const KEEP_ALIVE: Duration = Duration::from_millis(700);

/// What quinn needs to accept peers, and to connect to them. `clock` says which certificates are valid by now.
pub(super) fn configs(tls: &Tls, clock: &Arc<dyn Clock>) -> Result<(ServerConfig, ClientConfig), Error> {
    let unusable = |reason: String| Error::Certificate { reason };
    let time = Arc::new(NodeTime(Arc::clone(clock)));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(tls.roots.clone());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build();
    let mut server = rustls::ServerConfig::builder_with_details(Arc::clone(&provider), time.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|builder| {
            let verifier = verifier.map_err(|e| rustls::Error::General(e.to_string()))?;
            builder.with_client_cert_verifier(verifier).with_single_cert(tls.chain.clone(), tls.key.clone_key())
        })
        .map_err(|e| unusable(e.to_string()))?;
    server.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed session would keep the word of a certificate that is not shown again, and may have ended since.
    server.send_tls13_tickets = 0;
    let mut client = rustls::ClientConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|builder| {
            builder.with_root_certificates(roots).with_client_auth_cert(tls.chain.clone(), tls.key.clone_key())
        })
        .map_err(|e| unusable(e.to_string()))?;
    client.alpn_protocols = vec![ALPN.to_vec()];
    client.resumption = Resumption::disabled();

    let transport = Arc::new(transport());
    let server = QuicServerConfig::try_from(server).expect("TLS 1.3 is on, with the cipher that QUIC begins with");
    let mut server = ServerConfig::with_crypto(Arc::new(server));
    server.transport_config(Arc::clone(&transport));
    let client = QuicClientConfig::try_from(client).expect("TLS 1.3 is on, with the cipher that QUIC begins with");
    let mut client = ClientConfig::new(Arc::new(client));
    client.transport_config(transport);
    Ok((server, client))
}

fn transport() -> TransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(UNACKNOWLEDGED_MAX));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .datagram_receive_buffer_size(None)
        .initial_rtt(INITIAL_RTT)
        .ack_frequency_config(Some(acks))
        .max_idle_timeout(IDLE.try_into().ok())
        .keep_alive_interval(Some(KEEP_ALIVE));
    transport
}

/// The node's clock decides whether a certificate has expired.
struct NodeTime(Arc<dyn Clock>);

impl TimeProvider for NodeTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.wall().0)))
    }
}

impl fmt::Debug for NodeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeTime")
    }
}

/// Whether the peer's certificate is valid for `name`. That the authority vouches for it was checked in the handshake.
pub(super) fn is_named(connection: &Connection, name: &str) -> bool {
    let identity =
        connection.peer_identity().and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok());
    let Some(certificate) = identity.as_ref().and_then(|chain| chain.first()) else { return false };
    let (Ok(certificate), Ok(name)) = (ParsedCertificate::try_from(certificate), ServerName::try_from(name)) else {
        return false;
    };
    verify_server_name(&certificate, &name).is_ok()
}
