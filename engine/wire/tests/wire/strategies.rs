//! Any message.

use core::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sayso_types::{ConsentVersion, Picture, PictureFormat, Purpose, Redacted, SampleRate, SessionId, TurnId};
use sayso_wire::{
    AUDIO_BYTES_MAX, AudioFormat, AudioPacket, Capabilities, ConsentDecision, ConsentStatus, Goodbye, GoodbyeReason,
    Hello, Limits, ListenMode, PICTURE_PART_BYTES_MAX, PictureOffer, ResumeToken, SessionState, ToDevice, ToNode,
    Welcome,
};

fn turn() -> impl Strategy<Value = TurnId> {
    any::<u32>().prop_map(TurnId)
}

fn counted_turn() -> impl Strategy<Value = TurnId> {
    (1..=u32::MAX).prop_map(TurnId)
}

fn words() -> impl Strategy<Value = Redacted<String>> {
    any::<String>().prop_map(Redacted::new)
}

fn purpose() -> impl Strategy<Value = Purpose> {
    "[a-z0-9_.-]{1,31}".prop_map(|name| name.parse().unwrap())
}

fn format() -> impl Strategy<Value = AudioFormat> {
    let rates = select(vec![8_000, 12_000, 16_000, 24_000, 48_000]);
    (rates, 1..=2u32, select(vec![10, 20, 40, 60]))
        .prop_map(|(rate, channels, ms)| AudioFormat::new(SampleRate(rate), channels, ms).unwrap())
}

fn resume_token() -> impl Strategy<Value = Option<ResumeToken>> {
    option::of(vec(any::<u8>(), 1..=ResumeToken::BYTES_MAX).prop_map(|bytes| ResumeToken::new(bytes).unwrap()))
}

pub(crate) fn packet() -> impl Strategy<Value = AudioPacket> {
    (turn(), any::<u32>(), any::<u32>(), vec(any::<u8>(), 1..=AUDIO_BYTES_MAX)).prop_map(
        |(turn, sequence, timestamp_ms, opus)| AudioPacket { turn, sequence, timestamp_ms, opus: Bytes::from(opus) },
    )
}

fn goodbye() -> impl Strategy<Value = Goodbye> {
    let reason = select(vec![
        GoodbyeReason::Done,
        GoodbyeReason::ShuttingDown,
        GoodbyeReason::Replaced,
        GoodbyeReason::Idle,
        GoodbyeReason::Unauthenticated,
        GoodbyeReason::OverLimit,
        GoodbyeReason::Protocol,
        GoodbyeReason::Internal,
        GoodbyeReason::Version,
    ]);
    (reason, any::<String>(), option::of(1..=u32::MAX)).prop_map(|(reason, text, ms)| Goodbye {
        reason,
        text,
        reconnect_in: ms.map(|ms| Duration::from_millis(ms.into())),
    })
}

fn hello() -> impl Strategy<Value = Hello> {
    let about = (
        vec(any::<u32>(), 1..=8),
        "[A-Za-z0-9_.:-]{1,64}",
        "[ -~]{0,64}",
        (any::<bool>(), any::<bool>(), any::<bool>()),
    );
    let rest = (format(), format(), resume_token(), option::of(".{1,400}"), option::of("[A-Za-z0-9-]{1,35}"));
    (about, rest).prop_map(|((versions, id, firmware, can), (uplink, downlink, resume_token, auth_token, language))| {
        Hello {
            versions,
            device_id: id.parse().unwrap(),
            firmware,
            capabilities: Capabilities { datagram: can.0, barge_in: can.1, screen: can.2 },
            uplink,
            downlink,
            resume_token,
            auth_token: auth_token.map(Redacted::new),
            language,
        }
    })
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let head = (any::<u32>(), any::<[u8; 16]>(), resume_token(), any::<bool>());
    (head, format(), format(), any::<[u32; 4]>()).prop_map(
        |((version, session, resume_token, resumed), uplink, downlink, limits)| Welcome {
            version,
            session_id: SessionId(session),
            resume_token,
            uplink,
            downlink,
            limits: Limits {
                message_bytes_max: limits[0],
                audio_bytes_max: limits[1],
                utterance_ms_max: limits[2],
                idle_timeout_ms: limits[3],
            },
            resumed,
        },
    )
}

