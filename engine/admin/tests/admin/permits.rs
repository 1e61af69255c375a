//! Permits for services outside of the node: asked for, renewed, taken back, and what is refused.

use sayso_admin::Limits;
use sayso_audit::{ActorKind, Event};
use sayso_proto::admin::v1::hold_permits_request::Request;
use sayso_proto::admin::v1::hold_permits_response::Response;
use sayso_proto::admin::v1::{
    AskPermit, FencePermitsRequest, GetConsentRequest, GiveConsentRequest, HoldPermitsRequest, LetGoOfPermit,
    Principal, WithdrawConsentRequest, WithdrawConsentResponse,
};
use sayso_proto::consent::v1::{HolderState, NoticeForm, WithdrawalState};
use tonic::Code;

use crate::node::{Client, Node, TENANT};
use crate::service::{Service, question, shown};
use crate::{refused, soon};

/// Memory, which the node's own database gets from somebody else here.
const MEMORY: &str = "memory/memory_summary/store-local";
const DEVICE: &str = "speaker-1";

impl Node {
    /// Somebody who was never here, in front of `device`.
    pub(crate) async fn person(&self, device: &str) {
        self.register.subject_of(&TENANT.parse().unwrap(), &device.parse().unwrap()).await.unwrap();
    }
}

impl Client {
    pub(crate) async fn agree(&self, device: &str, purposes: &[&str]) {
        let request = GiveConsentRequest {
            principal: principal(device),
            purposes: purposes.iter().map(|&purpose| purpose.to_owned()).collect(),
            notice_sha256: vec![1; 32],
            notice_language: "en".to_owned(),
            notice_form: NoticeForm::Screen.into(),
            evidence_sha256: device.bytes().cycle().take(32).collect(),
            by_guardian: false,
            ..Default::default()
        };
        soon(self.consent().give(request)).await.unwrap();
    }

    pub(crate) async fn take_back(&self, device: &str, purpose: &str, wait_ms: u32) -> WithdrawConsentResponse {
        let request = WithdrawConsentRequest {
            principal: principal(device),
            purposes: vec![purpose.to_owned()],
            wait_ms,
            parts: vec![],
        };
        soon(self.consent().withdraw(request)).await.unwrap().into_inner()
    }
}

fn principal(device: &str) -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: device.to_owned(), ..Principal::default() })
}

#[tokio::test]
async fn a_service_is_given_what_a_person_agreed_to_until_they_take_it_back() {
    let (node, mut service) = node_and_service().await;
    let integrator = node.integrator(TENANT).await;
    assert_eq!(service.denied(DEVICE, MEMORY).await, "no_basis");
    integrator.agree(DEVICE, &["memory"]).await;
    let given = service.given(DEVICE, MEMORY).await;
    assert_eq!((given.basis.as_str(), given.lasts_ms, given.renew_within_ms), ("Consent", 3_000, 1_000));
    assert_eq!((given.policy_revision, given.permit_id.len()), (1, 16));

    let pending = integrator.take_back(DEVICE, "memory", 1).await;
    assert_eq!(pending.state(), WithdrawalState::Pending);
    assert_eq!(pending.holders[0].state(), HolderState::Outstanding);
    assert_eq!(service.revoked(&given.permit_id).await, "withdrawn");
    service.renew(&given.permit_id).await;
    assert_eq!(service.refused().await, (Code::FailedPrecondition, "permit_id".to_owned()));
    assert_eq!(service.denied(DEVICE, MEMORY).await, "no_basis");
    assert_eq!(integrator.take_back(DEVICE, "memory", 1).await.state(), WithdrawalState::Pending, "nobody let go yet");

    service.ends(&given.permit_id).await;
    let done = integrator.take_back(DEVICE, "memory", 5_000).await;
    assert_eq!(done.state(), WithdrawalState::Ok);
    service.finish().await;

    let leaves = node.leaves().await;
    let closed = leaves.iter().find_map(|leaf| match &leaf.fact.event {
        Event::SegmentClosed { segment, bytes, pieces, content, reason, .. } => {
            Some((leaf.fact.actor, *segment, *bytes, *pieces, *content, reason.to_string()))
        }
        _ => None,
    });
    let (actor, segment, bytes, pieces, content, reason) = closed.unwrap();
    assert_eq!((segment.0.to_vec(), bytes, pieces, content.0), (given.permit_id, 70, 1, [3; 32]));
    assert_eq!((reason.as_str(), actor.kind), ("withdrawn", ActorKind::Tenant));
    assert!(actor.tag.is_some(), "the log says who asked");
    assert!(leaves.iter().any(|leaf| leaf.fact.event.name() == "gate.denied"));
}

