//! What a tenant instructs, by the operator; its end, also by the tenant itself; and ending consent otherwise.

use sayso_proto::admin::v1::tenants_client::TenantsClient;
use sayso_proto::admin::v1::{
    AcceptEvidenceRequest, ConsentEnding, DemandEvidenceRequest, EndConsentRequest, EraseTenantRequest, EvidenceKind,
    GetTenantRequest, GiveConsentRequest, InstructRequest, ListTenantsRequest, Principal, TenantState,
};
use sayso_proto::consent::v1::{ConsentStatus, ConsentType, IndicationMethod, NoticeForm, WithdrawalState};
use tonic::Code;
use tonic::transport::Channel;

use crate::device::attach;
use crate::node::{Client, Node, TENANT};
use crate::soon;

fn tenants(client: &Client) -> TenantsClient<Channel> {
    TenantsClient::new(client.channel.clone())
}

/// Asserts that `call` is refused with this code, and by a text that names `field`.
async fn refused<T: std::fmt::Debug>(
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    code: Code,
    field: &str,
) {
    let (found, text) = crate::refused(call).await;
    assert!(found == code && text.contains(field), "{found}: {text}");
}

fn instruct(purpose: &str) -> InstructRequest {
    InstructRequest {
        tenant_id: TENANT.to_owned(),
        reference: "DPA 2026-7".to_owned(),
        purposes: vec![purpose.to_owned()],
        categories: vec!["voice_audio".to_owned()],
        ..InstructRequest::default()
    }
}

fn principal() -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: "speaker-1".to_owned(), ..Principal::default() })
}

fn give(kind: EvidenceKind, act: &str) -> GiveConsentRequest {
    GiveConsentRequest {
        principal: principal(),
        purposes: vec!["voice_interaction".to_owned()],
        notice_sha256: vec![1; 32],
        notice_language: "en".to_owned(),
        notice_form: NoticeForm::Screen.into(),
        evidence_sha256: vec![2; 32],
        evidence_kind: kind.into(),
        act: act.to_owned(),
        ..GiveConsentRequest::default()
    }
}

#[tokio::test]
async fn the_operator_puts_down_what_a_tenant_instructs_and_the_tenant_may_end_it() {
    let node = Node::start().await;
    let (operator, own) = (tenants(&node.operator().await), tenants(&node.integrator(TENANT).await));
    let other = tenants(&node.integrator("other").await);
    let get = GetTenantRequest { tenant_id: TENANT.to_owned() };
    refused(own.clone().instruct(instruct("voice_interaction")), Code::PermissionDenied, "operator").await;
    refused(own.clone().list(ListTenantsRequest {}), Code::PermissionDenied, "operator").await;
    refused(operator.clone().get(get.clone()), Code::NotFound, "tenant_id").await;
    refused(operator.clone().instruct(instruct("marketing")), Code::InvalidArgument, "purposes").await;
    let set =
        soon(operator.clone().instruct(instruct("voice_interaction"))).await.unwrap().into_inner().tenant.unwrap();
    assert_eq!((set.state(), set.reference.as_str()), (TenantState::Live, "DPA 2026-7"));
    refused(other.clone().get(get), Code::PermissionDenied, "tenant_id").await;
    let seen = soon(own.clone().get(GetTenantRequest::default())).await.unwrap().into_inner().tenant.unwrap();
    assert_eq!(seen, set);

    // what it is to show, it shows the operator
    let demand = DemandEvidenceRequest {
        tenant_id: TENANT.to_owned(),
        what: "where it is from".to_owned(),
        due_unix_ms: u64::MAX,
    };
    let accept = AcceptEvidenceRequest { tenant_id: TENANT.to_owned(), document_sha256: vec![5; 32] };
    refused(own.clone().demand_evidence(demand.clone()), Code::PermissionDenied, "operator").await;
    refused(own.clone().accept_evidence(accept.clone()), Code::PermissionDenied, "operator").await;
    refused(operator.clone().accept_evidence(accept.clone()), Code::FailedPrecondition, "tenant_id").await;
    let no_day = DemandEvidenceRequest { due_unix_ms: 0, ..demand.clone() };
    refused(operator.clone().demand_evidence(no_day), Code::InvalidArgument, "due_unix_ms").await;
    let nothing = DemandEvidenceRequest { what: String::new(), ..demand.clone() };
    refused(operator.clone().demand_evidence(nothing), Code::InvalidArgument, "what").await;
    soon(operator.clone().demand_evidence(demand.clone())).await.unwrap();
    refused(operator.clone().demand_evidence(demand), Code::FailedPrecondition, "tenant_id").await;
    let seen = soon(own.clone().get(GetTenantRequest::default())).await.unwrap().into_inner().tenant.unwrap();
    assert_eq!(seen.demand.map(|demand| demand.what).as_deref(), Some("where it is from"));
    let short = AcceptEvidenceRequest { document_sha256: vec![5; 31], ..accept.clone() };
    refused(operator.clone().accept_evidence(short), Code::InvalidArgument, "document_sha256").await;
    let accepted = soon(operator.clone().accept_evidence(accept)).await.unwrap().into_inner().tenant.unwrap();
    assert_eq!(accepted.demand, None);

    let unknown = EraseTenantRequest::default();
    refused(other.clone().erase(unknown), Code::NotFound, "tenant_id").await;
    let ended = soon(own.clone().erase(EraseTenantRequest::default())).await.unwrap().into_inner().tenant.unwrap();
    assert_eq!((ended.ended_for.as_str(), ended.instructions_id), ("instructed", set.instructions_id));
    let listed = soon(operator.clone().list(ListTenantsRequest {})).await.unwrap().into_inner().tenants;
    assert_eq!(listed.len(), 1);
    assert_ne!(listed[0].state(), TenantState::Live);
}

