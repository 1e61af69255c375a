//! [`Vad`]: is this voice? WebRTC's detector (libfvad), a mixture of Gaussians over six bands that learns the noise.

use sayso_types::SampleRate;
use serde::{Deserialize, Serialize};

use crate::Error;

/// How sure the detector must be before it says "voice". In the configuration: 0 to 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Aggressiveness {
    /// 0: takes the most for voice, misses the least.
    Quality,
    /// 1.
    LowBitrate,
    /// 2, the default: a kitchen's noise does not keep an utterance open, a quiet voice still starts one.
    #[default]
    Aggressive,
    /// 3: takes the least for voice.
    VeryAggressive,
}

impl From<Aggressiveness> for u8 {
    fn from(level: Aggressiveness) -> Self {
        level as Self
    }
}

impl TryFrom<u8> for Aggressiveness {
    type Error = Error;

    fn try_from(level: u8) -> Result<Self, Error> {
        match level {
            0 => Ok(Self::Quality),
            1 => Ok(Self::LowBitrate),
            2 => Ok(Self::Aggressive),
            3 => Ok(Self::VeryAggressive),
            other => Err(Error::Setting { name: "aggressiveness", min: 0, max: 3, value: other.into() }),
        }
    }
}

/// libfvad's detector, which may move between threads.
struct Fvad(webrtc_vad::Vad);

// SAFETY: `webrtc_vad::Vad` is a pointer to one heap block that it allocates in `new`, owns alone and frees in
// `drop`. libfvad keeps all state in that block (it has no thread-local and no mutable static), and no method here
// or there hands the pointer out. So a detector may move to another thread; it is not `Sync`, and every use takes
// `&mut`.
#[expect(unsafe_code, reason = "webrtc-vad does not declare its owned pointer Send, and a session must be")]
unsafe impl Send for Fvad {}

/// Tells voice from other sound, one frame of 10, 20 or 30 ms after another. Costs less than 1 kB.
pub struct Vad {
    fvad: Fvad,
    rate: SampleRate,
}

impl Vad {
    /// A detector for mono sound at 8, 16, 32 or 48 kHz.
    ///
    /// # Errors
    /// [`Error::VadRate`] for any other rate.
    ///
    /// # Panics
    /// When there is no memory for it, as every allocation does.
    pub fn new(rate: SampleRate, aggressiveness: Aggressiveness) -> Result<Self, Error> {
        use webrtc_vad::{SampleRate as Rate, VadMode};
        let fvad_rate = match rate.0 {
            8_000 => Rate::Rate8kHz,
            16_000 => Rate::Rate16kHz,
            32_000 => Rate::Rate32kHz,
            48_000 => Rate::Rate48kHz,
            hz => return Err(Error::VadRate(hz)),
        };
        let mode = match aggressiveness {
            Aggressiveness::Quality => VadMode::Quality,
            Aggressiveness::LowBitrate => VadMode::LowBitrate,
            Aggressiveness::Aggressive => VadMode::Aggressive,
            Aggressiveness::VeryAggressive => VadMode::VeryAggressive,
        };
        Ok(Self { fvad: Fvad(webrtc_vad::Vad::new_with_rate_and_mode(fvad_rate, mode)), rate })
    }

    /// Whether `frame` holds voice.
    ///
    /// # Errors
    /// [`Error::FrameLength`] when it does not last 10, 20 or 30 ms.
    pub fn is_voice(&mut self, frame: &[i16]) -> Result<bool, Error> {
        let wrong = Error::FrameLength { samples: frame.len() };
        if ![10, 20, 30].iter().any(|&ms| frame.len() == self.rate.samples_in_ms(ms)) {
            return Err(wrong);
        }
        self.fvad.0.is_voice_segment(frame).map_err(|()| wrong)
    }
}

impl core::fmt::Debug for Vad {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Vad({} Hz)", self.rate.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::voice;

    fn vad(rate: u32) -> Vad {
        Vad::new(SampleRate(rate), Aggressiveness::default()).unwrap()
    }

    #[test]
    fn voice_is_voice_and_silence_is_not_at_every_rate_and_length() {
        for hz in [8_000, 16_000, 32_000, 48_000] {
            for ms in [10, 20, 30] {
                let rate = SampleRate(hz);
                let mut vad = vad(hz);
                let mut share = |pcm: &[i16]| {
                    let frames = pcm.chunks_exact(rate.samples_in_ms(ms));
                    let count = frames.len();
                    frames.filter(|f| vad.is_voice(f).unwrap()).count() * 100 / count
                };
                assert_eq!(share(&vec![0; hz as usize]), 0, "{hz} Hz, {ms} ms");
                let voiced = share(&voice(rate, 1_200));
                assert!(voiced > 60, "{voiced} % at {hz} Hz, {ms} ms");
            }
        }
    }

    #[test]
    fn other_lengths_and_rates_are_refused() {
        for samples in [0, 1, 159, 319, 321, 640] {
            assert_eq!(vad(16_000).is_voice(&vec![0; samples]), Err(Error::FrameLength { samples }));
        }
        let refused = Vad::new(SampleRate(24_000), Aggressiveness::Quality).map(|_| ());
        assert_eq!(refused, Err(Error::VadRate(24_000)));
    }

    #[test]
    fn aggressiveness_is_a_number_in_the_configuration() {
        for level in 0..=3_u8 {
            assert_eq!(Aggressiveness::try_from(level).map(u8::from), Ok(level));
        }
        assert!(Aggressiveness::try_from(4).is_err());
    }
}