#[tokio::test]
async fn a_lost_stream_is_a_holder_that_says_nothing_until_it_does_so_on_another() {
    let (node, mut service) = node_and_service().await;
    let integrator = node.integrator(TENANT).await;
    integrator.agree(DEVICE, &["memory"]).await;
    let lost = service.given(DEVICE, MEMORY).await;
    drop(service);
    // longer than any permit lives
    assert_eq!(integrator.take_back(DEVICE, "memory", 5_000).await.state(), WithdrawalState::Pending, "it may go on");
    let mut other = Service::start(&node, &["voice-local"]).await;
    other.let_go(&lost.permit_id).await;
    assert_eq!(other.refused().await, (Code::NotFound, "permit_id".to_owned()), "it is not theirs");
    let mut service = Service::start(&node, &["store-local"]).await;
    service.renew(&lost.permit_id).await;
    assert_eq!(service.refused().await, (Code::NotFound, "permit_id".to_owned()), "it is over for its holder");
    service.ends(&lost.permit_id).await;
    let done = integrator.take_back(DEVICE, "memory", 20_000).await;
    assert_eq!(done.state(), WithdrawalState::Ok);
    let [holder] = done.holders.as_slice() else { panic!("one holder") };
    assert_eq!((holder.state(), &holder.permit_id, holder.bytes), (HolderState::Acknowledged, &lost.permit_id, 70));
}

#[tokio::test]
async fn an_operator_says_that_a_service_is_gone() {
    let (node, mut service) = node_and_service().await;
    let (integrator, operator) = (node.integrator(TENANT).await, node.operator().await);
    integrator.agree(DEVICE, &["memory"]).await;
    let lost = service.given(DEVICE, MEMORY).await;
    let fence = |processor: &str, permit_id: &[u8]| FencePermitsRequest {
        processor: processor.to_owned(),
        permit_id: permit_id.to_vec(),
    };
    let fenced = soon(operator.permits().fence(fence("store-local", &[]))).await.unwrap().into_inner();
    assert_eq!((fenced.ended, fenced.left), (0, 1), "it was asked for just now");
    drop(service);
    assert_eq!(integrator.take_back(DEVICE, "memory", 5_000).await.state(), WithdrawalState::Pending);
    let wrong = [fence("No", &[]), fence("store-locale", &[]), fence("store-local", &[1; 15])];
    for request in wrong {
        assert_eq!(refused(operator.permits().fence(request)).await.0, Code::InvalidArgument);
    }
    let denied = refused(integrator.permits().fence(fence("store-local", &[]))).await;
    assert_eq!(denied.0, Code::PermissionDenied, "{}", denied.1);
    let fenced = soon(operator.permits().fence(fence("store-local", &lost.permit_id))).await.unwrap().into_inner();
    assert_eq!((fenced.ended, fenced.left), (1, 0));
    let done = integrator.take_back(DEVICE, "memory", 20_000).await;
    let [holder] = done.holders.as_slice() else { panic!("one holder") };
    assert_eq!((done.state(), holder.state()), (WithdrawalState::Ok, HolderState::Fenced));
    let get = GetConsentRequest { principal: principal(DEVICE), ..GetConsentRequest::default() };
    let kept = soon(integrator.consent().get(get)).await.unwrap().into_inner();
    assert_eq!(kept.withdrawals[0].holders[0].state(), HolderState::Fenced, "and so it is kept");
    let leaves = node.leaves().await;
    let closed = leaves.iter().find(|leaf| matches!(leaf.fact.event, Event::SegmentClosed { .. })).unwrap();
    assert_eq!(closed.fact.actor.kind, ActorKind::Operator, "the log says who has made sure");
}

