//! Sound for tests: a tone, something like a voice, and how alike two sounds are.

use core::f32::consts::TAU;

use sayso_types::SampleRate;

/// A sine of `hz`, at a quarter of full scale.
pub(crate) fn tone(rate: SampleRate, hz: f32, ms: u32) -> Vec<i16> {
    let step = TAU * hz / rate.0 as f32;
    (0..rate.samples_in_ms(ms)).map(|i| ((step * i as f32).sin() * 8_000.0) as i16).collect()
}

/// A vowel: harmonics of a wavering pitch, stronger at three formants, in syllables of a quarter second.
pub(crate) fn voice(rate: SampleRate, ms: u32) -> Vec<i16> {
    const FORMANTS: [(f32, f32); 3] = [(700.0, 1.0), (1_200.0, 0.5), (2_600.0, 0.25)];
    let mut phase = 0.0;
    let mut sample = |i: usize| {
        let t = i as f32 / rate.0 as f32;
        let pitch = 130.0 * (1.0 + 0.05 * (TAU * 5.0 * t).sin());
        phase = (phase + TAU * pitch / rate.0 as f32) % TAU;
        let harmonic = |n: f32| {
            let weight = |&(at, gain): &(f32, f32)| gain / (1.0 + ((n * pitch - at) / 150.0).powi(2));
            (n * phase).sin() * FORMANTS.iter().map(weight).sum::<f32>()
        };
        let syllable = 0.55 - 0.45 * (TAU * 4.0 * t).cos();
        ((1..24).map(|n| harmonic(n as f32)).sum::<f32>() * syllable * 5_000.0) as i16
    };
    (0..rate.samples_in_ms(ms)).map(&mut sample).collect()
}

/// Root mean square.
pub(crate) fn level(samples: &[i16]) -> f32 {
    (samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len() as f32).sqrt()
}

/// How much of the energy of `samples` is at `hz`: 1 for a pure tone (Goertzel's algorithm).
pub(crate) fn purity(samples: &[i16], rate: SampleRate, hz: f32) -> f32 {
    let step = TAU * hz / rate.0 as f32;
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (i, &s) in samples.iter().enumerate() {
        let (sin, cos) = (step * i as f32).sin_cos();
        re += f32::from(s) * cos;
        im += f32::from(s) * sin;
        all += f32::from(s).powi(2);
    }
    2.0 * (re * re + im * im) / (all * samples.len() as f32)
}

/// Signal to noise in decibels, when `heard` should be `said`, at the best delay of up to `delay_max` samples.
pub(crate) fn snr_db(said: &[i16], heard: &[i16], delay_max: usize) -> f32 {
    let at = |delay: usize| {
        let (mut signal, mut noise) = (0.0, 1e-9);
        for (&s, &h) in said.iter().zip(&heard[delay..]) {
            signal += f32::from(s).powi(2);
            noise += (f32::from(s) - f32::from(h)).powi(2);
        }
        10.0 * (signal / noise).log10()
    };
    (0..=delay_max).map(at).fold(f32::MIN, f32::max)
}
