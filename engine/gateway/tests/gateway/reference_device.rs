//! The reference device (`sayso-device`) through a gateway.

use std::time::Duration;

use sayso_audio::{Decoder, Encoder, EncoderConfig};
use sayso_device::{Device, DeviceEvent, DeviceOptions, Ended, Error, Events, Identity, Played, wav};
use sayso_gateway::Limits;
use sayso_types::{Pcm, Redacted, SampleRate, TurnId};
use sayso_wire::{
    AudioFormat, AudioPacket, Capabilities, ConsentDecision, Goodbye, GoodbyeReason, ListenMode, ToDevice, ToNode,
};

use crate::authority::{Authority, Credential};
use crate::fake_sessions::FakeSession;
use crate::node::{Node, TENANT, token};
use crate::soon;

const NAME: &str = "speaker-1";
const FRAME_MS: u32 = 20;

fn options(node: &Node) -> DeviceOptions {
    let Credential { chain, key } = node.authority.device(TENANT, NAME);
    DeviceOptions {
        server: node.addr,
        server_name: "localhost".to_owned(),
        roots: node.authority.roots(),
        identity: Identity::Certificate { chain, key },
        device_id: NAME.parse().unwrap(),
        firmware: "test".to_owned(),
        capabilities: Capabilities { datagram: true, ..Capabilities::default() },
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::MONO_24K,
        resume_token: None,
        language: None,
        save: None,
    }
}

async fn connect(node: &mut Node, options: DeviceOptions) -> (Device, Events, FakeSession) {
    let (device, events) = Device::connect(options, &node.tasks).await.unwrap();
    (device, events, soon(node.sessions.recv()).await.unwrap())
}

async fn refused(node: &Node, options: DeviceOptions) -> Error {
    Device::connect(options, &node.tasks).await.expect_err("it is refused")
}

/// A loud tone.
fn tone(rate: SampleRate, ms: u32) -> Pcm {
    let turn = 400.0 * std::f32::consts::TAU / rate.0 as f32;
    Pcm::new(rate, (0..rate.samples_in_ms(ms)).map(|i| ((i as f32 * turn).sin() * 12_000.0) as i16).collect())
}

/// Says a tone of `ms` to the device as the answer of `turn`, all at once but for the last word.
fn answer(session: &FakeSession, turn: TurnId, ms: u32) {
    let mut encoder = Encoder::new(SampleRate::HZ_24K, FRAME_MS, &EncoderConfig::default()).unwrap();
    let sound = tone(SampleRate::HZ_24K, ms);
    session.outlet.control(ToDevice::SpeechStart { turn }).unwrap();
    for (sequence, frame) in (0..).zip(sound.samples.chunks(encoder.frame_samples())) {
        let opus = encoder.encode(frame).unwrap().to_vec().into();
        session.outlet.audio(AudioPacket { turn, sequence, timestamp_ms: sequence * FRAME_MS, opus }).unwrap();
    }
}

async fn next(events: &mut Events) -> DeviceEvent {
    soon(events.next()).await.expect("the device lives")
}

async fn played(events: &mut Events) -> Played {
    loop {
        if let DeviceEvent::Played(played) = next(events).await {
            return played;
        }
    }
}

/// The loudest sample of a packet.
fn loudness(decoder: &mut Decoder, packet: &AudioPacket) -> i16 {
    decoder.decode(&packet.opus).unwrap().iter().map(|sample| sample.saturating_abs()).max().unwrap()
}

