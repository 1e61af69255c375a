//! What a gateway is given: where it listens, how it proves who it is, and its limits.

use std::net::SocketAddr;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_wire::token::TokenVerifier;
use serde::{Deserialize, Serialize};

/// Everything that a [`Gateway`](crate::Gateway) needs besides the sessions.
#[derive(Debug)]
pub struct GatewayOptions {
    /// The UDP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificates.
    pub tls: Tls,
    /// Who signs device tokens; without it devices need a client certificate.
    pub tokens: Option<TokenVerifier>,
    /// Limits.
    pub limits: Limits,
}

/// How the node proves who it is, and whose word it takes on who a device is.
#[derive(Debug)]
pub struct Tls {
    /// The node's certificate, then those that vouch for it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the node's certificate.
    pub key: PrivateKeyDer<'static>,
    /// The authorities that sign device certificates; empty when all devices use tokens.
    pub device_roots: RootCertStore,
}

/// What one node and one device may take up; times in milliseconds. Metrics show when one is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Connections of this node. An idle device takes about 40 KB, so 20,000 take under a gigabyte.
    pub connections: usize,
    /// Connections from one source: an IPv4 address, or an IPv6 /64, which is what one host is given. Homes and
    /// offices share an address among tens of devices; a thousand from one are an accident or an attack.
    pub connections_per_source: usize,
    /// Handshakes under way. One costs half a millisecond of a core, so 256 are done in an eighth of a second on
    /// one core; more waiting at once only makes all of them late, and established conversations with them. Above
    /// half of it, a device must prove its address first.
    pub handshakes: usize,
    /// From a device's first packet to the end of the handshake: several losses on a poor link.
    pub handshake_ms: u64,
    /// From the end of the handshake to a complete `Hello`.
    pub hello_ms: u64,
    /// From the `Hello` to the conversation, which may have to be read from the store first.
    pub attach_ms: u64,
    /// Silence after which a connection counts as lost, unless the device wants less. The node sends a packet in a
    /// third of it, and every 20 seconds at least, when nobody says anything, which also keeps address translators from
    /// forgetting the device.
    pub idle_ms: u64,
    /// From the start of draining to its end; what is connected then is cut off.
    pub drain_ms: u64,
    /// Over how long devices spread when they connect again after a drain, so that they do not come all at once.
    pub reconnect_spread_ms: u64,
    /// Messages that wait for a device. A turn makes about ten; a device that leaves this many is gone or stuck.
    pub control_queue: usize,
    /// Packets of sound that wait for a device which takes no datagrams: 1.3 seconds of 20 ms packets. For the
    /// others, sound waits in QUIC's own buffer, which is as large.
    pub audio_queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_source: 64,
            handshakes: 256,
            handshake_ms: 5_000,
            hello_ms: 5_000,
            attach_ms: 10_000,
            idle_ms: 60_000,
            drain_ms: 10_000,
            reconnect_spread_ms: 10_000,
            control_queue: 64,
            audio_queue: 64,
        }
    }
}
