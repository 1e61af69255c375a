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
    /// Effort, 0 to 3. Default 3. Encoding is the largest cost of a session, and what more effort buys is hard
    /// to hear on a small loudspeaker.
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

/// Encodes one voice to Opus packets of one length. Costs 33 kB, 32 kB of it libopus' own state.
pub struct Encoder {
    opus: opus::Encoder,
    frame_samples: usize,
    packet: Vec<u8>,
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
        Ok(Self { opus, frame_samples: rate.samples_in_ms(frame_ms), packet: vec![0; PACKET_BYTES] })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::voice;

    fn check(config: EncoderConfig) -> Result<(), Error> {
        Encoder::new(SampleRate::HZ_16K, 20, &config).map(|_| ())
    }

    #[test]
    fn settings_outside_their_range_are_named() {
        let default = EncoderConfig::default();
        assert_eq!(check(default), Ok(()));
        let refused = |config| match check(config) {
            Err(Error::Setting { name, .. }) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(EncoderConfig { bitrate: 5_999, ..default }), "bitrate");
        assert_eq!(refused(EncoderConfig { complexity: 4, ..default }), "complexity");
        assert_eq!(refused(EncoderConfig { expected_loss_percent: 51, ..default }), "expected_loss_percent");
    }

    #[test]
    fn formats_that_devices_cannot_ask_for_are_refused() {
        let new = |hz, ms| Encoder::new(SampleRate(hz), ms, &EncoderConfig::default()).map(|_| ());
        for hz in [8_000, 12_000, 16_000, 24_000, 48_000] {
            for ms in [10, 20, 40, 60] {
                assert_eq!(new(hz, ms), Ok(()));
            }
        }
        assert_eq!(new(44_100, 20), Err(Error::OpusRate(44_100)));
        assert_eq!(new(16_000, 30), Err(Error::FrameMs(30)));
    }

    #[test]
    fn a_frame_of_another_length_is_refused() {
        let mut encoder = Encoder::new(SampleRate::HZ_16K, 20, &EncoderConfig::default()).unwrap();
        assert_eq!(encoder.encode(&[0; 319]), Err(Error::FrameLength { samples: 319 }));
        assert_eq!(encoder.encode(&[]), Err(Error::FrameLength { samples: 0 }));
        assert!(encoder.encode(&[0; 320]).is_ok());
    }

    #[test]
    fn it_keeps_to_the_bitrate_and_sends_next_to_nothing_in_silence() {
        let mut encoder = Encoder::new(SampleRate::HZ_16K, 20, &EncoderConfig::default()).unwrap();
        let mut bytes = |pcm: &[i16]| pcm.chunks_exact(320).map(|f| encoder.encode(f).unwrap().len()).sum::<usize>();
        let spoken = bytes(&voice(SampleRate::HZ_16K, 2_000));
        assert!((3_000..9_000).contains(&spoken), "{spoken} bytes in 2 s at 24 kb/s");
        let silent = bytes(&[0; 32_000]);
        assert!(silent < spoken / 5, "{silent} bytes of silence, {spoken} of speech");
    }
}
