#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use sayso_wire::AudioPacket;

// Every datagram that is taken is the one that its packet is sent as.
fuzz_target!(|input: &[u8]| {
    if let Ok(packet) = AudioPacket::decode_datagram(Bytes::copy_from_slice(input)) {
        let mut bytes = BytesMut::new();
        packet
            .encode_datagram(&mut bytes)
            .expect("what was decoded can be encoded");
        assert_eq!(bytes, input);
    }
});
