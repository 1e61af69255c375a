//! One voice, frame by frame: Opus, VAD, endpointing, jitter, resampling, play-out.
//!
//! Pure and synchronous: nothing here reads a clock, waits, or performs I/O. A turn owns one [`Uplink`] and one
//! [`Downlink`] with its [`Pacer`], and drops them when it ends.
//!
//! ```text
//! Uplink                                                            16 kHz mono, 20 ms frames
//!  Packet ──▶ JitterBuffer ──▶ Decoder ──▶ Framer ──▶ Vad ──▶ Endpointer ──▶ SpeechStart, Frame.., SpeechEnd
//!             in order,        any Opus,   20 ms      voice?   utterance?
//!             or lost          FEC, PLC
//!
//! Downlink
//!  Pcm ──▶ Resampler ──▶ Framer ──▶ Encoder ──▶ Packet ──▶ Pacer ──▶ the device, at real time plus a small lead
//!  any rate   device rate   frame_ms
//! ```
//!
//! **No resampler on the way in.** An Opus decoder delivers any stream at any of the five Opus rates, and mixes
//! stereo down, whatever the encoder was given (RFC 6716, section 2.1.3), so the uplink decodes straight to
//! [`RATE`].
//!
//! **Nothing is allocated per frame.** After the first frames of a turn every stage works in buffers that it has;
//! the tests in `allocations.rs` prove it.
//!
//! **What a turn costs in memory.** A codec exists only where there is sound: an [`Uplink`] that has heard nothing
//! takes 0.5 kB, a [`Downlink`] that has said nothing less than 1 kB. The first packet in makes a decoder (20 kB), a
//! voice detector (1 kB) and the pre-roll (13 kB by default); the first sound out makes an encoder (33 kB) and, when
//! the rates differ, a resampler (35 to 65 kB). What holds the person's voice is wiped when dropped, except inside
//! libopus and libfvad, which free their state as it is.

#[cfg(test)]
mod allocations;
pub mod codec;
pub mod downlink;
pub mod endpointer;
pub mod error;
mod framer;
pub mod jitter;
pub mod pacer;
pub mod recording;
pub mod resampler;
#[cfg(test)]
mod sound;
pub mod uplink;
pub mod vad;

use sayso_types::SampleRate;

pub use codec::{Decoder, Encoder, EncoderConfig};
pub use downlink::Downlink;
pub use endpointer::{EndReason, EndpointConfig, Endpointer, Event, Mode};
pub use error::Error;
pub use jitter::{Arrival, JitterBuffer, JitterStats};
pub use pacer::{Pacer, Step};
pub use recording::Recording;
pub use resampler::Resampler;
pub use uplink::{Uplink, UplinkStats};
pub use vad::{Aggressiveness, Vad};

/// The rate of everything behind the uplink's decoder: what the recogniser and the voice detector take.
pub const RATE: SampleRate = SampleRate::HZ_16K;

/// How long a [`Frame`] lasts: the device's usual frame, and one of the three lengths that the voice detector takes.
pub const FRAME_MS: u32 = 20;

/// Samples in a [`Frame`].
pub const FRAME_SAMPLES: usize = RATE.samples_in_ms(FRAME_MS);

/// [`FRAME_MS`] of mono sound at [`RATE`].
pub type Frame = [i16; FRAME_SAMPLES];

/// One Opus packet on its way between device and node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Counts up by one with every packet of a turn, and wraps.
    pub sequence: u32,
    /// Where the packet's sound begins, in milliseconds since the start of the turn's audio.
    pub timestamp_ms: u32,
    /// The packet.
    pub opus: &'a [u8],
}

impl core::fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Packet({} at {} ms, {} bytes)", self.sequence, self.timestamp_ms, self.opus.len())
    }
}