async fn speech_goes_out(mut node: Node, options: DeviceOptions) {
    let (device, _events, mut session) = connect(&mut node, options).await;
    let turn = device.listen_start(ListenMode::Realtime).unwrap();
    assert_eq!(session.hear().await, ToNode::ListenStart { turn, mode: ListenMode::Realtime });

    let sound = tone(SampleRate(44_100), 300);
    let saying = device.say(&sound);
    let hearing = async {
        let mut decoder = Decoder::new(SampleRate::HZ_16K).unwrap();
        let (mut sequence, mut loud) = (0, 0);
        // speech, then the silence that tells the node that it is over
        loop {
            let packet = session.listen().await;
            assert_eq!((packet.turn, packet.sequence), (turn, sequence));
            assert_eq!(packet.timestamp_ms, sequence * FRAME_MS);
            sequence += 1;
            let is_loud = loudness(&mut decoder, &packet) > 3_000;
            loud += u32::from(is_loud);
            if loud > 0 && !is_loud {
                break loud * FRAME_MS;
            }
        }
    };
    let (said, heard_ms) = tokio::join!(soon(saying), hearing);
    said.unwrap();
    assert!((260..=340).contains(&heard_ms), "300 ms were said, {heard_ms} ms heard");

    device.listen_stop().unwrap();
    assert_eq!(session.hear().await, ToNode::ListenStop { turn });
    assert_eq!(device.listen_start(ListenMode::Manual).unwrap(), turn.next());
}

#[tokio::test]
async fn speech_and_silence_go_out_in_datagrams() {
    let node = Node::start(Limits::default());
    let options = options(&node);
    speech_goes_out(node, options).await;
}

#[tokio::test]
async fn speech_and_silence_go_out_on_the_stream() {
    let node = Node::start(Limits::default());
    let options = DeviceOptions { capabilities: Capabilities::default(), ..options(&node) };
    speech_goes_out(node, options).await;
}

#[tokio::test]
async fn an_answer_is_played_reported_and_saved() {
    let mut node = Node::start(Limits::default());
    let dir = tempfile::tempdir().unwrap();
    let options = DeviceOptions { save: Some(dir.path().to_owned()), ..options(&node) };
    let (_device, mut events, mut session) = connect(&mut node, options).await;
    let turn = TurnId(3);
    answer(&session, turn, 500);
    assert_eq!(next(&mut events).await, DeviceEvent::Node(ToDevice::SpeechStart { turn }));
    assert_eq!(next(&mut events).await, DeviceEvent::AudioStarted { turn });
    session.outlet.control(ToDevice::SpeechEnd { turn, total_ms: 500 }).unwrap();
    for (played_ms, finished) in [(200, false), (400, false), (500, true)] {
        assert_eq!(session.hear().await, ToNode::PlayoutPosition { turn, played_ms, finished });
    }
    let Played { played_ms, lost, file, .. } = played(&mut events).await;
    assert_eq!((played_ms, lost), (500, 0));
    let saved = wav::read(&file.expect("it is saved")).unwrap();
    assert_eq!((saved.rate, saved.ms()), (SampleRate::HZ_24K, 500));
}

#[tokio::test]
async fn an_answer_is_stopped_where_it_stands() {
    let mut node = Node::start(Limits::default());
    let options = options(&node);
    let (_device, mut events, mut session) = connect(&mut node, options).await;
    let turn = TurnId(3);
    answer(&session, turn, 600);
    assert_eq!(session.hear().await, ToNode::PlayoutPosition { turn, played_ms: 200, finished: false });
    session.outlet.control(ToDevice::SpeechStop { turn, reason: "barge_in".to_owned() }).unwrap();
    let stopped = played(&mut events).await;
    assert!(stopped.played_ms >= 200, "it was there already");
    let reported = loop {
        if let ToNode::PlayoutPosition { played_ms, finished: true, .. } = session.hear().await {
            break played_ms;
        }
    };
    assert_eq!(reported, stopped.played_ms);
}

