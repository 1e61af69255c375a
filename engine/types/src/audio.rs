//! Sound as numbers: the sample rate and a piece of mono PCM.

use serde::{Deserialize, Serialize};

/// Samples a second of one channel, in hertz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleRate(pub u32);

impl SampleRate {
    /// 16 kHz: what the recogniser, the voice detector and most devices use.
    pub const HZ_16K: Self = Self(16_000);
    /// 24 kHz: what the voice speaks at.
    pub const HZ_24K: Self = Self(24_000);
    /// 48 kHz: Opus' own rate.
    pub const HZ_48K: Self = Self(48_000);

    /// Samples of one channel in `ms` milliseconds.
    #[must_use]
    pub const fn samples_in_ms(self, ms: u32) -> usize {
        (self.0 as u64 * ms as u64 / 1000) as usize
    }

    /// Milliseconds that `samples` of one channel last, rounded down.
    #[must_use]
    pub const fn ms_of(self, samples: usize) -> u32 {
        (samples as u64 * 1000 / self.0 as u64) as u32
    }
}

/// A piece of mono sound: signed 16-bit samples at `rate`.
///
/// Its `Debug` shows the length only: sound is personal data and never reaches a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Pcm {
    /// Samples a second.
    pub rate: SampleRate,
    /// One channel, signed 16 bit.
    pub samples: Vec<i16>,
}

impl Pcm {
    /// Sound of `samples` at `rate`.
    #[must_use]
    pub fn new(rate: SampleRate, samples: Vec<i16>) -> Self {
        Self { rate, samples }
    }

    /// How long it lasts, in milliseconds, rounded down.
    #[must_use]
    pub fn ms(&self) -> u32 {
        self.rate.ms_of(self.samples.len())
    }
}

impl core::fmt::Debug for Pcm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Pcm({} ms at {} Hz)", self.ms(), self.rate.0)
    }
}
