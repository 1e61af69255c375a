//! [`Admin`]: the node's door for integrators and operators.

use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;

use sayso_audit::Signer;
use sayso_audit::note::NOTE_LEN_MAX;
use sayso_consent::complaints::ComplaintDesk;
use sayso_consent::disclosure::DisclosureDesk;
use sayso_consent::incidents::IncidentDesk;
use sayso_consent::keep::item::ITEM_BYTES_MAX;
use sayso_consent::notices::Notices;
use sayso_consent::rights::Desk;
use sayso_consent::rights::bundle::COPY_BYTES_MAX;
use sayso_consent::{Anchored, Register};
use sayso_proto::admin::v1::audit_server::AuditServer;
use sayso_proto::admin::v1::cluster_server::ClusterServer;
use sayso_proto::admin::v1::complaints_server::ComplaintsServer;
use sayso_proto::admin::v1::consent_server::ConsentServer;
use sayso_proto::admin::v1::disclosures_server::DisclosuresServer;
use sayso_proto::admin::v1::exemptions_server::ExemptionsServer;
use sayso_proto::admin::v1::guardians_server::GuardiansServer;
use sayso_proto::admin::v1::holds_server::HoldsServer;
use sayso_proto::admin::v1::incidents_server::IncidentsServer;
use sayso_proto::admin::v1::kept_server::KeptServer;
use sayso_proto::admin::v1::keys_server::KeysServer;
use sayso_proto::admin::v1::notices_server::NoticesServer;
use sayso_proto::admin::v1::permits_server::PermitsServer;
use sayso_proto::admin::v1::referrals_server::ReferralsServer;
use sayso_proto::admin::v1::rights_server::RightsServer;
use sayso_proto::admin::v1::sessions_server::SessionsServer;
use sayso_proto::admin::v1::shutdown_server::ShutdownServer;
use sayso_proto::admin::v1::statistics_server::StatisticsServer;
use sayso_proto::admin::v1::switches_server::SwitchesServer;
use sayso_proto::admin::v1::tenants_server::TenantsServer;
use sayso_proto::admin::v1::visits_server::VisitsServer;
use sayso_runtime::{CancellationToken, Tasks};
use sayso_session_actor::ActorSessions;
use sayso_store::Cluster;
use sayso_types::Clock;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tonic::service::InterceptorLayer;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::access::Access;
use crate::audit::AuditService;
use crate::cluster::ClusterService;
use crate::complaints::ComplaintsService;
use crate::connections::connections;
use crate::consent::ConsentService;
use crate::disclosures::DisclosuresService;
use crate::doorman::Doorman;
use crate::exemptions::ExemptionsService;
use crate::feed::Feeds;
use crate::guardians::GuardiansService;
use crate::holds::HoldsService;
use crate::incidents::IncidentsService;
use crate::kept::KeptService;
use crate::keys::KeysService;
use crate::notices::NoticesService;
use crate::options::{AdminOptions, Limits};
use crate::permits::PermitsService;
use crate::referrals::ReferralsService;
use crate::rights::RightsService;
use crate::sessions::SessionsService;
use crate::shutdown::ShutdownService;
use crate::statistics::StatisticsService;
use crate::switches::SwitchesService;
use crate::tenants::TenantsService;
use crate::visits::VisitsService;
use crate::{Error, tls};

/// Bytes of a request: the largest, with all its purposes, has about 2 KB.
const REQUEST_BYTES_MAX: usize = 16 * 1_024;

/// Bytes of a request about an incident: a notice in several languages, each with its texts.
const NOTICES_BYTES_MAX: usize = 256 * 1_024;

/// Bytes of a request about people's rights: the largest brings a copy from elsewhere, with its manifest.
const IMPORT_BYTES_MAX: usize = COPY_BYTES_MAX + NOTE_LEN_MAX + REQUEST_BYTES_MAX;

/// Bytes of a request to keep something: an item, and some for the rest.
const KEPT_BYTES_MAX: usize = ITEM_BYTES_MAX + REQUEST_BYTES_MAX;

/// Bytes of a notice that is to be sent: what the register takes of its texts, and some for the rest.
const NOTICE_BYTES_MAX: usize = 128 * 1_024;

