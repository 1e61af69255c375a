//! [`Admin`]: what an operator sees and does.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use sayso_audit::{Export, Leaf, LogSource, Report, Trust, VerifierKey, verify_log};
use sayso_proto::admin::v1::audit_client::AuditClient;
use sayso_proto::admin::v1::consent_client::ConsentClient;
use sayso_proto::admin::v1::{
    CheckpointRequest, GetConsentRequest, GetConsentResponse, GiveConsentRequest, GiveConsentResponse, Principal,
    ReadAuditRequest, WithdrawConsentRequest, WithdrawConsentResponse, WitnessState, WitnessesRequest,
    WitnessesResponse,
};
use sayso_proto::consent::v1::NoticeForm;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::within;

/// Whose devices those of an installation are.
pub const TENANT: &str = "home";

/// What the health service calls the policy in force.
const POLICY_HEALTH: &str = "sayso.policy";

/// An operator's connection to a node.
#[derive(Clone, Debug)]
pub struct Admin {
    channel: Channel,
    log_key: VerifierKey,
}

impl Admin {
    /// Connects with an operator's PEM files: who vouches for the node, the certificate, its key.
    pub(crate) async fn connect(node: SocketAddr, pem: [String; 3], log_key: VerifierKey) -> Self {
        let [authority, certificate, key] = pem;
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(authority))
            .identity(Identity::from_pem(certificate, key))
            .domain_name("localhost");
        let endpoint = Endpoint::from_shared(format!("https://{node}")).and_then(|endpoint| endpoint.tls_config(tls));
        let endpoint = endpoint.expect("the certificates can be used");
        let channel = within("the admin API", endpoint.connect()).await.expect("the node takes its operator");
        Self { channel, log_key }
    }

    /// The consents of the person in front of `device`.
    pub async fn consent(&self, device: &str) -> GetConsentResponse {
        let request = GetConsentRequest { principal: principal(device), ..GetConsentRequest::default() };
        let mut client = ConsentClient::new(self.channel.clone());
        within("consents", client.get(request)).await.expect("the node gives its operator consents").into_inner()
    }

    /// Records that the person in front of `device` agreed to `purpose`, on a screen of the integrator's.
    pub async fn give(&self, device: &str, purpose: &str) -> GiveConsentResponse {
        self.try_give(device, purpose).await.expect("the node takes a consent")
    }

    /// The same of a node that may be about to end; `None` when it has not acknowledged it.
    pub async fn try_give(&self, device: &str, purpose: &str) -> Option<GiveConsentResponse> {
        let request = GiveConsentRequest {
            principal: principal(device),
            purposes: vec![purpose.to_owned()],
            notice_form: NoticeForm::Screen.into(),
            notice_sha256: vec![1; 32],
            notice_language: "en".to_owned(),
            evidence_sha256: device.bytes().cycle().take(32).collect(),
            by_guardian: false,
            ..Default::default()
        };
        let mut client = ConsentClient::new(self.channel.clone());
        within("a consent", client.give(request)).await.ok().map(tonic::Response::into_inner)
    }

    /// Takes back every consent of the person in front of `device`.
    pub async fn withdraw(&self, device: &str) -> WithdrawConsentResponse {
        self.try_withdraw(device).await.expect("the node takes a withdrawal")
    }

    /// The same of a node that may be about to end; `None` when it has not acknowledged it.
    pub async fn try_withdraw(&self, device: &str) -> Option<WithdrawConsentResponse> {
        let request = WithdrawConsentRequest { principal: principal(device), ..WithdrawConsentRequest::default() };
        let mut client = ConsentClient::new(self.channel.clone());
        within("a withdrawal", client.withdraw(request)).await.ok().map(tonic::Response::into_inner)
    }

    /// Waits until the first witness of the log stands as `state`; how far the log is witnessed then.
    ///
    /// # Panics
    /// When it does not come to stand so.
    pub async fn until_witness(&self, state: WitnessState) -> WitnessesResponse {
        let mut client = AuditClient::new(self.channel.clone());
        let wait = async {
            loop {
                let answer = client.witnesses(WitnessesRequest { shard: 0 }).await;
                let standing = answer.expect("the node tells its operator").into_inner();
                if standing.witnesses.first().is_some_and(|witness| witness.state() == state) {
                    return standing;
                }
                tokio::task::yield_now().await;
            }
        };
        within("a witness", wait).await
    }

    /// Whether the node says that it accepted the policy that it was last given.
    pub async fn policy_is_accepted(&self) -> bool {
        self.policy_health().await == ServingStatus::Serving
    }

    /// Waits until the node says whether it accepted the policy that it was last given.
    ///
    /// # Panics
    /// When it does not come to say so.
    pub async fn until_policy(&self, accepted: bool) {
        let wait = async {
            while self.policy_is_accepted().await != accepted {
                tokio::task::yield_now().await;
            }
        };
        within("the health of the policy", wait).await;
    }

    async fn policy_health(&self) -> ServingStatus {
        let request = HealthCheckRequest { service: POLICY_HEALTH.to_owned() };
        let mut client = HealthClient::new(self.channel.clone());
        within("health", client.check(request)).await.expect("the node tells its operator").into_inner().status()
    }

    /// Follows the audit log from its first leaf until one is as `wanted`.
    ///
    /// # Panics
    /// When none comes.
    pub async fn until_leaf(&self, what: &str, wanted: impl Fn(&Leaf) -> bool) {
        let request = ReadAuditRequest { follow: true, ..ReadAuditRequest::default() };
        let mut client = AuditClient::new(self.channel.clone());
        let mut leaves = within("the log", client.read(request)).await.expect("the log can be read").into_inner();
        let waiting = async {
            loop {
                let read = leaves.message().await.expect("the log can be followed").expect("it has no end");
                if wanted(&decode(&read.leaf)) {
                    return;
                }
            }
        };
        within(what, waiting).await;
    }

    /// The audit log as it is now.
    pub async fn leaves(&self) -> Vec<Leaf> {
        self.read(0).await.iter().map(|leaf| decode(leaf)).collect()
    }

    /// Verifies the audit log as it is now, from its first leaf to a signed checkpoint, as an auditor would.
    pub async fn verify_log(&self) -> Report {
        let request = CheckpointRequest { shard: 0 };
        let mut client = AuditClient::new(self.channel.clone());
        let note =
            within("a checkpoint", client.checkpoint(request)).await.expect("the log is signed").into_inner().note;
        // the second line of a checkpoint is the number of leaves
        let size = note.lines().nth(1).and_then(|line| line.parse().ok()).expect("a checkpoint has a size");
        let mut log = Copy::default();
        for leaf in self.read(size).await {
            log.take(|export| export.append(&leaf).expect("leaves are short"));
        }
        log.take(|export| export.partial());
        log.files.insert("checkpoint".to_owned(), note.into_bytes());
        verify_log(&log, &Trust::new(vec![self.log_key.clone()])).expect("the log is what was signed")
    }

    /// The first `limit` leaves; all, when it is zero.
    async fn read(&self, limit: u64) -> Vec<Vec<u8>> {
        let request = ReadAuditRequest { limit, ..ReadAuditRequest::default() };
        let mut client = AuditClient::new(self.channel.clone());
        let mut stream = within("the log", client.read(request)).await.expect("the log can be read").into_inner();
        let mut leaves = Vec::new();
        while let Some(read) = within("a leaf", stream.message()).await.expect("the log can be read to its end") {
            leaves.push(read.leaf);
        }
        leaves
    }
}

/// A log's files, in memory.
#[derive(Default)]
struct Copy {
    export: Export,
    files: BTreeMap<String, Vec<u8>>,
}

impl Copy {
    fn take(&mut self, next: impl FnOnce(&mut Export) -> Vec<sayso_audit::export::File>) {
        self.files.extend(next(&mut self.export).into_iter().map(|file| (file.tile.to_string(), file.bytes)));
    }
}

impl LogSource for Copy {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn decode(leaf: &[u8]) -> Leaf {
    Leaf::decode(leaf).expect("the log holds leaves")
}

fn principal(device: &str) -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: device.to_owned(), ..Principal::default() })
}
