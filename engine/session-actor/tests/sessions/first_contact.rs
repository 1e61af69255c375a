//! From the first word to the first answer: nothing moves without a yes.

use std::sync::Arc;

use sayso_audio::pacer::LEAD_MS;
use sayso_policy::{ConsentStatus, Profile};
use sayso_provider::Reply;
use sayso_types::dialogue::{Action, Fact};
use sayso_types::{Mono, Purpose};
use sayso_wire::{
    AudioFormat, AudioPacket, ConsentDecision, ConsentStatus as Told, ListenMode, SessionState, ToDevice, ToNode,
};
use sha2::{Digest, Sha256};

use crate::device::{Device, Seen, hello};
use crate::node::{Node, Setup};
use crate::{soon, sound};

/// The node's profile at revision 2: memories are kept for longer, and the spoken question says so.
fn revised(node: &Node) -> Arc<Profile> {
    let text = node.profile.text();
    let (before, memories) = text.split_at(text.find("[category.memory_summary").unwrap());
    let mut text = before.to_owned()
        + &memories.replacen("action = \"erase\"\nafter = \"PT0S\"", "action = \"erase\"\nafter = \"P30D\"", 1);
    for (from, to) in [
        ("rev = 1", "rev = 2"),
        ("spoken = \"May I listen?\"", "spoken = \"May I listen?\"\nchanged = \"I now remember for longer.\""),
    ] {
        assert!(text.contains(from), "the profile has no {from:?} any more:\n{text}");
        text = text.replacen(from, to, 1);
    }
    Arc::new(Profile::parse(&text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_agreed_to_an_earlier_revision_is_asked_again_about_what_it_changed_and_nothing_else() {
    let node = Node::hearing(&["Yes.", "what time is it"]).await;
    let subject = node.agreed("speaker", &[Purpose::VOICE_INTERACTION, Purpose::MEMORY]).await;
    let revised = revised(&node);
    node.register.publish(Arc::clone(&revised)).await.unwrap();

    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    let asked = |m: &ToDevice| match m {
        ToDevice::ConsentPrompt { purposes, .. } => Some(purposes.clone()),
        _ => None,
    };
    assert_eq!(soon(device.told(asked)).await, [Purpose::MEMORY]);
    assert_eq!(soon(device.hear_out()).await.1, ["I now remember for longer.", "May I listen?"]);
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(told_consent(&mut device, Purpose::MEMORY).await, Told::Given);

    let (state, records) = node.register.records(subject).await.unwrap();
    assert_eq!(state.status(Purpose::MEMORY), ConsentStatus::Renewed);
    assert_eq!(state.status(Purpose::VOICE_INTERACTION), ConsentStatus::Given, "of which nothing was asked");
    assert_eq!(node.register.revisions().governing(Purpose::MEMORY, &state).rev(), 2);
    let notice: [u8; 32] = Sha256::digest("I now remember for longer. May I listen?").into();
    let purpose = records.last().unwrap().purpose.as_ref().unwrap();
    assert_eq!(purpose.privacy_notices[0].rendered_sha256, notice, "what was read out");

    assert_eq!(soon(device.hear_out()).await.1, ["Thanks."]);
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let transcript = |m: &ToDevice| match m {
        ToDevice::Transcript { text, .. } => Some(text.reveal().clone()),
        _ => None,
    };
    assert_eq!(soon(device.told(transcript)).await, "what time is it");
}

/// Waits until the device is told where `wanted` stands.
async fn told_consent(device: &mut Device, wanted: Purpose) -> Told {
    let status = |m: &ToDevice| match m {
        ToDevice::ConsentChanged { purpose, status, .. } if *purpose == wanted => Some(*status),
        _ => None,
    };
    soon(device.told(status)).await
}

/// The prompt that is open.
async fn prompt(device: &mut Device) -> String {
    let prompt = |m: &ToDevice| match m {
        ToDevice::ConsentPrompt { prompt_id, .. } => Some(prompt_id.clone()),
        _ => None,
    };
    soon(device.told(prompt)).await
}

/// Packets must be in order, and none may be further ahead of play-out than the lead.
fn check_pace(packets: &[(AudioPacket, Mono)], frame_ms: u32) {
    let began = packets[0].1;
    for (n, (packet, at)) in (0..).zip(packets) {
        assert_eq!((packet.sequence, packet.timestamp_ms), (n, n * frame_ms));
        let sent_ms = u128::from((n + 1) * frame_ms);
        assert!(sent_ms <= at.since(began).as_millis() + 1 + u128::from(LEAD_MS), "packet {n} is early");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spoken_yes_opens_the_conversation_and_is_on_record() {
    let node = Node::hearing(&["Yes, I agree.", "what time is it"]).await;
    let mut device = Device::connect(&node, "speaker").await;
    assert!(!device.welcome.resumed && !node.session("speaker").unwrap().awake, "connecting wakes nobody");
    device.listen(ListenMode::Auto);
    prompt(&mut device).await;
    let (question, sentences) = soon(device.hear_out()).await;
    assert_eq!(sentences, ["May I listen?"]);
    check_pace(&device.packets(question), 20);
    assert_eq!(node.transcriber.desk().received().bytes, 0, "nothing is heard while the question is read");

    soon(device.told_state(SessionState::Listening)).await;
    let yes = sound::utterance(AudioFormat::MONO_16K);
    device.say(&yes);
    assert_eq!(told_consent(&mut device, Purpose::MEMORY).await, Told::Given);
    assert_eq!(told_consent(&mut device, Purpose::VOICE_INTERACTION).await, Told::Given);
    let received = node.transcriber.desk().received();
    assert!(received.labels.iter().all(|label| label.purpose == Purpose::CONSENT_ANSWER) && received.bytes > 0);
    assert_eq!(node.responder.desk().received().calls, 0, "the answer is nobody else's");

    let subject = node.subject("speaker").await;
    let (state, records) = node.register.records(subject).await.unwrap();
    assert!(state.status(Purpose::VOICE_INTERACTION).is_valid() && state.status(Purpose::MEMORY).is_valid());
    assert_eq!(records.len(), 2);
    let notice: [u8; 32] = Sha256::digest("May I listen?").into();
    for record in &records {
        assert_eq!(record.purpose.as_ref().unwrap().privacy_notices[0].rendered_sha256, notice);
        assert_eq!(
            record.events.last().unwrap().evidence_sha256,
            sound::fingerprint(&yes),
            "the evidence is what was heard"
        );
    }

    let (_, thanks) = soon(device.hear_out()).await;
    assert_eq!(thanks, ["Thanks."]);
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let transcript = |m: &ToDevice| match m {
        ToDevice::Transcript { text, .. } => Some(text.reveal().clone()),
        _ => None,
    };
    assert_eq!(soon(device.told(transcript)).await, "what time is it");
    let (answer, sentences) = soon(device.hear_out()).await;
    assert_eq!(sentences, ["All right."]);
    let packets = device.packets(answer);
    check_pace(&packets, 20);
    assert_eq!(packets.len(), 10 * 66 / 20);
    let last = node.transcriber.desk().received().labels.last().copied().unwrap();
    assert_eq!((last.purpose, last.cv), (Purpose::VOICE_INTERACTION, state.cv));

    soon(device.told_state(SessionState::Listening)).await;
    let snapshot = soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    assert_eq!((snapshot.turns.interrupted, snapshot.turns.failed), (0, 0), "the question is no turn");
    assert_eq!(snapshot.stages.len(), 4, "every stage was measured");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_speech_is_told_after_its_last_packet() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &[Purpose::VOICE_INTERACTION]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    let (turn, _) = soon(device.hear_out()).await;
    let seen = device.seen();
    let at = |is: &dyn Fn(&Seen) -> bool| seen.iter().rposition(is).unwrap();
    let last_packet = at(&|s| matches!(s, Seen::Packet(p, _) if p.turn == turn));
    assert!(last_packet < at(&|s| matches!(s, Seen::Message(ToDevice::SpeechEnd { .. }))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_by_button_is_on_record_with_what_the_device_reported() {
    let node = Node::start().await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    let prompt_id = prompt(&mut device).await;
    let earlier = prompt_id.clone();
    let press = ToNode::ConsentAnswer { prompt_id, decision: ConsentDecision::Refuse, purpose: None };
    let mut wire = bytes::BytesMut::new();
    sayso_wire::encode(&press, &mut wire).unwrap();
    device.send(press);
    assert_eq!(told_consent(&mut device, Purpose::VOICE_INTERACTION).await, Told::Refused);
    assert_eq!(soon(device.hear_out()).await.1, ["I will not."]);
    soon(device.told_state(SessionState::Idle)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));

    let subject = node.subject("speaker").await;
    let (state, records) = node.register.records(subject).await.unwrap();
    assert_eq!(state.status(Purpose::VOICE_INTERACTION), ConsentStatus::Refused);
    assert_eq!(records[0].events.last().unwrap().evidence_sha256, <[u8; 32]>::from(Sha256::digest(&wire)));
    assert_eq!(node.transcriber.desk().received().bytes, 0);
    // pressing without having been asked again changes nothing
    device.send(ToNode::ConsentAnswer { prompt_id: earlier, decision: ConsentDecision::Agree, purpose: None });
    assert_eq!(soon(device.told_error()).await, "prompt_closed");
    assert_eq!(node.register.state(subject).await.unwrap().cv, state.cv);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_answer_is_asked_again_and_then_left_alone() {
    let mut setup = Setup::default();
    setup.options.session.consent_within = core::time::Duration::from_millis(5);
    setup.options.session.consent_attempts = 2;
    let node = Node::with(setup).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"]);
    assert_eq!(soon(device.hear_out()).await.1, ["Yes or no?"]);
    assert_eq!(told_consent(&mut device, Purpose::VOICE_INTERACTION).await, Told::Deferred);
    assert_eq!(soon(device.hear_out()).await.1, ["Later then."]);
    soon(device.told_state(SessionState::Idle)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_outlive_the_conversation_only_with_consent_to_memory() {
    let remember = || {
        let fact = Fact { key: "name".into(), value: "Anna".into() };
        vec![Reply::Act(Action::Remember(fact)), Reply::Text("Hello, Anna.".into())]
    };
    let node = Node::with(Setup { answers: vec![remember()], ..Setup::default() }).await;
    let with = node.agreed("with", &[Purpose::VOICE_INTERACTION, Purpose::MEMORY]).await;
    let without = node.agreed("without", &[Purpose::VOICE_INTERACTION]).await;
    for device in ["with", "without"] {
        let mut device = Device::connect(&node, device).await;
        device.write("my name is Anna");
        soon(device.hear_out()).await;
        soon(device.told_state(SessionState::Idle)).await;
    }
    // the person comes back after the session is gone
    for (device, subject, facts) in [("with", with, 1), ("without", without, 0)] {
        let saved = async {
            while node.register.facts(subject).await.unwrap().len() != facts {
                tokio::task::yield_now().await;
            }
        };
        soon(saved).await;
        let mut device_again = Device::connect(&node, device).await;
        device_again.write("what is my name");
        soon(device_again.hear_out()).await;
        let snapshot = node.session(device).unwrap();
        // what was answered here is to remember it again
        assert_eq!(snapshot.conversation.facts, 1);
        assert_eq!(node.register.facts(subject).await.unwrap().len(), facts, "{device}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_question_is_put_in_the_devices_language() {
    let node = Node::start().await;
    let hello = sayso_wire::Hello { language: Some("zh-CN".into()), ..hello("speaker") };
    let mut device = Device::try_connect(&node, hello).await.unwrap();
    device.listen(ListenMode::Auto);
    let text = |m: &ToDevice| match m {
        ToDevice::ConsentPrompt { text, purposes, .. } => Some((text.clone(), purposes.len())),
        _ => None,
    };
    let zh = node.profile.notice("zh".parse().unwrap()).spoken.clone();
    assert_eq!(soon(device.told(text)).await, (zh, 2));
}
