//! Messages that are protobuf, with one field that cannot be: the error names it.

use prost::Message as _;
use sayso_proto::device::v1::{self as proto, to_device, to_node};
use sayso_wire::{Error, Invalid, Message, MessageDecoder, ToDevice, ToNode};

fn refuse<M: Message + core::fmt::Debug>(proto: &M::Proto) -> (&'static str, Invalid) {
    let bytes = proto.encode_length_delimited_to_vec();
    match MessageDecoder::<M>::new().decode(&mut &bytes[..]) {
        Some(Err(error @ Error::Field { field, invalid })) => {
            assert!(!error.is_fatal());
            assert!(error.to_string().starts_with(field));
            (field, invalid)
        }
        other => panic!("{other:?}"),
    }
}

fn from_device(message: to_node::Message) -> (&'static str, Invalid) {
    refuse::<ToNode>(&proto::ToNode { message: Some(message) })
}

fn from_node(message: to_device::Message) -> (&'static str, Invalid) {
    refuse::<ToDevice>(&proto::ToDevice { message: Some(message) })
}

fn format() -> proto::AudioFormat {
    proto::AudioFormat { sample_rate_hz: 16_000, channels: 1, frame_ms: 20 }
}

#[test]
fn hello() {
    let refuse = |change: fn(&mut proto::Hello)| {
        let mut hello = proto::Hello {
            versions: vec![1],
            device_id: "kitchen".into(),
            uplink: Some(format()),
            downlink: Some(format()),
            ..proto::Hello::default()
        };
        change(&mut hello);
        from_device(to_node::Message::Hello(hello))
    };
    assert_eq!(refuse(|h| h.versions.clear()), ("hello.versions", Invalid::Missing));
    assert_eq!(refuse(|h| h.versions = vec![1; 9]), ("hello.versions", Invalid::TooLong { len: 9, max: 8 }));
    assert!(matches!(refuse(|h| h.device_id = "a b".into()), ("hello.device_id", Invalid::Id(_))));
    assert!(matches!(refuse(|h| h.device_id.clear()), ("hello.device_id", Invalid::Id(_))));
    assert_eq!(refuse(|h| h.firmware = "1\n2".into()), ("hello.firmware", Invalid::Character { at: 1 }));
    assert_eq!(refuse(|h| h.firmware = "x".repeat(65)), ("hello.firmware", Invalid::TooLong { len: 65, max: 64 }));
    assert_eq!(
        refuse(|h| h.capabilities = vec![String::new(); 17]),
        ("hello.capabilities", Invalid::TooLong { len: 17, max: 16 })
    );
    assert_eq!(refuse(|h| h.uplink = None), ("hello.uplink", Invalid::Missing));
    assert_eq!(refuse(|h| h.downlink = None), ("hello.downlink", Invalid::Missing));
    assert_eq!(
        refuse(|h| h.uplink = Some(proto::AudioFormat { sample_rate_hz: 44_100, ..format() })),
        ("audio_format.sample_rate_hz", Invalid::Unlisted(44_100))
    );
    assert_eq!(
        refuse(|h| h.downlink = Some(proto::AudioFormat { channels: 3, ..format() })),
        ("audio_format.channels", Invalid::Unlisted(3))
    );
    assert_eq!(
        refuse(|h| h.downlink = Some(proto::AudioFormat { frame_ms: 30, ..format() })),
        ("audio_format.frame_ms", Invalid::Unlisted(30))
    );
    assert_eq!(refuse(|h| h.resume_token = vec![0; 65]), ("resume_token", Invalid::TooLong { len: 65, max: 64 }));
    assert_eq!(refuse(|h| h.language = "en_GB".into()), ("hello.language", Invalid::Character { at: 2 }));
}

