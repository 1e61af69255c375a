//! [`Voice`]: the part of the uplink that exists only once there is sound.

use core::convert::Infallible;

use crate::framer::Framer;
use crate::{
    Arrival, Decoder, EndReason, EndpointConfig, Endpointer, Error, Event, FRAME_SAMPLES, Frame, Mode, RATE, Vad,
};

/// Most silence put in one place where a device sent nothing: three times the default hang-over, and a bound on the
/// work that one timestamp can cause.
const GAP_MS_MAX: u32 = 2_000;

/// What the voice counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) undecodable: u64,
    pub(super) frames: u64,
    pub(super) gaps_cut: u64,
    pub(super) utterances_too_long: u64,
}

/// Packets in order in, utterances out.
#[derive(Debug)]
pub(super) struct Voice {
    decoder: Decoder,
    /// Where the next packet's sound should begin, by the device's own timestamps.
    due_ms: Option<u32>,
    /// Time told by [`elapse`](Voice::elapse) that is too short for a packet so far.
    owed_ms: u32,
    ear: Ear,
}

impl Voice {
    pub(super) fn new(config: EndpointConfig, mode: Mode) -> Result<Self, Error> {
        let ear = Ear {
            framer: Framer::new(FRAME_SAMPLES),
            vad: Vad::new(RATE, config.aggressiveness)?,
            endpointer: Endpointer::new(config, mode),
            counts: Counts::default(),
        };
        Ok(Self { decoder: Decoder::new(RATE)?, due_ms: None, owed_ms: 0, ear })
    }

    pub(super) fn is_talking(&self) -> bool {
        self.ear.endpointer.is_talking()
    }

    pub(super) fn counts(&self) -> Counts {
        self.ear.counts
    }

    pub(super) fn play(&mut self, arrival: Arrival<'_>, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Error> {
        match arrival {
            Arrival::Lost { next } => {
                let pcm = match next {
                    Some(next) => self.decoder.recover(next),
                    None => self.decoder.conceal(),
                };
                self.ear.hear(pcm, sink);
                self.due_ms = self.due_ms.map(|due| due.wrapping_add(self.decoder.last_ms()));
                Ok(())
            }
            Arrival::Packet(packet) => {
                self.bridge(packet.timestamp_ms, sink);
                let outcome = match self.decoder.decode(packet.opus) {
                    Ok(pcm) => {
                        self.ear.hear(pcm, sink);
                        Ok(())
                    }
                    Err(error) => {
                        self.ear.counts.undecodable += 1;
                        self.ear.hear(self.decoder.conceal(), sink);
                        Err(error)
                    }
                };
                self.due_ms = Some(packet.timestamp_ms.wrapping_add(self.decoder.last_ms()));
                self.owed_ms = 0;
                outcome
            }
        }
    }

    /// Puts silence where the device sent nothing: from where its sound ended to `timestamp_ms`.
    fn bridge(&mut self, timestamp_ms: u32, sink: &mut impl FnMut(Event<'_>)) {
        let Some(due_ms) = self.due_ms else { return };
        let gap = timestamp_ms.wrapping_sub(due_ms);
        // a timestamp that goes back, or stands still, says nothing
        if gap <= i32::MAX as u32 {
            self.ear.counts.gaps_cut += u64::from(gap > GAP_MS_MAX);
            self.idle(gap.min(GAP_MS_MAX), sink);
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
}

/// Sound in, utterances out.
#[derive(Debug)]
struct Ear {
    framer: Framer,
    vad: Vad,
    endpointer: Endpointer,
    counts: Counts,
}

impl Ear {
    fn hear(&mut self, pcm: &[i16], sink: &mut impl FnMut(Event<'_>)) {
        let Self { framer, vad, endpointer, counts } = self;
        let Ok(()) = framer.push(pcm, |frame| {
            judge(frame, vad, endpointer, counts, sink);
            Ok::<(), Infallible>(())
        });
    }

    fn finish(&mut self, sink: &mut impl FnMut(Event<'_>)) {
        let Self { framer, vad, endpointer, counts } = self;
        let Ok(()) = framer.flush(|frame| {
            judge(frame, vad, endpointer, counts, sink);
            Ok::<(), Infallible>(())
        });
        endpointer.finish(sink);
    }
}

fn judge(
    frame: &[i16],
    vad: &mut Vad,
    endpointer: &mut Endpointer,
    counts: &mut Counts,
    sink: &mut impl FnMut(Event<'_>),
) {
    let frame: &Frame = frame.try_into().expect("the framer cuts frames of this length");
    let voiced = vad.is_voice(frame).expect("20 ms at 16 kHz is a length that the detector takes");
    counts.frames += 1;
    endpointer.push(frame, voiced, |event| {
        let too_long = matches!(event, Event::SpeechEnd { reason: EndReason::TooLong, .. });
        counts.utterances_too_long += u64::from(too_long);
        sink(event);
    });
}
