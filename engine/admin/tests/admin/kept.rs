//! What is kept of people, from the door for integrators.

use sayso_policy::Profile;
use sayso_policy::profile::Draft;
use sayso_proto::admin::v1::{
    ApproveExemptionRequest, DeleteKeptRequest, GetKeptRequest, KeptParty, KeptSource, ListKeptRequest, Principal,
    ProposeExemptionRequest, PutKeptRequest, UnbindDeviceRequest,
};
use tonic::Code;

use crate::device::attach;
use crate::node::{Node, TENANT};
use crate::soon;

pub(crate) fn profile() -> Profile {
    let written = include_str!("../../../../deploy/profiles/aiwellflow.toml");
    let lawful = include_str!("../../../../deploy/profiles/aiwellflow-lawful.toml");
    Draft::parse(lawful, Some(written)).unwrap().accept().unwrap()
}

pub(crate) fn person() -> Option<Principal> {
    Some(Principal { tenant_id: TENANT.to_owned(), device_id: "speaker-1".to_owned(), ..Principal::default() })
}

pub(crate) fn question() -> PutKeptRequest {
    PutKeptRequest {
        principal: person(),
        category: "support_record".to_owned(),
        purpose: "support".to_owned(),
        media_type: "application/json".to_owned(),
        content: br#"{"question":"it is silent"}"#.to_vec(),
        ticket: "T-17".to_owned(),
        ..PutKeptRequest::default()
    }
}

