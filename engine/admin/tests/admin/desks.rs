//! Who may do what at the desks for disclosures, complaints and referrals.

use sayso_proto::admin::v1::complaints_client::ComplaintsClient;
use sayso_proto::admin::v1::disclosures_client::DisclosuresClient;
use sayso_proto::admin::v1::referrals_client::ReferralsClient;
use sayso_proto::admin::v1::{
    AnswerComplaintRequest, AnswerReferralRequest, ComplaintOutcome, Demand, FileComplaintRequest, GetComplaintRequest,
    ListDisclosuresRequest, ListReferralsRequest, MakeDisclosureRequest, Principal, ProposeDisclosureRequest,
    ReferralAnswer,
};
use tonic::Code;

use crate::device::attach;
use crate::node::{Node, TENANT};
use crate::{refused, soon};

fn principal() -> Principal {
    Principal { tenant_id: TENANT.to_owned(), device_id: "speaker-1".to_owned(), ..Principal::default() }
}

fn demand() -> ProposeDisclosureRequest {
    let demand = Demand {
        authority: "The court".to_owned(),
        reference: "7 K 12/26".to_owned(),
        law: "cn-cpl:136".to_owned(),
        document_sha256: vec![7; 32],
        recipient: vec![9; 32],
        ..Demand::default()
    };
    ProposeDisclosureRequest {
        code: "X08".to_owned(),
        principals: vec![principal()],
        categories: vec!["memory_summary".to_owned()],
        lasts: "P7D".to_owned(),
        demand: Some(demand),
    }
}

#[tokio::test]
async fn no_tenants_caller_gives_anything_away() {
    let node = Node::start().await;
    let mut disclosures = DisclosuresClient::new(node.integrator(TENANT).await.channel);
    let make = MakeDisclosureRequest { exemption_id: "x08-00".to_owned(), ..MakeDisclosureRequest::default() };
    let refusals = [
        soon(disclosures.propose(demand())).await.map(drop),
        soon(disclosures.make(make)).await.map(drop),
        soon(disclosures.list(ListDisclosuresRequest {})).await.map(drop),
    ];
    assert!(refusals.iter().all(|refused| refused.as_ref().unwrap_err().code() == Code::PermissionDenied));
}

#[tokio::test]
async fn a_demand_that_cannot_be_is_refused_by_the_name_of_its_field() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let mut disclosures = DisclosuresClient::new(node.operator().await.channel);
    let demanded = |change: fn(&mut Demand)| {
        let mut request = demand();
        change(request.demand.as_mut().unwrap());
        request
    };
    let cases: [(ProposeDisclosureRequest, Code, &str); 6] = [
        (ProposeDisclosureRequest { demand: None, ..demand() }, Code::InvalidArgument, "demand: missing"),
        (
            ProposeDisclosureRequest { principals: vec![principal(); 17], ..demand() },
            Code::InvalidArgument,
            "principals: 17",
        ),
        (
            demanded(|d| d.recipient.truncate(31)),
            Code::InvalidArgument,
            "demand.recipient: an X25519 public key has 32",
        ),
        (demanded(|d| d.document_sha256.clear()), Code::InvalidArgument, "demand.document_sha256: "),
        (demanded(|d| d.authority.clear()), Code::FailedPrecondition, "exemption: authority: "),
        // the policy of a home keeps no ground for itself
        (demand(), Code::FailedPrecondition, "exemption: the profile keeps no exemption X08"),
    ];
    for (request, code, text) in cases {
        let (found, message) = refused(disclosures.propose(request)).await;
        assert!(found == code && message.starts_with(text), "{found:?} {message}");
    }
    let make = MakeDisclosureRequest { exemption_id: "x08-00".to_owned(), ..MakeDisclosureRequest::default() };
    assert_eq!(refused(disclosures.make(make)).await.0, Code::NotFound);
}

#[tokio::test]
async fn a_tenant_complains_of_its_own_and_does_not_answer_itself() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let mut theirs = ComplaintsClient::new(node.integrator(TENANT).await.channel);
    let mut others = ComplaintsClient::new(node.integrator("other").await.channel);
    let file = |tenant: &str, principal| FileComplaintRequest {
        tenant_id: tenant.to_owned(),
        principal,
        text_sha256: vec![1; 32],
        evidence_sha256: Vec::new(),
    };
    let filed = soon(theirs.file(file("", Some(principal())))).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!((filed.tenant_id.as_str(), filed.outcome()), (TENANT, ComplaintOutcome::Unspecified));
    assert_eq!(refused(others.file(file(TENANT, None))).await.0, Code::PermissionDenied);
    let get =
        |tenant: &str| GetComplaintRequest { tenant_id: tenant.to_owned(), complaint_id: filed.complaint_id.clone() };
    assert_eq!(refused(others.get(get(""))).await.0, Code::NotFound);
    assert_eq!(soon(theirs.get(get(""))).await.unwrap().into_inner().complaint.unwrap(), filed);
    let answer = AnswerComplaintRequest {
        tenant_id: TENANT.to_owned(),
        complaint_id: filed.complaint_id.clone(),
        outcome: ComplaintOutcome::Upheld.into(),
        text_sha256: vec![2; 32],
    };
    assert_eq!(refused(theirs.answer(answer.clone())).await.0, Code::PermissionDenied);
    let mut operators = ComplaintsClient::new(node.operator().await.channel);
    assert!(soon(operators.answer(answer.clone())).await.is_ok());
    assert_eq!(refused(operators.answer(answer)).await.0, Code::FailedPrecondition);
    assert_eq!(refused(operators.file(file("", None))).await.0, Code::InvalidArgument);
}

#[tokio::test]
async fn only_a_tenant_answers_what_it_is_asked_first() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let answer = || AnswerReferralRequest {
        principal: Some(principal()),
        case_id: vec![7; 16],
        answer: ReferralAnswer::Done.into(),
        reason: String::new(),
    };
    let mut operators = ReferralsClient::new(node.operator().await.channel);
    assert_eq!(refused(operators.answer(answer())).await.0, Code::PermissionDenied);
    assert_eq!(refused(operators.list(ListReferralsRequest::default())).await.0, Code::InvalidArgument);
    let mut theirs = ReferralsClient::new(node.integrator(TENANT).await.channel);
    let with_reason = AnswerReferralRequest { reason: "ProcessExcessive".to_owned(), ..answer() };
    assert_eq!(refused(theirs.answer(with_reason)).await.0, Code::InvalidArgument);
    assert_eq!(refused(theirs.answer(answer())).await.0, Code::NotFound, "there is no such case");
    let waiting = soon(theirs.list(ListReferralsRequest::default())).await.unwrap().into_inner().referrals;
    assert_eq!(waiting, []);
}
