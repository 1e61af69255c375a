//! Incidents and switches, from the door for integrators.

use sayso_proto::admin::v1::advance_incident_request::Step;
use sayso_proto::admin::v1::{
    AdvanceIncidentRequest, AffectedRequest, Contain, Incident, IncidentEnding, IncidentNotice, IncidentScope,
    ListIncidentsRequest, ListSwitchesRequest, OpenIncidentRequest, SubjectsTold, Switch, SwitchPosition, SwitchSort,
    ThrowSwitchRequest,
};
use tonic::{Code, Status};

use crate::device::attach;
use crate::node::{Client, Node, TENANT};
use crate::{refused, soon};

async fn open(client: &Client, tenant: &str) -> Result<Incident, Status> {
    let request = OpenIncidentRequest {
        tenant_id: tenant.to_owned(),
        report: "somebody reads along".to_owned(),
        detected_unix_ms: 0,
    };
    Ok(soon(client.incidents().open(request)).await?.into_inner().incident.unwrap())
}

async fn list(client: &Client, tenant: &str) -> Vec<Incident> {
    let request = ListIncidentsRequest { tenant_id: tenant.to_owned(), ..ListIncidentsRequest::default() };
    soon(client.incidents().list(request)).await.unwrap().into_inner().incidents
}

fn step(incident: &Incident, step: Step) -> AdvanceIncidentRequest {
    AdvanceIncidentRequest { incident_id: incident.incident_id.clone(), step: Some(step) }
}

fn throw(sort: SwitchSort, name: &str, to: SwitchPosition) -> ThrowSwitchRequest {
    ThrowSwitchRequest {
        sort: sort.into(),
        name: name.to_owned(),
        to: to.into(),
        reason: "leak".to_owned(),
        incident_id: Vec::new(),
    }
}

fn everything() -> IncidentScope {
    IncidentScope { until_unix_ms: u64::MAX >> 1, ..IncidentScope::default() }
}

#[tokio::test]
async fn an_integrator_reports_what_it_found_and_sees_its_own_alone() {
    let node = Node::start().await;
    let (acme, other, operator) =
        (node.integrator(TENANT).await, node.integrator("other").await, node.operator().await);
    let incident = open(&acme, "").await.unwrap();
    assert_eq!(incident.tenant_id, TENANT);
    assert_eq!(open(&acme, "other").await.unwrap_err().code(), Code::PermissionDenied);
    open(&operator, "").await.unwrap();
    assert_eq!(list(&acme, "").await, std::slice::from_ref(&incident));
    assert_eq!((list(&other, "").await.len(), list(&operator, "").await.len()), (0, 2));
    assert_eq!(list(&operator, TENANT).await, std::slice::from_ref(&incident));

    let affected = AffectedRequest { incident_id: incident.incident_id.clone(), ..AffectedRequest::default() };
    assert_eq!(refused(other.incidents().affected(affected.clone())).await.0, Code::NotFound);
    let early = refused(acme.incidents().affected(affected)).await;
    assert_eq!((early.0, early.1.starts_with("step: nobody has said")), (Code::FailedPrecondition, true), "{early:?}");
    let contain = refused(acme.incidents().advance(step(&incident, Step::Contain(Contain {})))).await;
    assert_eq!(
        contain,
        (
            Code::PermissionDenied,
            "this is for the operator of the node, whose certificate names no tenant; ask them".into()
        )
    );
    assert!(node.leaves().await.iter().any(|leaf| leaf.fact.event.name() == "incident.opened"));
}

#[tokio::test]
async fn the_operator_deals_with_it_to_its_end() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let operator = node.operator().await;
    let incident = open(&operator, "").await.unwrap();
    let advance = async |what: Step| soon(operator.incidents().advance(step(&incident, what))).await;
    let close = advance(Step::Close(IncidentEnding::Handled.into())).await.unwrap_err();
    assert_eq!(close.code(), Code::FailedPrecondition, "{close:?}");
    advance(Step::Assess(everything())).await.unwrap();
    let notice =
        IncidentNotice { language: "en".into(), situation: "Somebody read along.".into(), ..Default::default() };
    let lacking = advance(Step::SubjectsTold(SubjectsTold { notices: vec![notice] })).await.unwrap_err();
    for missing in ["en.impact", "en.contact", "zh"] {
        assert!(lacking.message().contains(missing), "{lacking:?}");
    }
    advance(Step::RegulatorTold("file 7".into())).await.unwrap();
    advance(Step::Contain(Contain {})).await.unwrap();
    let closed = advance(Step::Close(IncidentEnding::Handled.into())).await.unwrap().into_inner().incident.unwrap();
    assert_eq!((closed.ending(), closed.regulator.unwrap().reference), (IncidentEnding::Handled, "file 7".into()));
    let affected = AffectedRequest { incident_id: incident.incident_id.clone(), ..AffectedRequest::default() };
    let affected = soon(operator.incidents().affected(affected)).await.unwrap().into_inner();
    assert_eq!((affected.total, affected.unnamed, affected.people.len()), (0, 0, 0), "nobody said anything");
    let again = advance(Step::Contain(Contain {})).await.unwrap_err();
    assert!(again.message().contains("the incident is closed"), "{again:?}");
}

#[tokio::test]
async fn switches_are_the_operators_alone_and_say_how_they_stand() {
    let node = Node::start().await;
    let (acme, operator) = (node.integrator(TENANT).await, node.operator().await);
    let off = throw(SwitchSort::Processor, "whisper-local", SwitchPosition::Off);
    assert_eq!(refused(acme.switches().throw(off.clone())).await.0, Code::PermissionDenied);
    assert_eq!(refused(acme.switches().list(ListSwitchesRequest {})).await.0, Code::PermissionDenied);

    let incident = open(&operator, "").await.unwrap();
    let held = ThrowSwitchRequest { incident_id: incident.incident_id.clone(), ..off.clone() };
    let thrown = soon(operator.switches().throw(held)).await.unwrap().into_inner().switch.unwrap();
    assert_eq!((thrown.position(), &thrown.incident_id), (SwitchPosition::Off, &incident.incident_id));
    assert_eq!(list(&operator, "").await[0].switches.len(), 1, "the incident lists it");
    let listed: Vec<Switch> =
        soon(operator.switches().list(ListSwitchesRequest {})).await.unwrap().into_inner().switches;
    assert_eq!(listed, [thrown]);

    for (request, code, says) in [
        (throw(SwitchSort::Processor, "nobody", SwitchPosition::Off), Code::NotFound, "name: the policy has no"),
        (throw(SwitchSort::Unspecified, "x", SwitchPosition::Off), Code::InvalidArgument, "sort: missing"),
        (throw(SwitchSort::Tenant, "x", SwitchPosition::Off), Code::NotFound, "name: no device, no person"),
        (throw(SwitchSort::Category, "x", SwitchPosition::Off), Code::NotFound, "name: the policy has no"),
        (throw(SwitchSort::Tenant, "x", SwitchPosition::Unspecified), Code::InvalidArgument, "to: give ON"),
        (ThrowSwitchRequest { reason: "A leak!".into(), ..off.clone() }, Code::InvalidArgument, "reason: "),
        (ThrowSwitchRequest { incident_id: vec![1], ..off.clone() }, Code::InvalidArgument, "incident_id: an id has"),
        (ThrowSwitchRequest { incident_id: vec![1; 16], ..off }, Code::NotFound, "incident_id: there is no such"),
    ] {
        let (refusal, text) = refused(operator.switches().throw(request)).await;
        assert!(refusal == code && text.starts_with(says), "{refusal:?} {text}");
    }
}
