//! [`Answer`]: one answer on its way through the loudspeaker.

use std::collections::VecDeque;

use sayso_audio::codec::PACKET_BYTES_MAX;
use sayso_audio::{Arrival, Decoder, JitterBuffer, Packet};
use sayso_types::{Pcm, TurnId};
use sayso_wire::{AudioFormat, AudioPacket};

use super::{BEAT_MS, Finished};
use crate::Error;

/// Packets that wait behind a gap before it counts as lost: 40 ms with frames of 20 ms.
const JITTER_DEPTH: usize = 3;

/// Sound that must be here before play-out begins, in milliseconds: less than the node's lead, so that it costs
/// nothing, and enough for the jitter of Wi-Fi.
const PREBUFFER_MS: u32 = 60;

/// Most sound that waits to be played, in milliseconds: the node runs ahead by a tenth of it. A real device has little
/// more.
const BUFFERED_MS_MAX: u32 = 2_000;

/// Longest silence that a jump of the timestamps stands for, in milliseconds.
const SILENCE_MS_MAX: u32 = 2_000;

/// How long to wait at the end for sound that has not come, in milliseconds: several times the jitter.
const TAIL_MS: u32 = 200;

/// Longest answer of which the sound is kept, in milliseconds.
const KEPT_MS_MAX: u32 = 5 * 60 * 1_000;

pub(super) struct Answer {
    turn: TurnId,
    jitter: JitterBuffer,
    playout: Playout,
    /// How long the answer is in all, once the node has said so.
    total_ms: Option<u32>,
    /// Milliseconds that it has been dry since.
    dry_ms: u32,
    begun: bool,
    played: usize,
    kept: Option<Vec<i16>>,
}

/// Sound between the decoder and the loudspeaker.
struct Playout {
    format: AudioFormat,
    decoder: Decoder,
    samples: VecDeque<i16>,
    /// Samples decoded since the start.
    decoded: usize,
}

impl Answer {
    pub(super) fn new(turn: TurnId, format: AudioFormat, keep: bool) -> Result<Self, Error> {
        let decoder = Decoder::new(format.sample_rate())?;
        Ok(Self {
            turn,
            jitter: JitterBuffer::new(JITTER_DEPTH),
            playout: Playout { format, decoder, samples: VecDeque::new(), decoded: 0 },
            total_ms: None,
            dry_ms: 0,
            begun: false,
            played: 0,
            kept: keep.then(Vec::new),
        })
    }

    pub(super) const fn turn(&self) -> TurnId {
        self.turn
    }

    pub(super) fn played_ms(&self) -> u32 {
        self.playout.format.sample_rate().ms_of(self.played)
    }

    pub(super) fn push(&mut self, packet: &AudioPacket) {
        if self.playout.buffered_ms() >= BUFFERED_MS_MAX || packet.opus.len() > PACKET_BYTES_MAX {
            metrics::counter!("sayso_device_audio_overflow_total").increment(1);
            return;
        }
        let Self { jitter, playout, .. } = self;
        let packet = Packet { sequence: packet.sequence, timestamp_ms: packet.timestamp_ms, opus: &packet.opus };
        jitter.push(packet, |arrival| playout.take(arrival));
    }

    pub(super) fn end(&mut self, total_ms: u32) {
        self.total_ms = Some(total_ms);
    }

    /// Plays the next `ms`, or waits while there is nothing to play.
    pub(super) fn play(&mut self, ms: u32) {
        let Self { jitter, playout, .. } = self;
        let wanted = playout.format.sample_rate().samples_in_ms(ms);
        if playout.samples.len() < wanted {
            // what is missing did not come in time
            jitter.flush(|arrival| playout.take(arrival));
        }
        self.begun = self.begun || self.total_ms.is_some() || playout.buffered_ms() >= PREBUFFER_MS;
        let ready = if self.begun { playout.samples.len().min(wanted) } else { 0 };
        self.dry_ms = if ready == 0 && self.total_ms.is_some() { self.dry_ms + BEAT_MS } else { 0 };
        self.played += ready;
        let samples = playout.samples.drain(..ready);
        let kept_max = playout.format.sample_rate().samples_in_ms(KEPT_MS_MAX);
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.len() < kept_max) {
            kept.extend(samples);
        }
    }

    /// Whether nothing more of it will be played.
    pub(super) fn is_over(&self) -> bool {
        self.total_ms.is_some_and(|total_ms| self.played_ms() >= total_ms) || self.dry_ms >= TAIL_MS
    }

    pub(super) fn finish(self) -> Finished {
        let stats = self.jitter.stats();
        let rate = self.playout.format.sample_rate();
        Finished {
            turn: self.turn,
            played_ms: self.played_ms(),
            lost: stats.lost,
            late: stats.late,
            sound: self.kept.map(|samples| Pcm::new(rate, samples)),
        }
    }
}

impl Playout {
    fn buffered_ms(&self) -> u32 {
        self.format.sample_rate().ms_of(self.samples.len())
    }

    fn take(&mut self, arrival: Arrival<'_>) {
        let sound = match arrival {
            Arrival::Packet(packet) => {
                self.skip_to(packet.timestamp_ms);
                match self.decoder.decode(packet.opus) {
                    Ok(sound) => sound,
                    Err(error) => {
                        tracing::trace!(%error, "packet concealed");
                        self.decoder.conceal()
                    }
                }
            }
            Arrival::Lost { next: Some(next) } => self.decoder.recover(next),
            Arrival::Lost { next: None } => self.decoder.conceal(),
        };
        self.decoded += sound.len();
        self.samples.extend(sound);
    }

    /// A sender that is silent sends nothing (DTX): its silence is put in.
    fn skip_to(&mut self, timestamp_ms: u32) {
        let rate = self.format.sample_rate();
        let silent_ms = timestamp_ms.saturating_sub(rate.ms_of(self.decoded)).min(SILENCE_MS_MAX);
        let silence = rate.samples_in_ms(silent_ms);
        self.decoded += silence;
        self.samples.extend(std::iter::repeat_n(0, silence));
    }
}
