//! [`Utterance`]: what the recogniser was given of one utterance, wiped when it is let go of.

use core::fmt;

use sayso_types::SampleRate;
use zeroize::Zeroizing;

/// What the recogniser hears at.
const RATE: SampleRate = SampleRate::HZ_16K;

/// The samples of one utterance. Frames are kept as they came: nothing is copied, so that nothing is left behind where a
/// growing buffer used to be.
#[derive(Default)]
pub(super) struct Utterance {
    frames: Vec<Zeroizing<Vec<i16>>>,
    samples: usize,
}

impl Utterance {
    pub(super) fn push(&mut self, frame: Vec<i16>) {
        self.samples += frame.len();
        self.frames.push(Zeroizing::new(frame));
    }

    pub(super) fn ms(&self) -> u32 {
        RATE.ms_of(self.samples)
    }

    /// Whether no frame is louder than `rms`, the root of its mean square.
    pub(super) fn is_quieter_than(&self, rms: f64) -> bool {
        self.frames.iter().all(|frame| {
            let energy: f64 = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            energy <= rms.powi(2) * frame.len() as f64
        })
    }

    /// The samples between -1 and 1, as models take them.
    pub(super) fn to_float(&self) -> Zeroizing<Vec<f32>> {
        let mut samples = Zeroizing::new(Vec::with_capacity(self.samples));
        for frame in &self.frames {
            samples.extend(frame.iter().map(|sample| f32::from(*sample) / 32_768.0));
        }
        samples
    }
}

impl fmt::Debug for Utterance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Utterance({} ms)", self.ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_joined_in_order_and_scaled() {
        let mut utterance = Utterance::default();
        utterance.push(vec![0, i16::MIN]);
        utterance.push(vec![16_384]);
        assert_eq!(*utterance.to_float(), [0.0, -1.0, 0.5]);
    }

    #[test]
    fn one_loud_frame_is_loud() {
        let mut utterance = Utterance::default();
        assert!(utterance.is_quieter_than(33.0));
        utterance.push(vec![33, -33, 33]);
        utterance.push(Vec::new());
        assert!(utterance.is_quieter_than(33.0));
        utterance.push(vec![34; 320]);
        assert!(!utterance.is_quieter_than(33.0));
        assert_eq!(utterance.ms(), 20);
    }
}
