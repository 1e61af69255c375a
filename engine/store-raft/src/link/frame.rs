//! Messages on a stream: a length, four bytes big-endian, then the message.

use prost::Message;
use quinn::{RecvStream, SendStream};
use sayso_store::room::Taken;
use sayso_store::{Room, limits};

use crate::codec::decode;

/// Bytes in a message: a megabyte of entries and one more of the greatest size, which holds a batch of the greatest size.
pub(crate) const MESSAGE_BYTES_MAX: usize = 12 << 20;
/// Messages up to this size are received whatever else is under way: votes, heartbeats, small commits.
const SMALL_BYTES: usize = 64 << 10;
/// Bytes of greater messages that are received and answered at once, of all peers together.
const LARGE_BYTES_TOTAL: usize = 64 << 20;

/// Why a message did not pass. For the log: whoever asked learns that the peer cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the stream ended: {0}")]
    Write(#[from] quinn::WriteError),
    #[error("the stream ended: {0}")]
    Read(#[from] quinn::ReadExactError),
    #[error(transparent)]
    TooLarge(sayso_store::Error),
    #[error("this node does not answer yet, or not any more")]
    NotServing,
    #[error(transparent)]
    Malformed(#[from] crate::codec::Malformed),
}

/// What all messages on their way in may take up.
#[derive(Debug)]
pub(crate) struct Budget(Room);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(Room::new("raft_message_bytes", LARGE_BYTES_TOTAL))
    }
}

/// Sends `message`.
pub(crate) async fn write(stream: &mut SendStream, message: &impl Message) -> Result<(), FrameError> {
    let length = message.encoded_len();
    at_most(length)?;
    let mut bytes = Vec::with_capacity(4 + length);
    bytes.extend_from_slice(&(length as u32).to_be_bytes());
    message.encode(&mut bytes).expect("a vector grows");
    Ok(stream.write_all(&bytes).await?)
}

/// Receives a message. It counts against `budget` until what comes with it is dropped.
pub(crate) async fn read<M: Message + Default>(
    stream: &mut RecvStream,
    budget: &Budget,
) -> Result<(M, Option<Taken>), FrameError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    at_most(length)?;
    let room = match length {
        ..=SMALL_BYTES => None,
        _ => Some(budget.0.take(length as u32).await.expect("the budget is never closed")),
    };
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok((decode(bytes::Bytes::from(bytes))?, room))
}

fn at_most(length: usize) -> Result<(), FrameError> {
    limits::at_most("bytes in a message of a peer", length, MESSAGE_BYTES_MAX).map_err(FrameError::TooLarge)
}
