//! `sayso init --join`: gets what a node needs from whoever invited it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use sayso_policy::Place;
use sayso_runtime::SystemClock;
use sayso_types::Clock;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Token;
use super::message::{self, Answer, FAREWELL, File, Request, VERSION, Welcome};
use crate::cli::PeerAddress;
use crate::config::Config;
use crate::{certs, serve};

/// How long whoever invited may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A node that was let in, before it is written down.
pub(crate) struct Entering {
    /// Its configuration.
    pub(crate) config: Config,
    /// What that names: each with its name, its text and whether only its owner may read it.
    pub(crate) files: Vec<(String, String, bool)>,
}

/// Asks whoever printed `token` for all that a node needs that stands in `region`, and that its peers reach at `address` and
/// devices under `names`.
///
/// # Errors
/// When the token is over, whoever answers is not of its cluster, or the answer is no.
pub(crate) fn enter(
    token: &Token,
    address: &PeerAddress,
    names: &[String],
    region: Option<&Place>,
) -> Result<Entering> {
    let now = SystemClock::new().wall().0 / 1_000;
    if token.is_over(now) {
        bail!("the token expired {} minutes ago: have a new one printed", (now - token.expires) / 60);
    }
    let (peer_key, peer) = certs::Request::make()?;
    let (node_key, node) = certs::Request::make()?;
    let (names, region) = (names.to_vec(), region.cloned());
    let mut request = Request { version: VERSION, peer, node, region, names, proof: String::new() };
    request.proof = hex::encode(token.prove(&request.parts()));
    let asked = serve::runtime()?.block_on(async { timeout(ANSWER_WITHIN, ask(token, &request)).await });
    let unreachable = || format!("nobody answers at {}: is `sayso store invite` still running there?", token.at);
    let Welcome { peer_chain, node_chain, mut config, files } = asked.with_context(unreachable)??;

    config.store.region = request.region;
    let Some(raft) = &mut config.store.raft else { bail!("the cluster's configuration has no table [store.raft]") };
    raft.node = token.node;
    raft.listen = address.listen();
    raft.address = Some(address.to_string());
    if let Some(File { name, .. }) = files.iter().find(|file| !is_plain(&file.name)) {
        bail!("the cluster sends a file {name:?}, which is none of a node's");
    }
    let mut files: Vec<_> = files.into_iter().map(|File { name, text, is_secret }| (name, text, is_secret)).collect();
    files.extend([
        ("peer/cert.pem".to_owned(), peer_chain, false),
        ("peer/key.pem".to_owned(), peer_key, true),
        ("node/cert.pem".to_owned(), node_chain, false),
        ("node/key.pem".to_owned(), node_key, true),
    ]);
    Ok(Entering { config, files })
}

/// Whether a name stays within a directory: one word, or two with a slash.
fn is_plain(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && !word.starts_with('.')
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    name.split('/').count() <= 2 && name.split('/').all(is_word)
}

async fn ask(token: &Token, request: &Request) -> Result<Welcome> {
    let unreachable = || format!("cannot reach {}: is `sayso store invite` still running there?", token.at);
    let stream = TcpStream::connect(&token.at).await.with_context(unreachable)?;
    let name = ServerName::try_from(token.inviter()).context("the token names no cluster")?;
    let connected = TlsConnector::from(Arc::new(tls(token)?)).connect(name, stream).await;
    let mut stream = connected.with_context(|| format!("{} is not of cluster {}", token.at, token.cluster))?;
    message::send(&mut stream, request).await?;
    let answer = message::receive(&mut stream).await.context("the answer was cut off: try again")?;
    match answer {
        Answer::Welcome(welcome) => {
            stream.write_all(FAREWELL).await?;
            stream.shutdown().await?;
            Ok(*welcome)
        }
        Answer::Refused(reason) => bail!("cluster {} refuses: {reason}", token.cluster),
    }
}

fn tls(token: &Token) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(OfTheCluster { token: token.clone(), provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Trusts whoever shows a certificate of the authority that the token names by its fingerprint.
#[derive(Debug)]
struct OfTheCluster {
    token: Token,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OfTheCluster {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let is_authority = |shown: &&CertificateDer<'_>| self.token.vouches(Sha256::digest(shown).into());
        let authority = intermediates.iter().find(is_authority);
        let authority = authority.ok_or(TlsError::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        // From here on as everybody does: the authority is known, and the rest follows from it.
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
        let verifier = verifier.build().map_err(|error| TlsError::General(error.to_string()))?;
        verifier.verify_server_cert(end_entity, &[], server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
