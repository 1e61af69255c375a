//! The bytes of every message, as devices in the field send and expect them. A change here is a change of protocol.

use core::time::Duration;
use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use sayso_types::{ConsentVersion, PictureFormat, Purpose, Redacted, SampleRate, SessionId, TurnId};
use sayso_wire::{
    AudioFormat, AudioPacket, Capabilities, ConsentDecision, ConsentStatus, Goodbye, GoodbyeReason, Hello, Limits,
    ListenMode, Message, MessageDecoder, PictureOffer, ResumeToken, SessionState, ToDevice, ToNode, Welcome, encode,
};

/// Checks each message against its bytes, and that every kind of message (fields 1 to `kinds` of the oneof) is there.
fn check<M: Message + PartialEq + core::fmt::Debug>(cases: Vec<(M, &str)>, kinds: u8) {
    let mut seen = BTreeSet::new();
    for (message, golden) in cases {
        let mut bytes = BytesMut::new();
        encode(&message, &mut bytes).unwrap();
        assert_eq!(hex::encode(&bytes), golden, "{message:?}");
        // every golden message is shorter than 128 bytes: one byte of length, one of field number and wire type
        seen.insert(bytes[1] >> 3);
        assert_eq!(MessageDecoder::new().decode(&mut bytes.freeze()), Some(Ok(message)));
    }
    assert_eq!(seen, (1..=kinds).collect(), "a kind of message has no golden bytes");
}

fn packet() -> AudioPacket {
    AudioPacket { turn: TurnId(7), sequence: 258, timestamp_ms: 5160, opus: Bytes::from_static(&[0xb8, 0xff, 0xfe]) }
}

fn goodbye() -> Goodbye {
    Goodbye {
        reason: GoodbyeReason::ShuttingDown,
        text: "restarting".into(),
        reconnect_in: Some(Duration::from_millis(1500)),
    }
}

#[test]
fn to_node() {
    let turn = TurnId(7);
    let hello = Hello {
        versions: vec![2, 1],
        device_id: "kitchen-1".parse().unwrap(),
        firmware: "2.4.1".into(),
        capabilities: Capabilities { datagram: true, barge_in: false, screen: true },
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::new(SampleRate::HZ_48K, 2, 60).unwrap(),
        resume_token: Some(ResumeToken::new([1, 2, 3]).unwrap()),
        auth_token: Some(Redacted::new("sayso1.a.b".into())),
        language: Some("zh-CN".into()),
    };
    let cases = vec![
        (
            ToNode::Hello(hello),
            "550a530a02020112096b69746368656e2d311a05322e342e312208646174616772616d220673637265656e2a0708807d1001181432080880f7021002183c3a03010203420a736179736f312e612e624a057a682d434e",
        ),
        (ToNode::ListenStart { turn, mode: ListenMode::Realtime }, "06120408071003"),
        (ToNode::ListenStop { turn }, "041a020807"),
        (ToNode::TextInput { turn, text: Redacted::new("hi".into()) }, "082206080712026869"),
        (ToNode::Abort { turn }, "042a020807"),
        (ToNode::PlayoutPosition { turn, played_ms: 300, finished: true }, "093207080710ac021801"),
        (
            ToNode::ConsentAnswer { prompt_id: "p1".into(), decision: ConsentDecision::Agree, purpose: None },
            "083a060a0270311001",
        ),
        (
            ToNode::ConsentAnswer {
                prompt_id: String::new(),
                decision: ConsentDecision::Withdraw,
                purpose: Some(Purpose::MEMORY),
            },
            "0c3a0a10031a066d656d6f7279",
        ),
        (ToNode::Audio(packet()), "0f420d080710820218a8282203b8fffe"),
        (ToNode::Goodbye(goodbye()), "134a110802120a72657374617274696e6718dc0b"),
        (
            ToNode::PermissionChanged { capability: "microphone".parse().unwrap(), granted: false },
            "0e520c0a0a6d6963726f70686f6e65",
        ),
        (
            ToNode::PictureOffer(PictureOffer {
                turn,
                format: PictureFormat::Png,
                bytes: 300,
                question: Redacted::new("hi".into()),
            }),
            "0d5a0b0807100218ac0222026869",
        ),
        (ToNode::PicturePart { turn, bytes: Redacted::new(Bytes::from_static(&[0x89, 0x50])) }, "086206080712028950"),
        (ToNode::GuestMode { on: true }, "046a020801"),
    ];
    check(cases, 13);
}

#[test]
fn to_device() {
    let turn = TurnId(7);
    let welcome = Welcome {
        version: 1,
        session_id: SessionId([0xab; 16]),
        resume_token: Some(ResumeToken::new([9, 8]).unwrap()),
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::MONO_24K,
        limits: Limits {
            message_bytes_max: 16_384,
            audio_bytes_max: 1275,
            utterance_ms_max: 30_000,
            idle_timeout_ms: 60_000,
        },
        resumed: true,
    };
    let cases = vec![
        (
            ToDevice::Welcome(welcome),
            "400a3e08011210abababababababababababababababab1a020908220708807d100118142a0808c0bb0110011814320f0880800110fb0918b0ea0120e0d4033801",
        ),
        (ToDevice::StateChanged { state: SessionState::Thinking, turn }, "06120408031007"),
        (ToDevice::Transcript { turn, text: Redacted::new("hi".into()) }, "081a06080712026869"),
        (ToDevice::SpeechStart { turn }, "0422020807"),
        (
            ToDevice::Sentence { turn, text: Redacted::new("Hello.".into()), at_ms: 640 },
            "0f2a0d0807120648656c6c6f2e188005",
        ),
        (ToDevice::SpeechEnd { turn, total_ms: 2000 }, "073205080710d00f"),
        (ToDevice::SpeechStop { turn, reason: "barge_in".into() }, "0e3a0c0807120862617267655f696e"),
        (
            ToDevice::ConsentPrompt {
                prompt_id: "p1".into(),
                text: "May I listen?".into(),
                purposes: vec![Purpose::VOICE_INTERACTION, Purpose::MEMORY],
            },
            "30422e0a027031120d4d61792049206c697374656e3f1a11766f6963655f696e746572616374696f6e1a066d656d6f7279",
        ),
        (
            ToDevice::ConsentChanged {
                purpose: Purpose::MEMORY,
                status: ConsentStatus::Withdrawn,
                consent_version: ConsentVersion(300),
            },
            "0f4a0d0a066d656d6f7279100418ac02",
        ),
        (
            ToDevice::Notice { code: "limit".into(), text: "Slow down.".into() },
            "1552130a056c696d6974120a536c6f7720646f776e2e",
        ),
        (
            ToDevice::Error { code: "down".into(), text: "No voice.".into(), remedy: "Try again.".into(), turn },
            "215a1f0a04646f776e12094e6f20766f6963652e1a0a54727920616761696e2e2007",
        ),
        (ToDevice::Audio(packet()), "0f620d080710820218a8282203b8fffe"),
        (ToDevice::Goodbye(goodbye()), "136a110802120a72657374617274696e6718dc0b"),
        (ToDevice::VoiceActivity { turn, speaking: true }, "06720408071001"),
        (ToDevice::PictureWanted { turn }, "047a020807"),
    ];
    check(cases, 15);
}

#[test]
fn datagram() {
    let mut bytes = BytesMut::new();
    packet().encode_datagram(&mut bytes).unwrap();
    assert_eq!(hex::encode(&bytes), "01000000070000010200001428b8fffe");
    assert_eq!(AudioPacket::decode_datagram(bytes.freeze()), Ok(packet()));
}
