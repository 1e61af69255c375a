//! [`Microphone`]: sends what is said, and the silence in between, in real time.

use std::time::Duration;

use bytes::Bytes;
use sayso_audio::{Encoder, EncoderConfig, Resampler};
use sayso_runtime::queue;
use sayso_types::{Pcm, TurnId};
use sayso_wire::{AudioFormat, AudioPacket};
use tokio::sync::{oneshot, watch};
use tokio::time::interval;

use crate::Error;
use crate::uplink::Uplink;

/// Pieces of sound that wait to be said.
pub(crate) const SOUNDS_MAX: usize = 16;

/// Something to say, at the microphone's rate.
#[derive(Debug)]
pub(crate) struct Sound {
    samples: Vec<i16>,
    said: usize,
    /// Dropped unused when it is cut short.
    done: oneshot::Sender<()>,
}

impl Sound {
    /// `pcm` as the microphone hears it; the receiver learns when it has been said.
    pub(crate) fn new(pcm: &Pcm, format: AudioFormat) -> Result<(Self, oneshot::Receiver<()>), Error> {
        let mut samples = Vec::with_capacity(format.sample_rate().samples_in_ms(pcm.ms() + 1));
        let mut resampler = Resampler::new(pcm.rate, format.sample_rate())?;
        resampler.push(&pcm.samples, &mut samples);
        resampler.flush(&mut samples);
        let (done, heard) = oneshot::channel();
        Ok((Self { samples, said: 0, done }, heard))
    }

    /// Takes the next samples; how many there were.
    fn fill(&mut self, frame: &mut [i16]) -> usize {
        let rest = &self.samples[self.said..];
        let len = rest.len().min(frame.len());
        frame[..len].copy_from_slice(&rest[..len]);
        self.said += len;
        len
    }

    fn is_over(&self) -> bool {
        self.said == self.samples.len()
    }
}

/// The device's microphone. It is open while the device listens, and then it sends a frame at every interval: of
/// the sounds given to it, one after another, and of silence when there is none.
#[derive(Debug)]
pub(crate) struct Microphone {
    pub(crate) uplink: Uplink,
    pub(crate) format: AudioFormat,
    pub(crate) sounds: queue::Receiver<Sound>,
    /// The turn that is listened for; `None` when the microphone is closed.
    pub(crate) listening: watch::Receiver<Option<TurnId>>,
}

impl Microphone {
    /// Runs until the device is gone.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        while let Ok(turn) = self.listening.wait_for(Option::is_some).await.map(|turn| *turn) {
            if let Some(turn) = turn {
                match self.open(turn).await {
                    Ok(()) => {}
                    // the link says why
                    Err(Error::Gone) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Sends sound for `turn` until another turn is listened for, or none.
    async fn open(&mut self, turn: TurnId) -> Result<(), Error> {
        let mut encoder = Encoder::new(self.format.sample_rate(), self.format.frame_ms(), &EncoderConfig::default())?;
        let mut frame = vec![0; encoder.frame_samples()];
        let mut next = interval(Duration::from_millis(self.format.frame_ms().into()));
        let mut saying = None;
        for sequence in 0.. {
            tokio::select! {
                _ = next.tick() => {}
                changed = self.listening.wait_for(|listening| *listening != Some(turn)) => {
                    return changed.map(|_| ()).map_err(|_| Error::Gone);
                }
            }
            self.hear(&mut saying, &mut frame);
            let opus = Bytes::copy_from_slice(encoder.encode(&frame)?);
            let timestamp_ms = u32::wrapping_mul(sequence, self.format.frame_ms());
            self.uplink.send_audio(AudioPacket { turn, sequence, timestamp_ms, opus })?;
        }
        Ok(())
    }

    /// Fills `frame` with what is being said, and with silence.
    fn hear(&mut self, saying: &mut Option<Sound>, frame: &mut [i16]) {
        let mut filled = 0;
        while filled < frame.len() {
            let Some(mut sound) = saying.take().or_else(|| self.sounds.try_recv()) else {
                break;
            };
            filled += sound.fill(&mut frame[filled..]);
            if sound.is_over() {
                // whoever said it may not be waiting for the end
                let _ = sound.done.send(());
            } else {
                *saying = Some(sound);
            }
        }
        frame[filled..].fill(0);
    }
}
