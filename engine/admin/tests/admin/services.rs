//! Health, reflection, start and end.

use sayso_admin::{AdminOptions, Error};
use sayso_proto::admin::v1::{ReadAuditRequest, WatchSessionsRequest};
use sayso_runtime::tasks::Exit;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::authority::Authority;
use crate::node::{Node, options_of};
use crate::soon;

#[tokio::test]
async fn reflection_lists_the_services() {
    let node = Node::start().await;
    let client = node.operator().await;
    let ask = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let asking = futures::stream::iter([ask]);
    let mut answers = soon(ServerReflectionClient::new(client.channel.clone()).server_reflection_info(asking))
        .await
        .unwrap()
        .into_inner();
    let answer = soon(answers.message()).await.unwrap();
    let Some(ServerReflectionResponse { message_response: Some(MessageResponse::ListServicesResponse(list)), .. }) =
        answer
    else {
        panic!("not a list: {answer:?}");
    };
    let mut services: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
    services.sort();
    assert_eq!(
        services,
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "sayso.admin.v1.Audit",
            "sayso.admin.v1.Cluster",
            "sayso.admin.v1.Complaints",
            "sayso.admin.v1.Consent",
            "sayso.admin.v1.Disclosures",
            "sayso.admin.v1.Exemptions",
            "sayso.admin.v1.Guardians",
            "sayso.admin.v1.Holds",
            "sayso.admin.v1.Incidents",
            "sayso.admin.v1.Kept",
            "sayso.admin.v1.Keys",
            "sayso.admin.v1.Notices",
            "sayso.admin.v1.Permits",
            "sayso.admin.v1.Referrals",
            "sayso.admin.v1.Rights",
            "sayso.admin.v1.Sessions",
            "sayso.admin.v1.Shutdown",
            "sayso.admin.v1.Statistics",
            "sayso.admin.v1.Switches",
            "sayso.admin.v1.Tenants",
            "sayso.admin.v1.Visits",
        ]
    );
}

#[tokio::test]
async fn health_is_told_to_callers() {
    let node = Node::start().await;
    let client = node.integrator("acme").await;
    for service in
        ["", "sayso.admin.v1.Sessions", "sayso.admin.v1.Consent", "sayso.admin.v1.Rights", "sayso.admin.v1.Audit"]
    {
        let request = HealthCheckRequest { service: service.to_owned() };
        let health = soon(HealthClient::new(client.channel.clone()).check(request)).await.unwrap().into_inner();
        assert_eq!(health.status(), ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn shutting_down_ends_what_follows_without_end() {
    let node = Node::start().await;
    let client = node.operator().await;
    let mut watch = soon(client.sessions().watch(WatchSessionsRequest::default())).await.unwrap().into_inner();
    let request = ReadAuditRequest { from_index: 9, follow: true, ..Default::default() };
    let mut follow = soon(client.audit().read(request)).await.unwrap().into_inner();
    node.shutdown.cancel();
    for ended in [soon(watch.message()).await.unwrap_err(), soon(follow.message()).await.unwrap_err()] {
        assert_eq!(ended.code(), Code::Unavailable);
        assert!(ended.message().starts_with("the node is shutting down"), "{}", ended.message());
    }
    drop(client);
    assert_eq!(soon(node.admin.join()).await, Exit::Done);
}

#[tokio::test]
async fn a_start_that_cannot_be_says_why() {
    let node = Node::start().await;
    let error = |options: AdminOptions| node.bind(options).unwrap_err().to_string();
    let taken = error(options_of(&node.authority, node.addr));
    assert!(taken.starts_with(&format!("admin calls cannot be served on TCP {}", node.addr)), "{taken}");
    assert!(taken.ends_with("choose another address or stop the process that holds it"), "{taken}");

    let options = || options_of(&node.authority, "127.0.0.1:0".parse().unwrap());
    let mut open_to_nobody = AdminOptions { tokens: None, ..options() };
    open_to_nobody.tls.client_roots = rustls::RootCertStore::empty();
    assert!(matches!(node.bind(open_to_nobody), Err(Error::NoAuthentication)));

    let mut mixed_up = options();
    mixed_up.tls.key = Authority::new().node().1;
    assert!(matches!(node.bind(mixed_up), Err(Error::Certificate(_))));
}
