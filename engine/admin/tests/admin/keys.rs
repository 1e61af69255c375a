//! The keys that wrap those of people, from the door for operators.

use sayso_audit::{ActorKind, Event, KeyStep, NodeEvent};
use sayso_proto::admin::v1::{GetKeptRequest, GetKeysRequest, RotateKeysRequest};
use tonic::Code;

use crate::device::attach;
use crate::kept::{person, profile, question};
use crate::node::{Node, TENANT};
use crate::soon;

#[tokio::test]
async fn the_shard_key_is_changed_by_an_operator_while_others_have_things_kept_and_read_them() {
    let node = Node::under(profile()).await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let (operator, tenant) = (node.operator().await, node.integrator(TENANT).await);
    let first = soon(tenant.kept().put(question())).await.unwrap().into_inner().item_id;
    let rotates = async {
        for shard_key in 2..5 {
            let rotated = soon(operator.keys().rotate(RotateKeysRequest {})).await.unwrap().into_inner();
            let wrapping = rotated.wrapping.unwrap();
            assert_eq!((wrapping.shard_key, wrapping.rotating, rotated.people), (shard_key, false, 1));
        }
    };
    let others = async {
        let mut ids = vec![first];
        for _ in 0..20 {
            ids.push(soon(tenant.kept().put(question())).await.unwrap().into_inner().item_id);
            let item_id = ids[ids.len() / 2].clone();
            let got = soon(tenant.kept().get(GetKeptRequest { principal: person(), item_id })).await.unwrap();
            assert_eq!(got.into_inner().content, question().content);
        }
    };
    tokio::join!(rotates, others);
    let shown = soon(operator.keys().get(GetKeysRequest {})).await.unwrap().into_inner().wrapping.unwrap();
    assert_eq!((shown.shard_key, shown.rotating, shown.kek_sha256.len()), (4, false, 32));
    let rotated: Vec<_> = node
        .leaves()
        .await
        .iter()
        .filter_map(|leaf| match leaf.fact.event {
            Event::Node(NodeEvent::Key { step: KeyStep::Rotated, generation, .. }) => {
                Some((generation, leaf.fact.actor.kind, leaf.fact.actor.tag.is_some()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(rotated.last(), Some(&(4, ActorKind::Operator, true)), "{rotated:?}");
}

#[tokio::test]
async fn keys_are_for_the_operator_of_the_node() {
    let node = Node::start().await;
    let tenant = node.integrator(TENANT).await;
    let refused = [
        soon(tenant.keys().get(GetKeysRequest {})).await.map(drop).unwrap_err(),
        soon(tenant.keys().rotate(RotateKeysRequest {})).await.map(drop).unwrap_err(),
    ];
    assert_eq!(refused.map(|status| status.code()), [Code::PermissionDenied; 2]);
}