fn consent_answer() -> impl Strategy<Value = ToNode> {
    let decision = select(vec![ConsentDecision::Agree, ConsentDecision::Refuse, ConsentDecision::Withdraw]);
    ("[a-z0-9]{1,20}", decision, option::of(purpose()))
        .prop_map(|(prompt_id, decision, purpose)| ToNode::ConsentAnswer { prompt_id, decision, purpose })
}

fn picture_offer() -> impl Strategy<Value = ToNode> {
    (counted_turn(), select(PictureFormat::ALL.to_vec()), 1..=Picture::BYTES_MAX, words()).prop_map(
        |(turn, format, bytes, question)| ToNode::PictureOffer(PictureOffer { turn, format, bytes, question }),
    )
}

pub(crate) fn to_node() -> impl Strategy<Value = ToNode> {
    let mode = select(vec![ListenMode::Auto, ListenMode::Manual, ListenMode::Realtime]);
    prop_oneof![
        hello().prop_map(ToNode::Hello),
        (counted_turn(), mode).prop_map(|(turn, mode)| ToNode::ListenStart { turn, mode }),
        counted_turn().prop_map(|turn| ToNode::ListenStop { turn }),
        (counted_turn(), words()).prop_map(|(turn, text)| ToNode::TextInput { turn, text }),
        turn().prop_map(|turn| ToNode::Abort { turn }),
        (turn(), any::<u32>(), any::<bool>())
            .prop_map(|(turn, played_ms, finished)| { ToNode::PlayoutPosition { turn, played_ms, finished } }),
        consent_answer(),
        ("[a-z_]{1,31}", any::<bool>()).prop_map(|(capability, granted)| ToNode::PermissionChanged {
            capability: capability.parse().unwrap(),
            granted,
        }),
        any::<bool>().prop_map(|on| ToNode::GuestMode { on }),
        picture_offer(),
        (counted_turn(), vec(any::<u8>(), 1..=PICTURE_PART_BYTES_MAX))
            .prop_map(|(turn, bytes)| ToNode::PicturePart { turn, bytes: Redacted::new(bytes.into()) }),
        packet().prop_map(ToNode::Audio),
        goodbye().prop_map(ToNode::Goodbye),
    ]
}

pub(crate) fn to_device() -> impl Strategy<Value = ToDevice> {
    let state =
        select(vec![SessionState::Idle, SessionState::Listening, SessionState::Thinking, SessionState::Speaking]);
    let status = select(vec![
        ConsentStatus::Given,
        ConsentStatus::Refused,
        ConsentStatus::Deferred,
        ConsentStatus::Withdrawn,
        ConsentStatus::Withdrawing,
    ]);
    prop_oneof![
        welcome().prop_map(ToDevice::Welcome),
        (state, turn()).prop_map(|(state, turn)| ToDevice::StateChanged { state, turn }),
        (turn(), any::<bool>()).prop_map(|(turn, speaking)| ToDevice::VoiceActivity { turn, speaking }),
        turn().prop_map(|turn| ToDevice::PictureWanted { turn }),
        (turn(), words()).prop_map(|(turn, text)| ToDevice::Transcript { turn, text }),
        turn().prop_map(|turn| ToDevice::SpeechStart { turn }),
        (turn(), words(), any::<u32>()).prop_map(|(turn, text, at_ms)| ToDevice::Sentence { turn, text, at_ms }),
        (turn(), any::<u32>()).prop_map(|(turn, total_ms)| ToDevice::SpeechEnd { turn, total_ms }),
        (turn(), any::<String>()).prop_map(|(turn, reason)| ToDevice::SpeechStop { turn, reason }),
        ("[a-z0-9]{1,20}", any::<String>(), vec(purpose(), 1..=32))
            .prop_map(|(prompt_id, text, purposes)| ToDevice::ConsentPrompt { prompt_id, text, purposes }),
        (purpose(), status, any::<u64>()).prop_map(|(purpose, status, cv)| {
            ToDevice::ConsentChanged { purpose, status, consent_version: ConsentVersion(cv) }
        }),
        (any::<String>(), any::<String>()).prop_map(|(code, text)| ToDevice::Notice { code, text }),
        (any::<[String; 3]>(), turn()).prop_map(|([code, text, remedy], turn)| ToDevice::Error {
            code,
            text,
            remedy,
            turn
        }),
        packet().prop_map(ToDevice::Audio),
        goodbye().prop_map(ToDevice::Goodbye),
    ]
}
