//! A notice is told by the device, once, and is on record as delivered when it was played.

use std::collections::BTreeMap;

use sayso_audit::{Event, NoticeStep};
use sayso_consent::notices::{Channel, Draft, NoticeKind, Notices, Text};
use sayso_types::{Name, Purpose, WallTime};
use sayso_wire::{ListenMode, SessionState};

use crate::device::Device;
use crate::node::Node;
use crate::soon;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_is_told_in_the_language_of_the_conversation_and_not_again() {
    let node = Node::start().await;
    let subject = node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let said = |text: &str| Text { spoken: text.to_owned(), written: String::new() };
    let notices = Notices::new(node.register.clone());
    let draft = Draft {
        kind: NoticeKind::ControllerChange,
        texts: BTreeMap::from([
            (Name::constant("en"), said("Somebody else takes over.")),
            (Name::constant("zh"), said("服务将由他人接管。")),
        ]),
        by: Some(WallTime(node.clock.wall().0 + 30 * DAY_MS)),
        channels: vec![Channel::Device],
    };
    notices.send(draft, None).await.unwrap();
    notices.look().await.unwrap();

    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    assert_eq!(soon(device.hear_out()).await.1, ["Somebody else takes over."]);
    soon(device.told_state(SessionState::Listening)).await;
    let steps = soon(node.logged(2, |event| match event {
        Event::Notice { step, .. } => Some(step),
        _ => None,
    }));
    assert_eq!(steps.await, [NoticeStep::Sent, NoticeStep::Delivered]);
    assert_eq!(notices.to_tell(subject).await.unwrap(), []);

    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
}
