//! [`Vocoder`]: the network's spectra to sound.
//!
//! Three parts add up to the spectrum S of each frame: a pulse train at the pitch, shaped and rotated; noise, shaped;
//! and a part whose phase the network gives itself. With E the short-time Fourier transform of the pulses and Z
//! complex Gaussian noise of unit variance a component,
//!
//! ```text
//! S = exp(lh) · exp(iπ·tanh θ) · E  +  exp(ln) · Z  +  exp(lr) · exp(iφ)
//! ```
//!
//! and the sound is the inverse transform of S. This is the interface of `hibari.onnx`, as the metadata of the
//! `hibari-tts` package documents it.

use core::f32::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Samples of a transform.
const SIZE: usize = 1200;
/// Samples from one frame to the next: 12.5 ms at 24 kHz.
const HOP: usize = 300;
/// Frequencies of a frame.
pub(super) const BINS: usize = SIZE / 2 + 1;
/// Samples a second.
const RATE: f64 = 24_000.0;
/// Pitch below which there is no voice, in hertz.
const VOICED_MIN: f32 = 40.0;
/// The highest harmonic of a pulse, in hertz: below half the rate, so that nothing aliases.
const HARMONIC_MAX: f32 = 11_000.0;
/// Largest logarithm of a magnitude; beyond it the network errs, and the exponential would shriek.
const LOG_MAX: f32 = 7.0;

/// What the network says of an utterance of F frames. Spectra are \[601, F\], row by row.
pub(super) struct Frames {
    /// `lh`: logarithm of the magnitude of the harmonic part.
    pub(super) harmonic: Vec<f32>,
    /// `theta`: its rotation, before tanh.
    pub(super) rotation: Vec<f32>,
    /// `ln`: logarithm of the magnitude of the noise.
    pub(super) noise: Vec<f32>,
    /// `lr`: logarithm of the magnitude of the part of free phase.
    pub(super) free: Vec<f32>,
    /// `phi`: its phase in radians.
    pub(super) phase: Vec<f32>,
    /// Pitch in hertz, 0 where there is no voice.
    pub(super) f0: Vec<f32>,
}

/// Plans and window of the transforms.
pub(super) struct Vocoder {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
}

impl Vocoder {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        // a periodic Hann window
        let window = (0..SIZE).map(|n| 0.5 - 0.5 * (2.0 * PI * n as f32 / SIZE as f32).cos()).collect();
        Self { forward: planner.plan_fft_forward(SIZE), inverse: planner.plan_fft_inverse(SIZE), window }
    }

    /// The sound of `frames`, 300 samples each, around -1 to 1.
    pub(super) fn synthesize(&self, frames: &Frames, rng: &mut fastrand::Rng) -> Vec<f32> {
        let count = frames.f0.len();
        let pulses = pulses(&frames.f0);
        // frames overlap: each is centred on its first sample
        let mut sound = vec![0.0; count * HOP + SIZE];
        let mut overlap = vec![0.0; sound.len()];
        let mut wave = self.forward.make_input_vec();
        let mut spectrum = self.forward.make_output_vec();
        for frame in 0..count {
            self.cut(&pulses, frame, &mut wave);
            self.forward.process(&mut wave, &mut spectrum).expect("the buffers are the plan's own");
            for (bin, value) in spectrum.iter_mut().enumerate() {
                let at = bin * count + frame;
                let harmonic = Complex32::from_polar(magnitude(frames.harmonic[at]), PI * frames.rotation[at].tanh());
                let noise = gaussian(rng) * magnitude(frames.noise[at]);
                let free = Complex32::from_polar(magnitude(frames.free[at]), frames.phase[at]);
                *value = *value * harmonic + noise + free;
            }
            // a real signal has real ends of its spectrum
            spectrum[0].im = 0.0;
            spectrum[BINS - 1].im = 0.0;
            self.inverse.process(&mut spectrum, &mut wave).expect("the buffers are the plan's own");
            let start = frame * HOP;
            for (n, (sample, window)) in wave.iter().zip(&self.window).enumerate() {
                sound[start + n] += sample * window / SIZE as f32;
                overlap[start + n] += window * window;
            }
        }
        let centred = SIZE / 2..SIZE / 2 + count * HOP;
        sound[centred.clone()].iter().zip(&overlap[centred]).map(|(sample, sum)| sample / sum.max(1e-11)).collect()
    }

    /// Cuts the windowed `frame` out of `pulses`, mirrored at both ends. The window is scaled so that a unit cosine
    /// comes out of the transform as 1.
    fn cut(&self, pulses: &[f32], frame: usize, wave: &mut [f32]) {
        let last = pulses.len() as isize - 1;
        for (n, (sample, window)) in wave.iter_mut().zip(&self.window).enumerate() {
            let at = (frame * HOP + n) as isize - (SIZE / 2) as isize;
            let mirrored = if at < 0 {
                -at
            } else if at > last {
                2 * last - at
            } else {
                at
            };
            // one of the mirrors may lie beyond the other end of a very short utterance: silence is there
            let pulse = usize::try_from(mirrored).ok().and_then(|at| pulses.get(at)).copied().unwrap_or(0.0);
            *sample = pulse * window / (SIZE / 4) as f32;
        }
    }
}

