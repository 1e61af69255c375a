//! [`Uplink`]: everything that goes from the device to the node.

use bytes::BytesMut;
use quinn::{Connection, SendDatagramError, VarInt};
use sayso_runtime::queue::{self, TrySendError};
use sayso_wire::{AUDIO_HEADER_BYTES, AudioPacket, GoodbyeReason, ToNode};

use crate::Error;

/// Messages that wait to be sent; a device sends one now and then.
const MESSAGES_MAX: usize = 64;
/// Packets of sound that wait for the control stream, if they have to go there: 1.3 seconds of 20 ms packets.
const PACKETS_MAX: usize = 64;

/// Sends messages and sound. Clones share the connection.
#[derive(Clone, Debug)]
pub(crate) struct Uplink {
    connection: Connection,
    messages: queue::Sender<ToNode>,
    audio: queue::Sender<AudioPacket>,
}

/// What waits for the control stream.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) messages: queue::Receiver<ToNode>,
    pub(crate) audio: queue::Receiver<AudioPacket>,
}

impl Uplink {
    pub(crate) fn new(connection: Connection) -> (Self, Outbox) {
        let (messages, messages_out) = queue::bounded("device_messages", MESSAGES_MAX);
        let (audio, audio_out) = queue::bounded("device_audio", PACKETS_MAX);
        (Self { connection, messages, audio }, Outbox { messages: messages_out, audio: audio_out })
    }

    /// Sends a message, in order.
    pub(crate) fn send(&self, message: ToNode) -> Result<(), Error> {
        self.messages.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Error::Congested,
            TrySendError::Closed(_) => Error::Gone,
        })
    }

    /// Sends a packet of sound: as a datagram, or on the control stream where that cannot be. A congested connection
    /// loses sound, the oldest in datagrams and the newest on the stream: late sound helps nobody.
    pub(crate) fn send_audio(&self, packet: AudioPacket) -> Result<(), Error> {
        let len = AUDIO_HEADER_BYTES + packet.opus.len();
        let mut datagram = BytesMut::with_capacity(len);
        packet.encode_datagram(&mut datagram)?;
        match self.connection.send_datagram(datagram.freeze()) {
            Ok(()) => Ok(()),
            Err(SendDatagramError::ConnectionLost(_)) => Err(Error::Gone),
            Err(SendDatagramError::UnsupportedByPeer | SendDatagramError::Disabled | SendDatagramError::TooLarge) => {
                match self.audio.try_send(packet) {
                    Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
                    Err(TrySendError::Closed(_)) => Err(Error::Gone),
                }
            }
        }
    }

    /// Ends the connection without a word.
    pub(crate) fn close(&self) {
        self.connection.close(VarInt::from_u32(GoodbyeReason::Done.close_code()), b"");
    }

    /// Waits until the connection has ended.
    pub(crate) async fn ended(&self) {
        self.connection.closed().await;
    }
}
