//! What the admin API is given: where it listens, how it proves who it is, whom it believes, and its limits.

use std::net::SocketAddr;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sayso_audit::AuditKey;
use sayso_wire::token::TokenVerifier;
use serde::{Deserialize, Serialize};

/// Everything that an [`Admin`](crate::Admin) needs besides what it serves.
#[derive(Debug)]
pub struct AdminOptions {
    /// The TCP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificates.
    pub tls: Tls,
    /// Who signs tokens; without it every caller needs a client certificate, or does not get past TLS.
    pub tokens: Option<AdminTokens>,
    /// The key of the tags that stand for callers in the audit log. The same at every start, so that the deeds of one
    /// can be told from those of another; secret, so that nobody finds a name by trying names.
    pub operator_key: AuditKey,
    /// Limits.
    pub limits: Limits,
}

/// How the node proves who it is, and whose word it takes on who a caller is.
#[derive(Debug)]
pub struct Tls {
    /// The node's certificate, then those that vouch for it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the node's certificate.
    pub key: PrivateKeyDer<'static>,
    /// The authorities that sign callers' certificates; empty when all use tokens. A certificate whose subject has no O
    /// is that of the node's operator, who sees all tenants, and its CN names them. With a tenant as O it sees that
    /// tenant, and its CN is `admin:NAME`: so a device's certificate, which has its tenant as O, opens nothing here
    /// even if one authority signs both. A service outside of the node has `service:NAME` as CN, and for each processor
    /// that it is the URI `sayso:processor:ID` among the alternative names: it may ask for permits for those. Somebody who
    /// works for another company has it there as `sayso:employer:NAME`, and what they signed to keep what they see to
    /// themselves as `sayso:nda:REFERENCE`: one without the other opens nothing, and the certificate ends no later than what
    /// was signed.
    pub client_roots: RootCertStore,
}

/// Whose tokens open the admin API. A token has the form of a device token ([`sayso_wire::token`]), comes in the
/// metadata as `authorization: Bearer TOKEN`, and its device is `admin:NAME`. It always belongs to a tenant.
///
/// The signing keys must not be those of device tokens: with separate keys neither sort of token opens the other door.
#[derive(Clone, Debug)]
pub struct AdminTokens(pub(crate) TokenVerifier);

impl AdminTokens {
    /// Tokens that `verifier` accepts.
    #[must_use]
    pub const fn new(verifier: TokenVerifier) -> Self {
        Self(verifier)
    }
}

/// What callers may take up; times in milliseconds. Metrics show when one is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Connections. A backend needs one, a fleet of them a few dozen; each takes about 100 KB when busy.
    pub connections: usize,
    /// TLS handshakes under way. One costs about a millisecond of a core; more at once would only be late together.
    pub handshakes: usize,
    /// From the connection to the end of its handshake.
    pub handshake_ms: u64,
    /// Connections from one source on which nobody has proved yet who they are, those in their handshake among them. A source is
    /// an IPv4 address, or an IPv6 /64. Fewer than handshakes, so that one source leaves some to others.
    pub newcomers_per_source: usize,
    /// From the end of the handshake to the first call of somebody who proves who they are.
    pub first_call_ms: u64,
    /// Calls under way on one connection. HTTP/2 makes the others wait in the client.
    pub calls_per_connection: u32,
    /// From a call to its answer; streams have only begun by then. Longer than the longest wait for a withdrawal.
    pub call_ms: u64,
    /// Streams of services outside of the node, each with the permits that it has.
    pub permit_streams: usize,
    /// Permits that one of them has at once: what an ordinary campaign sends in a second. Each takes about 2 KB.
    pub permits_per_stream: usize,
    /// Questions of one of them that are being answered; each is a commit of the store.
    pub questions_per_permit_stream: usize,
    /// Streams that follow sessions or the audit log. While sessions change, each watcher lists them all four times a
    /// second, which takes a few milliseconds for 10,000.
    pub feeds: usize,
    /// Silence after which a connection is asked whether it is still there, and again for its answer.
    pub keep_alive_ms: u64,
    /// From the start of shutting down to its end; calls under way then are cut off.
    pub drain_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            handshakes: 16,
            handshake_ms: 5_000,
            newcomers_per_source: 12,
            first_call_ms: 10_000,
            calls_per_connection: 32,
            call_ms: 60_000,
            permit_streams: 64,
            permits_per_stream: 1_000,
            questions_per_permit_stream: 64,
            feeds: 16,
            keep_alive_ms: 20_000,
            drain_ms: 5_000,
        }
    }
}
