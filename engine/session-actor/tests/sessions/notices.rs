//! A notice is told by the device, once, and is on record as delivered when it was played.

use std::collections::BTreeMap;

use sayso_audit::{Event, Hash, NoticeStep};
use sayso_consent::notices::{Channel, Draft, NoticeKind, Notices, Text};
use sayso_types::{Name, Purpose, WallTime};
use sayso_wire::{AudioFormat, ListenMode, SessionState, ToDevice};

use crate::device::{Device, Seen};
use crate::node::{Node, Setup, patient_profile};
use crate::{soon, sound};

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

/// A node whose dialogue has a privacy policy of its own.
async fn with_a_service_of_its_own() -> Node {
    let own =
        "{ id = \"rules-local\", independent_controller = true, privacy_url = \"https://talk.example.com/privacy\",";
    let profile = patient_profile().replacen("{ id = \"rules-local\",", own, 1);
    Node::with(Setup { profile, hears: vec!["Yes.", "what time is it"], ..Setup::default() }).await
}

const OF_THE_SERVICE: &str = "For dialogue, what concerns you goes to operator.";

fn shown(seen: &[Seen]) -> Vec<String> {
    let shown = |one: &Seen| match one {
        Seen::Message(ToDevice::Notice { code, text }) if code == "told" => Some(text.clone()),
        _ => None,
    };
    seen.iter().filter_map(shown).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_with_a_policy_of_its_own_is_introduced_before_anything_goes_there() {
    let node = with_a_service_of_its_own().await;
    let subject = node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    let said = soon(device.hear_out()).await.1;
    assert!(said[0] == OF_THE_SERVICE && said.concat().contains("talk.example.com"), "{said:?}");
    assert!(shown(&device.seen())[0].contains("https://talk.example.com/privacy"), "and on the screen");
    soon(device.told_state(SessionState::Listening)).await;
    let served = soon(node.logged(1, |event| match event {
        Event::NoticeServed { processor, .. } => processor,
        _ => None,
    }));
    assert_eq!(served.await, ["rules-local".parse().unwrap()]);
    assert_eq!(node.register.state(subject).await.unwrap().told.len(), 1);

    // and now it answers
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.told(|m| matches!(m, ToDevice::Transcript { .. }).then_some(()))).await;
    assert_eq!(soon(device.hear_out()).await.1.len(), 1);
    let mut again = Device::connect(&node, "speaker").await;
    again.listen(ListenMode::Auto);
    soon(again.told_state(SessionState::Listening)).await;
    assert_eq!(shown(&again.seen()), [""; 0], "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_agrees_just_now_is_told_in_the_same_conversation() {
    let node = with_a_service_of_its_own().await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"], "of what nobody may use nobody is told");
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let mut heard = Vec::new();
    while !heard.iter().any(|said| said == OF_THE_SERVICE) {
        heard.extend(soon(device.hear_out()).await.1);
    }
    assert_eq!(heard[0], "Thanks.");
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.told(|m| matches!(m, ToDevice::Transcript { .. }).then_some(()))).await;
    assert_eq!(soon(device.hear_out()).await.1.len(), 1, "it is answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_is_shown_whenever_somebody_begins_and_that_is_on_record() {
    let profile = patient_profile().replacen("[profile]\n", "[profile]\nurl = \"https://example.com/privacy\"\n", 1);
    let profile = format!("{profile}\n[notify.session]\nform = [\"screen\"]\n");
    let node = Node::with(Setup { profile, ..Setup::default() }).await;
    let _ = node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let policy = |seen: &ToDevice| match seen {
        ToDevice::Notice { code, text } if code == "policy" => Some(text.clone()),
        _ => None,
    };
    let mut texts = Vec::new();
    for times in 1..=2 {
        let mut device = Device::connect(&node, "speaker").await;
        device.listen(ListenMode::Auto);
        texts.push(soon(device.told(policy)).await);
        soon(device.told_state(SessionState::Listening)).await;
        let served = soon(node.logged(times, |event| match event {
            Event::NoticeServed { text, processor: None } => Some(text),
            _ => None,
        }));
        assert_eq!(served.await.last(), texts.last().map(|text| Hash::of(text.as_bytes())).as_ref());
    }
    assert!(texts[0].ends_with("revision 1. Please read it: https://example.com/privacy"), "{texts:?}");
    assert_eq!(texts[0], texts[1], "each time");
    // where the policy does not promise it, nobody is shown anything
    let node = Node::start().await;
    let _ = node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;
    assert!(!device.seen().iter().any(|seen| matches!(seen, Seen::Message(message) if policy(message).is_some())));
}
