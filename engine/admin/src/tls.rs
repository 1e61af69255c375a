//! The TLS side of the admin API.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use sayso_types::Clock;

use crate::Error;
use crate::options::Tls;

/// gRPC is HTTP/2.
const ALPN: &[u8] = b"h2";

/// What rustls needs to serve callers: TLS 1.3, client certificates required unless a token may come instead.
pub(crate) fn server_config(tls: Tls, takes_tokens: bool, clock: Arc<dyn Clock>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_details(provider.clone(), Arc::new(NodeTime(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(Error::Certificate)?;
    let builder = if tls.client_roots.is_empty() {
        builder.with_no_client_auth()
    } else {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(tls.client_roots), provider);
        let verifier = if takes_tokens { verifier.allow_unauthenticated() } else { verifier };
        let verifier = verifier.build().map_err(Error::ClientRoots)?;
        builder.with_client_cert_verifier(verifier)
    };
    let mut config = builder.with_single_cert(tls.chain, tls.key).map_err(Error::Certificate)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed session would keep the word of a certificate that is no longer shown.
    config.send_tls13_tickets = 0;
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
