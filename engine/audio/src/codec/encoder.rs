//! [`Encoder`]: mono sound to Opus packets.

use opus::{Application, Bitrate, Channels, Signal};
use sayso_types::SampleRate;
use serde::{Deserialize, Serialize};

use super::{check_format, failed};
use crate::Error;
use crate::error::in_range;

/// Most bytes of a packet that is made: with the header it fits a datagram on QUIC's smallest path (1,200 bytes).
/// Speech stays far below it: 60 ms at 64 kb/s are 480 bytes.
const PACKET_BYTES: usize = 1_100;

/// How speech is coded on its way to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderConfig {
    /// Bits a second, 6,000 to 64,000. Default 24,000: transparent for one voice at 16 kHz, good at 24 kHz.
    pub bitrate: u32,
    /// Effort, 0 to 3. Default 3. More costs CPU that is hard to hear: at 10 an encoder takes several times as long.
    pub complexity: u32,
    /// Whether silence becomes packets of one or two bytes. Default yes.
    pub dtx: bool,
    /// Packets that the device is expected to lose, in percent, 0 to 50. Above 0 every packet carries a copy of low
    /// quality of the one before (in-band FEC). Default 0: the copies cost bits that every device pays.
    pub expected_loss_percent: u32,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self { bitrate: 24_000, complexity: 3, dtx: true, expected_loss_percent: 0 }
    }
}

impl EncoderConfig {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        in_range("bitrate", self.bitrate, 6_000..=64_000)?;
        in_range("complexity", self.complexity, 0..=3)?;
        in_range("expected_loss_percent", self.expected_loss_percent, 0..=50)
    }
}

/// Encodes one voice to Opus packets of one length. Costs about 45 kB, most of it libopus' own state.
pub struct Encoder {
    opus: opus::Encoder,
    frame_samples: usize,
    packet: [u8; PACKET_BYTES],
}

impl Encoder {
    /// An encoder of frames of `frame_ms` milliseconds at `rate`.
    ///
    /// # Errors
    /// [`Error::OpusRate`], [`Error::FrameMs`] or [`Error::Setting`] when what is asked for does not exist;
    /// [`Error::Codec`] when there is no memory for it.
    pub fn new(rate: SampleRate, frame_ms: u32, config: &EncoderConfig) -> Result<Self, Error> {
        config.check()?;
        check_format(rate, frame_ms)?;
        let opus = configured(rate.0, config).map_err(failed("make an encoder"))?;
        Ok(Self { opus, frame_samples: rate.samples_in_ms(frame_ms), packet: [0; PACKET_BYTES] })
    }

    /// Samples of a frame.
    #[must_use]
    pub fn frame_samples(&self) -> usize {
        self.frame_samples
    }

    /// Encodes the next frame. With DTX, a packet of one or two bytes means silence and need not be sent.
    ///
    /// # Errors
    /// [`Error::FrameLength`] when `frame` is not one frame long; [`Error::Codec`] when libopus fails.
    pub fn encode(&mut self, frame: &[i16]) -> Result<&[u8], Error> {
        if frame.len() != self.frame_samples {
            return Err(Error::FrameLength { samples: frame.len() });
        }
        let bytes = self.opus.encode(frame, &mut self.packet).map_err(failed("encode a frame"))?;
        Ok(&self.packet[..bytes])
    }
}

fn configured(hz: u32, config: &EncoderConfig) -> Result<opus::Encoder, opus::Error> {
    let mut opus = opus::Encoder::new(hz, Channels::Mono, Application::Voip)?;
    opus.set_signal(Signal::Voice)?;
    opus.set_bitrate(Bitrate::Bits(config.bitrate as i32))?;
    opus.set_complexity(config.complexity as i32)?;
    opus.set_dtx(config.dtx)?;
    opus.set_inband_fec(config.expected_loss_percent > 0)?;
    opus.set_packet_loss_perc(config.expected_loss_percent as i32)?;
    Ok(opus)
}

impl core::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Encoder({} samples a frame)", self.frame_samples)
    }
}
