//! Services under TLS.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_provider::Error;
use tokio_rustls::TlsAcceptor;

use crate::bench::{endpoint_at, hear, transcriber};
use crate::fake_openai::{FakeOpenAi, HEARD};

/// An authority of one's own (PEM) and a service with a certificate from it.
pub(crate) fn private_service() -> (String, FakeOpenAi) {
    let (authority, acceptor) = private_tls(b"http/1.1");
    (authority, FakeOpenAi::start_with(Some(acceptor)))
}

/// An authority of one's own (PEM), and what serves under a certificate from it, speaking `protocol`.
pub(crate) fn private_tls(protocol: &[u8]) -> (String, TlsAcceptor) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate)],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn a_private_service_is_trusted_through_its_authority() {
    let (authority, fake) = private_service();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let url = format!("https://localhost:{}/v1", fake.address.port());
    let transcriber = transcriber(endpoint_at(&url).with_ca_file(file.path()).unwrap());
    assert_eq!(hear(&transcriber).await.unwrap(), HEARD);
    assert_eq!(hear(&transcriber).await.unwrap(), HEARD);
    assert_eq!(fake.log().accepted, 1, "connections under TLS are reused too");
}

#[tokio::test]
async fn a_service_that_nobody_vouches_for_hears_nothing() {
    let (_authority, fake) = private_service();
    let url = format!("https://localhost:{}/v1", fake.address.port());
    let error = hear(&transcriber(endpoint_at(&url))).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable(text) if text.contains("certificate")), "{error}");
    assert!(fake.log().bytes.is_empty());
}