#[tokio::test]
async fn consent_is_recorded_as_it_was_given_and_ended_by_whoever_answers_for_it() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.operator().await;
    refused(client.consent().give(give(EvidenceKind::Implied, "")), Code::InvalidArgument, "act").await;
    refused(client.consent().give(give(EvidenceKind::Signed, "went_on")), Code::InvalidArgument, "act").await;
    let by_guardian = GiveConsentRequest { by_guardian: true, ..give(EvidenceKind::Implied, "went_on") };
    refused(client.consent().give(by_guardian), Code::InvalidArgument, "evidence_kind").await;
    let implied = soon(client.consent().give(give(EvidenceKind::Implied, "went_on"))).await.unwrap().into_inner();
    let event = &implied.records[0].events[0];
    assert_eq!((event.r#type(), event.reason.as_str()), (ConsentType::Implied, "went_on"));
    let signed = soon(client.consent().give(give(EvidenceKind::Signed, ""))).await.unwrap().into_inner();
    let event = &signed.records[0].events[0];
    assert_eq!((event.r#type(), event.written), (ConsentType::ExplicitlyExpressed, true));
    assert_eq!(event.indication_method(), IndicationMethod::Signature);

    let end = |ending: ConsentEnding| EndConsentRequest {
        principal: principal(),
        ending: ending.into(),
        reason: "wrong_person".to_owned(),
        ..EndConsentRequest::default()
    };
    refused(client.consent().end(end(ConsentEnding::Unspecified)), Code::InvalidArgument, "ending").await;
    let ended = soon(client.consent().end(end(ConsentEnding::Invalidated))).await.unwrap().into_inner();
    assert_eq!(ended.state(), WithdrawalState::Ok);
    assert_eq!(ended.record_ids, [signed.records[0].record_id.clone()]);
    let get = sayso_proto::admin::v1::GetConsentRequest { principal: principal(), ..Default::default() };
    let standing = soon(client.consent().get(get)).await.unwrap().into_inner();
    let last = standing.records[0].events.last().unwrap();
    assert_eq!((last.status(), last.reason.as_str()), (ConsentStatus::Invalidated, "wrong_person"));
    assert_eq!(standing.withdrawals[0].becomes(), ConsentStatus::Invalidated);

    let _other = attach(&node.sessions, TENANT, "speaker-2").await;
    let theirs = Principal { device_id: "speaker-2".to_owned(), ..principal().unwrap() };
    let nobodys = EndConsentRequest { principal: Some(theirs.clone()), ..end(ConsentEnding::Revoked) };
    refused(client.consent().end(nobodys), Code::FailedPrecondition, "purposes").await;
    let anothers = GiveConsentRequest { principal: Some(theirs), ..give(EvidenceKind::Signed, "") };
    refused(client.consent().give(anothers), Code::FailedPrecondition, "evidence_sha256").await;
}