#[tokio::test]
async fn what_is_kept_is_read_listed_and_deleted_by_the_tenant_and_each_time_is_on_record() {
    let node = Node::under(profile()).await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let (client, other) = (node.integrator(TENANT).await, node.integrator("other").await);
    let item_id = soon(client.kept().put(question())).await.unwrap().into_inner().item_id;
    let get = || GetKeptRequest { principal: person(), item_id: item_id.clone() };
    let got = soon(client.kept().get(get())).await.unwrap().into_inner();
    let item = got.item.unwrap();
    assert_eq!((got.content.as_slice(), item.ticket.as_str()), (question().content.as_slice(), "T-17"));
    let settings = PutKeptRequest {
        category: "agent_config".to_owned(),
        purpose: "agent_building".to_owned(),
        content: br#"{"prompt":"Be kind."}"#.to_vec(),
        ..question()
    };
    soon(client.kept().put(settings)).await.unwrap();
    let list = |category: &str, page_token: &str| ListKeptRequest {
        principal: person(),
        category: category.to_owned(),
        page_size: 1,
        page_token: page_token.to_owned(),
    };
    let first = soon(client.kept().list(list("", ""))).await.unwrap().into_inner();
    assert_eq!((first.items.len(), first.next_page_token.as_str()), (1, "1"));
    let second = soon(client.kept().list(list("", "1"))).await.unwrap().into_inner();
    assert!(second.items.len() == 1 && second.next_page_token.is_empty() && second.items != first.items);
    let of_support = soon(client.kept().list(list("support_record", ""))).await.unwrap().into_inner();
    assert_eq!(of_support.items, [item]);
    let refused = soon(other.kept().get(get())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "nobody else's people: {refused:?}");

    let delete = || DeleteKeptRequest { principal: person(), item_id: item_id.clone() };
    soon(client.kept().delete(delete())).await.unwrap();
    for gone in
        [soon(client.kept().delete(delete())).await.unwrap_err(), soon(client.kept().get(get())).await.unwrap_err()]
    {
        assert_eq!(gone.code(), Code::NotFound, "{gone:?}");
    }
    let told: Vec<_> = node
        .leaves()
        .await
        .iter()
        .filter_map(|leaf| match &leaf.fact.event {
            sayso_audit::Event::OperatorAccess { reason, .. } => Some(reason.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["kept.put", "kept.get", "kept.put", "kept.list", "kept.list", "kept.list", "kept.delete"]);
}

#[tokio::test]
async fn what_is_not_kept_is_refused_by_its_field() {
    let node = Node::under(profile()).await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    let party = Some(KeptParty { processor: "nobody".into(), basis: "Consent".into(), reference: "7".into() });
    let handed_on = |party| PutKeptRequest { source: KeptSource::Party.into(), party, ..question() };
    for (wrong, code, text) in [
        (PutKeptRequest { principal: None, ..question() }, Code::InvalidArgument, "principal: missing"),
        (PutKeptRequest { category: "Support".into(), ..question() }, Code::InvalidArgument, "category: "),
        (
            PutKeptRequest { purpose: "operate".into(), ..question() },
            Code::FailedPrecondition,
            "category: not allowed: unknown_cell: `sayso policy explain` says what of the profile stands against it",
        ),
        (PutKeptRequest { media_type: String::new(), ..question() }, Code::InvalidArgument, "media_type: give 1 to"),
        (
            PutKeptRequest { content: b"{\"age\":7}".to_vec(), ..question() },
            Code::InvalidArgument,
            "content: category support_record declares no such",
        ),
        (
            PutKeptRequest { content: b"words".to_vec(), ..question() },
            Code::InvalidArgument,
            "content: category support_record consists of",
        ),
        (
            PutKeptRequest { derived_from: vec![vec![1; 16]], ..question() },
            Code::InvalidArgument,
            "derived_from: name up to",
        ),
        (
            PutKeptRequest { derived_from: vec![vec![1]], ..question() },
            Code::InvalidArgument,
            "derived_from: an id has 16 bytes",
        ),
        (
            PutKeptRequest { collected_unix_ms: u64::MAX, ..question() },
            Code::InvalidArgument,
            "collected_unix_ms: that moment",
        ),
        (handed_on(None), Code::InvalidArgument, "party: missing"),
        (PutKeptRequest { party: party.clone(), ..question() }, Code::InvalidArgument, "party: only what"),
        (handed_on(party), Code::FailedPrecondition, "party.processor: nobody is no active"),
    ] {
        let refused = soon(client.kept().put(wrong)).await.unwrap_err();
        assert!(refused.code() == code && refused.message().starts_with(text), "{text}: {refused:?}");
    }
}

#[tokio::test]
async fn the_operators_people_read_a_question_to_support_with_its_ticket_once_somebody_else_approved_it() {
    let node = Node::under(profile()).await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let tenant = node.integrator(TENANT).await;
    let item_id = soon(tenant.kept().put(question())).await.unwrap().into_inner().item_id;
    let (ann, ben) = (node.operator().await, node.operator_called("ben").await);
    let get = || GetKeptRequest { principal: person(), item_id: item_id.clone() };
    let refused = soon(ann.kept().get(get())).await.unwrap_err();
    assert!(refused.code() == Code::PermissionDenied && refused.message().contains("by grant only"), "{refused:?}");
    let listed = soon(ann.kept().list(ListKeptRequest { principal: person(), ..ListKeptRequest::default() })).await;
    let [head] = &listed.unwrap().into_inner().items[..] else { panic!("one thing is kept") };
    assert!(head.item_id == item_id && head.ticket.is_empty() && head.media_type.is_empty(), "{head:?}");

    let proposal = ProposeExemptionRequest {
        code: "X07".to_owned(),
        principal: person(),
        categories: vec!["support_record".to_owned()],
        lasts: "PT2H".to_owned(),
        evidence_sha256: vec![7; 32],
        ticket: "T-17".to_owned(),
        ..ProposeExemptionRequest::default()
    };
    let proposed = soon(ann.exemptions().propose(proposal)).await.unwrap().into_inner().exemption.unwrap();
    assert_eq!((proposed.ticket.as_str(), proposed.approvals_needed), ("T-17", 1));
    let approve = || ApproveExemptionRequest { exemption_id: proposed.exemption_id.clone() };
    let own = soon(ann.exemptions().approve(approve())).await.unwrap_err();
    assert_eq!(own.code(), Code::FailedPrecondition, "{own:?}");
    soon(ben.exemptions().approve(approve())).await.unwrap();
    let got = soon(ann.kept().get(get())).await.unwrap().into_inner();
    assert_eq!(got.content, question().content);
    assert_eq!(soon(ben.kept().get(get())).await.unwrap_err().code(), Code::PermissionDenied, "it is Ann's");
    let told: Vec<_> = node.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    let count = |name: &str| told.iter().filter(|told| **told == name).count();
    assert_eq!(["operator.denied", "gate.permitted_by_exemption"].map(count), [2, 1], "{told:?}");
}

#[tokio::test]
async fn whoever_deletes_what_a_law_demands_is_told_which_and_until_when() {
    let node = Node::under(profile()).await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    let log = PutKeptRequest {
        category: "security_telemetry".to_owned(),
        purpose: "security".to_owned(),
        content: br#"{"operation":"log in","result":"ok"}"#.to_vec(),
        ticket: String::new(),
        ..question()
    };
    let item_id = soon(client.kept().put(log)).await.unwrap().into_inner().item_id;
    let list = ListKeptRequest { principal: person(), ..ListKeptRequest::default() };
    let collected = soon(client.kept().list(list)).await.unwrap().into_inner().items[0].collected_unix_ms;
    let delete = || DeleteKeptRequest { principal: person(), item_id: item_id.clone() };
    let deleted = soon(client.kept().delete(delete())).await.unwrap().into_inner();
    assert_eq!(deleted.kept_by_law, "cn-csl:21");
    let days = deleted.kept_until_unix_ms.saturating_sub(collected) / (24 * 60 * 60 * 1_000);
    assert!((180..=184).contains(&days), "six months: {days}");
    let get = GetKeptRequest { principal: person(), item_id: item_id.clone() };
    assert_eq!(soon(client.kept().get(get)).await.unwrap_err().code(), Code::NotFound, "it is used for nothing");
    assert_eq!(soon(client.kept().delete(delete())).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_device_that_is_unbound_speaks_for_nobody_until_it_speaks_for_somebody_new() {
    let node = Node::under(profile()).await;
    let attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let (client, other) = (node.integrator(TENANT).await, node.integrator("other").await);
    let item_id = soon(client.kept().put(question())).await.unwrap().into_inner().item_id;
    let unbind = || UnbindDeviceRequest { principal: person() };
    let refused = soon(other.kept().unbind(unbind())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    drop(attached);
    soon(client.kept().unbind(unbind())).await.unwrap();
    let get = || GetKeptRequest { principal: person(), item_id: item_id.clone() };
    for gone in
        [soon(client.kept().unbind(unbind())).await.unwrap_err(), soon(client.kept().get(get())).await.unwrap_err()]
    {
        assert_eq!(gone.code(), Code::NotFound, "{gone:?}");
    }
    let _again = attach(&node.sessions, TENANT, "speaker-1").await;
    assert_eq!(soon(client.kept().get(get())).await.unwrap_err().code(), Code::NotFound, "of somebody else's");
    let nameless = UnbindDeviceRequest { principal: Some(Principal { device_id: String::new(), ..person().unwrap() }) };
    let refused = soon(client.kept().unbind(nameless)).await.unwrap_err();
    assert!(refused.message().contains("principal.device_id"), "{refused:?}");
}
