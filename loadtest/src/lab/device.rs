//! [`Device`]: one that says what a measurement wants, when it wants.

use anyhow::{Result, bail};
use bytes::{Bytes, BytesMut};
use quinn::{Connection, RecvStream, SendStream};
use sayso_types::DeviceId;
use sayso_wire::{AudioFormat, AudioPacket, Capabilities, Hello, MessageDecoder, ToDevice, ToNode, VERSIONS, encode};

/// Most bytes taken from QUIC at a time.
const CHUNK_BYTES_MAX: usize = 4_096;

/// A device that was welcomed.
pub(crate) struct Device {
    pub(crate) connection: Connection,
    send: SendStream,
    receive: RecvStream,
    decoder: MessageDecoder<ToDevice>,
    unread: Bytes,
}

/// What came from the node.
pub(crate) enum Heard {
    Sound(AudioPacket),
    Message(ToDevice),
}

impl Device {
    /// Says hello and waits for the welcome.
    pub(crate) async fn greet(connection: Connection, id: DeviceId) -> Result<Self> {
        let (send, receive) = connection.open_bi().await?;
        let mut device = Self { connection, send, receive, decoder: MessageDecoder::new(), unread: Bytes::new() };
        device.say(&ToNode::Hello(hello(id))).await?;
        device.wait_for(|message| matches!(message, ToDevice::Welcome(_))).await?;
        Ok(device)
    }

    /// Sends a message.
    pub(crate) async fn say(&mut self, message: &ToNode) -> Result<()> {
        let mut bytes = BytesMut::new();
        encode(message, &mut bytes)?;
        Ok(self.send.write_all(&bytes).await?)
    }

    /// Waits for sound or a message. An error or a goodbye of the node is an error.
    pub(crate) async fn hear(&mut self) -> Result<Heard> {
        tokio::select! {
            datagram = self.connection.read_datagram() => Ok(Heard::Sound(AudioPacket::decode_datagram(datagram?)?)),
            message = next(&mut self.receive, &mut self.decoder, &mut self.unread) => match message? {
                ToDevice::Error { code, text, .. } => bail!("the node says {code}: {text}"),
                ToDevice::Goodbye(goodbye) => bail!("the node leaves: {:?}: {}", goodbye.reason, goodbye.text),
                message => Ok(Heard::Message(message)),
            },
        }
    }

    /// Waits for a message that `matches`; what comes before is not of interest.
    pub(crate) async fn wait_for(&mut self, matches: impl Fn(&ToDevice) -> bool) -> Result<ToDevice> {
        loop {
            match self.hear().await? {
                Heard::Message(message) if matches(&message) => return Ok(message),
                Heard::Message(_) | Heard::Sound(_) => {}
            }
        }
    }
}

/// How a device says hello.
pub(crate) fn hello(device_id: DeviceId) -> Hello {
    Hello {
        versions: VERSIONS.to_vec(),
        device_id,
        firmware: "sayso-loadtest".to_owned(),
        capabilities: Capabilities { datagram: true, barge_in: true, screen: false },
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::MONO_24K,
        resume_token: None,
        auth_token: None,
        language: Some("en".to_owned()),
    }
}

/// The next message. It can be given up without losing a byte.
async fn next(stream: &mut RecvStream, decoder: &mut MessageDecoder<ToDevice>, unread: &mut Bytes) -> Result<ToDevice> {
    loop {
        if let Some(message) = decoder.decode(unread) {
            return Ok(message?);
        }
        match stream.read_chunk(CHUNK_BYTES_MAX, true).await? {
            Some(chunk) => *unread = chunk.bytes,
            None => bail!("the node ended the control stream without a goodbye"),
        }
    }
}
