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
    stage: Stage,
}

impl Packer {
    fn new(rate: SampleRate, frame_ms: u32, config: &EncoderConfig) -> Result<Self, Error> {
        let encoder = Encoder::new(rate, frame_ms, config)?;
        let framer = Framer::new(encoder.frame_samples());
        Ok(Self { framer, stage: Stage { encoder, frame_ms, sequence: 0 } })
    }

    fn push(&mut self, samples: &[i16], sink: &mut impl FnMut(Packet<'_>)) -> Result<(), Error> {
        let Self { framer, stage } = self;
        let mut outcome = Ok(());
        framer.push(samples, |frame| {
            let sent = stage.send(frame, sink);
            outcome = outcome.and(sent);
        });
        outcome
    }

    fn flush(&mut self, sink: &mut impl FnMut(Packet<'_>)) -> Result<(), Error> {
        let Self { framer, stage } = self;
        let mut outcome = Ok(());
        framer.flush(|frame| outcome = stage.send(frame, sink));
        outcome
    }
}

/// Frames in, packets out.
#[derive(Debug)]
struct Stage {
    encoder: Encoder,
    frame_ms: u32,
    sequence: u32,
}

impl Stage {
    fn send(&mut self, frame: &[i16], sink: &mut impl FnMut(Packet<'_>)) -> Result<(), Error> {
        let opus = self.encoder.encode(frame)?;
        sink(Packet { sequence: self.sequence, timestamp_ms: self.sequence.wrapping_mul(self.frame_ms), opus });
        self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decoder;
    use crate::sound::{purity, tone};

    #[derive(Debug, PartialEq, Eq)]
    struct Sent {
        sequence: u32,
        timestamp_ms: u32,
        opus: Vec<u8>,
    }

    fn send(downlink: &mut Downlink, pieces: &[(SampleRate, &[i16])]) -> Vec<Sent> {
        let mut sent = Vec::new();
        let mut keep = |p: Packet<'_>| {
            sent.push(Sent { sequence: p.sequence, timestamp_ms: p.timestamp_ms, opus: p.opus.to_vec() });
        };
        for (rate, samples) in pieces {
            downlink.push(*rate, samples, &mut keep).unwrap();
        }
        downlink.finish(&mut keep).unwrap();
        sent
    }

    fn downlink(hz: u32, frame_ms: u32) -> Downlink {
        Downlink::new(SampleRate(hz), frame_ms, EncoderConfig::default()).unwrap()
    }

    #[test]
    fn speech_at_any_rate_reaches_a_device_of_any_format() {
        for from in [16_000, 22_050, 24_000, 48_000].map(SampleRate) {
            for to in [8_000, 12_000, 16_000, 24_000, 48_000] {
                for frame_ms in [10, 20, 40, 60] {
                    let said = tone(from, 500.0, 500);
                    let sent = send(&mut downlink(to, frame_ms), &[(from, &said)]);
                    assert_eq!(sent.len() as u32, 500_u32.div_ceil(frame_ms));
                    let mut decoder = Decoder::new(SampleRate(to)).unwrap();
                    let heard: Vec<i16> = sent.iter().flat_map(|p| decoder.decode(&p.opus).unwrap().to_vec()).collect();
                    let purity = purity(&heard[to as usize / 5..to as usize * 2 / 5], SampleRate(to), 500.0);
                    assert!(purity > 0.95, "{from:?} to {to} Hz, {frame_ms} ms: purity {purity}");
                }
            }
        }
    }

    #[test]
    fn packets_are_numbered_and_stamped_and_the_pieces_do_not_show() {
        let said = tone(SampleRate::HZ_24K, 500.0, 470);
        let whole = send(&mut downlink(16_000, 60), &[(SampleRate::HZ_24K, &said)]);
        let numbers: Vec<(u32, u32)> = whole.iter().map(|p| (p.sequence, p.timestamp_ms)).collect();
        assert_eq!(numbers, (0..8).map(|n| (n, n * 60)).collect::<Vec<_>>());
        for len in [1, 7, 480, 5_000] {
            let pieces: Vec<_> = said.chunks(len).map(|piece| (SampleRate::HZ_24K, piece)).collect();
            assert_eq!(send(&mut downlink(16_000, 60), &pieces), whole, "pieces of {len}");
        }
    }

    #[test]
    fn a_prompt_at_another_rate_may_follow_without_a_gap() {
        let (low, high) = (tone(SampleRate::HZ_16K, 500.0, 110), tone(SampleRate::HZ_24K, 500.0, 90));
        let mut downlink = downlink(16_000, 20);
        let sent = send(&mut downlink, &[(SampleRate::HZ_16K, &low), (SampleRate::HZ_24K, &high)]);
        assert_eq!(sent.len(), 10);
        assert_eq!(downlink.pushed_ms(), 200);
    }

    #[test]
    fn nothing_said_sends_nothing_and_costs_no_codec() {
        let mut downlink = downlink(16_000, 20);
        assert_eq!(send(&mut downlink, &[(SampleRate::HZ_16K, &[])]), []);
        assert!(downlink.packer.is_none());
    }

    #[test]
    fn what_a_device_cannot_ask_for_is_refused_at_once() {
        let new = |hz, ms| Downlink::new(SampleRate(hz), ms, EncoderConfig::default()).map(|_| ());
        assert_eq!(new(44_100, 20), Err(Error::OpusRate(44_100)));
        assert_eq!(new(16_000, 30), Err(Error::FrameMs(30)));
    }
}
