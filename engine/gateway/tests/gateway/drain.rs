//! The end of a gateway.

use std::time::Duration;

use sayso_gateway::Limits;
use sayso_runtime::tasks::Exit;
use sayso_wire::{GoodbyeReason, ToDevice};

use crate::node::Node;
use crate::raw_device::{closed, hello, narrow};
use crate::soon;

#[tokio::test]
async fn all_devices_are_told_when_to_come_again() {
    let mut node = Node::start(Limits { reconnect_spread_ms: 3_000, ..Limits::default() });
    let mut devices = Vec::new();
    for i in 0..4 {
        devices.push(node.device(&format!("speaker-{i}")).await);
    }
    node.shutdown.cancel();
    let mut waits = Vec::new();
    for (device, session) in &mut devices {
        let (error, goodbye, code) = device.dismissed().await;
        assert_eq!((error, code), (None, Some(GoodbyeReason::ShuttingDown)));
        waits.push(goodbye.reconnect_in.expect("the node comes back, or another does"));
        session.detached().await;
    }
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(3)), "{waits:?}");
    waits.sort();
    waits.dedup();
    assert_eq!(waits.len(), 4, "not all at once: {waits:?}");
    assert_eq!(soon(node.gateway.join()).await, Exit::Done);
    assert!(node.tasks.is_empty(), "nothing is left behind");
}

#[tokio::test]
async fn a_device_that_does_not_leave_is_cut_off() {
    let mut node = Node::start(Limits { drain_ms: 100, ..Limits::default() });
    let mut dial = node.dial("speaker-1");
    dial.transport = narrow();
    let (device, session) = node.welcome(dial, hello("speaker-1")).await;
    let large = ToDevice::Notice { code: "test".to_owned(), text: "x".repeat(8_192) };
    session.outlet.control(large).unwrap();
    node.shutdown.cancel();
    assert_eq!(closed(&device.connection).await, Some(GoodbyeReason::ShuttingDown));
    assert_eq!(soon(node.gateway.join()).await, Exit::Done);
}

#[tokio::test]
async fn a_device_that_has_not_said_hello_holds_up_nothing() {
    let node = Node::start(Limits { hello_ms: 60_000, drain_ms: 60_000, ..Limits::default() });
    let connection = node.dial("speaker-1").connect(node.addr).await.unwrap();
    node.shutdown.cancel();
    assert_eq!(closed(&connection).await, Some(GoodbyeReason::ShuttingDown));
    assert_eq!(soon(node.gateway.join()).await, Exit::Done);
}

#[tokio::test]
async fn whoever_comes_while_draining_is_refused() {
    let mut node = Node::start(Limits { drain_ms: 60_000, ..Limits::default() });
    let mut dial = node.dial("speaker-1");
    dial.transport = narrow();
    let (_device, session) = node.welcome(dial, hello("speaker-1")).await;
    let large = ToDevice::Notice { code: "test".to_owned(), text: "x".repeat(8_192) };
    session.outlet.control(large).unwrap();
    node.shutdown.cancel();
    assert!(node.dial("speaker-2").connect(node.addr).await.is_err());
}

#[tokio::test]
async fn the_end_of_the_process_drains_too() {
    let mut node = Node::start(Limits::default());
    let (mut device, _session) = node.device("speaker-1").await;
    let tasks = node.tasks.clone();
    let ended = tasks.shutdown(Duration::from_secs(10));
    let (told, overdue) = tokio::join!(device.dismissed(), ended);
    assert_eq!((told.2, overdue), (Some(GoodbyeReason::ShuttingDown), 0));
}
