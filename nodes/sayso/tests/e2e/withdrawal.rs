//! Withdrawal through the admin API, in the middle of an utterance.

use sayso_audit::Event;
use sayso_device::DeviceEvent;
use sayso_proto::consent::v1::WithdrawalState;
use sayso_tests::{Installation, recordings};
use sayso_types::{Category, Purpose};
use sayso_wire::{ConsentStatus, ToDevice};
use serde_json::Value;

use crate::sayso;

/// Whether speech went to a recogniser for a conversation.
fn hears(event: &Event) -> bool {
    matches!(event, Event::SegmentOpened { cell, .. }
        if cell.purpose == Purpose::VOICE_INTERACTION && cell.category == Category::VOICE_AUDIO)
}

#[tokio::test]
async fn nothing_is_heard_once_it_is_ok() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let admin = installation.operator(&node).await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.begin(&recordings::sound(recordings::LONG)).await;
    admin.until_leaf("an utterance on its way to the recogniser", |leaf| hears(&leaf.fact.event)).await;

    let withdrawn = admin.withdraw("speaker-1").await;
    assert_eq!(withdrawn.state(), WithdrawalState::Ok, "{withdrawn:?}");
    device.until_consent(ConsentStatus::Withdrawn).await;

    // the rest of the utterance, and a new one, fall on deaf ears; then the device asks again what it may do
    device.device.say(&recordings::sound(recordings::SHORT)).await.unwrap();
    device.device.say_text("What is twelve times seven?").unwrap();
    device
        .until("the consent question", |event| match event {
            DeviceEvent::Node(ToDevice::Transcript { .. }) => panic!("it was understood: {event:?}"),
            DeviceEvent::Node(ToDevice::ConsentPrompt { .. }) => Some(()),
            _ => None,
        })
        .await;
    let leaves = admin.leaves().await;
    let effective = leaves.iter().position(|leaf| matches!(leaf.fact.event, Event::WithdrawEffective { .. }));
    let effective = effective.expect("the log says when the withdrawal took effect");
    assert!(!leaves[effective..].iter().any(|leaf| hears(&leaf.fact.event)));
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn stop_listening_is_confirmed_aloud() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let (server, certs) = (node.gateway.to_string(), installation.file("device"));
    let args = ["device", "--server", &server, "--certs", &certs, "--consent", "agree", "--json"];
    let texts = ["--text", "what time is it", "--text", "stop listening"];
    let talked = sayso().run(args.iter().chain(&texts)).await.success();

    let events: Vec<Value> = talked.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = |name: &str| events.iter().rfind(|event| event["event"] == name);
    assert_eq!(last("consent").unwrap()["status"], "withdrawn", "{}", talked.stdout);
    assert_eq!(last("answer").unwrap()["text"], "Done. I have stopped listening.");
    assert_eq!(last("error"), None);
}
