//! The two directions of a device's control stream. Every wait can be given up without losing a byte.

use bytes::{Buf, Bytes, BytesMut};
use quinn::{ReadError, RecvStream, SendStream, WriteError};
use sayso_wire::{MessageDecoder, ToDevice, ToNode};

use crate::metrics;

/// Most bytes taken from QUIC at a time: a full packet and a half. What stays there holds the device back.
const CHUNK_BYTES_MAX: usize = 2_048;

/// What came on the control stream.
#[derive(Debug)]
pub(crate) enum Arrival {
    Message(ToNode),
    /// Something came that is not a message.
    Bad(sayso_wire::Error),
    /// The device will send no more.
    Finished,
}

/// What the device says.
#[derive(Debug)]
pub(crate) struct Incoming {
    stream: RecvStream,
    decoder: MessageDecoder<ToNode>,
    unread: Bytes,
}

impl Incoming {
    pub(crate) const fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: MessageDecoder::new(), unread: Bytes::new() }
    }

    /// Waits for the next message.
    pub(crate) async fn next(&mut self) -> Result<Arrival, ReadError> {
        loop {
            match self.decoder.decode(&mut self.unread) {
                Some(Ok(message)) => return Ok(Arrival::Message(message)),
                Some(Err(error)) => return Ok(Arrival::Bad(error)),
                None => {}
            }
            match self.stream.read_chunk(CHUNK_BYTES_MAX, true).await? {
                Some(chunk) => self.unread = chunk.bytes,
                None => return Ok(Arrival::Finished),
            }
        }
    }
}

/// What the device is told.
#[derive(Debug)]
pub(crate) struct Outgoing {
    stream: SendStream,
    bytes: BytesMut,
}

impl Outgoing {
    pub(crate) fn new(stream: SendStream) -> Self {
        Self { stream, bytes: BytesMut::new() }
    }

    /// Bytes that are not yet with QUIC.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds a message after those before.
    pub(crate) fn push(&mut self, message: &ToDevice) {
        if let Err(error) = sayso_wire::encode(message, &mut self.bytes) {
            // the node's own fault: the device is no worse off than without the message
            metrics::unsendable(error.code());
            tracing::error!(%error, "a message for a device cannot be encoded");
        }
    }

    /// Hands some bytes to QUIC, waiting until it takes them.
    pub(crate) async fn write(&mut self) -> Result<(), WriteError> {
        let written = self.stream.write(&self.bytes).await?;
        self.bytes.advance(written);
        if self.bytes.is_empty() {
            // an idle device holds no buffer
            self.bytes = BytesMut::new();
        }
        Ok(())
    }

    /// Hands all bytes to QUIC and waits until the device has them.
    pub(crate) async fn finish(mut self) -> Result<(), WriteError> {
        while !self.is_empty() {
            self.write().await?;
        }
        if self.stream.finish().is_ok() {
            // acknowledged, stopped or lost: the device has of it what it will ever have
            let _ = self.stream.stopped().await;
        }
        Ok(())
    }
}
