//! Devices that send what they should not.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use sayso_gateway::Limits;
use sayso_wire::{GoodbyeReason, MESSAGE_BYTES_MAX, ToDevice, ToNode};

use crate::node::{Node, talk};
use crate::raw_device::{closed, hello, listen};

/// A message of field 15, which no version knows.
const UNKNOWN: [u8; 3] = [2, 0x7a, 0];

/// The length of a message in front of it.
fn length(mut bytes: usize) -> Vec<u8> {
    let mut varint = Vec::new();
    while bytes >= 0x80 {
        varint.push((bytes as u8) | 0x80);
        bytes >>= 7;
    }
    varint.push(bytes as u8);
    varint
}

#[tokio::test]
async fn an_unknown_message_is_answered_and_the_connection_lives() {
    let mut node = Node::start(Limits::default());
    let (mut device, mut session) = node.device("speaker-1").await;
    device.say_bytes(&UNKNOWN).await;
    assert!(matches!(device.hear().await, Some(ToDevice::Error { code, .. }) if code == "unknown_message"));
    talk(&mut device, &mut session, 1).await;
}

#[tokio::test]
async fn a_second_hello_is_answered_and_the_connection_lives() {
    let mut node = Node::start(Limits::default());
    let (mut device, mut session) = node.device("speaker-1").await;
    device.say(&ToNode::Hello(hello("speaker-2"))).await;
    assert!(matches!(device.hear().await, Some(ToDevice::Error { code, .. }) if code == "hello_unexpected"));
    talk(&mut device, &mut session, 1).await;
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_on_ends_its_connection() {
    let mut node = Node::start(Limits::default());
    let mut bystander = node.bystander().await;
    for (bytes, expected) in [
        (length(MESSAGE_BYTES_MAX + 1), "message_too_long"),
        (length(1 << 30), "message_too_long"),
        (vec![0xff; 64], "bad_length"),
    ] {
        let (mut device, mut session) = node.device("speaker-1").await;
        device.say_bytes(&bytes).await;
        let (error, _, code) = device.dismissed().await;
        assert_eq!((error.as_deref(), code), (Some(expected), Some(GoodbyeReason::Protocol)));
        session.detached().await;

        // the same before the hello
        let mut device = node.open(node.dial("speaker-2")).await;
        device.say_bytes(&bytes).await;
        let (error, _, code) = device.dismissed().await;
        assert_eq!((error.as_deref(), code), (Some(expected), Some(GoodbyeReason::Protocol)));
    }
    bystander.unmoved().await;
}

#[tokio::test]
async fn datagrams_that_are_not_sound_are_dropped() {
    let mut node = Node::start(Limits::default());
    let (mut device, mut session) = node.device("speaker-1").await;
    for datagram in [&b""[..], b"\x01", b"\x02aaaabbbbccccdddd", b"\x01aaaabbbbcccc"] {
        device.connection.send_datagram(Bytes::copy_from_slice(datagram)).unwrap();
    }
    talk(&mut device, &mut session, 1).await;
}

#[tokio::test]
async fn whoever_does_not_say_hello_first_is_dismissed() {
    let node = Node::start(Limits::default());
    let mut device = node.open(node.dial("speaker-1")).await;
    device.say(&listen(1)).await;
    let (error, _, code) = device.dismissed().await;
    assert_eq!((error.as_deref(), code), (Some("hello_expected"), Some(GoodbyeReason::Protocol)));
}

#[tokio::test]
async fn whoever_says_no_hello_in_time_is_dismissed() {
    let mut node = Node::start(Limits { hello_ms: 100, ..Limits::default() });
    let mut bystander = node.bystander().await;
    // no stream at all
    let connection = node.dial("speaker-1").connect(node.addr).await.unwrap();
    assert_eq!(closed(&connection).await, Some(GoodbyeReason::Protocol));
    // half a hello
    let mut device = node.open(node.dial("speaker-1")).await;
    device.say_bytes(&[100, 1, 2, 3]).await;
    let (error, goodbye, code) = device.dismissed().await;
    assert_eq!((error.as_deref(), code), (Some("hello_timeout"), Some(GoodbyeReason::Protocol)));
    assert!(goodbye.reconnect_in >= Some(Duration::from_secs(1)), "it may have been the network");
    bystander.unmoved().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_disturb_another_device(bytes in prop::collection::vec(any::<u8>(), 1..512)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut node = Node::start(Limits::default());
            let mut bystander = node.bystander().await;
            let (mut device, mut session) = node.device("speaker-1").await;
            device.say_bytes(&bytes).await;
            device.send.finish().unwrap();
            session.detached().await;
            bystander.unmoved().await;
        });
    }
}
