//! Those who are not devices of an installation, or do not behave as one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};

use crate::{Installation, TENANT, within};

/// Writes a certificate of `device` that nobody vouches for, with its key and the node's authority, to the directory
/// `name` of `installation`: all that `sayso device --certs` takes.
///
/// # Panics
/// When it cannot be written.
pub fn self_signed(installation: &Installation, name: &str, device: &str) {
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.distinguished_name.push(DnType::CommonName, device);
    params.distinguished_name.push(DnType::OrganizationName, TENANT);
    let key = KeyPair::generate().expect("the system gives random bytes");
    let certificate = params.self_signed(&key).expect("the parameters are those of a certificate");
    let dir = installation.path(name);
    let written = std::fs::create_dir(&dir)
        .and_then(|()| std::fs::copy(installation.path("device/ca.pem"), dir.join("ca.pem")))
        .and_then(|_| std::fs::write(dir.join("cert.pem"), certificate.pem()))
        .and_then(|()| std::fs::write(dir.join("key.pem"), key.serialize_pem()));
    written.expect("the directory can be written");
}

/// Connects to a node of `installation` without a certificate, asking for the protocol `alpn`.
///
/// # Errors
/// When the node does not take the connection.
///
/// # Panics
/// When there is no socket to be had.
pub async fn connect(
    installation: &Installation,
    node: SocketAddr,
    alpn: &[u8],
) -> Result<Connection, ConnectionError> {
    let mut crypto = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("ring has TLS 1.3")
        .with_root_certificates(installation.roots())
        .with_no_client_auth();
    crypto.alpn_protocols = vec![alpn.to_vec()];
    let crypto = QuicClientConfig::try_from(crypto).expect("TLS 1.3 is on");
    let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("there is a UDP port");
    let connecting = endpoint.connect_with(ClientConfig::new(Arc::new(crypto)), node, "localhost");
    within("a connection", connecting.expect("the address is one")).await
}