#[tokio::test]
async fn what_ends_by_itself_is_over_when_its_time_is() {
    let (node, mut service) = node_and_service().await;
    let integrator = node.integrator(TENANT).await;
    integrator.agree(DEVICE, &["memory"]).await;
    let ask = AskPermit { ends_by_itself: true, ..question(7, DEVICE, MEMORY) };
    service.send(Request::Ask(ask)).await;
    let Response::Given(lost) = service.next().await else { panic!("it is given") };
    drop(service);
    assert_eq!(integrator.take_back(DEVICE, "memory", 1).await.state(), WithdrawalState::Pending);
    let done = integrator.take_back(DEVICE, "memory", 20_000).await;
    let [holder] = done.holders.as_slice() else { panic!("one holder") };
    assert_eq!((done.state(), holder.state()), (WithdrawalState::Ok, HolderState::Expired));
    assert_eq!(holder.permit_id, lost.permit_id);
}

#[tokio::test]
async fn who_goes_on_renews_and_who_does_not_is_told_to_let_go() {
    let (node, mut service) = node_and_service().await;
    node.integrator(TENANT).await.agree(DEVICE, &["memory"]).await;
    let given = service.given(DEVICE, MEMORY).await;
    service.renew(&given.permit_id).await;
    match service.next().await {
        Response::Renewed(renewed) => {
            assert_eq!((renewed.permit_id, renewed.lasts_ms), (given.permit_id.clone(), 3_000))
        }
        other => panic!("{other:?}"),
    }
    // without another renewal it is no more, and the stream goes on
    assert_eq!(service.revoked(&given.permit_id).await, "not_renewed");
    service.ends(&given.permit_id).await;
    service.let_go(&given.permit_id).await;
    assert_eq!(service.refused().await, (Code::NotFound, "permit_id".to_owned()));
    let mut uncounted =
        LetGoOfPermit { permit_id: service.given(DEVICE, MEMORY).await.permit_id, ..Default::default() };
    (uncounted.uncounted, uncounted.bytes) = (true, 1);
    service.send(Request::LetGo(uncounted)).await;
    assert_eq!(service.refused().await, (Code::InvalidArgument, "uncounted".to_owned()));
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_field_and_the_rest_goes_on() {
    let (node, _) = node_and_service().await;
    // a certificate outlives the policy that it was issued under
    let mut service = Service::start(&node, &["store-local", "gone"]).await;
    node.integrator(TENANT).await.agree(DEVICE, &["memory"]).await;
    let given = service.given(DEVICE, MEMORY).await;
    let wrong = [
        ("nobody", MEMORY, Code::NotFound, "principal.device_id"),
        ("no body", MEMORY, Code::InvalidArgument, "principal.device_id"),
        (DEVICE, "memory/memory_summary/voice-local", Code::PermissionDenied, "processor"),
        (DEVICE, "memory/memory_summary/gone", Code::NotFound, "processor"),
        (DEVICE, "memory/memory_summary/No", Code::InvalidArgument, "processor"),
        (DEVICE, "marketing/memory_summary/store-local", Code::NotFound, "purpose"),
        (DEVICE, "memory/shoe_size/store-local", Code::NotFound, "category"),
    ];
    for (device, what, code, field) in wrong {
        service.send(Request::Ask(question(77, device, what))).await;
        let refused = service.refused().await;
        assert_eq!(refused, (code, field.to_owned()), "{what} of {device}");
    }
    let mut others = question(78, DEVICE, MEMORY);
    others.principal.as_mut().unwrap().tenant_id = "others".to_owned();
    service.send(Request::Ask(others)).await;
    assert_eq!(service.refused().await, (Code::PermissionDenied, "principal.tenant_id".to_owned()));
    service.renew(&[1; 16]).await;
    assert_eq!(service.refused().await, (Code::NotFound, "permit_id".to_owned()));
    service.renew(&[1; 15]).await;
    assert_eq!(service.refused().await, (Code::InvalidArgument, "permit_id".to_owned()));
    let permit_id = given.permit_id.clone();
    service.send(Request::LetGo(LetGoOfPermit { permit_id, content_sha256: vec![1], ..Default::default() })).await;
    assert_eq!(service.refused().await, (Code::InvalidArgument, "content_sha256".to_owned()));

    service.ends(&given.permit_id).await;
    service.let_go(&given.permit_id).await;
    assert_eq!(service.refused().await, (Code::NotFound, "permit_id".to_owned()), "it was let go of before");
    service.finish().await;
}

#[tokio::test]
async fn a_stream_asks_and_has_no_more_than_it_may() {
    let limits = Limits { permit_streams: 1, permits_per_stream: 2, ..Limits::default() };
    let node = Node::with(limits).await;
    node.person(DEVICE).await;
    node.integrator(TENANT).await.agree(DEVICE, &["memory"]).await;
    let client = node.client(Some(node.authority.service("campaign", Some(TENANT), &["store-local"])), None).await;
    let mut service = Service::open(&client).await.unwrap();
    assert_eq!(Service::open(&client).await.err().unwrap().code(), Code::ResourceExhausted);
    let (first, _second) = (service.given(DEVICE, MEMORY).await, service.given(DEVICE, MEMORY).await);
    match service.ask(DEVICE, MEMORY).await {
        Response::Refused(refused) => {
            assert_eq!(shown(&refused).0, Code::ResourceExhausted);
            assert!(refused.message.starts_with("permits of a stream are at their limit of 2"), "{}", refused.message);
        }
        other => panic!("{other:?}"),
    }
    service.ends(&first.permit_id).await;
    let _ = service.given(DEVICE, MEMORY).await;
}

#[tokio::test]
async fn a_certificate_opens_what_it_is_for() {
    let node = Node::start().await;
    node.person(DEVICE).await;
    let service = node.client(Some(node.authority.service("campaign", Some(TENANT), &["store-local"])), None).await;
    let get = GetConsentRequest { principal: principal(DEVICE), ..GetConsentRequest::default() };
    let (code, message) = refused(service.consent().get(get)).await;
    assert_eq!(code, Code::PermissionDenied);
    assert!(message.starts_with("a service's certificate is for asking for permits"), "{message}");
    for other in [node.operator().await, node.integrator(TENANT).await] {
        assert_eq!(Service::open(&other).await.err().unwrap().code(), Code::PermissionDenied);
    }
    let nameless = node.client(Some(node.authority.service("campaign", None, &[])), None).await;
    assert_eq!(Service::open(&nameless).await.err().unwrap().code(), Code::Unauthenticated);
    // somebody who asks for no tenant's people has to name whose they are
    let any = node.client(Some(node.authority.service("campaign", None, &["store-local"])), None).await;
    let mut any = Service::open(&any).await.unwrap();
    any.send(Request::Ask(question(1, DEVICE, MEMORY))).await;
    assert_eq!(any.refused().await, (Code::InvalidArgument, "principal.tenant_id".to_owned()));
}

#[tokio::test]
async fn an_empty_request_is_refused() {
    let (_node, mut service) = node_and_service().await;
    service.send_raw(HoldPermitsRequest::default()).await;
    assert_eq!(service.refused().await, (Code::InvalidArgument, "request".to_owned()));
}

async fn node_and_service() -> (Node, Service) {
    let node = Node::start().await;
    node.person(DEVICE).await;
    let service = Service::start(&node, &["store-local"]).await;
    (node, service)
}