#[tokio::test]
async fn what_a_person_does_reaches_the_session() {
    let mut node = Node::start(Limits::default());
    let identity = Identity::Token(token(NAME, 32_503_680_000, 1).unwrap());
    let options = DeviceOptions { identity, ..options(&node) };
    let (device, mut events, mut session) = connect(&mut node, options).await;
    let turn = device.say_text("hello").unwrap();
    assert_eq!(session.hear().await, ToNode::TextInput { turn, text: Redacted::new("hello".to_owned()) });
    device.abort(TurnId(7)).unwrap();
    assert_eq!(session.hear().await, ToNode::Abort { turn: TurnId(7) });
    device.guest_mode(true).unwrap();
    assert_eq!(session.hear().await, ToNode::GuestMode { on: true });
    device.answer_consent("p1", ConsentDecision::Agree).unwrap();
    let agreed = ToNode::ConsentAnswer { prompt_id: "p1".to_owned(), decision: ConsentDecision::Agree, purpose: None };
    assert_eq!(session.hear().await, agreed);
    device.withdraw_consent(None).unwrap();
    let withdrawn =
        ToNode::ConsentAnswer { prompt_id: String::new(), decision: ConsentDecision::Withdraw, purpose: None };
    assert_eq!(session.hear().await, withdrawn);

    soon(device.goodbye()).await;
    assert!(matches!(session.hear().await, ToNode::Goodbye(_)));
    session.detached().await;
    assert!(matches!(next(&mut events).await, DeviceEvent::Ended(Ended::Left(_))));
    assert!(matches!(device.say_text("too late"), Err(Error::Gone)));
}

#[tokio::test]
async fn a_goodbye_of_the_node_is_the_last_event() {
    let mut node = Node::start(Limits::default());
    let options = options(&node);
    let (device, mut events, session) = connect(&mut node, options).await;
    device.listen_start(ListenMode::Auto).unwrap();
    let goodbye = Goodbye {
        reason: GoodbyeReason::Replaced,
        text: "newer".to_owned(),
        reconnect_in: Some(Duration::from_millis(7)),
    };
    session.outlet.close(goodbye.clone());
    assert_eq!(next(&mut events).await, DeviceEvent::Ended(Ended::Goodbye(goodbye)));
    drop(device);
    assert_eq!(soon(events.next()).await, None);
}

#[tokio::test]
async fn closing_the_microphone_cuts_speech_short() {
    let mut node = Node::start(Limits::default());
    let options = options(&node);
    let (device, _events, mut session) = connect(&mut node, options).await;
    device.listen_start(ListenMode::Manual).unwrap();
    let long = tone(SampleRate::HZ_16K, 10_000);
    let stop = async {
        session.listen().await;
        device.listen_stop().unwrap();
    };
    let (said, ()) = tokio::join!(soon(device.say(&long)), stop);
    assert!(matches!(said, Err(Error::CutShort)));
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let node = Node::start(Limits::default());
    let expired = Identity::Token(token(NAME, 1, 1).unwrap());
    let error = refused(&node, DeviceOptions { identity: expired, ..options(&node) }).await;
    assert!(matches!(&error, Error::Refused { code, goodbye: Some(_), .. } if code == "unauthenticated"), "{error}");

    let Credential { chain, key } = Authority::new().device(TENANT, NAME);
    let foreign = Identity::Certificate { chain, key };
    let error = refused(&node, DeviceOptions { identity: foreign, ..options(&node) }).await;
    assert!(matches!(error, Error::Connection { .. }), "{error}");

    let strangers = Authority::new().roots();
    let error = refused(&node, DeviceOptions { roots: strangers, ..options(&node) }).await;
    assert!(matches!(error, Error::Connection { .. }), "{error}");

    let uplink = AudioFormat::new(SampleRate::HZ_16K, 2, 20).unwrap();
    let error = refused(&node, DeviceOptions { uplink, ..options(&node) }).await;
    assert!(matches!(error, Error::Channels { direction: "uplink", .. }), "{error}");

    let full = Node::start(Limits { connections: 0, ..Limits::default() });
    let error = refused(&full, options(&full)).await;
    assert!(matches!(error, Error::Busy { .. }), "{error}");
}
