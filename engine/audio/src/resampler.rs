//! [`Resampler`]: the same sound at another rate.

use rubato::audioadapter_buffers::number_to_float::InterleavedNumbers;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, ResamplerConstructionError};
use sayso_types::SampleRate;

use crate::Error;
use crate::framer::Framer;

/// Milliseconds that are transformed at a time: long enough for a filter that cuts close to the limit, short enough
/// for a delay (half of it) that nobody notices.
const BLOCK_MS: u32 = 20;

/// Resamples one stream of mono sound. Between equal rates it copies.
///
/// The filter's delay is taken out: the output begins where the input does, to half a sample, and after
/// [`flush`](Resampler::flush) it is as long as the input. Costs 35 to 65 kB, depending on the rates.
pub struct Resampler {
    from: SampleRate,
    to: SampleRate,
    /// `None` between equal rates.
    stage: Option<Stage>,
}

struct Stage {
    fft: Fft<f32>,
    block: Framer,
    /// Samples taken in since the start or the last flush.
    taken: u64,
    /// Samples given out since then.
    given: u64,
    /// Samples of the filter's delay that are still to be cut off the front.
    delay: usize,
}

impl Resampler {
    /// A resampler from one rate to another, each 1 to 192 kHz.
    ///
    /// # Errors
    /// [`Error::ResampleRate`] when a rate is outside of that.
    pub fn new(from: SampleRate, to: SampleRate) -> Result<Self, Error> {
        let wrong = Error::ResampleRate { from: from.0, to: to.0 };
        if ![from, to].iter().all(|rate| (1_000..=192_000).contains(&rate.0)) {
            return Err(wrong);
        }
        let stage = if from == to { None } else { Some(Stage::new(from, to).map_err(|_| wrong)?) };
        Ok(Self { from, to, stage })
    }

    /// The rate of the input.
    #[must_use]
    pub fn from(&self) -> SampleRate {
        self.from
    }

    /// Appends to `out` what `samples` complete.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        match &mut self.stage {
            Some(stage) => stage.push(samples, out),
            None => out.extend_from_slice(samples),
        }
    }

    /// Appends what is still inside to `out`, and starts afresh.
    pub fn flush(&mut self, out: &mut Vec<i16>) {
        if let Some(stage) = &mut self.stage {
            stage.flush(self.from, self.to, out);
        }
    }
}

impl Stage {
    fn new(from: SampleRate, to: SampleRate) -> Result<Self, ResamplerConstructionError> {
        let block = from.samples_in_ms(BLOCK_MS);
        let fft = Fft::new(from.0 as usize, to.0 as usize, block, 1, FixedSync::Both)?;
        let (block, delay) = (Framer::new(fft.input_frames_next()), fft.output_delay());
        Ok(Self { fft, block, taken: 0, given: 0, delay })
    }

    fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        let Self { fft, block, taken, given, delay } = self;
        *taken += samples.len() as u64;
        block.push(samples, |block| *given += convert(fft, block, delay, out));
    }

    fn flush(&mut self, from: SampleRate, to: SampleRate, out: &mut Vec<i16>) {
        let Self { fft, block, taken, given, delay } = self;
        let due = (*taken * u64::from(to.0)).div_ceil(u64::from(from.0));
        block.flush(|block| *given += convert(fft, block, delay, out));
        while *given < due {
            *given += convert(fft, &[], delay, out);
        }
        // the last block was padded with silence, which was not in the input
        out.truncate(out.len() - (*given - due) as usize);
        fft.reset();
        (*taken, *given, *delay) = (0, 0, fft.output_delay());
    }
}

/// Resamples one block, short ones as if silence followed, and cuts what is left of the delay off it. Returns the
/// samples appended to `out`.
fn convert(fft: &mut Fft<f32>, block: &[i16], delay: &mut usize, out: &mut Vec<i16>) -> u64 {
    const FITS: &str = "the buffers are as long as they say";
    let (start, made) = (out.len(), fft.output_frames_next());
    out.resize(start + made, 0);
    let input = InterleavedNumbers::<_, f32>::new(block, 1, block.len()).expect(FITS);
    let mut output = InterleavedNumbers::<_, f32>::new_mut(&mut out[start..], 1, made).expect(FITS);
    let indexing = Indexing::new().partial_len(block.len());
    fft.process_into_buffer(&input, &mut output, Some(&indexing)).expect(FITS);
    let cut = made.min(*delay);
    out.drain(start..start + cut);
    *delay -= cut;
    (made - cut) as u64
}

