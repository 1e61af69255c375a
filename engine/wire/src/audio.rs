//! [`AudioFormat`] and [`AudioPacket`]: sound on the wire.
//!
//! A datagram, integers big-endian:
//!
//! ```text
//! byte  0      1       5           9             13
//!       ┌──────┬───────┬───────────┬─────────────┬─────────────────┐
//!       │ 0x01 │ turn  │ sequence  │ timestamp   │ one Opus packet │
//!       └──────┴───────┴───────────┴─────────────┴─────────────────┘
//! ```
//!
//! The first byte is kind and version in one: every other value is reserved.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sayso_proto::device::v1 as proto;
use sayso_types::{SampleRate, TurnId};

use crate::field::invalid;
use crate::{Error, Invalid};

/// Bytes that an Opus packet may have: the largest frame of RFC 6716, section 3.2.1. At 60 ms a packet it leaves
/// 170 kbit/s, several times what speech needs.
pub const AUDIO_BYTES_MAX: usize = 1275;

/// Bytes of a datagram in front of its Opus packet.
pub const AUDIO_HEADER_BYTES: usize = 13;

/// A datagram with sound, in its first layout.
const KIND_AUDIO: u8 = 0x01;

/// How sound is coded in one direction; always Opus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioFormat {
    sample_rate: SampleRate,
    channels: u8,
    frame_ms: u32,
}

impl AudioFormat {
    /// 16 kHz, mono, 20 ms: what a microphone for speech recognition sends.
    pub const MONO_16K: Self = Self { sample_rate: SampleRate::HZ_16K, channels: 1, frame_ms: 20 };
    /// 24 kHz, mono, 20 ms: what a synthesized voice is heard at.
    pub const MONO_24K: Self = Self { sample_rate: SampleRate::HZ_24K, channels: 1, frame_ms: 20 };

    /// A format of 8, 12, 16, 24 or 48 kHz, 1 or 2 channels, and 10, 20, 40 or 60 ms a packet.
    ///
    /// # Errors
    /// [`Error::Field`] names the one that is something else.
    pub fn new(sample_rate: SampleRate, channels: u32, frame_ms: u32) -> Result<Self, Error> {
        let unlisted = |field, value: u32| invalid(field, Invalid::Unlisted(value.into()));
        if !matches!(sample_rate.0, 8_000 | 12_000 | 16_000 | 24_000 | 48_000) {
            return Err(unlisted("audio_format.sample_rate_hz", sample_rate.0));
        }
        if !matches!(frame_ms, 10 | 20 | 40 | 60) {
            return Err(unlisted("audio_format.frame_ms", frame_ms));
        }
        let channels = match channels {
            1 => 1,
            2 => 2,
            other => return Err(unlisted("audio_format.channels", other)),
        };
        Ok(Self { sample_rate, channels, frame_ms })
    }

    /// Samples a second of one channel.
    #[must_use]
    pub const fn sample_rate(self) -> SampleRate {
        self.sample_rate
    }

    /// 1 or 2.
    #[must_use]
    pub const fn channels(self) -> u8 {
        self.channels
    }

    /// Milliseconds of sound in a packet.
    #[must_use]
    pub const fn frame_ms(self) -> u32 {
        self.frame_ms
    }
}

impl TryFrom<proto::AudioFormat> for AudioFormat {
    type Error = Error;

    fn try_from(p: proto::AudioFormat) -> Result<Self, Error> {
        Self::new(SampleRate(p.sample_rate_hz), p.channels, p.frame_ms)
    }
}

impl From<AudioFormat> for proto::AudioFormat {
    fn from(format: AudioFormat) -> Self {
        Self { sample_rate_hz: format.sample_rate.0, channels: format.channels.into(), frame_ms: format.frame_ms }
    }
}

/// One Opus packet, in either direction.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioPacket {
    /// The utterance or answer that it belongs to; zero for speech of the node that answers nothing.
    pub turn: TurnId,
    /// Counts the packets of a turn, from 0.
    pub sequence: u32,
    /// Where it belongs in the turn's sound, in milliseconds from its start.
    pub timestamp_ms: u32,
    /// 1 to [`AUDIO_BYTES_MAX`] bytes; up to 2 where the sender is silent (DTX).
    pub opus: Bytes,
}

impl AudioPacket {
    /// Appends it to `out` as a datagram.
    ///
    /// # Errors
    /// [`Error::OpusLength`]; `out` is as it was.
    pub fn encode_datagram(&self, out: &mut BytesMut) -> Result<(), Error> {
        check_length(&self.opus)?;
        out.reserve(AUDIO_HEADER_BYTES + self.opus.len());
        out.put_u8(KIND_AUDIO);
        out.put_u32(self.turn.0);
        out.put_u32(self.sequence);
        out.put_u32(self.timestamp_ms);
        out.put_slice(&self.opus);
        Ok(())
    }

    /// What a datagram holds; the Opus packet shares its memory.
    ///
    /// # Errors
    /// [`Error::DatagramKind`], [`Error::DatagramTooShort`] or [`Error::OpusLength`].
    pub fn decode_datagram(mut datagram: Bytes) -> Result<Self, Error> {
        let bytes = datagram.len();
        match datagram.first() {
            Some(&KIND_AUDIO) if bytes >= AUDIO_HEADER_BYTES => datagram.advance(1),
            Some(&KIND_AUDIO) | None => return Err(Error::DatagramTooShort { bytes }),
            Some(&kind) => return Err(Error::DatagramKind(kind)),
        }
        let turn = TurnId(datagram.get_u32());
        let sequence = datagram.get_u32();
        let timestamp_ms = datagram.get_u32();
        check_length(&datagram)?;
        Ok(Self { turn, sequence, timestamp_ms, opus: datagram })
    }
}

impl core::fmt::Debug for AudioPacket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AudioPacket")
            .field("turn", &self.turn)
            .field("sequence", &self.sequence)
            .field("timestamp_ms", &self.timestamp_ms)
            .field("bytes", &self.opus.len())
            .finish_non_exhaustive()
    }
}

impl TryFrom<proto::AudioPacket> for AudioPacket {
    type Error = Error;

    fn try_from(p: proto::AudioPacket) -> Result<Self, Error> {
        check_length(&p.opus)?;
        Ok(Self { turn: TurnId(p.turn), sequence: p.sequence, timestamp_ms: p.timestamp_ms, opus: p.opus })
    }
}

impl TryFrom<&AudioPacket> for proto::AudioPacket {
    type Error = Error;

    fn try_from(packet: &AudioPacket) -> Result<Self, Error> {
        check_length(&packet.opus)?;
        Ok(Self {
            turn: packet.turn.0,
            sequence: packet.sequence,
            timestamp_ms: packet.timestamp_ms,
            opus: packet.opus.clone(),
        })
    }
}

fn check_length(opus: &[u8]) -> Result<(), Error> {
    match opus.len() {
        1..=AUDIO_BYTES_MAX => Ok(()),
        bytes => Err(Error::OpusLength { bytes }),
    }
}