#[test]
fn the_other_messages_of_a_device() {
    use to_node::Message::{
        ConsentAnswer, Goodbye, ListenStart, ListenStop, PermissionChanged, PictureOffer, PicturePart, TextInput,
    };

    let start = |turn, mode| from_device(ListenStart(proto::ListenStart { turn, mode }));
    assert_eq!(start(0, 1), ("listen_start.turn", Invalid::Missing));
    assert_eq!(start(1, 0), ("listen_start.mode", Invalid::Missing));
    assert_eq!(start(1, 4), ("listen_start.mode", Invalid::Unlisted(4)));
    assert_eq!(from_device(ListenStop(proto::ListenStop { turn: 0 })), ("listen_stop.turn", Invalid::Missing));
    let text = proto::TextInput { turn: 0, text: "hi".into() };
    assert_eq!(from_device(TextInput(text)), ("text_input.turn", Invalid::Missing));
    let answer = |prompt_id: &str, decision, purpose: &str| {
        let (prompt_id, purpose) = (prompt_id.to_owned(), purpose.to_owned());
        from_device(ConsentAnswer(proto::ConsentAnswer { prompt_id, decision, purpose }))
    };
    assert_eq!(answer("", 1, ""), ("consent_answer.prompt_id", Invalid::Missing));
    assert_eq!(answer("p", -1, ""), ("consent_answer.decision", Invalid::Unlisted(-1)));
    assert!(matches!(answer("p", 3, "No Name"), ("consent_answer.purpose", Invalid::Name(_))));
    let permission = proto::PermissionChanged { capability: String::new(), granted: false };
    let permission = from_device(PermissionChanged(permission));
    assert!(matches!(permission, ("permission_changed.capability", Invalid::Name(_))));
    let offer = |turn, format, bytes| {
        let question = "what is it".to_owned();
        from_device(PictureOffer(proto::PictureOffer { turn, format, bytes, question }))
    };
    assert_eq!(offer(0, 1, 9), ("picture_offer.turn", Invalid::Missing));
    assert_eq!(offer(1, 0, 9), ("picture_offer.format", Invalid::Missing));
    assert_eq!(offer(1, 3, 9), ("picture_offer.format", Invalid::Unlisted(3)));
    assert_eq!(offer(1, 1, 0), ("picture_offer.bytes", Invalid::Missing));
    let too_long = Invalid::TooLong { len: 524_289, max: 524_288 };
    assert_eq!(offer(1, 1, 524_289), ("picture_offer.bytes", too_long));
    let part = |turn, len| from_device(PicturePart(proto::PicturePart { turn, bytes: vec![0; len].into() }));
    assert_eq!(part(0, 1), ("picture_part.turn", Invalid::Missing));
    assert_eq!(part(1, 0), ("picture_part.bytes", Invalid::Missing));
    assert_eq!(part(1, 15_361), ("picture_part.bytes", Invalid::TooLong { len: 15_361, max: 15_360 }));
    let goodbye = proto::Goodbye { reason: 10, text: String::new(), reconnect_in_ms: 0 };
    assert_eq!(from_device(Goodbye(goodbye)), ("goodbye.reason", Invalid::Unlisted(10)));
}

#[test]
fn the_messages_of_a_node() {
    use to_device::Message::{ConsentChanged, ConsentPrompt, StateChanged, Welcome};

    let refuse = |change: fn(&mut proto::Welcome)| {
        let mut welcome = proto::Welcome {
            version: 1,
            session_id: vec![0; 16],
            uplink: Some(format()),
            downlink: Some(format()),
            limits: Some(proto::Limits::default()),
            ..proto::Welcome::default()
        };
        change(&mut welcome);
        from_node(Welcome(welcome))
    };
    assert_eq!(
        refuse(|w| w.session_id = vec![0; 15]),
        ("welcome.session_id", Invalid::Length { len: 15, expected: 16 })
    );
    assert_eq!(refuse(|w| w.limits = None), ("welcome.limits", Invalid::Missing));
    assert_eq!(refuse(|w| w.uplink = None), ("welcome.uplink", Invalid::Missing));

    let state = proto::StateChanged { state: 9, turn: 1 };
    assert_eq!(from_node(StateChanged(state)), ("state_changed.state", Invalid::Unlisted(9)));
    let prompt = |purposes| {
        from_node(ConsentPrompt(proto::ConsentPrompt { prompt_id: "p".into(), text: String::new(), purposes }))
    };
    assert_eq!(prompt(vec![]), ("consent_prompt.purposes", Invalid::Missing));
    assert!(matches!(prompt(vec![String::new(); 33]), ("consent_prompt.purposes", Invalid::TooLong { .. })));
    assert!(matches!(prompt(vec!["Memory".into()]), ("consent_prompt.purposes", Invalid::Name(_))));
    let changed = proto::ConsentChanged { purpose: "memory".into(), status: 0, consent_version: 1 };
    assert_eq!(from_node(ConsentChanged(changed)), ("consent_changed.status", Invalid::Missing));
}

#[test]
fn a_device_is_told_what_is_wrong_and_what_to_do() {
    let error = Error::Field { field: "hello.uplink", invalid: Invalid::Missing };
    let ToDevice::Error { code, text, remedy, .. } = error.report() else { panic!("not an error") };
    assert_eq!((code.as_str(), text.as_str()), ("bad_field", "hello.uplink is missing"));
    assert!(remedy.contains("device.proto"));
}
