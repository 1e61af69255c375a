//! Nothing that a device sends is decoded, or looked through for speech, unless the policy lets it in.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event};
use sayso_consent::Means;
use sayso_consent::guardian::Said;
use sayso_consent::switch::{Position, Target, Throw};
use sayso_policy::{AgeBand, Profile};
use sayso_types::{Cell, Name, ProcessorId, ProcessorKind, Purpose};
use sayso_wire::{AudioFormat, ListenMode, SessionState, ToDevice};

use crate::device::{Device, Seen};
use crate::node::{Node, patient_profile};
use crate::{soon, sound};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };
const VOICE: [Purpose; 1] = [Purpose::VOICE_INTERACTION];

/// Throws the switch of what finds speech.
async fn turn(node: &Node, to: Position) {
    let target = Target::Processor(ProcessorId(Name::constant("vad-local")));
    let throw = Throw { target, to, reason: Name::constant("leak"), incident: None };
    node.register.throw(throw, OPERATOR).await.unwrap();
}

fn is_listening(cell: &Cell) -> bool {
    cell.kind == ProcessorKind::Vad
}

/// What was listened for, segment by segment.
async fn listened_for(node: &Node, count: usize) -> Vec<Purpose> {
    let opened = |event| match event {
        Event::SegmentOpened { cell, .. } if is_listening(&cell) => Some(cell.purpose),
        _ => None,
    };
    soon(node.logged(count, opened)).await
}

/// What was decoded, segment by segment, of those that are over: packets, and why no more.
async fn decoded(node: &Node, count: usize) -> Vec<(u64, String)> {
    let closed = |event| match event {
        Event::SegmentClosed { cell, pieces, reason, .. } if is_listening(&cell) => Some((pieces, reason.to_string())),
        _ => None,
    };
    soon(node.logged(count, closed)).await
}

/// Why it was denied to listen.
async fn denied(node: &Node, count: usize) -> Vec<String> {
    let denied = |event| match event {
        Event::GateDenied { gate, reason, .. } => Some(format!("{gate}: {reason}")),
        _ => None,
    };
    soon(node.logged(count, denied)).await
}

