//! Legal holds, from the door for operators.

use sayso_proto::admin::v1::{ListHoldsRequest, Principal, ReleaseHoldRequest, SetHoldRequest};
use tonic::Code;

use crate::device::attach;
use crate::node::{Node, TENANT};
use crate::soon;

fn order() -> SetHoldRequest {
    let principal =
        Some(Principal { tenant_id: TENANT.to_owned(), device_id: "speaker-1".to_owned(), ..Principal::default() });
    SetHoldRequest { principal, category: "memory_summary".to_owned(), law: "cn-cpl:67".to_owned(), until_unix_ms: 0 }
}

#[tokio::test]
async fn a_hold_is_set_listed_and_released_by_the_operator_of_the_node() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.operator().await;
    let hold = soon(client.holds().set(order())).await.unwrap().into_inner().hold.unwrap();
    assert_eq!((hold.category.as_str(), hold.law.as_str()), ("memory_summary", "cn-cpl:67"));
    assert!(hold.subject_id.len() == 32 && !hold.set_by.is_empty() && hold.until_unix_ms == 0);
    let listed = soon(client.holds().list(ListHoldsRequest {})).await.unwrap().into_inner().holds;
    assert_eq!(listed, std::slice::from_ref(&hold));
    let release = ReleaseHoldRequest { hold_id: hold.hold_id.clone() };
    let released = soon(client.holds().release(release.clone())).await.unwrap().into_inner().hold;
    assert_eq!(released, Some(hold));
    let again = soon(client.holds().release(release)).await.unwrap_err();
    assert_eq!((again.code(), again.message()), (Code::NotFound, "hold_id: no such hold is set; list those that are"));
    let events: Vec<_> = node.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    let told: Vec<_> =
        events.into_iter().filter(|name| name.starts_with("legal_") || *name == "operator.access").collect();
    assert_eq!(told, ["legal_hold.set", "operator.access", "legal_hold.released"]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_field_and_a_tenants_caller_altogether() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let (operator, tenant) = (node.operator().await, node.integrator(TENANT).await);
    for (wrong, code, text) in [
        (SetHoldRequest { law: String::new(), ..order() }, Code::InvalidArgument, "law: name the law"),
        (SetHoldRequest { category: "Memory".into(), ..order() }, Code::InvalidArgument, "category: "),
        (SetHoldRequest { until_unix_ms: 1, ..order() }, Code::InvalidArgument, "until_unix_ms: that moment is past"),
    ] {
        let refused = soon(operator.holds().set(wrong)).await.unwrap_err();
        assert!(refused.code() == code && refused.message().starts_with(text), "{refused:?}");
    }
    let refused = soon(tenant.holds().set(order())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    let refused = soon(tenant.holds().list(ListHoldsRequest {})).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
}
