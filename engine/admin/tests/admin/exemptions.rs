//! Who may propose and approve what is done without consent.

use sayso_proto::admin::v1::{
    ApproveExemptionRequest, ListExemptionsRequest, ProposeExemptionRequest, RevokeExemptionRequest,
};
use tonic::Code;

use crate::node::{Node, TENANT};
use crate::soon;

fn proposal() -> ProposeExemptionRequest {
    ProposeExemptionRequest {
        code: "X04".to_owned(),
        principal: None,
        purposes: vec!["voice_interaction".to_owned()],
        categories: vec!["voice_audio".to_owned()],
        processors: vec!["whisper-local".to_owned()],
        lasts: "PT1H".to_owned(),
        evidence_sha256: vec![7; 32],
        ticket: String::new(),
    }
}

#[tokio::test]
async fn no_tenants_caller_has_a_say() {
    let node = Node::start().await;
    let mut exemptions = node.integrator(TENANT).await.exemptions();
    let id = "x04-00".to_owned();
    let refusals = [
        soon(exemptions.propose(proposal())).await.map(drop),
        soon(exemptions.approve(ApproveExemptionRequest { exemption_id: id.clone() })).await.map(drop),
        soon(exemptions.revoke(RevokeExemptionRequest { exemption_id: id })).await.map(drop),
        soon(exemptions.list(ListExemptionsRequest {})).await.map(drop),
    ];
    assert!(refusals.iter().all(|refused| refused.as_ref().unwrap_err().code() == Code::PermissionDenied));
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_name_of_its_field() {
    let node = Node::start().await;
    let mut exemptions = node.operator().await.exemptions();
    let cases: [(ProposeExemptionRequest, Code, &str); 6] = [
        (ProposeExemptionRequest { code: "x4".into(), ..proposal() }, Code::InvalidArgument, "code: "),
        (ProposeExemptionRequest { purposes: vec![], ..proposal() }, Code::InvalidArgument, "purposes: missing"),
        (
            ProposeExemptionRequest { categories: vec!["a".into(); 33], ..proposal() },
            Code::InvalidArgument,
            "categories: 33 are more",
        ),
        (ProposeExemptionRequest { lasts: "P1WD".into(), ..proposal() }, Code::InvalidArgument, "lasts: "),
        (ProposeExemptionRequest { evidence_sha256: vec![], ..proposal() }, Code::InvalidArgument, "evidence_sha256: "),
        // the policy of a home keeps no ground for itself
        (proposal(), Code::FailedPrecondition, "exemption: the profile keeps no exemption X04"),
    ];
    for (request, code, text) in cases {
        let refused = soon(exemptions.propose(request)).await.unwrap_err();
        assert!(refused.code() == code && refused.message().starts_with(text), "{refused:?}");
    }
    let unknown = ApproveExemptionRequest { exemption_id: "x04-00".to_owned() };
    assert_eq!(soon(exemptions.approve(unknown)).await.unwrap_err().code(), Code::NotFound);
    let listed = soon(exemptions.list(ListExemptionsRequest {})).await.unwrap().into_inner();
    assert_eq!(listed.exemptions, []);
}
