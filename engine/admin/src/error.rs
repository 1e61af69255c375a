//! Why the admin API does not start or go on.

use std::net::SocketAddr;

/// Why the admin API does not start or go on. What goes wrong with one call is told to its caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing can listen there.
    #[error(
        "admin calls cannot be served on TCP {addr}: {source}; choose another address or stop the process that holds it"
    )]
    Bind {
        /// The configured address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The node's certificate and key do not work, or not together.
    #[error("the admin API's certificate or key is wrong: {0}; give a PEM chain and the key of its first certificate")]
    Certificate(rustls::Error),
    /// The authorities that sign callers' certificates do not work.
    #[error("the admin authorities are wrong: {0}; give the certificates that sign operators' certificates")]
    ClientRoots(rustls::server::VerifierBuilderError),
    /// Neither certificates nor tokens are set up.
    #[error("no caller of the admin API could prove who it is: configure an admin authority, a token key, or both")]
    NoAuthentication,
    /// The server stopped by itself.
    #[error("the admin API stopped: {0}; the node must be restarted")]
    Serve(#[from] tonic::transport::Error),
}
