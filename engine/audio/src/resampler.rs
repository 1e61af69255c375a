//! [`Resampler`]: the same sound at another rate.

use core::convert::Infallible;

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
/// The filter's delay is taken out: sample 0 of the output is at the time of sample 0 of the input, and after
/// [`flush`](Resampler::flush) the output is as long as the input. Costs 20 to 80 kB, depending on the rates.
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
        let Ok(()) = block.push(samples, |block| {
            *given += convert(fft, block, delay, out);
            Ok::<(), Infallible>(())
        });
    }

    fn flush(&mut self, from: SampleRate, to: SampleRate, out: &mut Vec<i16>) {
        let Self { fft, block, taken, given, delay } = self;
        let due = (*taken * u64::from(to.0)).div_ceil(u64::from(from.0));
        let Ok(()) = block.flush(|block| {
            *given += convert(fft, block, delay, out);
            Ok::<(), Infallible>(())
        });
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
