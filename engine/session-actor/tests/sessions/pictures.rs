//! Pictures: taken in when somebody may look at them, and answered like anything that is asked.

use sayso_consent::Means;
use sayso_provider::fake::Manner;
use sayso_types::Purpose;
use sayso_wire::{ToDevice, ToNode};

use crate::device::{Device, Seen};
use crate::node::Node;
use crate::soon;

const BOTH: [Purpose; 2] = [Purpose::VOICE_INTERACTION, Purpose::VISION];

/// What begins like a JPEG file, in more than one part.
fn jpeg() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.resize(40_000, 7);
    bytes
}

fn was_wanted(device: &Device) -> bool {
    device.seen().iter().any(|seen| matches!(seen, Seen::Message(ToDevice::PictureWanted { .. })))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_picture_shows_is_said() {
    let node = Node::start().await;
    node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.offer(jpeg().len(), "Where is the cup?");
    soon(device.told_wanted()).await;
    jpeg().chunks(15_000).for_each(|part| device.show(part));
    assert_eq!(soon(device.hear_out()).await.1, ["A table with a cup on it."]);
    let received = node.viewer.desk().received();
    assert_eq!((received.calls, received.bytes as usize), (1, jpeg().len() + "Where is the cup?".len()));
    assert_eq!(node.responder.desk().received().calls, 0);
    let session = soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    assert_eq!(session.conversation.exchanges, 1, "it can be asked about further");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_consent_to_pictures_not_a_byte_is_kept_or_sent_and_the_device_is_told_why() {
    let node = Node::start().await;
    node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.offer(jpeg().len(), "");
    assert_eq!(soon(device.told_error()).await, "picture_not_allowed");
    // a device that sends it all the same is heard no more than one that does not
    jpeg().chunks(15_000).for_each(|part| device.show(part));
    device.write("hello");
    soon(device.hear_out()).await;
    assert!(!was_wanted(&device));
    assert_eq!(node.viewer.desk().received(), sayso_provider::fake::Received::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_is_taken_away_ends_what_is_coming_in_and_takes_no_more() {
    let node = Node::start().await;
    node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.offer(jpeg().len(), "");
    soon(device.told_wanted()).await;
    device.show(&jpeg()[..15_000]);
    device.send(ToNode::PermissionChanged { capability: "camera".parse().unwrap(), granted: false });
    assert_eq!(soon(device.told_error()).await, "picture_not_allowed");
    device.look_away();
    device.show(&jpeg()[15_000..30_000]);
    device.offer(jpeg().len(), "");
    assert_eq!(soon(device.told_error()).await, "picture_not_allowed");
    assert_eq!(node.viewer.desk().received().calls, 0, "nothing was looked at");
    device.write("hello");
    assert_eq!(soon(device.hear_out()).await.1, ["All right."], "the conversation goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_while_somebody_looks_leaves_nothing_to_say() {
    let node = Node::start().await;
    let subject = node.agreed("speaker", &BOTH).await;
    node.viewer.desk().behave(Manner::Hang);
    let mut device = Device::connect(&node, "speaker").await;
    device.offer(jpeg().len(), "");
    soon(device.told_wanted()).await;
    jpeg().chunks(15_000).for_each(|part| device.show(part));
    soon(node.viewer.desk().wait_until(|received| received.pieces == 1)).await;
    let outcome = soon(node.register.withdraw(subject, &[Purpose::VISION], Means::Integrator)).await.unwrap();
    assert!(outcome.ok);
    assert_eq!(node.viewer.desk().received().running, 0, "who looked has let go");
    assert_eq!(soon(device.told_error()).await, "picture_not_allowed");
    let spoken = device.seen().iter().any(|seen| matches!(seen, Seen::Message(ToDevice::SpeechStart { .. })));
    assert!(!spoken, "nothing was said about it");
}