/// Bytes of a request's headers: a token has at most 512, and proxies add theirs.
const HEADER_BYTES_MAX: u32 = 8 * 1_024;

/// Serves integrators and operators over gRPC on one address.
pub struct Admin {
    listener: TcpListener,
    local_addr: SocketAddr,
    tls: TlsAcceptor,
    doorman: Doorman,
    sessions: SessionsService,
    consent: ConsentService,
    rights: RightsService,
    incidents: IncidentsService,
    switches: SwitchesService,
    exemptions: ExemptionsService,
    holds: HoldsService,
    notices: NoticesService,
    ending: ShutdownService,
    guardians: GuardiansService,
    permits: PermitsService,
    disclosures: DisclosuresService,
    complaints: ComplaintsService,
    referrals: ReferralsService,
    kept: KeptService,
    keys: KeysService,
    statistics: StatisticsService,
    tenants: TenantsService,
    visits: VisitsService,
    audit: AuditService,
    cluster: ClusterService,
    limits: Limits,
    /// Ends streams.
    draining: CancellationToken,
    /// Whether the policy that the operator last gave was accepted.
    policy: watch::Receiver<bool>,
}

/// The health service's name for the policy: not serving when the profile that the operator last gave was refused and an
/// older revision is in force.
pub const POLICY_HEALTH: &str = "sayso.policy";

/// The health service's name for the audit log: not serving when a witness has cosigned another log than this one, or more
/// of it than there is.
pub const AUDIT_HEALTH: &str = "sayso.audit";

