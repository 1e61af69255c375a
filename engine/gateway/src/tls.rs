//! The QUIC side of a gateway: certificates, ALPN and what a connection may take up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{ServerConfig, TransportConfig, VarInt};
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use sayso_types::Clock;

use crate::Error;
use crate::options::{Limits, Tls};

/// Bytes of the control stream that a device may send before they are read: one message of the largest size.
const STREAM_WINDOW: u32 = sayso_wire::MESSAGE_BYTES_MAX as u32 + 1_024;
/// Bytes sent on the control stream that the device has not acknowledged: several of the longest messages.
const SEND_WINDOW: u64 = 64 * 1_024;
/// Bytes of datagrams that wait in each direction: 1.3 seconds of 20 ms packets of speech with quinn's bookkeeping.
/// More would be heard as delay; the oldest are dropped when it is reached.
const DATAGRAM_BUFFER: usize = 16 * 1_024;
/// First packets that wait for the admission, which takes each within microseconds. quinn ignores those beyond without
/// a word, so that devices try again in step, and worse: this is as large as a burst of the socket's buffer, and 6 MB.
const INCOMING_MAX: usize = 4_096;
/// Bytes that a device may send before it is admitted: a large certificate chain fits.
const INCOMING_BUFFER: u64 = 16 * 1_024;
/// The same for all together.
const INCOMING_BUFFER_TOTAL: u64 = 4 * 1_024 * 1_024;

/// A node is silent for no longer, however long a device may be: address translators forget a device after 30 seconds
/// (RFC 4787 wants two minutes, many do not), and devices give a node up that is silent for as long.
const KEEP_ALIVE_MAX: Duration = Duration::from_secs(20);

/// What quinn needs to serve devices.
pub(crate) fn server_config(tls: Tls, limits: &Limits, clock: Arc<dyn Clock>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_details(provider.clone(), Arc::new(NodeTime(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(Error::Certificate)?;
    let builder = if tls.device_roots.is_empty() {
        builder.with_no_client_auth()
    } else {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(tls.device_roots), provider)
            // a device may come with a token instead
            .allow_unauthenticated()
            .build()
            .map_err(Error::DeviceRoots)?;
        builder.with_client_cert_verifier(verifier)
    };
    let mut crypto = builder.with_single_cert(tls.chain, tls.key).map_err(Error::Certificate)?;
    crypto.alpn_protocols = vec![sayso_wire::ALPN.to_vec()];
    // a fleet is far larger than the cache that sessions would be resumed from: tickets would only be sent for nothing
    crypto.send_tls13_tickets = 0;

    let crypto = QuicServerConfig::try_from(crypto).expect("TLS 1.3 is on, with the cipher that QUIC begins with");
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config
        .transport_config(Arc::new(transport(limits)))
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BUFFER)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL);
    Ok(config)
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

fn transport(limits: &Limits) -> TransportConfig {
    let idle = Duration::from_millis(limits.idle_ms);
    let mut transport = TransportConfig::default();
    transport
        // quinn keeps state for every stream that a peer could open, and a device opens one
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(STREAM_WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_BUFFER)
        .max_idle_timeout(idle.try_into().ok())
        .keep_alive_interval(Some((idle / 3).min(KEEP_ALIVE_MAX)));
    transport
}
