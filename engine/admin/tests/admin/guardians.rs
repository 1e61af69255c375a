//! Ages and guardians, from the door for integrators.

use sayso_proto::admin::v1::{
    AdvanceGuardianRequest, AgeBand, GetGuardianRequest, GiveConsentRequest, GuardianState, GuardianStep, Principal,
    SetAgeRequest,
};
use sayso_proto::consent::v1::NoticeForm;
use tonic::Code;

use crate::device::attach;
use crate::node::{Node, TENANT};
use crate::soon;

fn principal() -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: "speaker-1".to_owned(), ..Principal::default() })
}

fn child() -> SetAgeRequest {
    SetAgeRequest {
        principal: principal(),
        age: AgeBand::Under13.into(),
        until_month: String::new(),
        evidence_sha256: vec![3; 32],
    }
}

fn step(step: GuardianStep) -> AdvanceGuardianRequest {
    let (method, evidence) = match step {
        GuardianStep::Request => ("in_person", Vec::new()),
        GuardianStep::Verify => ("", vec![4; 32]),
        _ => ("", Vec::new()),
    };
    AdvanceGuardianRequest {
        principal: principal(),
        step: step.into(),
        method: method.to_owned(),
        evidence_sha256: evidence,
    }
}

fn yes() -> GiveConsentRequest {
    GiveConsentRequest {
        principal: principal(),
        purposes: vec!["voice_interaction".to_owned()],
        notice_sha256: vec![1; 32],
        notice_language: "en".to_owned(),
        notice_form: NoticeForm::Screen.into(),
        evidence_sha256: vec![2; 32],
        by_guardian: true,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_guardian_is_verified_and_agrees_for_a_child() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    let unknown = soon(client.guardians().get(GetGuardianRequest { principal: principal() })).await.unwrap();
    let unknown = unknown.into_inner().guardianship.unwrap();
    assert_eq!((unknown.age(), unknown.state()), (AgeBand::Unknown, GuardianState::None));
    let refused = soon(client.consent().give(yes())).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");

    let alone = soon(client.guardians().set_age(child())).await.unwrap().into_inner().guardianship.unwrap();
    assert!(alone.is_alone && alone.needs_guardian && alone.age() == AgeBand::Under13);
    let refused = soon(client.consent().give(yes())).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert!(refused.message().contains("no verified guardian"), "{refused:?}");
    let mut stands = Vec::new();
    for taken in [GuardianStep::Request, GuardianStep::Verify] {
        let advanced = soon(client.guardians().advance(step(taken))).await.unwrap().into_inner();
        stands.push(advanced.guardianship.unwrap());
    }
    assert_eq!((stands[0].state(), stands[1].state()), (GuardianState::Requested, GuardianState::Verified));
    assert_eq!((stands[1].guardian_id.len(), &stands[1].evidence_sha256), (16, &vec![4; 32]));
    assert!(!stands[1].is_alone && stands[1].since_unix_ms > 0);
    let given = soon(client.consent().give(yes())).await.unwrap().into_inner();
    let evidence = given.records[0].events[0].guardian.clone().unwrap();
    assert_eq!((evidence.guardian_id, evidence.method), (stands[1].guardian_id.clone(), "in_person".to_owned()));

    let events: Vec<_> = node.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    let told: Vec<_> = events.into_iter().filter(|name| name.starts_with("guardian.")).collect();
    assert_eq!(told, ["guardian.requested", "guardian.verified"]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_field() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    for (wrong, text) in [
        (SetAgeRequest { age: 0, ..child() }, "age: missing"),
        (SetAgeRequest { age: AgeBand::Unknown.into(), ..child() }, "age: name a band"),
        (SetAgeRequest { until_month: "2031-03-04".into(), ..child() }, "until_month: no month"),
        (SetAgeRequest { until_month: "2020-01".into(), ..child() }, "until_month: that month is over"),
        (SetAgeRequest { evidence_sha256: vec![3; 31], ..child() }, "evidence_sha256: a SHA-256 has 32 bytes"),
    ] {
        let refused = soon(client.guardians().set_age(wrong)).await.unwrap_err();
        let code = refused.code();
        assert!(code == Code::InvalidArgument && refused.message().starts_with(text), "{refused:?}");
    }
    for (wrong, code, text) in [
        (step(GuardianStep::Unspecified), Code::InvalidArgument, "step: missing"),
        (step(GuardianStep::Verify), Code::FailedPrecondition, "step: no guardian was asked for"),
        (
            AdvanceGuardianRequest { method: "x".into(), ..step(GuardianStep::Request) },
            Code::FailedPrecondition,
            "step: the policy verifies no guardian by x",
        ),
        (
            AdvanceGuardianRequest { method: "x".into(), ..step(GuardianStep::Fail) },
            Code::InvalidArgument,
            "method: this step has none",
        ),
    ] {
        let refused = soon(client.guardians().advance(wrong)).await.unwrap_err();
        assert!(refused.code() == code && refused.message().starts_with(text), "{refused:?}");
    }
    let other = node.integrator("other").await;
    let refused = soon(other.guardians().get(GetGuardianRequest { principal: principal() })).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
}
