//! What an attached device and its session can do.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sayso_gateway::Limits;
use sayso_session::{Full, Refusal};
use sayso_wire::{AudioPacket, Capabilities, Goodbye, GoodbyeReason, Hello, ToDevice, ToNode};

use crate::node::Node;
use crate::raw_device::{RawDevice, closed, hello, listen, narrow, packet, streams_only};
use crate::soon;

fn notice(number: u32) -> ToDevice {
    ToDevice::Notice { code: "test".to_owned(), text: number.to_string() }
}

fn goodbye(reason: GoodbyeReason) -> Goodbye {
    Goodbye { reason, text: "because".to_owned(), reconnect_in: Some(Duration::from_secs(1)) }
}

#[tokio::test]
async fn without_datagrams_sound_takes_the_stream() {
    let mut node = Node::start(Limits::default());
    let mut dial = node.dial("speaker-1");
    dial.transport = streams_only();
    let (mut device, mut session) = node.welcome(dial, hello("speaker-1")).await;
    device.say(&ToNode::Audio(packet(1, 60))).await;
    assert_eq!(session.listen().await, packet(1, 60));
    session.outlet.audio(packet(2, 60)).unwrap();
    assert_eq!(device.hear().await, Some(ToDevice::Audio(packet(2, 60))));

    // QUIC would carry datagrams, but the device says that it takes none
    let deaf = Hello { capabilities: Capabilities::default(), ..hello("speaker-2") };
    let (mut device, session) = node.welcome(node.dial("speaker-2"), deaf).await;
    session.outlet.audio(packet(3, 60)).unwrap();
    assert_eq!(device.hear().await, Some(ToDevice::Audio(packet(3, 60))));
}

#[tokio::test]
async fn a_packet_too_large_for_a_datagram_takes_the_stream() {
    let mut node = Node::start(Limits::default());
    let mut dial = node.dial("speaker-1");
    dial.transport.datagram_receive_buffer_size(Some(1_000));
    let (mut device, session) = node.welcome(dial, hello("speaker-1")).await;
    session.outlet.audio(packet(1, 1_275)).unwrap();
    assert_eq!(device.hear().await, Some(ToDevice::Audio(packet(1, 1_275))));
    session.outlet.audio(packet(2, 60)).unwrap();
    let datagram = soon(device.connection.read_datagram()).await.unwrap();
    assert_eq!(AudioPacket::decode_datagram(datagram), Ok(packet(2, 60)));
}

#[tokio::test]
async fn a_congested_connection_loses_the_newest_sound() {
    let mut node = Node::start(Limits::default());
    let (device, session) = node.device("speaker-1").await;
    // one thread: nothing leaves before the first await
    let mut taken = 0;
    while session.outlet.audio(packet(taken, 200)).is_ok() {
        taken += 1;
    }
    assert!(taken > 10, "a burst of a few frames is no congestion: {taken}");
    for sequence in 0..taken {
        let datagram = soon(device.connection.read_datagram()).await.unwrap();
        assert_eq!(AudioPacket::decode_datagram(datagram), Ok(packet(sequence, 200)));
    }
}

#[tokio::test]
async fn a_session_that_ends_says_why_after_everything_else() {
    let mut node = Node::start(Limits::default());
    let (mut device, mut session) = node.device("speaker-1").await;
    (1..=9).for_each(|number| session.outlet.control(notice(number)).unwrap());
    session.outlet.close(goodbye(GoodbyeReason::Replaced));
    session.outlet.close(goodbye(GoodbyeReason::Done));
    for number in 1..=9 {
        assert_eq!(device.hear().await, Some(notice(number)));
    }
    let (error, said, code) = device.dismissed().await;
    assert_eq!((error, said, code), (None, goodbye(GoodbyeReason::Replaced), Some(GoodbyeReason::Replaced)));
    session.detached().await;
    assert_eq!(session.outlet.control(notice(0)), Err(Full), "nobody is there any more");
}

#[tokio::test]
async fn a_session_that_vanishes_is_apologised_for() {
    let mut node = Node::start(Limits::default());
    let (mut device, session) = node.device("speaker-1").await;
    drop(session);
    let (error, goodbye, code) = device.dismissed().await;
    assert_eq!((error.as_deref(), code), (Some("internal"), Some(GoodbyeReason::Internal)));
    assert!(goodbye.reconnect_in.is_some(), "the next session may live");
}

#[tokio::test]
async fn a_refused_device_is_told_what_to_do() {
    let mut node = Node::start(Limits::default());
    let mut bystander = node.bystander().await;
    node.fake.refuse(Refusal::OverLimit { what: "sessions", limit: 1 });
    let mut device = node.open(node.dial("speaker-1")).await;
    device.say(&ToNode::Hello(hello("speaker-1"))).await;
    let (error, goodbye, code) = device.dismissed().await;
    assert_eq!((error.as_deref(), code), (Some("over_limit"), Some(GoodbyeReason::OverLimit)));
    assert!(goodbye.reconnect_in.is_some());
    bystander.unmoved().await;
}

#[tokio::test]
async fn a_device_leaves_with_or_without_a_word() {
    let mut node = Node::start(Limits::default());
    let (mut device, mut session) = node.device("speaker-1").await;
    let word = ToNode::Goodbye(goodbye(GoodbyeReason::Done));
    device.say(&word).await;
    assert_eq!(session.hear().await, word);
    assert_eq!(device.dismissed().await.2, Some(GoodbyeReason::Done));
    session.detached().await;

    let (device, mut session) = node.device("speaker-2").await;
    device.connection.close(0_u32.into(), b"");
    session.detached().await;

    let (mut device, mut session) = node.device("speaker-3").await;
    device.send.finish().unwrap();
    session.detached().await;
}

#[tokio::test]
async fn a_busy_session_is_reported_and_the_connection_lives() {
    let mut node = Node::start(Limits::default());
    let (mut device, mut session) = node.device("speaker-1").await;
    session.busy.store(true, Ordering::SeqCst);
    device.say(&listen(1)).await;
    assert_eq!(error_code(&mut device).await, "too_many_messages");
    session.busy.store(false, Ordering::SeqCst);
    device.say(&listen(2)).await;
    assert_eq!(session.hear().await, listen(2));
}

#[tokio::test]
async fn a_device_that_takes_nothing_fills_its_own_queues_only() {
    let limits = Limits { control_queue: 8, audio_queue: 8, ..Limits::default() };
    let mut node = Node::start(limits);
    let mut bystander = node.bystander().await;
    let mut dial = node.dial("speaker-1");
    dial.transport = narrow();
    dial.transport.datagram_receive_buffer_size(None);
    let (device, mut session) = node.welcome(dial, hello("speaker-1")).await;

    let large = ToDevice::Notice { code: "test".to_owned(), text: "x".repeat(4_096) };
    let fill = async {
        while session.outlet.control(large.clone()).is_ok() {
            tokio::task::yield_now().await;
        }
        while session.outlet.audio(packet(1, 1_000)).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(fill).await;
    bystander.unmoved().await;

    // the goodbye cannot be delivered, but its code can
    session.outlet.close(goodbye(GoodbyeReason::Idle));
    assert_eq!(closed(&device.connection).await, Some(GoodbyeReason::Idle));
    session.detached().await;
    bystander.unmoved().await;
}

async fn error_code(device: &mut RawDevice) -> String {
    match device.hear().await {
        Some(ToDevice::Error { code, remedy, .. }) => {
            assert!(!remedy.is_empty());
            code
        }
        other => panic!("not an error: {other:?}"),
    }
}
