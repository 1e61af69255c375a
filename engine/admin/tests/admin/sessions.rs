//! Seeing sessions.

use std::collections::BTreeSet;
use std::time::Duration;

use sayso_audit::{ActorKind, Event};
use sayso_proto::admin::v1::{
    GetSessionRequest, ListSessionsRequest, SessionChange, SessionState, WatchSessionsRequest, WatchSessionsResponse,
};
use tonic::{Code, Streaming};

use crate::device::attach;
use crate::node::{Node, TENANT};
use crate::{refused, soon};

async fn next(watch: &mut Streaming<WatchSessionsResponse>) -> (SessionChange, String) {
    let told = soon(watch.message()).await.unwrap().unwrap();
    (told.change(), told.session.unwrap().session_id)
}

#[tokio::test]
async fn pages_hold_every_session_once() {
    let node = Node::start().await;
    let mut attached = Vec::new();
    for i in 0..5 {
        attached.push(attach(&node.sessions, TENANT, &format!("speaker-{i}")).await);
    }
    let client = node.operator().await;
    let (mut ids, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = ListSessionsRequest { page_size: 2, page_token, ..Default::default() };
        let page = soon(client.sessions().list(request)).await.unwrap().into_inner();
        ids.extend(page.sessions.into_iter().map(|s| s.session_id));
        (pages, page_token) = (pages + 1, page.next_page_token);
        if page_token.is_empty() {
            break;
        }
    }
    let mut expected: Vec<_> = attached.iter().map(|a| a.welcome.session_id.to_string()).collect();
    expected.sort();
    assert_eq!((pages, ids), (3, expected));

    let one = ListSessionsRequest { device_id: "speaker-3".to_owned(), ..Default::default() };
    let found = soon(client.sessions().list(one)).await.unwrap().into_inner().sessions;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].session_id, attached[3].welcome.session_id.to_string());
}

#[tokio::test]
async fn a_session_is_shown_without_what_was_said_and_looking_is_on_record() {
    let node = Node::start().await;
    let attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.operator().await;
    let request = GetSessionRequest { session_id: attached.welcome.session_id.to_string() };
    let session = soon(client.sessions().get(request)).await.unwrap().into_inner().session.unwrap();
    assert_eq!((session.tenant_id.as_str(), session.device_id.as_str()), (TENANT, "speaker-1"));
    assert_eq!((session.state(), session.connected, session.turn), (SessionState::Idle, true, 0));
    assert_eq!(session.firmware, "speaker 1.0");
    assert!(session.opened_unix_ms > 0 && session.active_unix_ms >= session.opened_unix_ms);

    let leaves = node.leaves().await;
    let last = &leaves.last().unwrap().fact;
    assert!(matches!(&last.event, Event::OperatorAccess { reason, rows: 1, .. } if reason.as_str() == "sessions.get"));
    assert_eq!(last.actor.kind, ActorKind::Operator);
    assert!(last.actor.tag.is_some());
    assert!(!leaves.last().unwrap().encode().windows(4).any(|w| w == b"anna"), "a tag, never the name");
}

#[tokio::test]
async fn bad_ids_are_named_and_unknown_ones_are_not_found() {
    let node = Node::start().await;
    let opening = node.leaves().await;
    let theirs = attach(&node.sessions, "other", "toy-1").await;
    let client = node.integrator(TENANT).await;
    let get = |session_id: &str| GetSessionRequest { session_id: session_id.to_owned() };
    assert_eq!(
        refused(client.sessions().get(get("x"))).await,
        (Code::InvalidArgument, "session_id: must be 32 hexadecimal digits".to_owned())
    );
    let unknown = refused(client.sessions().get(get(&"0".repeat(32)))).await;
    assert_eq!(unknown.0, Code::NotFound);
    let another_tenants = refused(client.sessions().get(get(&theirs.welcome.session_id.to_string()))).await;
    assert_eq!(another_tenants, unknown, "nobody learns that it is there");

    let list = |request| async { refused(client.sessions().list(request)).await };
    for (request, field) in [
        (ListSessionsRequest { tenant_id: "a b".to_owned(), ..Default::default() }, "tenant_id: character 1"),
        (ListSessionsRequest { device_id: "a b".to_owned(), ..Default::default() }, "device_id: character 1"),
        (ListSessionsRequest { page_size: 1_001, ..Default::default() }, "page_size: 1001 is more than 1000"),
        (ListSessionsRequest { page_token: "x".to_owned(), ..Default::default() }, "page_token: give"),
    ] {
        let (code, message) = list(request).await;
        assert_eq!(code, Code::InvalidArgument);
        assert!(message.starts_with(field), "{message}");
    }
    assert_eq!(node.leaves().await, opening, "nothing of anybody was shown: only the opening of the log is on record");
}

#[tokio::test]
async fn a_watcher_sees_what_is_there_and_then_what_changes() {
    let node = Node::start().await;
    let first = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.integrator(TENANT).await;
    let mut watch = soon(client.sessions().watch(WatchSessionsRequest::default())).await.unwrap().into_inner();
    let id = first.welcome.session_id.to_string();
    assert_eq!(next(&mut watch).await, (SessionChange::Present, id.clone()));

    let _theirs = attach(&node.sessions, "other", "toy-1").await;
    let second = attach(&node.sessions, TENANT, "speaker-2").await;
    assert_eq!(next(&mut watch).await, (SessionChange::Opened, second.welcome.session_id.to_string()));

    drop(first.inlet);
    let closed = loop {
        match next(&mut watch).await {
            (SessionChange::Updated, _) => {}
            other => break other,
        }
    };
    assert_eq!(closed, (SessionChange::Closed, id));
}

#[tokio::test]
async fn a_watcher_of_one_device_sees_its_next_session() {
    let node = Node::start().await;
    let _first = attach(&node.sessions, TENANT, "speaker-1").await;
    let client = node.operator().await;
    let only = WatchSessionsRequest { device_id: "speaker-1".to_owned(), ..Default::default() };
    let mut watch = soon(client.sessions().watch(only)).await.unwrap().into_inner();
    let (present, old) = next(&mut watch).await;
    assert_eq!(present, SessionChange::Present);
    // Without its resume token the device begins a new session in place of the old one.
    let again = attach(&node.sessions, TENANT, "speaker-1").await;
    assert_eq!(next(&mut watch).await, (SessionChange::Closed, old));
    assert_eq!(next(&mut watch).await, (SessionChange::Opened, again.welcome.session_id.to_string()));
}

#[tokio::test]
async fn a_watcher_sees_the_sessions_of_a_node_that_stops_close() {
    let node = Node::start().await;
    let first = attach(&node.sessions, TENANT, "speaker-1").await;
    let second = attach(&node.sessions, TENANT, "speaker-2").await;
    let client = node.operator().await;
    let mut watch = soon(client.sessions().watch(WatchSessionsRequest::default())).await.unwrap().into_inner();
    let mut there = BTreeSet::from([&first, &second].map(|device| device.welcome.session_id.to_string()));
    assert_eq!(BTreeSet::from([next(&mut watch).await, next(&mut watch).await].map(|(_, id)| id)), there);
    // as the node does it, one at once after the other
    node.sessions.drain(Duration::from_secs(1));
    node.shutdown.cancel();
    while !there.is_empty() {
        if let (SessionChange::Closed, id) = next(&mut watch).await {
            assert!(there.remove(&id), "each closes once");
        }
    }
    assert_eq!(soon(watch.message()).await.unwrap_err().code(), Code::Unavailable);
}
