//! [`Voice`]: the hibari voice, an American woman at 24 kHz.
//!
//! ```text
//! text ─ sentence ▸ sentences ─ g2p ▸ phonemes ─ network ▸ pitch and spectra, a frame each 12.5 ms ─ vocoder ▸ PCM
//! ```
//!
//! Everything here blocks and none of it reads a clock: [`VoiceSynthesizer`] runs it on the inference pool.

mod sentence;
mod synthesizer;
mod vocoder;

use std::collections::HashMap;
use std::iter;
use std::path::Path;

use metrics::counter;
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use sayso_types::{Pcm, SampleRate};
use zeroize::Zeroizing;

pub use self::synthesizer::VoiceSynthesizer;
use self::vocoder::{BINS, Frames, Vocoder};
use crate::Error;
use crate::g2p::G2p;
use crate::onnx::Onnx;

/// Most characters of one text: some ten minutes of speech, more than anyone listens to.
pub const TEXT_CHARS_MAX: usize = 10_000;

/// Most phonemes that the network takes at once, as its authors run it; longer sentences are cut at a pause.
const PHONEMES_MAX: usize = 400;

/// The slowest and the fastest speech that can be understood.
const SPEEDS: core::ops::RangeInclusive<f32> = 0.5..=2.0;

/// Starts the noise of each sentence, so that a sentence always sounds the same.
const NOISE_SEED: u64 = 0x5A75_0000_0000_0001;

/// Id of the silence at both ends of a phoneme sequence.
const PAD: i32 = 0;

/// The voice: its grapheme-to-phoneme rules, its network and its vocoder.
///
/// Metric: `sayso_provider_local_refused_texts_total` (texts longer than [`TEXT_CHARS_MAX`]).
#[derive(Debug)]
pub struct Voice {
    g2p: G2p,
    /// `ids` \[1, L\], `speed` \[1\] → five parts of the spectrum \[1, 601, F\], `f0` \[1, F\].
    net: Onnx<2, 6>,
    ids: HashMap<char, i32>,
    vocoder: Vocoder,
}

impl Voice {
    /// What it speaks at.
    pub const RATE: SampleRate = SampleRate::HZ_24K;

    /// Loads the files of the `hibari-tts` package in `dir`.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::Damaged`] names the file.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("vocab.json");
        let json = std::fs::read(&path).map_err(|e| Error::unreadable(&path, e))?;
        let ids = serde_json::from_slice(&json).map_err(|e| Error::damaged(&path, e))?;
        let outputs = ["lh", "theta", "ln", "lr", "phi", "f0"];
        Ok(Self {
            g2p: G2p::load(dir)?,
            net: Onnx::load(&dir.join("hibari.onnx"), ["ids", "speed"], outputs)?,
            ids,
            vocoder: Vocoder::new(),
        })
    }

    /// Speaks `text`, sentence by sentence. `speed` 1 is the voice's own pace, 2 is twice as fast. What cannot be
    /// spoken (emoji, other scripts) is left out; a text of nothing else gives no samples.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], [`Error::Speed`], or [`Error::Inference`] when a network breaks.
    pub fn speak(&self, text: &str, speed: f32) -> Result<Pcm, Error> {
        let mut samples = Vec::new();
        for sentence in Self::sentences(text)? {
            samples.append(&mut self.speak_sentence(sentence, speed)?.samples);
        }
        Ok(Pcm::new(Self::RATE, samples))
    }

    /// The sentences of `text`, in order: what [`Voice::speak_sentence`] takes one by one.
    ///
    /// # Errors
    /// [`Error::TextTooLong`] beyond [`TEXT_CHARS_MAX`].
    pub fn sentences(text: &str) -> Result<Vec<&str>, Error> {
        let chars = text.chars().count();
        if chars > TEXT_CHARS_MAX {
            counter!("sayso_provider_local_refused_texts_total").increment(1);
            return Err(Error::TextTooLong { chars, max: TEXT_CHARS_MAX });
        }
        Ok(sentence::split(text))
    }

    /// Speaks one sentence.
    ///
    /// # Errors
    /// As [`Voice::speak`].
    pub fn speak_sentence(&self, sentence: &str, speed: f32) -> Result<Pcm, Error> {
        Self::check_speed(speed)?;
        let phonemes = Zeroizing::new(self.g2p.phonemes(sentence)?);
        let mut noise = fastrand::Rng::with_seed(NOISE_SEED);
        let mut samples = Vec::new();
        for clause in sentence::clauses(&phonemes, PHONEMES_MAX) {
            // marks alone would be spoken as a breath
            if !clause.chars().any(char::is_alphabetic) {
                continue;
            }
            let phonemes = clause.chars().filter_map(|phoneme| self.ids.get(&phoneme).copied());
            let ids: Vec<i32> = iter::once(PAD).chain(phonemes).chain(iter::once(PAD)).collect();
            let wave = self.vocoder.synthesize(&self.infer(&ids, speed)?, &mut noise);
            samples.extend(wave.into_iter().map(|sample| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16));
        }
        Ok(Pcm::new(Self::RATE, samples))
    }

    fn check_speed(speed: f32) -> Result<(), Error> {
        if SPEEDS.contains(&speed) { Ok(()) } else { Err(Error::Speed(speed)) }
    }

    fn infer(&self, ids: &[i32], speed: f32) -> Result<Frames, Error> {
        let ids = NdTensorView::from_data([1, ids.len()], ids);
        let speed = NdTensor::from_data([1], vec![speed]);
        let [lh, theta, ln, lr, phi, f0] = self.net.run([ids.into(), speed.into()])?;
        let f0: NdTensor<f32, 2> = f0.try_into().map_err(|_| self.net.unexpected("f0"))?;
        let f0 = f0.into_data();
        let spectrum = |value: rten::Value, name: &str| {
            let tensor: NdTensor<f32, 3> = value.try_into().map_err(|_| self.net.unexpected(name))?;
            if tensor.shape() == [1, BINS, f0.len()] { Ok(tensor.into_data()) } else { Err(self.net.unexpected(name)) }
        };
        Ok(Frames {
            harmonic: spectrum(lh, "lh")?,
            rotation: spectrum(theta, "theta")?,
            noise: spectrum(ln, "ln")?,
            free: spectrum(lr, "lr")?,
            phase: spectrum(phi, "phi")?,
            f0,
        })
    }
}
