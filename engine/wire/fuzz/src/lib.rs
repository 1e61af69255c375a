//! What the fuzz targets have in common.

use std::fmt::Debug;

use bytes::BytesMut;
use sayso_wire::{Error, Message, MessageDecoder, encode};

/// Everything that a decoder says to `input` when it arrives in pieces of `cut` bytes.
fn decode<M: Message>(input: &[u8], cut: usize) -> Vec<Result<M, Error>> {
    let mut decoder = MessageDecoder::new();
    let mut said = Vec::new();
    for mut piece in input.chunks(cut) {
        while let Some(result) = decoder.decode(&mut piece) {
            let fatal = result.as_ref().is_err_and(Error::is_fatal);
            said.push(result);
            if fatal {
                return said;
            }
        }
    }
    said
}

/// The first byte says how the rest is cut: what is decoded must not depend on it, and must survive being sent again.
pub fn control_stream<M: Message + PartialEq + Debug>(input: &[u8]) {
    let Some((cut, input)) = input.split_first() else {
        return;
    };
    let said = decode::<M>(input, usize::from(*cut) + 1);
    assert_eq!(said, decode(input, usize::MAX));
    for message in said.into_iter().flatten() {
        let mut bytes = BytesMut::new();
        // inputs are far shorter than a message may be, so none outgrows the limit
        encode(&message, &mut bytes).expect("what was decoded can be encoded");
        assert_eq!(decode(&bytes, usize::MAX), [Ok(message)]);
    }
}
