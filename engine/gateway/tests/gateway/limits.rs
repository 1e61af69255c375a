//! More devices than there is room for.

use futures::future::join_all;
use quinn::{ConnectionError, TransportErrorCode};
use sayso_gateway::Limits;
use sayso_wire::{ToDevice, ToNode};

use crate::node::Node;
use crate::raw_device::{RawDevice, hello};
use crate::soon;

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

#[tokio::test]
async fn one_source_gets_its_share_and_no_more() {
    let mut node = Node::start(Limits { connections_per_source: 8, ..Limits::default() });
    let mut bystander = node.bystander().await;
    let mut made = storm(&node, 32).await;
    assert_eq!(made.len(), 7, "with the bystander, eight");
    bystander.unmoved().await;

    // a place that is given back can be had again
    let gone = made.pop().unwrap();
    gone.connection.close(0_u32.into(), b"");
    let again = async {
        loop {
            match node.dial("speaker-9").connect(node.addr).await {
                Ok(connection) => break connection,
                Err(error) => assert!(is_refused(&error), "{error}"),
            }
        }
    };
    let mut device = RawDevice::open(soon(again).await).await;
    device.say(&ToNode::Hello(hello("speaker-9"))).await;
    assert!(matches!(device.hear().await, Some(ToDevice::Welcome(_))));
    bystander.unmoved().await;
}

#[tokio::test]
async fn a_full_node_refuses_and_serves_on() {
    let mut node = Node::start(Limits { connections: 4, ..Limits::default() });
    let mut bystander = node.bystander().await;
    assert_eq!(storm(&node, 16).await.len(), 3);
    bystander.unmoved().await;
}

#[tokio::test]
async fn a_storm_of_handshakes_is_served_in_turn() {
    let mut node = Node::start(Limits { handshakes: 4, ..Limits::default() });
    let mut bystander = node.bystander().await;
    let made = storm(&node, 32).await;
    assert!(made.len() >= 4, "{} were served", made.len());
    bystander.unmoved().await;
}
