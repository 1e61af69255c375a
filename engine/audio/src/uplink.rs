//! [`Uplink`]: from the device's packets to utterances.

mod stats;
mod voice;

use voice::Voice;

use crate::codec::PACKET_BYTES_MAX;
use crate::{EndpointConfig, Error, Event, JitterBuffer, Mode, Packet};

pub use stats::UplinkStats;

/// Packets that wait behind a gap before it counts as lost: 40 ms with frames of 20 ms, which is more than Wi-Fi
/// reorders by, and little against the hang-over.
pub const JITTER_DEPTH: usize = 3;

/// One turn's sound from the device: packets in any order in, utterances out.
///
/// Everything is handed to the `sink` of the call during which it became known; a frame is 20 ms at 16 kHz, lent.
/// Before the first packet it holds no codec, so one may be made as soon as a device may speak.
#[derive(Debug)]
pub struct Uplink {
    config: EndpointConfig,
    mode: Mode,
    jitter: JitterBuffer,
    voice: Option<Voice>,
    refused: u64,
}

impl Uplink {
    /// An uplink that finds utterances as `config` says, or takes everything for one, as `mode` says.
    ///
    /// # Errors
    /// [`Error::Setting`] when a setting is out of its range.
    pub fn new(config: EndpointConfig, mode: Mode) -> Result<Self, Error> {
        config.check()?;
        Ok(Self { config, mode, jitter: JitterBuffer::new(JITTER_DEPTH), voice: None, refused: 0 })
    }

    /// Takes a packet.
    ///
    /// Timestamps that jump ahead mean that the device sent nothing in silence; silence is put there, 2 s at most.
    ///
    /// # Errors
    /// What is wrong with the first packet that could not be decoded, this one or one that waited for it. Its place
    /// is concealed and everything else was done: the turn goes on.
    pub fn push(&mut self, packet: Packet<'_>, mut sink: impl FnMut(Event<'_>)) -> Result<(), Error> {
        if packet.opus.len() > PACKET_BYTES_MAX {
            self.refused += 1;
            return Err(Error::PacketTooLarge { bytes: packet.opus.len(), max: PACKET_BYTES_MAX });
        }
        let voice = match &mut self.voice {
            Some(voice) => voice,
            none => none.insert(Voice::new(self.config, self.mode)?),
        };
        let mut outcome = Ok(());
        self.jitter.push(packet, |arrival| outcome = outcome.and(voice.play(arrival, &mut sink)));
        outcome
    }

    /// Counts `ms` as silence, because no packet came for so long: an utterance ends although the device, or the
    /// network, fell silent in the middle of it. Packets that wait behind a gap are used first.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn elapse(&mut self, ms: u32, mut sink: impl FnMut(Event<'_>)) -> Result<(), Error> {
        let outcome = self.drain(&mut sink);
        if let Some(voice) = &mut self.voice {
            voice.elapse(ms, &mut sink);
        }
        outcome
    }

    /// The device says that it sends no more: uses what waits behind gaps, and ends the utterance that is going on.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self, mut sink: impl FnMut(Event<'_>)) -> Result<(), Error> {
        let outcome = self.drain(&mut sink);
        if let Some(voice) = &mut self.voice {
            voice.finish(&mut sink);
        }
        outcome
    }

    /// Whether an utterance is going on.
    #[must_use]
    pub fn is_talking(&self) -> bool {
        self.voice.as_ref().is_some_and(Voice::is_talking)
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> UplinkStats {
        let voice = self.voice.as_ref().map(Voice::counts).unwrap_or_default();
        UplinkStats {
            jitter: self.jitter.stats(),
            undecodable: voice.undecodable + self.refused,
            frames: voice.frames,
            utterances_too_long: voice.utterances_too_long,
        }
    }

    fn drain(&mut self, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Error> {
        let mut outcome = Ok(());
        if let Some(voice) = &mut self.voice {
            self.jitter.flush(|arrival| outcome = outcome.and(voice.play(arrival, sink)));
        }
        outcome
    }
}