fn heard_a_voice(device: &Device) -> bool {
    device.seen().iter().any(|seen| matches!(seen, Seen::Message(ToDevice::VoiceActivity { .. })))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_detection_of_speech_is_off_no_packet_is_decoded_and_when_it_is_on_all_are() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    turn(&node, Position::Off).await;
    let mut device = Device::connect(&node, "speaker").await;
    for mode in [ListenMode::Auto, ListenMode::Manual] {
        device.look_away();
        device.listen(mode);
        device.say(&sound::utterance(AudioFormat::MONO_16K));
        assert_eq!(soon(device.told_error()).await, "not_allowed", "as with any refusal");
        device.say(&sound::utterance(AudioFormat::MONO_16K));
        soon(device.hear_until(SessionState::Idle)).await;
    }
    assert!(listened_for(&node, 0).await.is_empty() && !heard_a_voice(&device));
    assert_eq!(node.transcriber.desk().received().calls, 0);
    assert_eq!(denied(&node, 1).await[0], "voice_activity: processor_state");

    turn(&node, Position::On).await;
    device.look_away();
    device.listen(ListenMode::Auto);
    let packets = sound::utterance(AudioFormat::MONO_16K);
    device.say(&packets);
    assert_eq!(soon(device.hear_out()).await.1, ["All right."]);
    device.stop();
    let [(heard, _)] = &decoded(&node, 1).await[..] else { panic!("one segment") };
    // what comes after the end of an utterance is dropped unheard
    assert!((1..=packets.len() as u64).contains(heard), "{heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turned_off_in_mid_utterance_it_stops_there_and_the_utterance_is_answered_by_nobody() {
    let node = Node::hearing(&["never to be understood"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Realtime);
    device.say(&sound::voice(400));
    soon(node.transcriber.desk().wait_until(|r| r.pieces >= 10)).await;

    turn(&node, Position::Off).await;
    let at_off = decoded(&node, 1).await;
    assert!(
        matches!(&at_off[..], [(heard, reason)] if (10..=20).contains(heard) && reason == "switched_off"),
        "{at_off:?}"
    );
    device.say(&sound::voice(400));
    assert_eq!(soon(device.told_error()).await, "not_allowed");
    soon(node.transcriber.desk().wait_until(|r| r.running == 0)).await;
    soon(device.hear_until(SessionState::Idle)).await;
    assert_eq!((decoded(&node, 1).await, listened_for(&node, 1).await.len()), (at_off, 1), "not a packet since");
    assert_eq!(node.responder.desk().received().calls, 0);

    turn(&node, Position::On).await;
    device.look_away();
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(device.hear_out()).await.1, ["All right."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_collected_or_analysed_any_more_is_not_listened_to() {
    for processing in ["Collect", "Analyse"] {
        let node = Node::hearing(&["hello"]).await;
        node.agreed("speaker", &VOICE).await;
        let mut device = Device::connect(&node, "speaker").await;
        device.listen(ListenMode::Auto);
        device.say(&sound::silence(200));
        listened_for(&node, 1).await;

        let no = format!("prohibition = [\n  {{ category = \"voice_audio\", processing = \"{processing}\" }},");
        let revised = patient_profile().replacen("prohibition = [", &no, 1).replacen("rev = 1", "rev = 2", 1);
        node.register.publish(Arc::new(Profile::parse(&revised).unwrap())).await.unwrap();
        assert_eq!(soon(device.told_error()).await, "not_allowed", "{processing}");
        assert!(matches!(&decoded(&node, 1).await[..], [(_, reason)] if reason == "policy"), "{processing}");
        device.say(&sound::utterance(AudioFormat::MONO_16K));
        soon(device.hear_until(SessionState::Idle)).await;
        assert_eq!((heard_a_voice(&device), listened_for(&node, 1).await.len()), (false, 1), "{processing}");
        assert_eq!(denied(&node, 1).await[0], "voice_activity: prohibited");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_and_a_conversation_are_listened_to_each_by_a_right_of_its_own_that_a_withdrawal_ends() {
    let node = Node::hearing(&["Yes.", "hello"]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.hear_out()).await;
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(device.hear_out()).await.1, ["Thanks."]);
    soon(device.told_state(SessionState::Listening)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(device.hear_out()).await.1, ["All right."]);
    assert_eq!(listened_for(&node, 2).await, [Purpose::CONSENT_ANSWER, Purpose::VOICE_INTERACTION]);

    let subject = node.subject("speaker").await;
    let outcome = soon(node.register.withdraw(subject, &[], Means::Integrator)).await.unwrap();
    assert!(outcome.ok, "whoever listened has let go");
    let ends: Vec<_> = decoded(&node, 2).await.into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(ends[1], "withdrawn");
    assert_eq!(soon(device.hear_out()).await.1, ["Stopped."]);
    let failed = device.seen().iter().any(|seen| matches!(seen, Seen::Message(ToDevice::Error { .. })));
    assert!(!failed, "who takes it back is not told that something failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_without_a_guardian_is_not_listened_to_not_even_for_an_answer() {
    let node = Node::hearing(&["Yes."]).await;
    let subject = node.subject("speaker").await;
    let child = Said { band: AgeBand::Under13, until: None, evidence_sha256: [9; 32] };
    node.register.set_age(subject, child, OPERATOR).await.unwrap();
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"]);
    assert_eq!(soon(device.told_error()).await, "not_allowed");
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.told_state(SessionState::Idle)).await;
    assert!(listened_for(&node, 0).await.is_empty() && !heard_a_voice(&device));
    assert_eq!(denied(&node, 1).await[0], "voice_activity: minor_no_guardian");
}
