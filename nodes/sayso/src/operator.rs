//! An operator's connection to the admin API of a node.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// What an operator shows and trusts, in PEM.
pub(crate) struct Credentials<'a> {
    /// Who vouches for the node.
    pub(crate) authority: &'a str,
    /// The operator's certificate, with those that vouch for it.
    pub(crate) certificate: &'a str,
    /// Its key.
    pub(crate) key: &'a str,
}

/// Connects to the node at `addr`, whose certificate is for `name`.
pub(crate) async fn connect(addr: SocketAddr, name: &str, credentials: &Credentials<'_>) -> Result<Channel> {
    let Credentials { authority, certificate, key } = credentials;
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority))
        .identity(Identity::from_pem(certificate, key))
        .domain_name(name);
    let endpoint = Endpoint::from_shared(format!("https://{addr}"))?.tls_config(tls)?;
    endpoint.connect().await.with_context(|| format!("cannot connect to the admin API at {addr}"))
}
