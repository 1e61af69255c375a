//! What is encoded is decoded to the same, however the bytes are cut.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use sayso_wire::{AUDIO_HEADER_BYTES, AudioPacket, Message, MessageDecoder, encode};

use crate::strategies::{packet, to_device, to_node};

/// Encodes `messages` into one stream, feeds it in pieces of `cuts` bytes over and over, and compares.
fn survives<M: Message + PartialEq + core::fmt::Debug>(messages: &[M], cuts: &[usize]) -> Result<(), TestCaseError> {
    let mut stream = BytesMut::new();
    for message in messages {
        encode(message, &mut stream).unwrap();
    }
    let mut stream = stream.freeze();
    let mut decoder = MessageDecoder::<M>::new();
    let mut decoded = Vec::new();
    for cut in cuts.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let mut piece = stream.split_to((*cut).min(stream.len()));
        while let Some(message) = decoder.decode(&mut piece) {
            decoded.push(message.unwrap());
        }
        prop_assert!(piece.is_empty());
    }
    prop_assert!(decoder.is_between_messages());
    prop_assert_eq!(&decoded, messages);
    Ok(())
}

proptest! {
    #[test]
    fn to_node_survives(messages in vec(to_node(), 1..8), cuts in vec(1..2000usize, 1..20)) {
        survives(&messages, &cuts)?;
    }

    #[test]
    fn to_device_survives(messages in vec(to_device(), 1..8), cuts in vec(1..2000usize, 1..20)) {
        survives(&messages, &cuts)?;
    }

    #[test]
    fn messages_survive_byte_by_byte(message in to_node()) {
        survives(&[message], &[1])?;
    }

    #[test]
    fn datagrams_survive(packet in packet()) {
        let mut bytes = BytesMut::new();
        packet.encode_datagram(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), AUDIO_HEADER_BYTES + packet.opus.len());
        prop_assert_eq!(AudioPacket::decode_datagram(bytes.freeze()), Ok(packet));
    }

    #[test]
    fn every_datagram_is_the_only_one_of_its_packet(bytes in vec(any::<u8>(), 0..40)) {
        let mut bytes = bytes;
        if let Some(kind) = bytes.first_mut() {
            *kind = 1;
        }
        if let Ok(packet) = AudioPacket::decode_datagram(Bytes::from(bytes.clone())) {
            let mut again = BytesMut::new();
            packet.encode_datagram(&mut again).unwrap();
            prop_assert_eq!(again, bytes);
        }
    }
}