impl core::fmt::Debug for Vocoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Vocoder")
    }
}

fn magnitude(log: f32) -> f32 {
    log.min(LOG_MAX).exp()
}

/// Complex noise of unit variance a component (Box and Muller 1958).
fn gaussian(rng: &mut fastrand::Rng) -> Complex32 {
    // 1 - u is in (0, 1]: its logarithm is finite
    let radius = (-2.0 * (1.0 - rng.f32()).ln()).sqrt();
    Complex32::from_polar(radius, 2.0 * PI * rng.f32())
}

/// A pulse train along the pitch `f0` of each frame: all H harmonics below [`HARMONIC_MAX`] at amplitude 1, through
/// the closed form Σ cos(h·t) = sin((H + ½)·t) / (2·sin(t/2)) - ½. Silence where there is no voice.
fn pulses(f0: &[f32]) -> Vec<f32> {
    let mut cycles = 0.0f64;
    let sample = |at: usize| {
        // the pitch of a frame stands at its middle, between frames it moves in a straight line
        let position = (at as f32 + 0.5) / HOP as f32 - 0.5;
        let before = position.max(0.0) as usize;
        let after = if position < 0.0 { before } else { (before + 1).min(f0.len() - 1) };
        let pitch = f0[before] + (f0[after] - f0[before]) * (position - before as f32).max(0.0);
        let voiced = pitch > VOICED_MIN;
        let pitch = pitch.max(VOICED_MIN);
        cycles = (cycles + f64::from(pitch) / RATE).fract();
        if !voiced {
            return 0.0;
        }
        let t = 2.0 * PI * cycles as f32;
        let halves = (HARMONIC_MAX / pitch).floor() + 0.5;
        let below = 2.0 * (t / 2.0).sin();
        // at the peak of the pulse the fraction tends to H + ½
        let peak = if below.abs() <= 2e-3 { halves } else { (halves * t).sin() / below };
        peak - 0.5
    };
    (0..f0.len() * HOP).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: usize, f0: f32) -> Frames {
        let quiet = vec![-20.0; BINS * count];
        Frames {
            harmonic: quiet.clone(),
            rotation: vec![0.0; BINS * count],
            noise: quiet.clone(),
            free: quiet,
            phase: vec![0.0; BINS * count],
            f0: vec![f0; count],
        }
    }

    fn rms(samples: &[f32]) -> f32 {
        (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn pulses_repeat_at_the_pitch() {
        let train = pulses(&[200.0; 8]);
        let period = 120;
        for (a, b) in train[period..].iter().zip(&train) {
            assert!((a - b).abs() < 0.2, "{a} {b}");
        }
        let peak = train.iter().copied().fold(0.0, f32::max);
        assert!((peak - 55.0).abs() < 0.5, "55 harmonics of 200 Hz lie below 11 kHz, the peak is {peak}");
        assert!(pulses(&[0.0; 4]).iter().all(|&s| s == 0.0));
    }

    #[test]
    fn a_flat_harmonic_spectrum_gives_the_pulses_back() {
        let mut voiced = frames(20, 150.0);
        // the analysis window divides by 300
        voiced.harmonic.fill(300.0f32.ln());
        let sound = Vocoder::new().synthesize(&voiced, &mut fastrand::Rng::with_seed(1));
        let train = pulses(&voiced.f0);
        assert_eq!(sound.len(), 20 * HOP);
        for (a, b) in sound.iter().zip(&train).skip(SIZE).take(10 * HOP) {
            assert!((a - b).abs() < 0.05, "{a} {b}");
        }
    }

    #[test]
    fn noise_is_as_loud_as_asked_and_the_same_for_a_seed() {
        let mut noisy = frames(40, 0.0);
        noisy.noise.fill(0.0);
        let sound = |seed| Vocoder::new().synthesize(&noisy, &mut fastrand::Rng::with_seed(seed));
        assert_eq!(sound(7), sound(7));
        assert_ne!(sound(7), sound(8));
        let inner = rms(&sound(7)[SIZE..30 * HOP]);
        // a spectrum of variance 2 a bin is a wave of variance 2/N a sample; overlapping adds four frames' energy
        let expected = (2.0 / SIZE as f32 / 1.5).sqrt();
        assert!((inner / expected - 1.0).abs() < 0.1, "{inner} against {expected}");
    }

    #[test]
    fn the_shortest_utterances_are_spoken() {
        for count in 0..4 {
            assert_eq!(
                Vocoder::new().synthesize(&frames(count, 150.0), &mut fastrand::Rng::with_seed(1)).len(),
                count * HOP
            );
        }
    }
}
