//! Turns of every kind of device.

use bytes::Bytes;
use sayso_audio::Decoder;
use sayso_audit::Event;
use sayso_provider::Reply;
use sayso_types::dialogue::Action;
use sayso_types::{Category, Purpose, SampleRate, TurnId};
use sayso_wire::{AudioFormat, Hello, ListenMode, SessionState, ToDevice, ToNode};

use crate::device::{Device, Seen, hello};
use crate::node::{Node, Setup};
use crate::{soon, sound};

const VOICE: [Purpose; 1] = [Purpose::VOICE_INTERACTION];

fn speech_stop(message: &ToDevice) -> Option<(TurnId, String)> {
    match message {
        ToDevice::SpeechStop { turn, reason } => Some((*turn, reason.clone())),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn barge_in_stops_play_out_at_once() {
    let long = vec![Reply::Text("One two three four five six seven. Eight nine ten eleven twelve.".into())];
    let setup = Setup { hears: vec!["count", "stop it"], answers: vec![long], ..Setup::default() };
    let node = Node::with(setup).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Realtime);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    let packet = |seen: &Seen| match seen {
        Seen::Packet(packet, _) if packet.sequence == 10 => Some(packet.turn),
        _ => None,
    };
    let answer = soon(device.until(packet)).await;
    device.send(ToNode::PlayoutPosition { turn: answer, played_ms: 200, finished: false });
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    assert_eq!(soon(device.told(speech_stop)).await, (answer, "barge_in".to_owned()));

    let transcript = |m: &ToDevice| match m {
        ToDevice::Transcript { turn, text } => Some((*turn, text.reveal().clone())),
        _ => None,
    };
    assert_eq!(soon(device.told(transcript)).await, (answer.next(), "stop it".to_owned()), "nothing of it was lost");
    soon(device.hear_out()).await;
    let seen = device.seen();
    let stop = seen.iter().position(|s| matches!(s, Seen::Message(ToDevice::SpeechStop { .. }))).unwrap();
    let late = seen[stop..].iter().filter(|s| matches!(s, Seen::Packet(p, _) if p.turn == answer)).count();
    assert_eq!(late, 0, "no packet follows the word to stop");
    let snapshot = soon(node.until_session("speaker", |s| s.turns.answered == 1)).await;
    assert_eq!((snapshot.turns.interrupted, snapshot.turns.failed), (1, 0));
    assert_eq!(node.synthesizer.desk().received().running, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_words_leaves_no_way_to_the_voice_open() {
    let node = Node::with(Setup { answers: vec![vec![Reply::Act(Action::Stop)]], ..Setup::default() }).await;
    node.agreed("speaker", &VOICE).await;
    let device = Device::connect(&node, "speaker").await;
    device.write("leave me alone");
    let closed = |event| match event {
        Event::SegmentClosed { cell, bytes, .. } if cell.category == Category::REPLY_TEXT => Some(bytes),
        _ => None,
    };
    assert_eq!(soon(node.logged(1, closed)).await, [0]);
    assert_eq!(node.synthesizer.desk().received().calls, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn push_to_talk_from_press_to_release() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Manual);
    device.say(&sound::voice(600));
    device.stop();
    assert_eq!(soon(device.hear_out()).await.1, ["All right."]);
    soon(device.told_state(SessionState::Idle)).await;
    assert_eq!(node.transcriber.desk().received().pieces, 30, "everything between press and release was heard");

    // a button that was held in silence says nothing, and nobody goes on recognising it
    device.listen(ListenMode::Manual);
    device.say(&sound::silence(400));
    soon(node.transcriber.desk().wait_until(|r| r.running == 1)).await;
    device.stop();
    soon(device.told_state(SessionState::Idle)).await;
    soon(node.transcriber.desk().wait_until(|r| r.running == 0)).await;
    assert_eq!(node.responder.desk().received().calls, 1);

    // and the next press works as the first
    device.listen(ListenMode::Manual);
    device.say(&sound::voice(600));
    device.stop();
    soon(device.hear_out()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_never_ends_its_utterance_is_answered_all_the_same() {
    let mut setup = Setup { hears: vec!["and another thing"], ..Setup::default() };
    setup.options.endpoint.max_utterance_ms = 1_000;
    let node = Node::with(setup).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    assert_eq!(device.welcome.limits.utterance_ms_max, 1_000);
    for mode in [ListenMode::Manual, ListenMode::Auto] {
        device.listen(mode);
        // neither a stop nor a pause
        device.say(&sound::voice(1_200));
        soon(device.hear_out()).await;
        device.look_away();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_falls_silent_in_mid_utterance_is_answered_all_the_same() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    device.say(&sound::voice(600));
    soon(device.hear_out()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_format_of_the_device_is_taken_and_spoken() {
    let stereo = AudioFormat::new(SampleRate::HZ_48K, 2, 60).unwrap();
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device =
        Device::try_connect(&node, Hello { uplink: stereo, downlink: stereo, ..hello("speaker") }).await.unwrap();
    assert_eq!(device.welcome.uplink, stereo, "an Opus packet says itself what it is");
    let mono = AudioFormat::new(SampleRate::HZ_48K, 1, 60).unwrap();
    assert_eq!(device.welcome.downlink, mono, "a voice has one channel");
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(mono));
    let (turn, _) = soon(device.hear_out()).await;
    let mut decoder = Decoder::new(SampleRate::HZ_48K).unwrap();
    for (packet, _) in device.packets(turn) {
        assert_eq!(decoder.decode(&packet.opus).unwrap().len(), SampleRate::HZ_48K.samples_in_ms(60));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_opus_is_concealed() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.listen(ListenMode::Auto);
    let mut packets = sound::utterance(AudioFormat::MONO_16K);
    for n in (0..packets.len()).step_by(7) {
        packets[n] = Bytes::from_static(&[0xff; 40]);
    }
    device.say(&packets);
    assert_eq!(soon(device.hear_out()).await.1, ["All right."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stray_packets_deafen_nobody() {
    let node = Node::hearing(&["hello"]).await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    // before anybody listens
    device.say(&sound::voice(400));
    device.listen(ListenMode::Auto);
    // of the turn before, with high numbers, late
    let stray = |sequence| sayso_wire::AudioPacket {
        turn: TurnId(0),
        sequence,
        timestamp_ms: sequence * 20,
        opus: sound::silence(20)[0].clone(),
    };
    (5_000..5_003).for_each(|sequence| device.say_packet(stray(sequence)));
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.hear_out()).await;
    soon(device.told_state(SessionState::Listening)).await;
    // the device opens its microphone again without having closed it: numbers begin anew
    device.listen(ListenMode::Auto);
    device.say(&sound::utterance(AudioFormat::MONO_16K));
    soon(device.hear_out()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_is_answered_and_abort_brings_quiet() {
    let node = Node::start().await;
    node.agreed("speaker", &VOICE).await;
    let mut device = Device::connect(&node, "speaker").await;
    device.write("hello");
    let (turn, sentences) = soon(device.hear_out()).await;
    assert_eq!(sentences, ["All right."]);
    assert!(!device.packets(turn).is_empty());
    device.write("hello");
    soon(device.hear_out()).await;
    let seen = soon(node.until_session("speaker", |s| s.turns.answered == 2)).await;
    assert_eq!(seen.stages.len(), 3, "the stages of one turn, none of them recognition");
    device.write("hello again");
    let started = |m: &ToDevice| match m {
        ToDevice::SpeechStart { turn } => Some(*turn),
        _ => None,
    };
    let turn = soon(device.told(started)).await;
    device.send(ToNode::Abort { turn });
    assert_eq!(soon(device.told(speech_stop)).await, (turn, "abort".to_owned()));
    soon(device.told_state(SessionState::Idle)).await;
    let snapshot = soon(node.until_session("speaker", |s| s.turns.interrupted == 1)).await;
    assert_eq!((snapshot.turns.answered, snapshot.turns.failed), (2, 0));
}
