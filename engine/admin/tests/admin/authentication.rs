//! Who gets in.

use ed25519_dalek::SigningKey;
use sayso_proto::admin::v1::{CheckpointRequest, ListSessionsRequest};
use sayso_types::Name;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::authority::Authority;
use crate::device::attach;
use crate::node::{Client, Node, TENANT, token, token_of};
use crate::{refused, soon};

const FAR_FUTURE: u64 = 32_503_680_000;
const LONG_AGO: u64 = 1_000_000_000;

async fn refused_list(client: &Client) -> (Code, String) {
    refused(client.sessions().list(client.request(ListSessionsRequest::default()))).await
}

async fn seen(client: &Client) -> Vec<String> {
    let request = client.request(ListSessionsRequest::default());
    let sessions = soon(client.sessions().list(request)).await.unwrap().into_inner().sessions;
    sessions.into_iter().map(|session| session.device_id).collect()
}

#[tokio::test]
async fn a_certificate_or_a_token_says_who_a_caller_is_and_what_they_see() {
    let node = Node::start().await;
    let _ours = attach(&node.sessions, TENANT, "speaker-1").await;
    let _theirs = attach(&node.sessions, "other", "toy-1").await;
    let mut all = seen(&node.operator().await).await;
    all.sort();
    assert_eq!(all, ["speaker-1", "toy-1"]);
    assert_eq!(seen(&node.integrator(TENANT).await).await, ["speaker-1"]);
    let by_token = node.client(None, Some(token("admin:ci", FAR_FUTURE))).await;
    assert_eq!(seen(&by_token).await, ["speaker-1"]);
}

#[tokio::test]
async fn nobody_is_served_anonymously() {
    let node = Node::start().await;
    let stranger = node.client(None, None).await;
    let expected =
        (Code::Unauthenticated, "show a client certificate, or a token as authorization: Bearer TOKEN".to_owned());
    assert_eq!(refused_list(&stranger).await, expected);
    assert_eq!(refused(stranger.audit().checkpoint(CheckpointRequest::default())).await, expected);
    let mut health = HealthClient::new(stranger.channel.clone());
    assert_eq!(refused(health.check(HealthCheckRequest::default())).await, expected);
}

#[tokio::test]
async fn tokens_expire_have_an_issuer_and_are_not_those_of_devices() {
    let node = Node::start().await;
    let foreign = SigningKey::from_bytes(&[2; 32]);
    for (token, why) in [
        (token("admin:ci", LONG_AGO), "authorization: the token expired at 1000000000"),
        (token("speaker-1", FAR_FUTURE), "a device's certificate or token"),
        (token_of(Name::constant("device-key"), &foreign, "speaker-1", FAR_FUTURE), "not trusted here"),
        (token_of(Name::constant("admin-key"), &foreign, "admin:ci", FAR_FUTURE), "signature of"),
        ("garbage".to_owned(), "malformed"),
    ] {
        let (code, message) = refused_list(&node.client(None, Some(token)).await).await;
        assert_eq!(code, Code::Unauthenticated);
        assert!(message.contains(why), "{message}");
    }
}

#[tokio::test]
async fn certificates_come_from_the_admin_authority_and_are_not_those_of_devices() {
    let node = Node::start().await;
    let device = node.client(Some(node.authority.caller("speaker-1", Some(TENANT))), None).await;
    let (code, message) = refused_list(&device).await;
    assert_eq!(code, Code::Unauthenticated);
    assert!(message.contains("admin:NAME"), "{message}");
    let foreign = Authority::new();
    for identity in [foreign.caller("admin:anna", None), node.authority.expired_caller("admin:anna")] {
        // TLS 1.3 clients learn of it with the first answer, or while they connect.
        if let Ok(channel) = node.connect(Some(identity)).await {
            let client = &mut sayso_proto::admin::v1::sessions_client::SessionsClient::new(channel);
            soon(client.list(ListSessionsRequest::default())).await.unwrap_err();
        }
    }
    assert!(seen(&node.operator().await).await.is_empty(), "others go on");
}

#[tokio::test]
async fn who_works_for_another_company_is_served_for_as_long_as_they_are_bound() {
    let node = Node::start().await;
    let signed = ["sayso:employer:call-centre", "sayso:nda:2026-17"];
    let contractor = async |uris, year| node.connect(Some(node.authority.contractor("admin:ben", uris, year))).await;
    let list = async |channel| -> Result<_, tonic::Status> {
        let client = &mut sayso_proto::admin::v1::sessions_client::SessionsClient::new(channel);
        soon(client.list(ListSessionsRequest::default())).await
    };
    list(contractor(&signed, 2100).await.unwrap()).await.unwrap();
    let (code, message) = refused(list(contractor(&signed[..1], 2100).await.unwrap())).await;
    assert_eq!(code, Code::Unauthenticated);
    assert!(message.contains("sayso:nda:REFERENCE"), "{message}");
    // their certificate ends with what they signed; a client of TLS 1.3 learns of it with the first answer, or as it connects
    if let Ok(channel) = contractor(&signed, 2020).await {
        list(channel).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_certificate_is_not_overruled_by_a_token() {
    let node = Node::start().await;
    let device = node.authority.caller("speaker-1", Some(TENANT));
    let mixed = node.client(Some(device), Some(token("admin:ci", FAR_FUTURE))).await;
    assert_eq!(refused_list(&mixed).await.0, Code::Unauthenticated);
}

#[tokio::test]
async fn an_integrator_cannot_name_another_tenant() {
    let node = Node::start().await;
    let _theirs = attach(&node.sessions, "other", "toy-1").await;
    let client = node.integrator(TENANT).await;
    let request = ListSessionsRequest { tenant_id: "other".to_owned(), ..Default::default() };
    let (code, message) = refused(client.sessions().list(request)).await;
    assert_eq!(code, Code::PermissionDenied);
    assert_eq!(message, "tenant_id: you see only what belongs to tenant acme; name it, or leave the field empty");
}
