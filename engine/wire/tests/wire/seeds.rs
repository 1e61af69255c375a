//! The seeds of the fuzz targets still reach what they were made to reach.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use sayso_types::WallTime;
use sayso_wire::token::TokenVerifier;
use sayso_wire::{AudioPacket, Message, MessageDecoder, ToDevice, ToNode};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|f| fs::read(f.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds
}

fn decodes<M: Message + core::fmt::Debug>(target: &str) {
    for seed in seeds(target) {
        // the first byte says how the fuzz target cuts the rest
        let mut input = Bytes::from(seed).slice(1..);
        let mut decoder = MessageDecoder::<M>::new();
        while let Some(message) = decoder.decode(&mut input) {
            message.unwrap();
        }
        assert!(decoder.is_between_messages());
    }
}

#[test]
fn seeds_of_the_control_stream_decode() {
    decodes::<ToNode>("to_node");
    decodes::<ToDevice>("to_device");
}

#[test]
fn seeds_of_datagrams_decode() {
    for seed in seeds("datagram") {
        AudioPacket::decode_datagram(seed.into()).unwrap();
    }
}

#[test]
fn the_genuine_token_is_accepted_and_the_forged_one_is_not() {
    let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
    let verifier = TokenVerifier::new([("k1".parse().unwrap(), key)]);
    let accepted = |token: &[u8]| verifier.verify(str::from_utf8(token).unwrap(), WallTime(0)).is_ok();
    assert_eq!(seeds("token").into_iter().filter(|token| accepted(token)).count(), 1);
}
