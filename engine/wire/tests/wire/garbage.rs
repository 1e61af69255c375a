//! Input that is not the protocol: typed errors, and the connection lives where it can.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use sayso_types::{Redacted, TurnId};
use sayso_wire::{
    AUDIO_BYTES_MAX, AudioPacket, Error, MESSAGE_BYTES_MAX, Message, MessageDecoder, ToDevice, ToNode, encode,
};

/// Everything that a decoder says to `bytes`, up to an error after which it says nothing else.
fn decode_all<M: Message>(mut bytes: &[u8]) -> Vec<Result<M, Error>> {
    let mut decoder = MessageDecoder::new();
    let mut said = Vec::new();
    while let Some(message) = decoder.decode(&mut bytes) {
        let fatal = message.as_ref().is_err_and(Error::is_fatal);
        said.push(message);
        if fatal {
            break;
        }
    }
    said
}

fn listen_stop() -> (ToNode, Vec<u8>) {
    let message = ToNode::ListenStop { turn: TurnId(3) };
    let mut bytes = BytesMut::new();
    encode(&message, &mut bytes).unwrap();
    (message, bytes.to_vec())
}

#[test]
fn an_unknown_message_is_an_error_and_the_next_one_is_read() {
    let (known, bytes) = listen_stop();
    // field 99 of the oneof, two bytes long; then an empty message
    let stream = [&[5, 0x9a, 0x06, 2, 0xaa, 0xbb][..], &bytes, &[0], &bytes].concat();
    assert_eq!(
        decode_all::<ToNode>(&stream),
        [Err(Error::UnknownMessage), Ok(known.clone()), Err(Error::UnknownMessage), Ok(known)]
    );
}

#[test]
fn a_malformed_message_is_an_error_and_the_next_one_is_read() {
    let (known, bytes) = listen_stop();
    let stream = [&[3, 0xff, 0xff, 0xff][..], &bytes].concat();
    let said = decode_all::<ToNode>(&stream);
    assert!(matches!(&said[0], Err(error @ Error::Malformed(_)) if !error.is_fatal()), "{said:?}");
    assert_eq!(said[1], Ok(known));
}

#[test]
fn a_message_that_is_too_long_ends_the_stream() {
    let mut stream = BytesMut::new();
    prost::encoding::encode_varint(MESSAGE_BYTES_MAX as u64 + 1, &mut stream);
    let mut decoder = MessageDecoder::<ToNode>::new();
    stream.put_slice(&listen_stop().1);
    let mut input = stream.freeze();
    let error = Error::MessageTooLong { bytes: MESSAGE_BYTES_MAX + 1 };
    assert_eq!(decoder.decode(&mut input), Some(Err(error.clone())));
    assert_eq!(decoder.decode(&mut input), Some(Err(error)));
    assert_eq!(input.len(), listen_stop().1.len(), "nothing more is taken");
}

#[test]
fn a_length_that_is_no_varint_of_32_bits_ends_the_stream() {
    for length in [&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..], &[0xff, 0xff, 0xff, 0xff, 0x1f]] {
        assert_eq!(decode_all::<ToDevice>(length), [Err(Error::LengthPrefix)]);
    }
    // a length may be written longer than it needs to be
    let (known, bytes) = listen_stop();
    let padded = [&[bytes[0] | 0x80, 0x80, 0x80, 0x80, 0x00], &bytes[1..]].concat();
    assert_eq!(decode_all::<ToNode>(&padded), [Ok(known)]);
}

#[test]
fn the_longest_message_is_taken_and_one_byte_more_is_not_sent() {
    let text = |len: usize| ToNode::TextInput { turn: TurnId(1), text: Redacted::new("x".repeat(len)) };
    // around the text: 3 bytes of the oneof's field and its length, 2 of the turn, 3 of the text's field and its length
    let longest = text(MESSAGE_BYTES_MAX - 8);
    let mut bytes = BytesMut::new();
    encode(&longest, &mut bytes).unwrap();
    assert_eq!(decode_all(&bytes), [Ok(longest)]);

    let before = bytes.clone();
    let error = encode(&text(MESSAGE_BYTES_MAX - 7), &mut bytes).unwrap_err();
    assert_eq!(error, Error::MessageTooLong { bytes: MESSAGE_BYTES_MAX + 1 });
    assert_eq!(bytes, before, "nothing is written");
}

#[test]
fn datagrams_are_refused_for_what_is_wrong_with_them() {
    let header = [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    let decode = |bytes: &[u8]| AudioPacket::decode_datagram(Bytes::copy_from_slice(bytes)).unwrap_err();
    assert_eq!(decode(&[]), Error::DatagramTooShort { bytes: 0 });
    assert_eq!(decode(&header[..12]), Error::DatagramTooShort { bytes: 12 });
    assert_eq!(decode(&header), Error::OpusLength { bytes: 0 });
    assert_eq!(decode(&[&header[..], &[0; AUDIO_BYTES_MAX + 1]].concat()), Error::OpusLength { bytes: 1276 });
    for kind in (0..=u8::MAX).filter(|kind| *kind != 1) {
        assert_eq!(decode(&[kind, 1, 2]), Error::DatagramKind(kind));
    }
}

#[test]
fn a_packet_that_is_no_opus_packet_is_not_sent() {
    for len in [0, AUDIO_BYTES_MAX + 1] {
        let packet = AudioPacket { turn: TurnId(1), sequence: 0, timestamp_ms: 0, opus: vec![0; len].into() };
        let mut out = BytesMut::new();
        let error = Err(Error::OpusLength { bytes: len });
        assert_eq!(packet.encode_datagram(&mut out), error);
        assert_eq!(encode(&ToNode::Audio(packet.clone()), &mut out), error);
        assert_eq!(encode(&ToDevice::Audio(packet), &mut out), error);
        assert!(out.is_empty());
    }
}

proptest! {
    /// What a decoder says does not depend on how the stream is cut, whatever is in it.
    #[test]
    fn garbage_is_answered_the_same_however_it_is_cut(bytes in vec(any::<u8>(), 0..400), cut in 1..50usize) {
        let whole = decode_all::<ToNode>(&bytes);
        let mut decoder = MessageDecoder::<ToNode>::new();
        let mut pieces = Vec::new();
        'stream: for mut piece in bytes.chunks(cut) {
            while let Some(message) = decoder.decode(&mut piece) {
                let fatal = message.as_ref().is_err_and(Error::is_fatal);
                pieces.push(message);
                if fatal {
                    break 'stream;
                }
            }
        }
        prop_assert_eq!(pieces, whole);
    }

    /// Framed garbage costs one error a frame; the stream never gets lost.
    #[test]
    fn framed_garbage_is_one_answer_a_frame(frames in vec(vec(any::<u8>(), 0..200), 0..20)) {
        let mut stream = BytesMut::new();
        for frame in &frames {
            prost::encoding::encode_varint(frame.len() as u64, &mut stream);
            stream.put_slice(frame);
        }
        prop_assert_eq!(decode_all::<ToDevice>(&stream).len(), frames.len());
    }

    #[test]
    fn a_garbage_datagram_is_an_answer(bytes in vec(any::<u8>(), 0..1500)) {
        let long_enough = bytes.first() == Some(&1) && (14..=13 + AUDIO_BYTES_MAX).contains(&bytes.len());
        prop_assert_eq!(AudioPacket::decode_datagram(bytes.into()).is_ok(), long_enough);
    }
}
