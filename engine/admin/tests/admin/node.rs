//! A node with nothing but an admin API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use sayso_admin::{Admin, AdminOptions, AdminTokens, Error, Limits, Tls};
use sayso_audit::{AuditKey, Leaf, Signer};
use sayso_consent::Register;
use sayso_egress::{Egress, Processors, Timeouts};
use sayso_policy::Profile;
use sayso_proto::admin::v1::audit_client::AuditClient;
use sayso_proto::admin::v1::consent_client::ConsentClient;
use sayso_proto::admin::v1::exemptions_client::ExemptionsClient;
use sayso_proto::admin::v1::guardians_client::GuardiansClient;
use sayso_proto::admin::v1::holds_client::HoldsClient;
use sayso_proto::admin::v1::incidents_client::IncidentsClient;
use sayso_proto::admin::v1::kept_client::KeptClient;
use sayso_proto::admin::v1::notices_client::NoticesClient;
use sayso_proto::admin::v1::rights_client::RightsClient;
use sayso_proto::admin::v1::sessions_client::SessionsClient;
use sayso_proto::admin::v1::statistics_client::StatisticsClient;
use sayso_proto::admin::v1::switches_client::SwitchesClient;
use sayso_runtime::{CancellationToken, SystemClock, TaskHandle, TaskKind, Tasks};
use sayso_session_actor::{ActorSessions, Options};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{Clock, Name};
use sayso_vault::testing::vault;
use sayso_wire::token::{Claims, TokenSigner, TokenVerifier};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::authority::Authority;
use crate::soon;

pub(crate) const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
const KEY_ID: Name = Name::constant("admin-key");

/// Whose devices the tests have.
pub(crate) const TENANT: &str = "acme";

/// A node, and whatever keeps it going.
pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    pub(crate) authority: Authority,
    pub(crate) register: Arc<Register>,
    pub(crate) sessions: ActorSessions,
    pub(crate) signer: Arc<Signer>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) admin: TaskHandle,
    pub(crate) tasks: Tasks,
    clock: Arc<dyn Clock>,
    _store: Arc<LocalStore>,
    _dir: tempfile::TempDir,
}

impl Node {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::of(Profile::parse(HOME).unwrap(), limits, &[]).await
    }

    /// One under another policy.
    pub(crate) async fn under(profile: Profile) -> Self {
        Self::of(profile, Limits::default(), &[]).await
    }

    /// One under another policy, that has `receivers` told to delete.
    pub(crate) async fn telling(profile: Profile, receivers: &[&str]) -> Self {
        Self::of(profile, Limits::default(), receivers).await
    }

    async fn of(profile: Profile, limits: Limits, receivers: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (tasks, clock) = (Tasks::new(), Arc::new(SystemClock::new()));
        let store = LocalStore::open(dir.path(), LocalOptions::new(clock.clone())).unwrap();
        let profile = Arc::new(profile);
        // Withdrawals that have to wait for a holder answer soon, so that tests see them pending.
        let deletes = receivers.iter().map(|id| id.parse().unwrap()).collect();
        let options =
            sayso_consent::Options { withdraw_wait: Duration::from_millis(20), deletes, ..Default::default() };
        let vault = vault(store.clone()).await.unwrap();
        let register =
            Register::open(store.clone(), vault, profile, clock.clone(), tasks.clone(), options).await.unwrap();
        let egress = Egress::new(register.clone(), Processors::none(), Timeouts::default(), tasks.clone());
        let options = Options { resume_within: Duration::from_millis(1), ..Options::default() };
        let sessions =
            ActorSessions::start(register.clone(), Arc::new(egress), tasks.clone(), clock.clone(), options).await;
        let (sessions, authority) = (sessions.unwrap(), Authority::new());
        let signer = Arc::new(Signer::new("test.example/log", &[5; 32]).unwrap());
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = AdminOptions { limits, ..options_of(&authority, listen) };
        let admin =
            Admin::bind(options, sessions.clone(), register.clone(), signer.clone(), clock.clone(), tasks.clone());
        let (admin, shutdown) = (admin.unwrap(), CancellationToken::new());
        let addr = admin.local_addr();
        let admin = tasks.spawn(TaskKind::Listener, "admin", admin.run(shutdown.clone()));
        Self { addr, authority, register, sessions, signer, shutdown, admin, tasks, clock, _store: store, _dir: dir }
    }

    /// A second admin API on the same sessions and register.
    pub(crate) fn bind(&self, options: AdminOptions) -> Result<Admin, Error> {
        let (sessions, register) = (self.sessions.clone(), self.register.clone());
        Admin::bind(options, sessions, register, self.signer.clone(), self.clock.clone(), self.tasks.clone())
    }

    /// The operator of the node, who sees all tenants.
    pub(crate) async fn operator(&self) -> Client {
        self.client(Some(self.authority.caller("admin:anna", None)), None).await
    }

    /// Another of the operator's people.
    pub(crate) async fn operator_called(&self, name: &str) -> Client {
        self.client(Some(self.authority.caller(name, None)), None).await
    }

    /// An integrator's backend.
    pub(crate) async fn integrator(&self, tenant: &str) -> Client {
        self.client(Some(self.authority.caller("admin:backend", Some(tenant))), None).await
    }

    pub(crate) async fn client(&self, identity: Option<Identity>, token: Option<String>) -> Client {
        Client { channel: self.connect(identity).await.unwrap(), token }
    }

    /// A connection with `identity` as certificate.
    pub(crate) async fn connect(&self, identity: Option<Identity>) -> Result<Channel, tonic::transport::Error> {
        let mut tls =
            ClientTlsConfig::new().domain_name("localhost").ca_certificate(Certificate::from_pem(self.authority.pem()));
        if let Some(identity) = identity {
            tls = tls.identity(identity);
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.addr)).unwrap().tls_config(tls).unwrap();
        soon(endpoint.connect()).await
    }

    /// The leaves of the audit log.
    pub(crate) async fn leaves(&self) -> Vec<Leaf> {
        let (size, _) = self.register.journal().head().await.unwrap();
        let leaves = self.register.journal().read(0, size as usize).await.unwrap();
        leaves.iter().map(|leaf| Leaf::decode(leaf).unwrap()).collect()
    }
}

