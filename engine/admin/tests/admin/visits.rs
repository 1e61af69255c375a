//! Guests, from the door for operators and integrators.

use sayso_audit::Event;
use sayso_proto::admin::v1::visits_client::VisitsClient;
use sayso_proto::admin::v1::{BeginVisitRequest, EndVisitRequest, ListVisitsRequest};
use tonic::Code;
use tonic::transport::Channel;

use crate::device::attach;
use crate::node::{Client, Node, TENANT};
use crate::{refused, soon};

fn visits(client: &Client) -> VisitsClient<Channel> {
    VisitsClient::new(client.channel.clone())
}

fn begin(tenant: &str, device: &str) -> BeginVisitRequest {
    BeginVisitRequest { tenant_id: tenant.to_owned(), device_id: device.to_owned() }
}

fn end(tenant: &str, device: &str) -> EndVisitRequest {
    EndVisitRequest { tenant_id: tenant.to_owned(), device_id: device.to_owned() }
}

fn list(tenant: &str) -> ListVisitsRequest {
    ListVisitsRequest { tenant_id: tenant.to_owned() }
}

#[tokio::test]
async fn a_visit_begins_is_listed_and_ends_and_whoever_did_that_is_on_record() {
    let node = Node::start().await;
    let integrator = node.integrator(TENANT).await;
    let _device = attach(&node.sessions, TENANT, "speaker-1").await;
    let begun = soon(visits(&integrator).begin(begin("", "speaker-1"))).await.unwrap().into_inner().visit.unwrap();
    assert_eq!((begun.tenant_id.as_str(), begun.device_id.as_str()), (TENANT, "speaker-1"));
    assert_eq!(begun.ends_unix_ms - begun.began_unix_ms, 4 * 3_600 * 1_000);
    let owner = node.register.find_subject(&TENANT.parse().unwrap(), &"speaker-1".parse().unwrap()).await.unwrap();
    assert_ne!(begun.subject_id, owner.unwrap().to_string(), "a person of their own");
    let listed = soon(visits(&integrator).list(list(""))).await.unwrap().into_inner().visits;
    assert_eq!(listed, std::slice::from_ref(&begun));
    let ended = soon(visits(&integrator).end(end("", "speaker-1"))).await.unwrap().into_inner().visit.unwrap();
    assert_eq!(ended, begun);
    let listed = soon(visits(&integrator).list(list(""))).await.unwrap().into_inner().visits;
    assert_eq!(listed, []);
    let accesses = node.leaves().await.into_iter().filter_map(|leaf| match leaf.fact.event {
        Event::OperatorAccess { reason, .. } if reason.as_str().starts_with("visit") => Some(reason.to_string()),
        _ => None,
    });
    assert_eq!(accesses.collect::<Vec<_>>(), ["visit.begin", "visits.list", "visit.end"], "of nobody, nothing is seen");
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_nobody_reaches_another_tenants_devices() {
    let node = Node::start().await;
    let (integrator, operator) = (node.integrator(TENANT).await, node.operator().await);
    let (code, said) = refused(visits(&integrator).begin(begin("", "speaker-1"))).await;
    assert_eq!(code, Code::NotFound, "{said}");
    assert!(said.starts_with("device_id: no such device"), "{said}");
    let _device = attach(&node.sessions, TENANT, "speaker-1").await;
    let (code, said) = refused(visits(&integrator).end(end("", "speaker-1"))).await;
    assert_eq!(
        (code, said.as_str()),
        (Code::FailedPrecondition, "device_id: nobody visits this device; list the visits that are open")
    );
    let (code, said) = refused(visits(&operator).begin(begin("", "speaker-1"))).await;
    assert_eq!((code, said.as_str()), (Code::InvalidArgument, "tenant_id: missing; you see all tenants, so name one"));
    let (code, _) = refused(visits(&integrator).begin(begin("another", "speaker-1"))).await;
    assert_eq!(code, Code::PermissionDenied);

    let _other = attach(&node.sessions, "another", "speaker-1").await;
    for tenant in [TENANT, "another"] {
        soon(visits(&operator).begin(begin(tenant, "speaker-1"))).await.unwrap();
    }
    let all = soon(visits(&operator).list(list(""))).await.unwrap().into_inner().visits;
    let own = soon(visits(&integrator).list(list(""))).await.unwrap().into_inner().visits;
    assert_eq!((all.len(), own.len()), (2, 1));
    let (code, _) = refused(visits(&integrator).list(list("another"))).await;
    assert_eq!(code, Code::PermissionDenied);
}
