//! [`Downlink`]: from speech to the device's packets.

use sayso_types::SampleRate;

use crate::codec::check_format;
use crate::framer::Framer;
use crate::{Encoder, EncoderConfig, Error, Packet, Resampler};

/// One turn's sound to the device: speech at any rate in, Opus packets at the device's rate and frame length out.
///
/// It makes a codec with the first sound, so that a turn without an answer costs none. Push what the [`Pacer`] has
/// room for, not all there is: what a barge-in cuts off then was never encoded.
///
/// [`Pacer`]: crate::Pacer
#[derive(Debug)]
pub struct Downlink {
    rate: SampleRate,
    frame_ms: u32,
    config: EncoderConfig,
    resampler: Option<Resampler>,
    /// Sound at the device's rate on its way from the resampler to the packer; kept for its room.
    resampled: Vec<i16>,
    packer: Option<Packer>,
    pushed_us: u64,
}

impl Downlink {
    /// A downlink of frames of `frame_ms` milliseconds (10, 20, 40 or 60) at `rate`, one of the five Opus rates.
    ///
    /// # Errors
    /// [`Error::OpusRate`], [`Error::FrameMs`] or [`Error::Setting`] when what is asked for does not exist.
    pub fn new(rate: SampleRate, frame_ms: u32, config: EncoderConfig) -> Result<Self, Error> {
        config.check()?;
        check_format(rate, frame_ms)?;
        Ok(Self { rate, frame_ms, config, resampler: None, resampled: Vec::new(), packer: None, pushed_us: 0 })
    }

    /// Takes the next piece of sound, of any length, and hands every packet that it completes to `sink`.
    ///
    /// # Errors
    /// [`Error::ResampleRate`] when `from` is no rate; [`Error::Codec`] when libopus fails. The piece is lost.
    pub fn push(&mut self, from: SampleRate, samples: &[i16], mut sink: impl FnMut(Packet<'_>)) -> Result<(), Error> {
        if self.resampler.as_ref().is_none_or(|r| r.from() != from) {
            let resampler = Resampler::new(from, self.rate)?;
            self.settle(&mut sink)?;
            self.resampler = Some(resampler);
        }
        if let Some(resampler) = &mut self.resampler {
            resampler.push(samples, &mut self.resampled);
        }
        self.pushed_us += samples.len() as u64 * 1_000_000 / u64::from(from.0);
        self.pack(&mut sink)
    }

    /// Hands over what is left, padded with silence to a whole frame: the answer is complete.
    ///
    /// # Errors
    /// [`Error::Codec`] when libopus fails.
    pub fn finish(&mut self, mut sink: impl FnMut(Packet<'_>)) -> Result<(), Error> {
        self.settle(&mut sink)?;
        self.packer.as_mut().map_or(Ok(()), |packer| packer.flush(&mut sink))
    }

    /// How much sound was pushed so far, in milliseconds: where the next piece begins in the answer.
    #[must_use]
    pub fn pushed_ms(&self) -> u32 {
        (self.pushed_us / 1000) as u32
    }

    /// Takes out of the resampler what is still in it.
    fn settle(&mut self, sink: &mut impl FnMut(Packet<'_>)) -> Result<(), Error> {
        if let Some(resampler) = &mut self.resampler {
            resampler.flush(&mut self.resampled);
        }
        self.pack(sink)
    }

    fn pack(&mut self, sink: &mut impl FnMut(Packet<'_>)) -> Result<(), Error> {
        if self.resampled.is_empty() {
            return Ok(());
        }
        let packer = match &mut self.packer {
            Some(packer) => packer,
            none => none.insert(Packer::new(self.rate, self.frame_ms, &self.config)?),
        };
        let outcome = packer.push(&self.resampled, sink);
        self.resampled.clear();
        outcome
    }
}

/// Sound at the device's rate in, packets out.
#[derive(Debug)]
struct Packer {
    framer: Framer,
    encoder: Encoder,
    frame_ms: u32,
    sequence: u32,
}

impl Packer {
    fn new(rate: SampleRate, frame_ms: u32, config: &EncoderConfig) -> Result<Self, Error> {
        let encoder = Encoder::new(rate, frame_ms, config)?;
        Ok(Self { framer: Framer::new(encoder.frame_samples()), encoder, frame_ms, sequence: 0 })
    }

    fn push(&mut self, samples: &[i16], sink: &mut impl FnMut(Packet<'_>)) -> Result<(), Error> {
        let Self { framer, encoder, frame_ms, sequence } = self;
        framer.push(samples, |frame| send(frame, encoder, *frame_ms, sequence, sink))
    }

    fn flush(&mut self, sink: &mut impl FnMut(Packet<'_>)) -> Result<(), Error> {
        let Self { framer, encoder, frame_ms, sequence } = self;
        framer.flush(|frame| send(frame, encoder, *frame_ms, sequence, sink))
    }
}

fn send(
    frame: &[i16],
    encoder: &mut Encoder,
    frame_ms: u32,
    sequence: &mut u32,
    sink: &mut impl FnMut(Packet<'_>),
) -> Result<(), Error> {
    let opus = encoder.encode(frame)?;
    sink(Packet { sequence: *sequence, timestamp_ms: sequence.wrapping_mul(frame_ms), opus });
    *sequence = sequence.wrapping_add(1);
    Ok(())
}