impl core::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Resampler({} to {} Hz)", self.from.0, self.to.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sound::{level, purity, snr_db, tone};

    const RATES: [u32; 8] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 44_100, 48_000];

    fn resample(from: u32, to: u32, pieces: &[&[i16]]) -> Vec<i16> {
        let mut resampler = Resampler::new(SampleRate(from), SampleRate(to)).unwrap();
        let mut out = Vec::new();
        pieces.iter().for_each(|piece| resampler.push(piece, &mut out));
        resampler.flush(&mut out);
        out
    }

    #[test]
    fn a_tone_stays_the_same_tone_at_the_same_place_between_all_rates() {
        for from in RATES {
            for to in RATES {
                let said = tone(SampleRate(from), 1_000.0, 500);
                let expected = tone(SampleRate(to), 1_000.0, 500);
                let heard = resample(from, to, &[&said]);
                assert_eq!(heard.len(), (said.len() * to as usize).div_ceil(from as usize));
                // not at the edges, where the tone begins and ends at once
                let middle = SampleRate(to).samples_in_ms(100)..SampleRate(to).samples_in_ms(400);
                // a thousandth, because 300 ms are not a whole number of periods at every rate
                let impurity = 1.0 - purity(&heard[middle.clone()], SampleRate(to), 1_000.0);
                assert!(impurity < 1e-3, "{from} to {to} Hz: {impurity}");
                // where a block has an odd number of samples, half a sample of delay stays
                if ![11_025, 22_050].iter().any(|odd| [from, to].contains(odd)) {
                    let snr = snr_db(&expected[middle.clone()], &heard[middle], 0);
                    assert!(snr > 50.0, "{from} to {to} Hz: {snr} dB");
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        let heard = resample(48_000, 16_000, &[&tone(SampleRate::HZ_48K, 12_000.0, 500)]);
        assert!(level(&heard[1_600..6_400]) < 10.0);
    }

    #[test]
    fn full_scale_does_not_wrap_around() {
        let square: Vec<i16> = (0..4_800).map(|i| if i / 24 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let heard = resample(24_000, 16_000, &[&square]);
        // a sample that wrapped would be a jump back to the other side in the middle of a half wave
        let jumps = heard.windows(2).filter(|w| (i32::from(w[0]) - i32::from(w[1])).abs() > 32_768).count();
        assert!(jumps <= 2 * 4_800 / 24, "{jumps} jumps");
        assert!(level(&heard) > 25_000.0);
    }

    #[test]
    fn after_a_flush_it_starts_afresh() {
        let said = tone(SampleRate::HZ_24K, 700.0, 333);
        let mut resampler = Resampler::new(SampleRate::HZ_24K, SampleRate::HZ_16K).unwrap();
        let mut turns = [Vec::new(), Vec::new()];
        for out in &mut turns {
            resampler.push(&said, out);
            resampler.flush(out);
        }
        assert_eq!(turns[0], turns[1]);
        let mut nothing = Vec::new();
        resampler.flush(&mut nothing);
        assert!(nothing.is_empty());
    }

    #[test]
    fn rates_out_of_range_are_refused() {
        for (from, to) in [(0, 16_000), (16_000, 0), (999, 16_000), (16_000, 192_001)] {
            let refused = Resampler::new(SampleRate(from), SampleRate(to)).map(|_| ());
            assert_eq!(refused, Err(Error::ResampleRate { from, to }));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pieces_make_the_same_sound_however_they_are_cut(
            from in prop::sample::select(&RATES[..]),
            to in prop::sample::select(&RATES[..]),
            cuts in prop::collection::vec(0..900_usize, 0..8),
        ) {
            let said = tone(SampleRate(from), 300.0, 150);
            let mut rest = &said[..];
            let mut pieces = Vec::new();
            for cut in cuts {
                let (piece, tail) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            pieces.push(rest);
            let heard = resample(from, to, &pieces);
            prop_assert_eq!(heard.len(), (said.len() * to as usize).div_ceil(from as usize));
            prop_assert_eq!(heard, resample(from, to, &[&said]));
        }
    }
}