/// The health service's name for what goes to processors: not serving on a day on which more would have gone than the policy
/// declares.
pub const EGRESS_HEALTH: &str = "sayso.egress";

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("local_addr", &self.local_addr)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Admin {
    /// Takes the address. Callers are served once it [runs](Self::run). `signer` signs the checkpoints of the audit
    /// log. Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`Error`] names what is wrong with the address or the certificates.
    pub fn bind(
        options: AdminOptions,
        sessions: ActorSessions,
        register: Arc<Register>,
        signer: Arc<Signer>,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
    ) -> Result<Self, Error> {
        let AdminOptions { listen, tls, tokens, operator_key, limits } = options;
        if tls.client_roots.is_empty() && tokens.is_none() {
            return Err(Error::NoAuthentication);
        }
        let config = tls::server_config(tls, tokens.is_some(), Arc::clone(&clock))?;
        let (listener, local_addr) = listen_on(listen).map_err(|source| Error::Bind { addr: listen, source })?;
        let journal = register.journal().clone();
        let access = Access::new(journal.clone(), operator_key.clone());
        let holds = HoldsService { register: Arc::clone(&register), access: access.clone(), key: operator_key.clone() };
        let rights = RightsService {
            desk: Desk::open(Arc::clone(&register)),
            register: Arc::clone(&register),
            access: access.clone(),
            key: operator_key.clone(),
            signer: Arc::clone(&signer),
        };
        let desk = IncidentDesk::open(Arc::clone(&register));
        let switches =
            SwitchesService { register: Arc::clone(&register), incidents: desk.clone(), key: operator_key.clone() };
        let incidents = IncidentsService { desk, access: access.clone(), key: operator_key.clone() };
        let exemptions =
            ExemptionsService { register: Arc::clone(&register), access: access.clone(), key: operator_key.clone() };
        let draining = tasks.stopping();
        let feeds = Feeds::new("streams that follow", limits.feeds, Arc::clone(&clock), draining.clone());
        let notices = NoticesService {
            notices: Notices::new(Arc::clone(&register)),
            register: Arc::clone(&register),
            access: access.clone(),
            key: operator_key.clone(),
            feeds: feeds.clone(),
        };
        let kept = KeptService { register: Arc::clone(&register), access: access.clone(), key: operator_key.clone() };
        let statistics = StatisticsService { register: Arc::clone(&register), access: access.clone() };
        let keys = KeysService { register: Arc::clone(&register), key: operator_key.clone() };
        let tenants = TenantsService { register: Arc::clone(&register), key: operator_key.clone() };
        let visits = VisitsService { register: Arc::clone(&register), access: access.clone() };
        let disclosures = DisclosuresService {
            desk: DisclosureDesk::open(Arc::clone(&register)),
            register: Arc::clone(&register),
            access: access.clone(),
            key: operator_key.clone(),
        };
        let referrals = ReferralsService {
            desk: rights.desk.clone(),
            register: Arc::clone(&register),
            access: access.clone(),
            key: operator_key.clone(),
        };
        let complaints = ComplaintsService {
            desk: ComplaintDesk::open(Arc::clone(&register)),
            register: Arc::clone(&register),
            access: access.clone(),
            key: operator_key.clone(),
        };
        let permits = PermitsService {
            register: Arc::clone(&register),
            key: operator_key.clone(),
            access: access.clone(),
            streams: Feeds::new("permit streams", limits.permit_streams, Arc::clone(&clock), draining.clone()),
            limits,
        };
        let ending =
            ShutdownService { register: Arc::clone(&register), access: access.clone(), key: operator_key.clone() };
        let guardians =
            GuardiansService { register: Arc::clone(&register), access: access.clone(), key: operator_key.clone() };
        let cluster = ClusterService { cluster: None, journal: journal.clone(), key: operator_key.clone() };
        Ok(Self {
            listener,
            local_addr,
            tls: TlsAcceptor::from(Arc::new(config)),
            doorman: Doorman::new(tokens.map(|tokens| tokens.0), Arc::clone(&clock)),
            sessions: SessionsService { sessions, access: access.clone(), feeds: feeds.clone() },
            consent: ConsentService { register, access, clock, key: operator_key },
            rights,
            incidents,
            switches,
            exemptions,
            holds,
            notices,
            ending,
            guardians,
            permits,
            disclosures,
            complaints,
            referrals,
            kept,
            keys,
            statistics,
            tenants,
            visits,
            audit: AuditService { journal, signer, feeds, anchored: None },
            cluster,
            limits,
            draining,
            policy: watch::channel(true).1,
        })
    }

    /// Tells by the health service, under [`POLICY_HEALTH`], whether the policy that the operator last gave was accepted.
    #[must_use]
    pub fn with_policy_health(self, accepted: watch::Receiver<bool>) -> Self {
        Self { policy: accepted, ..self }
    }

    /// Tells how far witnesses vouch for the audit log, and under [`AUDIT_HEALTH`] whether one of them knows another.
    #[must_use]
    pub fn with_witnesses(mut self, anchored: watch::Receiver<Anchored>) -> Self {
        self.audit.anchored = Some(anchored);
        self
    }

    /// Lets the operator look after the nodes that replicate the store.
    #[must_use]
    pub fn with_cluster(mut self, cluster: Arc<dyn Cluster>) -> Self {
        self.cluster.cluster = Some(cluster);
        self
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves callers until `shutdown`, then takes no more, ends what follows without end, and finishes the calls under
    /// way within their time.
    ///
    /// # Errors
    /// [`Error::Serve`] when the server stops by itself.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let Self { listener, local_addr: _, tls, doorman, limits, draining, policy, .. } = self;
        let Self { sessions, consent, rights, notices, ending, holds, exemptions, incidents, switches, .. } = self;
        let Self { permits, audit, guardians, disclosures, complaints, referrals, kept, statistics, .. } = self;
        let Self { keys, tenants, visits, cluster, .. } = self;
        let (anchored, over) = (audit.anchored.clone(), switches.register.over_volume());
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<SessionsServer<SessionsService>>().await;
        health.set_serving::<ConsentServer<ConsentService>>().await;
        health.set_serving::<RightsServer<RightsService>>().await;
        health.set_serving::<IncidentsServer<IncidentsService>>().await;
        health.set_serving::<SwitchesServer<SwitchesService>>().await;
        health.set_serving::<ExemptionsServer<ExemptionsService>>().await;
        health.set_serving::<HoldsServer<HoldsService>>().await;
        health.set_serving::<NoticesServer<NoticesService>>().await;
        health.set_serving::<ShutdownServer<ShutdownService>>().await;
        health.set_serving::<GuardiansServer<GuardiansService>>().await;
        health.set_serving::<PermitsServer<PermitsService>>().await;
        health.set_serving::<StatisticsServer<StatisticsService>>().await;
        health.set_serving::<TenantsServer<TenantsService>>().await;
        health.set_serving::<VisitsServer<VisitsService>>().await;
        health.set_serving::<AuditServer<AuditService>>().await;
        health.set_serving::<DisclosuresServer<DisclosuresService>>().await;
        health.set_serving::<ComplaintsServer<ComplaintsService>>().await;
        health.set_serving::<ReferralsServer<ReferralsService>>().await;
        health.set_serving::<KeptServer<KeptService>>().await;
        health.set_serving::<KeysServer<KeysService>>().await;
        health.set_serving::<ClusterServer<ClusterService>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(sayso_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .expect("the descriptors are compiled in, and a test lists them");
        let keep_alive = Duration::from_millis(limits.keep_alive_ms);
        let server = Server::builder()
            .max_concurrent_streams(limits.calls_per_connection)
            .http2_keepalive_interval(Some(keep_alive))
            .http2_keepalive_timeout(Some(keep_alive))
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .timeout(Duration::from_millis(limits.call_ms))
            .layer(InterceptorLayer::new(doorman))
            .add_service(SessionsServer::new(sessions).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(ConsentServer::new(consent).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(RightsServer::new(rights).max_decoding_message_size(IMPORT_BYTES_MAX))
            .add_service(IncidentsServer::new(incidents).max_decoding_message_size(NOTICES_BYTES_MAX))
            .add_service(SwitchesServer::new(switches).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(ExemptionsServer::new(exemptions).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(HoldsServer::new(holds).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(NoticesServer::new(notices).max_decoding_message_size(NOTICE_BYTES_MAX))
            .add_service(ShutdownServer::new(ending).max_decoding_message_size(NOTICE_BYTES_MAX))
            .add_service(GuardiansServer::new(guardians).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(PermitsServer::new(permits).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(StatisticsServer::new(statistics).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(TenantsServer::new(tenants).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(VisitsServer::new(visits).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(AuditServer::new(audit).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(DisclosuresServer::new(disclosures).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(ComplaintsServer::new(complaints).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(ReferralsServer::new(referrals).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(KeptServer::new(kept).max_decoding_message_size(KEPT_BYTES_MAX))
            .add_service(KeysServer::new(keys).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(ClusterServer::new(cluster).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(health_service.max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(reflection.max_decoding_message_size(REQUEST_BYTES_MAX));
        let follow_policy = follow(health.clone(), POLICY_HEALTH, policy, |accepted| *accepted);
        let follow_egress = follow(health.clone(), EGRESS_HEALTH, over, |is_over| !is_over);
        let follow_audit = async {
            match anchored {
                Some(anchored) => follow(health.clone(), AUDIT_HEALTH, anchored, |a| !a.is_alarm()).await,
                None => std::future::pending().await,
            }
        };
        let stop = async {
            tokio::select! {
                () = shutdown.cancelled() => draining.cancel(),
                () = draining.cancelled() => {}
            }
            tracing::info!("draining admin calls");
            health.set_service_status("", ServingStatus::NotServing).await;
        };
        let overdue = async {
            draining.cancelled().await;
            tokio::time::sleep(Duration::from_millis(limits.drain_ms)).await;
        };
        tokio::select! {
            served = server.serve_with_incoming_shutdown(connections(listener, tls, &limits), stop) => Ok(served?),
            () = follow_policy => Ok(()),
            () = follow_audit => Ok(()),
            () = follow_egress => Ok(()),
            () = overdue => {
                tracing::warn!("admin calls are cut off");
                Ok(())
            }
        }
    }
}

/// Tells by the health service, under `name`, whether what was said last `is_well`; without end.
async fn follow<T>(
    health: HealthReporter,
    name: &'static str,
    mut said: watch::Receiver<T>,
    is_well: impl Fn(&T) -> bool,
) {
    loop {
        let well = is_well(&said.borrow_and_update());
        let status = if well { ServingStatus::Serving } else { ServingStatus::NotServing };
        health.set_service_status(name, status).await;
        if said.changed().await.is_err() {
            // nobody says anything more
            std::future::pending::<()>().await;
        }
    }
}

fn listen_on(addr: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let local_addr = listener.local_addr()?;
    Ok((listener, local_addr))
}
