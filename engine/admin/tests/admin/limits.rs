//! What callers cannot take up.

use sayso_admin::{AdminOptions, Limits};
use sayso_proto::admin::v1::sessions_client::SessionsClient;
use sayso_proto::admin::v1::{GetSessionRequest, ListSessionsRequest, WatchSessionsRequest};
use sayso_runtime::TaskKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::node::{Node, options_of};
use crate::{refused, soon};

#[tokio::test]
async fn feeds_are_limited_and_places_come_back() {
    let node = Node::with(Limits { feeds: 1, ..Limits::default() }).await;
    let client = node.operator().await;
    let first = soon(client.sessions().watch(WatchSessionsRequest::default())).await.unwrap();
    let (code, message) = refused(client.sessions().watch(WatchSessionsRequest::default())).await;
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(message, "streams that follow are at their limit of 1; end one, or try again later");
    drop(first);
    let again = async {
        while client.sessions().watch(WatchSessionsRequest::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(again).await;
}

#[tokio::test]
async fn connections_are_limited_and_places_come_back() {
    let node = Node::with(Limits { connections: 1, ..Limits::default() }).await;
    let first = node.operator().await;
    let identity = || Some(node.authority.caller("admin:ben", None));
    assert!(node.connect(identity()).await.is_err(), "there is no room");
    soon(first.sessions().list(ListSessionsRequest::default())).await.unwrap();
    drop(first);
    let again = async {
        while node.connect(identity()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(again).await;
}

#[tokio::test]
async fn who_does_not_speak_tls_is_dropped_and_holds_up_nobody() {
    let node = Node::with(Limits { handshakes: 2, handshake_ms: 200, ..Limits::default() }).await;
    let mut silent = TcpStream::connect(node.addr).await.unwrap();
    let mut chatty = TcpStream::connect(node.addr).await.unwrap();
    chatty.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    // Whether it ends with an alert, an end or a reset, it ends.
    let _ = soon(chatty.read_to_end(&mut rest)).await;
    let _ = soon(silent.read_to_end(&mut rest)).await;
    let client = node.operator().await;
    soon(client.sessions().list(ListSessionsRequest::default())).await.unwrap();
}

#[tokio::test]
async fn who_does_not_prove_who_they_are_in_time_makes_room_for_others() {
    let node = Node::with(Limits { connections: 1, first_call_ms: 200, ..Limits::default() }).await;
    let silent = node.connect(None).await.unwrap();
    let again = async {
        loop {
            if let Ok(channel) = node.connect(Some(node.authority.caller("admin:anna", None))).await {
                return channel;
            }
            tokio::task::yield_now().await;
        }
    };
    let mut other = SessionsClient::new(soon(again).await);
    soon(other.list(ListSessionsRequest::default())).await.unwrap();
    drop(silent);
}

#[tokio::test]
async fn who_has_proved_who_they_are_takes_no_room_of_those_who_have_not() {
    let node = Node::with(Limits { newcomers_per_source: 1, ..Limits::default() }).await;
    let first = node.operator().await;
    let identity = || Some(node.authority.caller("admin:ben", None));
    assert!(node.connect(identity()).await.is_err(), "nobody has said yet who they are");
    soon(first.sessions().list(ListSessionsRequest::default())).await.unwrap();
    let second = node.connect(identity()).await.unwrap();
    soon(first.sessions().list(ListSessionsRequest::default())).await.unwrap();
    drop(second);
}

#[tokio::test]
async fn without_tokens_nobody_gets_past_tls_without_a_certificate() {
    let mut node = Node::start().await;
    let options = AdminOptions { tokens: None, ..options_of(&node.authority, "127.0.0.1:0".parse().unwrap()) };
    let admin = node.bind(options).unwrap();
    node.addr = admin.local_addr();
    let admin = node.tasks.spawn(TaskKind::Listener, "admin", admin.run(node.shutdown.clone()));
    // TLS 1.3 clients learn of it with the first answer, or while they connect
    if let Ok(channel) = node.connect(None).await {
        let mut stranger = SessionsClient::new(channel);
        let refused = soon(stranger.list(ListSessionsRequest::default())).await.unwrap_err();
        assert_ne!(refused.code(), Code::Unauthenticated, "it was not even asked: {refused:?}");
    }
    soon(node.operator().await.sessions().list(ListSessionsRequest::default())).await.unwrap();
    drop(admin);
}

#[tokio::test]
async fn a_request_has_a_size() {
    let node = Node::start().await;
    let client = node.operator().await;
    let request = GetSessionRequest { session_id: "0".repeat(20_000) };
    let (code, message) = refused(client.sessions().get(request)).await;
    assert_eq!(code, Code::OutOfRange);
    assert!(message.contains("16384"), "{message}");
}
