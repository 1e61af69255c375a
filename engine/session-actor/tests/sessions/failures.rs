//! A processor, a device or the store fails: one turn or one session does, and everybody else goes on.

use std::time::Duration;

use sayso_egress::Timeouts;
use sayso_provider::Error;
use sayso_provider::fake::{Desk, Manner};
use sayso_types::{ProcessorKind, Purpose, TurnId};
use sayso_wire::{AudioFormat, GoodbyeReason, ListenMode, SessionState, ToDevice, ToNode};

use crate::device::{self, Device};
use crate::node::{Node, Setup, sleepy};
use crate::slow_store::Reads;
use crate::{soon, sound};

const VOICE: [Purpose; 1] = [Purpose::VOICE_INTERACTION];

/// What the device is told when the fake behind `desk` misbehaves.
async fn error_of(device: &mut Device, desk: &Desk, manner: Manner) -> String {
    desk.behave(manner);
    device.look_away();
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let code = soon(device.told_error()).await;
    desk.behave(Manner::Prompt);
    // nobody needs to hear it in words as well
    device.send(ToNode::Abort { turn: TurnId(0) });
    soon(device.told_state(SessionState::Listening)).await;
    code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_processors_are_told_and_pass() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    node.agreed("bystander", &VOICE).await;
    let mut bystander = Device::connect(&node, "bystander").await;
    bystander.listen(ListenMode::Auto);
    soon(bystander.told_state(SessionState::Listening)).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    soon(device.told_state(SessionState::Listening)).await;

    let down = || Manner::Fail(Error::Unreachable("it is off".to_owned()));
    let (recogniser, responder) = (node.transcriber.desk(), node.responder.desk());
    let voice = node.synthesizer.desk();
    let mut failed = 0;
    for (desk, manner, code) in [
        (recogniser, down(), "unreachable"),
        (recogniser, Manner::HalfAnswer, "incomplete"),
        (responder, down(), "unreachable"),
        (responder, Manner::HalfAnswer, "incomplete"),
        (voice, down(), "unreachable"),
        (voice, Manner::HalfAnswer, "incomplete"),
    ] {
        assert_eq!(error_of(&mut device, desk, manner.clone()).await, code, "{manner:?}");
        failed += 1;
        let snapshot = node.session("speaker").unwrap();
        assert!(snapshot.turns.failed >= failed, "{manner:?} was counted");
        assert_eq!(snapshot.turns.answered, 0, "{manner:?}");
    }
    // a voice that talks nonsense makes a noise
    voice.behave(Manner::Nonsense);
    device.look_away();
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.hear_until(SessionState::Listening)).await;
    voice.behave(Manner::Prompt);
    // the session is as good as new
    device.look_away();
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(device.hear_out()).await.1, ["All right."]);
    // and nobody else has noticed
    let told = bystander.seen().len();
    bystander.look_away();
    bystander.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(bystander.hear_out()).await.1, ["All right."]);
    assert_eq!(told, 1, "that it listens is all that it was told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_processor_that_hangs_is_given_up_on() {
    // Only the one that hangs is hurried: how long the others take is a matter of the machine.
    let (short, usual) = (Duration::from_millis(50), Timeouts::default);
    for (kind, timeouts) in [
        (ProcessorKind::Asr, Timeouts { transcribe: short, ..usual() }),
        (ProcessorKind::Llm, Timeouts { respond: short, ..usual() }),
        (ProcessorKind::Tts, Timeouts { synthesize: short, ..usual() }),
    ] {
        let node = Node::with(Setup { hears: vec!["hello"], timeouts, ..Setup::default() }).await;
        let desk = match kind {
            ProcessorKind::Asr => node.transcriber.desk(),
            ProcessorKind::Llm => node.responder.desk(),
            _ => node.synthesizer.desk(),
        };
        node.agreed("speaker", &VOICE).await;
        let mut device = Device::connect(&node, "speaker").await;
        device.listen(ListenMode::Auto);
        soon(device.told_state(SessionState::Listening)).await;
        assert_eq!(error_of(&mut device, desk, Manner::Hang).await, "timed_out", "{kind:?}");
        soon(desk.wait_until(|r| r.running == 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_not_shown_as_it_came() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    node.responder.desk().behave(Manner::Nonsense);
    device.write("hello");
    let (_, sentences) = soon(device.hear_out()).await;
    assert!(sentences.iter().all(|s| s.chars().all(|c| !c.is_control() && c != '\u{202e}')), "{sentences:?}");
    node.transcriber.desk().behave(Manner::Nonsense);
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let transcript = |m: &ToDevice| match m {
        ToDevice::Transcript { text, .. } => Some(text.reveal().clone()),
        _ => None,
    };
    let transcript = soon(device.told(transcript)).await;
    assert!(transcript.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{transcript:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_never_comes_is_given_up_on() {
    let mut setup = Setup { hears: vec!["hello"], ..Setup::default() };
    setup.options.session.answer_within = Duration::from_millis(50);
    let node = Node::with(setup).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    node.responder.desk().behave(Manner::Hang);
    device.write("hello");
    assert_eq!(soon(device.told_error()).await, "answer_timeout");
    soon(node.responder.desk().wait_until(|r| r.calls == 1 && r.running == 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_one_session_only() {
    let node = Node::hearing(&["hello"]).await;
    for device in ["speaker", "bystander"] {
        node.agreed(device, &VOICE).await;
    }
    let mut bystander = Device::connect(&node, "bystander").await;
    let mut device = Device::connect(&node, "speaker").await;
    bystander.write("hello");
    let token = device.welcome.resume_token.clone();
    device.behave(device::Manner::Panics);
    device.write("hello");
    assert_eq!(soon(device.told_goodbye()).await, GoodbyeReason::Internal);
    soon(node.until(|all| all.len() == 1)).await;
    assert_eq!(soon(bystander.hear_out()).await.1, ["All right."]);

    let mut again = Device::resume(&node, "speaker", token).await;
    assert!(!again.welcome.resumed, "what it held is gone");
    drop(device);
    again.write("hello");
    assert_eq!(soon(again.hear_out()).await.1, ["All right."]);
    assert_eq!(node.sessions.list().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_panics_fails_its_turn() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    let speaking = |m: &ToDevice| matches!(m, ToDevice::Sentence { .. }).then_some(());
    soon(device.told(speaking)).await;
    // the speech stage sends the next packet; the session has nothing to say at this moment
    device.behave(device::Manner::PanicsAtSound);
    soon(node.until_session("speaker", |s| s.turns.failed == 1)).await;
    device.behave(device::Manner::Takes);
    assert_eq!(soon(device.told_error()).await, "panicked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_takes_no_messages_is_disconnected() {
    let mut setup = Setup::default();
    setup.options.resume_within = Duration::from_millis(1);
    let node = Node::with(setup).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.behave(device::Manner::Full);
    device.write("hello");
    assert_eq!(soon(device.told_goodbye()).await, GoodbyeReason::OverLimit);
    drop(device);
    soon(node.until(|all| all.is_empty())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_cannot_wake_is_kept() {
    let node = Node::with(Setup { options: sleepy(), ..Setup::default() }).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    soon(device.hear_out()).await;
    soon(node.until_session("speaker", |s| !s.awake && s.conversation.exchanges == 1)).await;
    let token = device.welcome.resume_token.clone();
    node.store.reads(Reads::Failing);
    device.write("hello again");
    assert_eq!(soon(device.told_goodbye()).await, GoodbyeReason::Internal);
    let refused = Device::try_connect(&node, device::hello("speaker")).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, sayso_session::Refusal::Register(_)), "{refused}");
    node.store.reads(Reads::Served);
    let mut device = Device::resume(&node, "speaker", token).await;
    assert!(device.welcome.resumed);
    device.write("hello again");
    soon(device.hear_out()).await;
    soon(node.until_session("speaker", |s| s.conversation.exchanges == 2)).await;
}
