//! Why a gateway does not start.

use std::net::SocketAddr;

/// Why a gateway does not start. What goes wrong with one device is told to that device.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing can listen there.
    #[error(
        "devices cannot be served on UDP {addr}: {source}; choose another address or stop the process that holds it"
    )]
    Bind {
        /// The configured address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The node's certificate and key do not work, or not together.
    #[error("the node's certificate or key is wrong: {0}; give a PEM chain and the key of its first certificate")]
    Certificate(rustls::Error),
    /// The authorities that sign device certificates do not work.
    #[error("the device authorities are wrong: {0}; give the certificates that sign device certificates")]
    DeviceRoots(rustls::server::VerifierBuilderError),
    /// Neither certificates nor tokens are set up.
    #[error("no device could prove who it is: configure device authorities, a token key, or both")]
    NoAuthentication,
}
