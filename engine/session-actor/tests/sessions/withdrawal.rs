//! Withdraw means stop.

use sayso_audit::Event;
use sayso_consent::Means;
use sayso_policy::ConsentStatus;
use sayso_provider::Reply;
use sayso_types::dialogue::{Action, Fact};
use sayso_types::{Category, Cell, Part, Purpose};
use sayso_wire::{AudioFormat, ConsentDecision, ConsentStatus as Told, ListenMode, SessionState, ToDevice, ToNode};

use crate::device::{Device, Seen};
use crate::node::{Node, Setup, sleepy};
use crate::{soon, sound};

const BOTH: [Purpose; 2] = [Purpose::VOICE_INTERACTION, Purpose::MEMORY];

fn withdrawn(message: &ToDevice) -> Option<()> {
    let voice = Purpose::VOICE_INTERACTION;
    matches!(message, ToDevice::ConsentChanged { purpose, status: Told::Withdrawn, .. } if *purpose == voice)
        .then_some(())
}

fn is_reply(cell: &Cell) -> bool {
    cell.category == Category::REPLY_TEXT
}

/// The person is in the middle of an utterance that has reached the recogniser.
async fn mid_utterance(node: &Node, device: &mut Device) {
    device.listen(ListenMode::Realtime);
    for _ in 0..3 {
        let before = node.transcriber.desk().received().pieces;
        device.say(&sound::voice(400));
        soon(node.transcriber.desk().wait_until(|r| r.pieces >= before + 10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_another_door_in_mid_utterance() {
    let node = Node::hearing(&["never to be understood"]).await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    mid_utterance(&node, &mut device).await;
    // the way to the voice is open as well, for when there is something to say
    soon(node.logged(1, |event| matches!(event, Event::SegmentOpened { cell, .. } if is_reply(&cell)).then_some(())))
        .await;

    let outcome = soon(node.register.withdraw(subject, &[], Means::Integrator)).await.unwrap();
    assert!(outcome.ok);
    let closed = |event| match event {
        Event::SegmentClosed { cell, bytes, .. } if is_reply(&cell) => Some(bytes),
        _ => None,
    };
    assert_eq!(soon(node.logged(1, closed)).await, [0]);
    let at_ok = node.transcriber.desk().received();
    let had = |processor: &str| -> Vec<_> {
        outcome.holders.iter().filter(|of| of.processor_id == processor).map(|of| of.bytes).collect()
    };
    assert_eq!((at_ok.running, had("whisper-local")), (0, vec![at_ok.bytes]), "the recogniser has let go");
    assert!(matches!(had("vad-local")[..], [heard] if heard > 0), "and so has what finds speech");
    device.say(&sound::voice(800));

    soon(device.told(|m| matches!(m, ToDevice::Notice { code, .. } if code == "withdrawing").then_some(()))).await;
    soon(device.told(withdrawn)).await;
    device.say(&sound::voice(800));
    assert_eq!(soon(device.hear_out()).await.1, ["Stopped."]);
    soon(device.told_state(SessionState::Idle)).await;
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let after = soon(node.until_session("speaker", |s| s.conversation.state == SessionState::Idle)).await;
    assert_eq!(node.transcriber.desk().received(), at_ok, "not a byte, not a call after the OK");
    assert_eq!((after.conversation.exchanges, after.conversation.facts), (0, 0), "and what was said is forgotten");
    assert_eq!(node.responder.desk().received().calls, 0);
    let transcripts = device.seen().iter().filter(|s| matches!(s, Seen::Message(ToDevice::Transcript { .. }))).count();
    assert_eq!(transcripts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_button_in_mid_utterance() {
    let node = Node::hearing(&["never to be understood"]).await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    mid_utterance(&node, &mut device).await;
    device.send(ToNode::ConsentAnswer { prompt_id: String::new(), decision: ConsentDecision::Withdraw, purpose: None });
    soon(device.told(withdrawn)).await;
    let at_ok = node.transcriber.desk().received();
    device.say(&sound::voice(800));
    assert_eq!(soon(device.hear_out()).await.1, ["Stopped."]);
    assert_eq!(node.transcriber.desk().received(), at_ok);
    let state = node.register.state(subject).await.unwrap();
    assert_eq!(state.status(Purpose::MEMORY), ConsentStatus::Withdrawn);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_settings_of_the_device() {
    let node = Node::hearing(&["never to be understood"]).await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    let changed =
        |capability: &str, granted| ToNode::PermissionChanged { capability: capability.parse().unwrap(), granted };
    device.send(changed("camera", false));
    mid_utterance(&node, &mut device).await;
    device.send(changed("microphone", false));
    soon(device.told(withdrawn)).await;
    let at_ok = node.transcriber.desk().received();
    device.say(&sound::voice(800));
    assert_eq!(soon(device.hear_out()).await.1, ["Stopped."]);
    assert_eq!(node.transcriber.desk().received(), at_ok);
    let state = node.register.state(subject).await.unwrap();
    assert_eq!(state.status(Purpose::MEMORY), ConsentStatus::Given, "it needs no microphone");
    let withdrawals = node.register.withdrawals(subject).await.unwrap();
    let told: Vec<_> = withdrawals.iter().map(|w| (w.channel.as_str(), w.purposes.as_slice())).collect();
    assert_eq!(told, [("device_permission", &["voice_interaction".to_owned()][..])]);
    // given back, it opens nothing: the next word asks
    device.send(changed("microphone", true));
    device.listen(ListenMode::Auto);
    assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"]);
    let asked = node.register.state(subject).await.unwrap().status(Purpose::VOICE_INTERACTION);
    assert_eq!(asked, ConsentStatus::Requested, "which is all that has come of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_words() {
    for spoken in [true, false] {
        // as a language model answers that knows nothing of consent
        let answer = vec![Reply::Text("I will always listen to you.".into())];
        let node = Node::with(Setup { hears: vec!["stop listening"], answers: vec![answer], ..Setup::default() }).await;
        let subject = node.agreed("speaker", &BOTH).await;
        let mut device = Device::connect(&node, "speaker").await;
        device.listen(ListenMode::Auto);
        if spoken {
            device.say(&sound::utterance(AudioFormat::MONO_16K));
        } else {
            device.write("stop listening");
        }
        assert_eq!(soon(device.hear_out()).await.1, ["Stopped."], "it goes to no responder");
        let seen = device.seen();
        assert!(!seen.iter().any(|s| matches!(s, Seen::Message(ToDevice::Error { .. }))), "{seen:?}");
        assert!(seen.iter().any(|s| matches!(s, Seen::Message(message) if withdrawn(message).is_some())));
        assert_eq!(
            node.register.state(subject).await.unwrap().status(Purpose::VOICE_INTERACTION),
            ConsentStatus::Withdrawn
        );
        // and the next word asks again
        device.listen(ListenMode::Auto);
        assert_eq!(soon(device.hear_out()).await.1, ["May I listen?"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_nothing_is_confirmed_too() {
    let node = Node::with(Setup::default()).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("stop listening");
    assert_eq!(soon(device.hear_out()).await.1, ["Stopped."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_is_kept_in_words_leaves_the_conversation() {
    let hears = vec!["please don't save this", "what time is it"];
    let node = Node::with(Setup { hears, answers: vec![vec![Reply::Text("Noon.".into())]], ..Setup::default() }).await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let told = soon(device.hear_out()).await.1;
    assert_eq!(told, ["All right. I keep no more of it, and what I have kept is being erased."]);
    let state = node.register.state(subject).await.unwrap();
    assert_eq!(state.status(Purpose::MEMORY), ConsentStatus::Withdrawn);
    assert_eq!(state.status(Purpose::VOICE_INTERACTION), ConsentStatus::Given);
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(device.hear_out()).await.1, ["Noon."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_memory_only_leaves_the_conversation() {
    let fact = Fact { key: "name".into(), value: "Anna".into() };
    let answer = vec![Reply::Act(Action::Remember(fact)), Reply::Text("Hello, Anna.".into())];
    let node = Node::with(Setup { answers: vec![answer], ..Setup::default() }).await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("my name is Anna");
    soon(device.hear_out()).await;
    device.send(ToNode::ConsentAnswer {
        prompt_id: String::new(),
        decision: ConsentDecision::Withdraw,
        purpose: Some(Purpose::MEMORY),
    });
    let told = |m: &ToDevice| match m {
        ToDevice::ConsentChanged { purpose, status, .. } => Some((*purpose, *status)),
        _ => None,
    };
    assert_eq!(soon(device.told(told)).await, (Purpose::MEMORY, Told::Withdrawing), "at once");
    assert_eq!(soon(device.told(told)).await, (Purpose::MEMORY, Told::Withdrawn), "and when it holds");
    let seen = soon(node.until_session("speaker", |s| s.conversation.facts == 0)).await;
    assert_eq!(seen.conversation.exchanges, 1, "the conversation goes on");
    assert_eq!(node.register.facts(subject).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_session_sleeps() {
    let node = Node::with(Setup { options: sleepy(), ..Setup::default() }).await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    soon(device.hear_out()).await;
    soon(node.until_session("speaker", |s| !s.awake && s.conversation.exchanges == 1)).await;
    assert!(node.register.withdraw(subject, &[], Means::Integrator).await.unwrap().ok);
    soon(device.told(withdrawn)).await;
    assert_eq!(soon(device.hear_out()).await.1, ["Stopped."], "whoever is there is told");
    let seen = soon(node.until_session("speaker", |s| s.turns.answered == 1 && !s.awake)).await;
    assert_eq!(seen.conversation.exchanges, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_first_word() {
    let node = Node::start().await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    assert!(!node.session("speaker").unwrap().awake);
    assert!(node.register.withdraw(subject, &[], Means::Integrator).await.unwrap().ok);
    soon(device.told(withdrawn)).await;
    assert_eq!(soon(device.hear_out()).await.1, ["Stopped."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nobody_is_there_ends_the_session() {
    let node = Node::with(Setup { options: sleepy(), ..Setup::default() }).await;
    let subject = node.agreed("speaker", &BOTH).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    soon(device.hear_out()).await;
    let token = device.welcome.resume_token.clone();
    drop(device);
    soon(node.until_session("speaker", |s| !s.awake && !s.connected)).await;
    assert!(node.register.withdraw(subject, &[], Means::Integrator).await.unwrap().ok);
    soon(node.until(|all| all.is_empty())).await;
    let device = Device::resume(&node, "speaker", token).await;
    assert!(!device.welcome.resumed, "what was said is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_voice_alone_ends_the_answer_that_was_made_of_it() {
    let answer = vec![Reply::Text("It is noon, and the sun shines on all that you can see from here.".into())];
    let node = Node::with(Setup { hears: vec!["what time is it"], answers: vec![answer], ..Setup::default() }).await;
    let subject = node.agreed("speaker", &[Purpose::VOICE_INTERACTION, Purpose::MEMORY, Purpose::HISTORY]).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.told_state(SessionState::Speaking)).await;

    let voice = [Part { category: Some(Category::VOICE_AUDIO), ..Part::default() }];
    assert!(soon(node.register.withdraw_parts(subject, &voice, Means::Integrator)).await.unwrap().ok);
    assert_eq!(node.synthesizer.desk().received().running, 0, "nobody says it any more when OK is said");
    soon(device.told(|m| matches!(m, ToDevice::SpeechStop { .. }).then_some(()))).await;
    // nor is it remembered in the conversation
    soon(node.until_session("speaker", |s| s.turns.failed == 1 && s.conversation.exchanges == 0)).await;
    let state = node.register.state(subject).await.unwrap();
    assert_eq!(state.status(Purpose::VOICE_INTERACTION), ConsentStatus::Given, "which goes on");
    device.write("and now?");
    soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
}