/// What the tests' nodes are given.
pub(crate) fn options_of(authority: &Authority, listen: SocketAddr) -> AdminOptions {
    let (chain, key) = authority.node();
    let tls = Tls { chain, key, client_roots: authority.roots() };
    let tokens = TokenVerifier::new([(KEY_ID, signing_key().verifying_key())]);
    AdminOptions {
        listen,
        tls,
        tokens: Some(AdminTokens::new(tokens)),
        operator_key: AuditKey::new([3; 32]),
        limits: Limits::default(),
    }
}

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// A token with the key that nodes trust.
pub(crate) fn token(name: &str, expires: u64) -> String {
    token_of(KEY_ID, &signing_key(), name, expires)
}

/// A token with any key.
pub(crate) fn token_of(id: Name, key: &SigningKey, name: &str, expires: u64) -> String {
    let claims = Claims { tenant: TENANT.parse().unwrap(), device: name.parse().unwrap(), not_before: 0, expires };
    TokenSigner::new(id, key.clone()).sign(&claims).into_inner()
}

/// A caller.
pub(crate) struct Client {
    pub(crate) channel: Channel,
    token: Option<String>,
}

impl Client {
    pub(crate) fn sessions(&self) -> SessionsClient<Channel> {
        SessionsClient::new(self.channel.clone())
    }

    pub(crate) fn consent(&self) -> ConsentClient<Channel> {
        ConsentClient::new(self.channel.clone())
    }

    pub(crate) fn guardians(&self) -> GuardiansClient<Channel> {
        GuardiansClient::new(self.channel.clone())
    }

    pub(crate) fn kept(&self) -> KeptClient<Channel> {
        KeptClient::new(self.channel.clone())
    }

    pub(crate) fn holds(&self) -> HoldsClient<Channel> {
        HoldsClient::new(self.channel.clone())
    }

    pub(crate) fn rights(&self) -> RightsClient<Channel> {
        RightsClient::new(self.channel.clone())
    }

    pub(crate) fn incidents(&self) -> IncidentsClient<Channel> {
        IncidentsClient::new(self.channel.clone())
    }

    pub(crate) fn switches(&self) -> SwitchesClient<Channel> {
        SwitchesClient::new(self.channel.clone())
    }

    pub(crate) fn exemptions(&self) -> ExemptionsClient<Channel> {
        ExemptionsClient::new(self.channel.clone())
    }

    pub(crate) fn notices(&self) -> NoticesClient<Channel> {
        NoticesClient::new(self.channel.clone())
    }

    pub(crate) fn statistics(&self) -> StatisticsClient<Channel> {
        StatisticsClient::new(self.channel.clone())
    }

    pub(crate) fn audit(&self) -> AuditClient<Channel> {
        AuditClient::new(self.channel.clone())
    }

    /// `message` with the caller's token.
    pub(crate) fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(token) = &self.token {
            let header: MetadataValue<Ascii> = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", header);
        }
        request
    }
}
