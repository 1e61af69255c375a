//! What callers cannot take up.

use sayso_admin::Limits;
use sayso_proto::admin::v1::{GetSessionRequest, ListSessionsRequest, WatchSessionsRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::node::Node;
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
async fn a_request_has_a_size() {
    let node = Node::start().await;
    let client = node.operator().await;
    let request = GetSessionRequest { session_id: "0".repeat(20_000) };
    let (code, message) = refused(client.sessions().get(request)).await;
    assert_eq!(code, Code::OutOfRange);
    assert!(message.contains("16384"), "{message}");
}
