//! People's requests, from the door for integrators.

use sayso_audit::Reference;
use sayso_consent::erasure::Certificate;
use sayso_proto::admin::v1::{
    AdvanceCaseRequest, Case, CaseState, CaseStep, CertificateRequest, CopyCaseRequest, ListCasesRequest,
    OpenCaseRequest, Principal,
};
use tonic::{Code, Status};

use crate::device::attach;
use crate::node::{Client, Node, TENANT};
use crate::soon;

fn principal() -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: "speaker-1".to_owned(), ..Principal::default() })
}

async fn open(client: &Client, right: &str) -> Result<Case, Status> {
    let request = OpenCaseRequest { principal: principal(), right: right.to_owned(), ..OpenCaseRequest::default() };
    Ok(soon(client.rights().open(request)).await?.into_inner().case.unwrap())
}

async fn advance(client: &Client, case: &Case, step: CaseStep, reason: &str) -> Result<Case, Status> {
    let request = AdvanceCaseRequest {
        principal: principal(),
        case_id: case.case_id.clone(),
        step: step.into(),
        reason: reason.to_owned(),
        until_unix_ms: case.due_unix_ms + 1,
        method: if step == CaseStep::Verify { "signed_in" } else { "" }.to_owned(),
        ..AdvanceCaseRequest::default()
    };
    Ok(soon(client.rights().advance(request)).await?.into_inner().case.unwrap())
}

/// That it was refused so, by a text that begins so.
fn refused(outcome: Result<Case, Status>, code: Code, text: &str) {
    let status = outcome.unwrap_err();
    assert!(status.code() == code && status.message().starts_with(text), "{status:?}");
}

#[tokio::test]
async fn a_person_is_given_a_copy_of_what_is_held_of_them() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    let case = open(&client, "copy").await.unwrap();
    assert_eq!((case.state(), case.due_by.as_str()), (CaseState::Unverified, "rights.respond_within"));
    assert_eq!(case.due_unix_ms - case.received_unix_ms, 15 * 24 * 60 * 60 * 1_000);

    let copy = CopyCaseRequest { principal: principal(), case_id: case.case_id.clone() };
    let early = soon(client.rights().copy(copy.clone())).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition, "{early:?}");
    for (step, state) in [(CaseStep::Verify, CaseState::Verified), (CaseStep::Accept, CaseState::Accepted)] {
        assert_eq!(advance(&client, &case, step, "").await.unwrap().state(), state);
    }
    let copy: serde_json::Value =
        serde_json::from_slice(&soon(client.rights().copy(copy)).await.unwrap().into_inner().copy).unwrap();
    assert_eq!((&copy["format"], &copy["policy"]["id"]), (&"sayso/copy/v1".into(), &"home".into()));
    assert_eq!(copy["requests"][0]["kind"], "copy");
    assert_eq!(advance(&client, &case, CaseStep::Fulfil, "").await.unwrap().state(), CaseState::Fulfilled);

    let listed = soon(client.rights().list(ListCasesRequest { principal: principal() })).await.unwrap().into_inner();
    assert_eq!(listed.cases.len(), 1);
    let events: Vec<_> = node.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    let mut told: Vec<_> = events.into_iter().filter(|name| !name.starts_with("audit.")).collect();
    told.dedup();
    assert_eq!(
        told,
        [
            "policy.effective",
            "processor.registered",
            "dsr.received",
            "dsr.identity_verified",
            "dsr.accepted",
            "export.created",
            "export.downloaded",
            "dsr.fulfilled",
            "operator.access"
        ]
    );
}

