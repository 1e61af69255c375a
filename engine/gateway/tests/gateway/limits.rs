//! More devices than there is room for.

use std::net::SocketAddr;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use quinn::{Connection, ConnectionError, Endpoint, TransportErrorCode};
use sayso_gateway::Limits;
use sayso_runtime::tasks::Exit;
use sayso_wire::{ToDevice, ToNode};
use tokio::net::UdpSocket;

use crate::node::{Node, talk};
use crate::raw_device::{RawDevice, hello};
use crate::soon;

/// Limits of a node on a machine that is busy: nobody loses a place, and so makes room, because it was not served in time.
fn unhurried() -> Limits {
    Limits { handshake_ms: 60_000, hello_ms: 60_000, ..Limits::default() }
}

/// An address that is not that of all others.
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];

fn is_refused(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::ConnectionClosed(c) if c.error_code == TransportErrorCode::CONNECTION_REFUSED)
}

/// Tries `count` connections at once; those that were made, after checking that all others were refused.
async fn storm(node: &Node, count: usize) -> Vec<RawDevice> {
    let attempts = (0..count).map(|i| node.dial(&format!("speaker-{i}")).connect(node.addr));
    let mut made = Vec::new();
    for outcome in join_all(attempts).await {
        match outcome {
            Ok(connection) => made.push(RawDevice::open(connection).await),
            Err(error) => assert!(is_refused(&error), "{error}"),
        }
    }
    made
}

/// Connects from `source` as soon as the node has room.
async fn connect(source: &Endpoint, node: SocketAddr) -> Connection {
    let connecting = async {
        loop {
            match source.connect(node, "localhost").unwrap().await {
                Ok(connection) => break connection,
                Err(error) => assert!(is_refused(&error), "{error}"),
            }
        }
    };
    soon(connecting).await
}

#[tokio::test]
async fn one_source_gets_its_share_and_no_more() {
    let mut node = Node::start(Limits { connections_per_source: 8, ..unhurried() });
    let mut bystander = node.bystander().await;
    let mut made = storm(&node, 32).await;
    assert_eq!(made.len(), 7, "with the bystander, eight");
    bystander.unmoved().await;

    // a place that is given back can be had again
    let gone = made.pop().unwrap();
    gone.connection.close(0_u32.into(), b"");
    let source = node.dial("speaker-9").endpoint([127, 0, 0, 1]);
    let mut device = RawDevice::open(connect(&source, node.addr).await).await;
    device.say(&ToNode::Hello(hello("speaker-9"))).await;
    assert!(matches!(device.hear().await, Some(ToDevice::Welcome(_))));
    bystander.unmoved().await;
}

#[tokio::test]
async fn a_full_node_refuses_and_serves_on() {
    let mut node = Node::start(Limits { connections: 4, ..unhurried() });
    let mut bystander = node.bystander().await;
    assert_eq!(storm(&node, 16).await.len(), 3);
    bystander.unmoved().await;
}

#[tokio::test]
async fn a_storm_of_handshakes_is_served_in_turn() {
    let mut node = Node::start(Limits { handshakes: 4, ..unhurried() });
    let mut bystander = node.bystander().await;
    let made = storm(&node, 32).await;
    assert!(made.len() >= 4, "{} were served", made.len());
    bystander.unmoved().await;
}

#[tokio::test]
async fn a_thousand_from_one_source_leave_room_for_another() {
    let limits = unhurried();
    let share = limits.connections_per_source;
    let mut node = Node::start(limits);
    let tasks = node.tasks.len();
    let source = node.dial("speaker-1").endpoint([127, 0, 0, 1]);
    // no more at once than a socket has room for: what the kernel drops, nobody refuses
    let attempts = stream::iter(0..1_000).map(|_| source.connect(node.addr, "localhost").unwrap());
    let mut made = Vec::new();
    for outcome in soon(attempts.buffer_unordered(2 * share).collect::<Vec<_>>()).await {
        match outcome {
            Ok(connection) => made.push(connection),
            Err(error) => assert!(is_refused(&error), "{error}"),
        }
    }
    assert_eq!(made.len(), share);
    assert_eq!(node.tasks.len() - tasks, share, "what is refused takes up nothing");

    // somebody else gets in, and talks
    let elsewhere = node.dial("speaker-2").endpoint(ELSEWHERE);
    let mut other = RawDevice::open(soon(elsewhere.connect(node.addr, "localhost").unwrap()).await.unwrap()).await;
    other.say(&ToNode::Hello(hello("speaker-2"))).await;
    assert!(matches!(other.hear().await, Some(ToDevice::Welcome(_))));
    let mut session = soon(node.sessions.recv()).await.unwrap();
    talk(&mut other, &mut session, 1).await;

    // when they are gone, the source has its whole share again
    for connection in made {
        connection.close(0_u32.into(), b"");
    }
    let mut made = Vec::new();
    for _ in 0..share {
        made.push(connect(&source, node.addr).await);
    }
    talk(&mut other, &mut session, 2).await;
    node.shutdown.cancel();
    assert_eq!(soon(node.gateway.join()).await, Exit::Done);
    assert!(node.tasks.is_empty(), "nothing is left behind");
}

#[tokio::test]
async fn a_handshake_that_is_never_finished_is_given_up() {
    for (handshake_ms, gives_up) in [(60_000, false), (50, true)] {
        let node = Node::start(Limits { connections: 1, handshake_ms, ..unhurried() });
        let stalled = stall(&node).await;
        let source = node.dial("speaker-1").endpoint([127, 0, 0, 1]);
        if gives_up {
            // QUIC itself would wait for as long as an established connection may be silent
            connect(&source, node.addr).await;
        } else {
            let error = soon(source.connect(node.addr, "localhost").unwrap()).await.unwrap_err();
            assert!(is_refused(&error), "{error}");
        }
        drop(stalled);
    }
}

/// Begins a handshake, and leaves it at that once the node has answered. The node answers the socket that is returned.
async fn stall(node: &Node) -> UdpSocket {
    let local = || UdpSocket::bind("127.0.0.1:0");
    let (middle, stalled) = (local().await.unwrap(), local().await.unwrap());
    let device = node.dial("stalled").endpoint([127, 0, 0, 1]);
    let _connecting = device.connect(middle.local_addr().unwrap(), "localhost").unwrap();
    let mut datagram = [0; 2_048];
    let bytes = soon(middle.recv(&mut datagram)).await.unwrap();
    stalled.send_to(&datagram[..bytes], node.addr).await.unwrap();
    soon(stalled.recv(&mut datagram)).await.unwrap();
    stalled
}
