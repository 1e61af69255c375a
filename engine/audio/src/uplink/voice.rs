//! [`Voice`]: the part of the uplink that exists only once there is sound.

use super::ear::Ear;
use crate::{Arrival, Decoder, EndpointConfig, Error, Event, JitterStats, Mode, Packet, RATE, UplinkStats};

/// Most silence put in one place where a device sent nothing: more than three times the default hang-over, and a
/// bound on the work that one timestamp can cause.
const GAP_MS_MAX: u32 = 2_000;

/// Packets in order in, utterances out.
#[derive(Debug)]
pub(super) struct Voice {
    decoder: Decoder,
    ear: Ear,
    /// Where the next packet's sound should begin, by the device's own timestamps.
    due_ms: Option<u32>,
    /// Time told by [`elapse`](Voice::elapse) that is too short for a packet so far.
    owed_ms: u32,
    undecodable: u64,
    gaps_cut: u64,
}

impl Voice {
    pub(super) fn new(config: EndpointConfig, mode: Mode) -> Result<Self, Error> {
        let (decoder, ear) = (Decoder::new(RATE)?, Ear::new(config, mode)?);
        Ok(Self { decoder, ear, due_ms: None, owed_ms: 0, undecodable: 0, gaps_cut: 0 })
    }

    pub(super) fn play(&mut self, arrival: Arrival<'_>, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Error> {
        match arrival {
            Arrival::Packet(packet) => self.play_packet(packet, sink),
            Arrival::Lost { next } => {
                let pcm = match next {
                    Some(next) => self.decoder.recover(next),
                    None => self.decoder.conceal(),
                };
                self.ear.hear(pcm, sink);
                self.due_ms = self.due_ms.map(|due| due.wrapping_add(self.decoder.last_ms()));
                Ok(())
            }
        }
    }

    fn play_packet(&mut self, packet: Packet<'_>, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Error> {
        self.bridge(packet.timestamp_ms, sink);
        let outcome = match self.decoder.decode(packet.opus) {
            Ok(pcm) => {
                self.ear.hear(pcm, sink);
                Ok(())
            }
            Err(error) => {
                self.undecodable += 1;
                self.ear.hear(self.decoder.conceal(), sink);
                Err(error)
            }
        };
        self.due_ms = Some(packet.timestamp_ms.wrapping_add(self.decoder.last_ms()));
        self.owed_ms = 0;
        outcome
    }

    /// Puts silence where the device sent nothing: from where its sound ended to `timestamp_ms`.
    fn bridge(&mut self, timestamp_ms: u32, sink: &mut impl FnMut(Event<'_>)) {
        let Some(due_ms) = self.due_ms else { return };
        let gap_ms = timestamp_ms.wrapping_sub(due_ms);
        // a timestamp that goes back, or stands still, says nothing
        if gap_ms <= i32::MAX as u32 {
            self.gaps_cut += u64::from(gap_ms > GAP_MS_MAX);
            self.idle(gap_ms.min(GAP_MS_MAX), sink);
        }
    }

    /// Counts `ms` in which nothing came.
    pub(super) fn elapse(&mut self, ms: u32, sink: &mut impl FnMut(Event<'_>)) {
        let owed_ms = self.owed_ms.saturating_add(ms);
        self.due_ms = self.due_ms.map(|due| due.wrapping_add(ms));
        self.owed_ms = owed_ms - self.idle(owed_ms.min(GAP_MS_MAX), sink);
    }

    /// Lets the decoder go on by itself for as many whole packets as fit in `ms`; returns how long they are.
    fn idle(&mut self, ms: u32, sink: &mut impl FnMut(Event<'_>)) -> u32 {
        let packet_ms = self.decoder.last_ms().max(1);
        let packets = ms / packet_ms;
        for _ in 0..packets {
            self.ear.hear(self.decoder.conceal(), sink);
        }
        packets * packet_ms
    }

    pub(super) fn finish(&mut self, sink: &mut impl FnMut(Event<'_>)) {
        self.ear.finish(sink);
    }

    pub(super) fn is_talking(&self) -> bool {
        self.ear.is_talking()
    }

    pub(super) fn stats(&self, jitter: JitterStats) -> UplinkStats {
        let judge = self.ear.judge();
        UplinkStats {
            jitter,
            undecodable: self.undecodable,
            frames: judge.frames,
            gaps_cut: self.gaps_cut,
            utterances_too_long: judge.too_long,
        }
    }
}
