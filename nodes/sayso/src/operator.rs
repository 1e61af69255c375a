//! An operator's connection to the admin API of a node.

use std::fs;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::Principal;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::cli::{NodeArgs, PersonArgs};

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

/// Connects to the node that `node` names.
pub(crate) async fn to(node: &NodeArgs) -> Result<Channel> {
    let read = |name: &str| {
        let file = node.certs.join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let (authority, certificate, key) = (read("ca.pem")?, read("cert.pem")?, read("key.pem")?);
    let credentials = Credentials { authority: &authority, certificate: &certificate, key: &key };
    connect(node.admin, &node.server_name, &credentials).await
}

/// The person whom a call is about.
pub(crate) fn principal(person: &PersonArgs) -> Principal {
    let subject_id = person.subject.map_or_else(String::new, |subject| subject.to_string());
    Principal { tenant_id: person.tenant.to_string(), device_id: person.device_id.to_string(), subject_id }
}
