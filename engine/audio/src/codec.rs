//! Opus, both ways: what the two directions share.

mod decoder;
mod encoder;

use sayso_types::SampleRate;

use crate::Error;

pub use decoder::Decoder;
pub use encoder::{Encoder, EncoderConfig};

/// The longest frame taken and made: what XiaoZhi devices send, and the longest that loss concealment bridges well.
pub const FRAME_MS_MAX: u32 = 60;

/// Most bytes of a packet that is taken: what libopus advises to provide for the largest packet it makes.
pub const PACKET_BYTES_MAX: usize = 4_000;

/// Opus works at these rates and no other.
fn opus_rate(rate: SampleRate) -> Result<u32, Error> {
    match rate.0 {
        hz @ (8_000 | 12_000 | 16_000 | 24_000 | 48_000) => Ok(hz),
        hz => Err(Error::OpusRate(hz)),
    }
}

/// Whether a device may ask for frames of `frame_ms` milliseconds at `rate`.
pub(crate) fn check_format(rate: SampleRate, frame_ms: u32) -> Result<(), Error> {
    opus_rate(rate)?;
    match frame_ms {
        10 | 20 | 40 | 60 => Ok(()),
        other => Err(Error::FrameMs(other)),
    }
}

/// Why libopus did not do it.
fn failed(doing: &'static str) -> impl FnOnce(opus::Error) -> Error {
    move |e| Error::Codec { doing, why: e.code().description() }
}