#[tokio::test]
async fn an_erasure_is_carried_out_and_its_certificate_given() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    let case = open(&client, "erase").await.unwrap();
    let of = |reference: &[u8]| CertificateRequest { principal: principal(), reference: reference.to_vec() };
    let early = soon(client.rights().certificate(of(&case.case_id))).await.unwrap_err();
    assert_eq!(early.code(), Code::NotFound, "{early:?}");
    for (step, state) in [(CaseStep::Verify, CaseState::Verified), (CaseStep::Accept, CaseState::Accepted)] {
        assert_eq!(advance(&client, &case, step, "").await.unwrap().state(), state);
    }
    let subject = node.register.find_subject(&TENANT.parse().unwrap(), &"speaker-1".parse().unwrap()).await;
    let case_id = Reference(case.case_id.as_slice().try_into().unwrap());
    let issued = node.register.until_certified(subject.unwrap().unwrap(), case_id).await.unwrap();
    let given = soon(client.rights().certificate(of(&case.case_id))).await.unwrap().into_inner().certificate;
    assert_eq!(given, issued, "byte for byte, so that its hash is the one in the log");
    let certificate = Certificate::parse(&given).unwrap();
    let by_its_own_id = soon(client.rights().certificate(of(&certificate.erasure))).await.unwrap().into_inner();
    assert_eq!(by_its_own_id.certificate, given);
    let listed = soon(client.rights().list(ListCasesRequest { principal: principal() })).await.unwrap().into_inner();
    assert_eq!(listed.cases[0].state(), CaseState::Fulfilled);
    let malformed = soon(client.rights().certificate(of(&[0; 3]))).await.unwrap_err();
    assert!(malformed.message().starts_with("reference: an id has 16 bytes"), "{malformed:?}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_field_and_the_remedy() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    refused(open(&client, "everything").await, Code::InvalidArgument, "right: ");
    refused(open(&client, "deceased_relatives").await, Code::FailedPrecondition, "right: the policy offers no such");
    refused(open(&node.integrator("other").await, "copy").await, Code::PermissionDenied, "principal.tenant_id");

    let case = open(&client, "access").await.unwrap();
    refused(advance(&client, &case, CaseStep::Unspecified, "").await, Code::InvalidArgument, "step: missing");
    refused(advance(&client, &case, CaseStep::Verify, "because").await, Code::InvalidArgument, "reason: ");
    refused(advance(&client, &case, CaseStep::Accept, "").await, Code::FailedPrecondition, "step: the person has not");
    refused(
        advance(&client, &case, CaseStep::Reject, "ProcessFrivolous").await,
        Code::FailedPrecondition,
        "step: the policy allows no refusal",
    );
    let verify = |method: &str, evidence: &[u8], step: CaseStep| AdvanceCaseRequest {
        principal: principal(),
        case_id: case.case_id.clone(),
        step: step.into(),
        method: method.to_owned(),
        evidence_sha256: evidence.to_vec(),
        ..AdvanceCaseRequest::default()
    };
    for (request, text) in [
        (verify("", &[], CaseStep::Verify), "method: missing; say how the person proved"),
        (verify("Anna's passport", &[], CaseStep::Verify), "method: "),
        (verify("in_person", &[1; 31], CaseStep::Verify), "evidence_sha256: "),
        (verify("", &[1; 32], CaseStep::Accept), "method: this step has no method"),
    ] {
        let status = soon(client.rights().advance(request)).await.unwrap_err();
        assert!(status.code() == Code::InvalidArgument && status.message().starts_with(text), "{status:?}");
    }
    let on = |ground: &str, right: &str| OpenCaseRequest {
        principal: principal(),
        right: right.to_owned(),
        ground: ground.to_owned(),
        ..OpenCaseRequest::default()
    };
    for request in [on("a_whim", "erase"), on("unlawful", "copy")] {
        let status = soon(client.rights().open(request)).await.unwrap_err();
        assert!(status.code() == Code::InvalidArgument && status.message().starts_with("ground: "), "{status:?}");
    }
    let unknown = Case { case_id: vec![0; 16], ..case.clone() };
    refused(advance(&client, &unknown, CaseStep::Verify, "").await, Code::NotFound, "case_id: ");
    let short = Case { case_id: vec![0; 15], ..case.clone() };
    refused(advance(&client, &short, CaseStep::Verify, "").await, Code::InvalidArgument, "case_id: an id has 16 bytes");

    assert!(advance(&client, &case, CaseStep::Delay, "complex").await.unwrap().delayed);
    let rejected = advance(&client, &case, CaseStep::Reject, "IdentityVerificationFailure").await.unwrap();
    assert_eq!((rejected.state(), rejected.refusal.as_str()), (CaseState::Rejected, "IdentityVerificationFailure"));
}
