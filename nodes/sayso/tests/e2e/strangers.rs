//! Those who may not, those who misbehave and those who vanish: each is told why, and a good device does not notice.

use quinn::{ConnectionError, TransportErrorCode};
use sayso_tests::{Installation, Node, TestDevice, recordings, stranger, within};
use sayso_wire::GoodbyeReason;

use crate::sayso;

/// TLS alert no_application_protocol (RFC 7301, section 3.2).
const NO_APPLICATION_PROTOCOL: u8 = 120;

#[tokio::test]
async fn a_good_device_does_not_notice() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut good = installation.first_device(&node).await;
    let (prompt, _) = good.asked().await;
    good.agree(&prompt).await;

    tokio::join!(
        good.hears("What is twelve times seven?", "84"),
        without_credentials(&installation, &node),
        with_another_protocol(&installation, &node),
        with_garbage(&installation, &node),
        cut_off(&installation, &node),
    );
    good.hears("What is six times seven?", "42").await;
}

async fn without_credentials(installation: &Installation, node: &Node) {
    stranger::self_signed(installation, "foreign", "speaker-1");
    let server = node.gateway.to_string();
    let refused = async |certs: &str, credential: &[&str], words: &[&str]| {
        let certs = installation.file(certs);
        let args = ["device", "--server", &server, "--certs", &certs, "--text", "hello"];
        sayso().run(args.iter().chain(credential)).await.failure(words);
    };
    refused("foreign", &[], &["certificate"]).await;
    let expired = installation.token("speaker-1", 1_000_000_000);
    refused("device", &["--token", &expired], &["expired", "issue a new"]).await;
    let other = installation.token("speaker-2", u64::MAX);
    refused("device", &["--token", &other], &["another device"]).await;
    let forged = other.replace("sayso1.", "sayso1.x");
    refused("device", &["--token", &forged, "--device-id", "speaker-2"], &["token", "issue a new"]).await;
}

async fn with_another_protocol(installation: &Installation, node: &Node) {
    match stranger::connect(installation, node.gateway, b"h3").await {
        Err(ConnectionError::ConnectionClosed(close)) => {
            assert_eq!(close.error_code, TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL));
        }
        other => panic!("{other:?}"),
    }
}

async fn with_garbage(installation: &Installation, node: &Node) {
    let connection = stranger::connect(installation, node.gateway, sayso_wire::ALPN).await.unwrap();
    connection.send_datagram(vec![0xff; 1_000].into()).unwrap();
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    // the node may have closed the connection before it has taken all of it
    let _ = send.write_all(&[0xff; 100_000]).await;
    match within("the end of a connection", connection.closed()).await {
        ConnectionError::ApplicationClosed(close) => {
            let reason = GoodbyeReason::from_close_code(close.error_code.into_inner());
            assert_eq!(reason, Some(GoodbyeReason::Protocol));
        }
        other => panic!("{other}"),
    }
}

async fn cut_off(installation: &Installation, node: &Node) {
    let mut device: TestDevice = installation.device(node, "speaker-2").await.unwrap();
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.begin(&recordings::sound(recordings::LONG)).await;
}
