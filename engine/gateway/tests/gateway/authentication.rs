//! Who gets in.

use quinn::ConnectionError;
use sayso_gateway::Limits;
use sayso_wire::{GoodbyeReason, Hello, ToNode};

use crate::authority::Authority;
use crate::node::{Node, TENANT, talk, token};
use crate::raw_device::{Dial, RawDevice, hello};
use crate::soon;

const FAR_FUTURE: u64 = 32_503_680_000;
const LONG_AGO: u64 = 1_000_000_000;

/// The error code and reason with which a device is dismissed that connects with `dial` and says `hello`.
async fn dismissed(node: &Node, dial: Dial, hello: Hello) -> (Option<String>, GoodbyeReason) {
    let mut device = node.open(dial).await;
    device.say(&ToNode::Hello(hello)).await;
    let (error, goodbye, code) = device.dismissed().await;
    assert_eq!(code, Some(goodbye.reason));
    assert_eq!(goodbye.reconnect_in, None, "coming again would not help");
    (error, goodbye.reason)
}

fn unauthenticated() -> (Option<String>, GoodbyeReason) {
    (Some("unauthenticated".to_owned()), GoodbyeReason::Unauthenticated)
}

#[tokio::test]
async fn a_certificate_or_a_token_says_who_a_device_is() {
    let mut node = Node::start(Limits::default());
    let (mut device, mut session) = node.device("speaker-1").await;
    assert_eq!((session.attach.tenant.as_str(), session.attach.device.as_str()), (TENANT, "speaker-1"));
    talk(&mut device, &mut session, 1).await;

    let by_token = Hello { auth_token: token("speaker-2", FAR_FUTURE, 1), ..hello("speaker-2") };
    let (mut device, mut session) = node.welcome(Dial::new(&node.authority, None), by_token).await;
    assert_eq!((session.attach.tenant.as_str(), session.attach.device.as_str()), (TENANT, "speaker-2"));
    talk(&mut device, &mut session, 1).await;
}

#[tokio::test]
async fn a_device_cannot_speak_for_another() {
    let mut node = Node::start(Limits::default());
    let mut bystander = node.bystander().await;
    let by_certificate = dismissed(&node, node.dial("speaker-1"), hello("bystander")).await;
    assert_eq!(by_certificate, unauthenticated());
    let stolen = Hello { auth_token: token("speaker-1", FAR_FUTURE, 1), ..hello("bystander") };
    assert_eq!(dismissed(&node, Dial::new(&node.authority, None), stolen.clone()).await, unauthenticated());
    // a certificate is not overruled by the token of another
    let mixed = Hello { auth_token: token("bystander", FAR_FUTURE, 1), ..hello("bystander") };
    assert_eq!(dismissed(&node, node.dial("speaker-1"), mixed).await, unauthenticated());
    bystander.unmoved().await;
}

#[tokio::test]
async fn tokens_expire_and_have_an_issuer() {
    let mut node = Node::start(Limits::default());
    let mut bystander = node.bystander().await;
    for auth_token in [token("speaker-1", LONG_AGO, 1), token("speaker-1", FAR_FUTURE, 2), None] {
        let hello = Hello { auth_token, ..hello("speaker-1") };
        assert_eq!(dismissed(&node, Dial::new(&node.authority, None), hello).await, unauthenticated());
    }
    bystander.unmoved().await;
}

#[tokio::test]
async fn certificates_expire_and_have_an_issuer() {
    let mut node = Node::start(Limits::default());
    let mut bystander = node.bystander().await;
    let expired = node.authority.expired_device(TENANT, "speaker-1");
    let foreign = Authority::new().device(TENANT, "speaker-1");
    for credential in [expired, foreign] {
        // TLS 1.3: the device may believe that it is connected until the node has seen its certificate
        let refused = match Dial::new(&node.authority, Some(credential)).connect(node.addr).await {
            Ok(connection) => soon(connection.closed()).await,
            Err(error) => error,
        };
        assert!(matches!(refused, ConnectionError::ConnectionClosed(_)), "{refused}");
    }
    assert!(node.sessions.try_recv().is_none(), "no session was asked for them");
    bystander.unmoved().await;
}

#[tokio::test]
async fn another_protocol_is_not_spoken() {
    let mut node = Node::start(Limits::default());
    let mut bystander = node.bystander().await;
    for alpn in [&b"h3"[..], b"sayso/2"] {
        let mut dial = node.dial("speaker-1");
        dial.crypto.alpn_protocols = vec![alpn.to_vec()];
        assert!(dial.connect(node.addr).await.is_err());
    }
    let mut dial = node.dial("speaker-1");
    dial.crypto.alpn_protocols = Vec::new();
    if let Ok(connection) = dial.connect(node.addr).await {
        let mut device = RawDevice::open(connection).await;
        device.say(&ToNode::Hello(hello("speaker-1"))).await;
        assert_eq!(device.hear().await, None);
    }
    bystander.unmoved().await;
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_said_so() {
    let mut node = Node::start(Limits::default());
    let mut bystander = node.bystander().await;
    let future = Hello { versions: vec![9, 8], ..hello("speaker-1") };
    let dismissed = dismissed(&node, node.dial("speaker-1"), future).await;
    assert_eq!(dismissed, (Some("no_common_version".to_owned()), GoodbyeReason::Version));
    bystander.unmoved().await;
}
