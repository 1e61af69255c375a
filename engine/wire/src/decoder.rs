//! [`MessageDecoder`]: messages out of a stream of bytes, however it is cut.

use core::marker::PhantomData;

use bytes::{Buf, BufMut, BytesMut};
use prost::Message as _;

use crate::{Error, MESSAGE_BYTES_MAX, Message};

#[derive(Debug)]
enum State {
    /// Reading the length: its value so far, and how many bits of it.
    Length { value: u64, bits: u32 },
    /// Reading the message: its bytes so far, and how many it will have.
    Body { bytes: BytesMut, len: usize },
    /// What follows cannot be understood.
    Lost(Error),
}

const START: State = State::Length { value: 0, bits: 0 };

/// Decodes one direction of a control stream, piece by piece.
///
/// Between messages it holds nothing; within one, no more than the message itself, and so at most
/// [`MESSAGE_BYTES_MAX`] bytes.
#[derive(Debug)]
pub struct MessageDecoder<M> {
    state: State,
    direction: PhantomData<fn() -> M>,
}

impl<M: Message> MessageDecoder<M> {
    /// A decoder at the start of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: START, direction: PhantomData }
    }

    /// Takes bytes from `input` up to the end of a message. `None` when all of `input` was taken and no message is
    /// complete: call again with what the stream brings next.
    ///
    /// An error takes the place of one message; the next call goes on with the message after it, except when the
    /// error [is fatal](Error::is_fatal): then every further call with input returns it again and takes nothing.
    pub fn decode(&mut self, input: &mut impl Buf) -> Option<Result<M, Error>> {
        while input.has_remaining() {
            match &mut self.state {
                State::Length { value, bits } => {
                    let byte = input.get_u8();
                    *value |= u64::from(byte & 0x7f) << *bits;
                    *bits += 7;
                    if byte & 0x80 == 0 {
                        let len = *value;
                        if let Some(result) = self.begin(len) {
                            return Some(result);
                        }
                    } else if *bits >= 35 {
                        return Some(Err(self.lose(Error::LengthPrefix)));
                    }
                }
                State::Body { bytes, len } => {
                    let taken = input.remaining().min(*len - bytes.len());
                    bytes.put(input.take(taken));
                    if bytes.len() == *len {
                        let message = bytes.split().freeze();
                        self.state = START;
                        return Some(M::Proto::decode(message).map_err(Error::from).and_then(M::from_proto));
                    }
                }
                State::Lost(error) => return Some(Err(error.clone())),
            }
        }
        None
    }

    /// Whether the stream may end here: no message has begun.
    #[must_use]
    pub const fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Length { bits: 0, .. })
    }

    /// The length is known. An empty message, and one that is too long, are dealt with at once.
    fn begin(&mut self, len: u64) -> Option<Result<M, Error>> {
        let Ok(announced) = u32::try_from(len) else {
            return Some(Err(self.lose(Error::LengthPrefix)));
        };
        let len = announced as usize;
        if len > MESSAGE_BYTES_MAX {
            return Some(Err(self.lose(Error::MessageTooLong { bytes: len })));
        }
        if len == 0 {
            self.state = START;
            return Some(M::from_proto(M::Proto::default()));
        }
        self.state = State::Body { bytes: BytesMut::with_capacity(len), len };
        None
    }

    fn lose(&mut self, error: Error) -> Error {
        self.state = State::Lost(error.clone());
        error
    }
}

impl<M: Message> Default for MessageDecoder<M> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::ToNode;

    /// Bytes of memory that a decoder keeps.
    fn held(decoder: &MessageDecoder<ToNode>) -> usize {
        match &decoder.state {
            State::Body { bytes, .. } => bytes.capacity(),
            State::Length { .. } | State::Lost(_) => 0,
        }
    }

    #[test]
    fn an_announced_message_takes_what_it_announced_and_no_more() {
        let mut decoder = MessageDecoder::<ToNode>::new();
        let mut announce = BytesMut::new();
        prost::encoding::encode_varint(MESSAGE_BYTES_MAX as u64, &mut announce);
        assert_eq!(decoder.decode(&mut announce), None);
        assert_eq!(held(&decoder), MESSAGE_BYTES_MAX);
        assert!(!decoder.is_between_messages());
        assert!(matches!(decoder.decode(&mut &[0; MESSAGE_BYTES_MAX][..]), Some(Err(Error::Malformed(_)))));
        assert_eq!(held(&decoder), 0);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_hold_more_than_a_message(pieces in vec(vec(any::<u8>(), 0..100), 0..100)) {
            let mut decoder = MessageDecoder::<ToNode>::new();
            'stream: for piece in pieces {
                let mut input = &piece[..];
                while let Some(message) = decoder.decode(&mut input) {
                    prop_assert!(held(&decoder) <= MESSAGE_BYTES_MAX);
                    if message.is_err_and(|e| e.is_fatal()) {
                        break 'stream;
                    }
                }
                prop_assert!(held(&decoder) <= MESSAGE_BYTES_MAX);
            }
        }
    }
}
