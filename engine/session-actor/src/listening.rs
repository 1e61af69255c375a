//! [`Listening`]: the uplink while the session listens, and the utterance in it.

use sayso_audio::{EndpointConfig, Event as Sound, Mode, Packet, Recording, Uplink};
use sayso_wire::AudioPacket;

use crate::transcription::{Feed, Frames};

/// How often an utterance that is going on is checked for packets that stopped coming, in milliseconds.
pub(crate) const TICK_MS: u32 = 100;

/// How long no packet comes before that counts as silence, in milliseconds: more than a network delays them.
const QUIET_MS: u32 = 200;

/// How much longer than it may be an utterance may take, in milliseconds: more than a network delays what was said before the
/// device is given up. Whoever sends sound more slowly than it passes would talk for as long as they like.
const OVERTIME_MS: u32 = 5_000;

/// How far what is heard lags behind what has come: what the jitter buffer holds back at most.
const LAG_MS: u32 = 200;

/// Bytes that a millisecond of a recording has at most: 512 kb/s, a little more than Opus is made for. What has more is given
/// up.
const BYTES_PER_MS_MAX: usize = 64;

/// What was found in the sound, in order. Mostly nothing, which takes no memory.
pub(crate) type Marks = Vec<Mark>;

/// The beginning or the end of an utterance.
pub(crate) enum Mark {
    /// It begins; its frames arrive here.
    Start(Frames),
    /// It is complete.
    End {
        /// Over its samples.
        sha256: [u8; 32],
        /// Whether there was a voice in it.
        voiced: bool,
    },
}

pub(crate) struct Listening {
    uplink: Uplink,
    config: EndpointConfig,
    mode: Mode,
    feed: Option<Feed>,
    /// How long no packet came.
    quiet_ms: u32,
    /// How long the utterance has been going on, whatever came of it.
    running_ms: u32,
    /// The packets of the utterance that is going on, or those before the next one, where they may be kept.
    tape: Option<Recording>,
}

impl Listening {
    /// Listens with settings that were checked before.
    pub(crate) fn new(config: EndpointConfig, mode: Mode, records: bool) -> Self {
        let uplink = Uplink::new(config, mode).expect("the settings were checked when sessions started");
        Self { uplink, config, mode, feed: None, quiet_ms: 0, running_ms: 0, tape: records.then(Recording::new) }
    }

    /// Listens in the same way, to something else.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.config, self.mode, self.tape.is_some())
    }

    /// Whether everything is one utterance until the device says stop.
    pub(crate) fn is_manual(&self) -> bool {
        self.mode == Mode::Manual
    }

    /// Takes a packet. One that is not Opus is concealed, and counted when listening ends.
    pub(crate) fn push(&mut self, packet: &AudioPacket) -> Marks {
        let packet = Packet { sequence: packet.sequence, timestamp_ms: packet.timestamp_ms, opus: &packet.opus };
        let (dropped, begins) = (self.dropped(), self.feed.is_none());
        let marks = self.hear(|uplink, sink| {
            if let Err(error) = uplink.push(packet, sink) {
                tracing::trace!(%error, "a packet could not be decoded");
            }
        });
        // Whoever sends again what was there, or is too late, brings nothing: they may as well be silent.
        if self.dropped() == dropped {
            self.quiet_ms = 0;
            self.record(packet, begins);
        }
        marks
    }

    /// Packets that came too late, or again.
    fn dropped(&self) -> u64 {
        let stats = self.uplink.stats().jitter;
        stats.late + stats.duplicate
    }

    fn record(&mut self, packet: Packet<'_>, begins: bool) {
        let Some(tape) = &mut self.tape else { return };
        let before_ms = self.config.pre_roll_ms + self.config.min_speech_ms + LAG_MS;
        if begins {
            tape.keep_last(before_ms);
        }
        tape.push(packet);
        if tape.bytes() > (before_ms + self.config.max_utterance_ms) as usize * BYTES_PER_MS_MAX {
            metrics::counter!("sayso_session_recordings_given_up_total").increment(1);
            self.stop_recording();
        }
    }

    /// [`TICK_MS`] have passed. An utterance ends although the device, or the network, fell silent in the middle of it, and
    /// however slowly sound comes.
    pub(crate) fn tick(&mut self) -> Marks {
        self.running_ms += TICK_MS;
        if self.feed.is_some() && self.running_ms >= self.config.max_utterance_ms + OVERTIME_MS {
            metrics::counter!("sayso_session_utterances_overtime_total").increment(1);
            return self.finish();
        }
        self.quiet_ms += TICK_MS;
        if self.quiet_ms < QUIET_MS {
            return Marks::new();
        }
        // What the first wait was about is silence as well.
        let silent_ms = if self.quiet_ms - TICK_MS < QUIET_MS { self.quiet_ms } else { TICK_MS };
        self.hear(|uplink, sink| {
            if let Err(error) = uplink.elapse(silent_ms, sink) {
                tracing::trace!(%error, "a packet could not be decoded");
            }
        })
    }

    /// The device sends no more.
    pub(crate) fn finish(&mut self) -> Marks {
        self.hear(|uplink, sink| {
            if let Err(error) = uplink.finish(sink) {
                tracing::trace!(%error, "a packet could not be decoded");
            }
        })
    }

    /// Drops what there is of the utterance that is going on, and what is still to come of it.
    pub(crate) fn drop_utterance(&mut self) {
        self.feed = None;
        if let Some(tape) = &mut self.tape {
            *tape = Recording::new();
        }
    }

    /// Keeps no packets from here on, and none of those before.
    pub(crate) fn stop_recording(&mut self) {
        self.tape = None;
    }

    /// The packets of the utterance that has just ended, if they were kept.
    pub(crate) fn take_recording(&mut self) -> Option<Recording> {
        self.tape.as_mut().map(core::mem::take)
    }

    /// Packets that were given up on so far.
    pub(crate) fn lost(&self) -> u64 {
        self.uplink.stats().jitter.lost
    }

    /// Frames go straight to the utterance's feed; beginnings and ends are kept until the session can be told.
    fn hear(&mut self, work: impl FnOnce(&mut Uplink, &mut dyn FnMut(Sound<'_>))) -> Marks {
        let Self { uplink, config, feed, running_ms, .. } = self;
        let mut marks = Marks::new();
        work(uplink, &mut |sound| match sound {
            Sound::SpeechStart => {
                let (begun, frames) = Feed::new(config.max_utterance_ms);
                (*feed, *running_ms) = (Some(begun), 0);
                marks.push(Mark::Start(frames));
            }
            Sound::Frame(frame) => {
                if let Some(feed) = feed {
                    feed.push(frame);
                }
            }
            Sound::SpeechEnd { voiced_ms, .. } => {
                if let Some(feed) = feed.take() {
                    marks.push(Mark::End { sha256: feed.finish(), voiced: voiced_ms > 0 });
                }
            }
        });
        marks
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.uplink.stats().publish();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sayso_audio::{Encoder, EncoderConfig, FRAME_MS, RATE};
    use sayso_types::TurnId;

    use super::*;

    /// A device that is listened to while it pushes to talk, and the packet that it sends.
    fn talking() -> (Listening, Bytes) {
        let mut encoder = Encoder::new(RATE, FRAME_MS, &EncoderConfig::default()).unwrap();
        let opus = Bytes::copy_from_slice(encoder.encode(&vec![0; RATE.samples_in_ms(FRAME_MS)]).unwrap());
        let mut listening = Listening::new(EndpointConfig::default(), Mode::Manual, true);
        let packets = (0..50).map(|n| packet(n, n * FRAME_MS, &opus));
        let begun = packets.flat_map(|packet| listening.push(&packet)).count();
        assert_eq!(begun, 1, "it talks");
        (listening, opus)
    }

    fn packet(sequence: u32, timestamp_ms: u32, opus: &Bytes) -> AudioPacket {
        AudioPacket { turn: TurnId(1), sequence, timestamp_ms, opus: opus.clone() }
    }

    fn recorded(listening: &Listening) -> usize {
        listening.tape.as_ref().map_or(0, Recording::bytes)
    }

    #[test]
    fn an_utterance_ends_although_packets_that_were_there_come_again_and_again() {
        let (mut listening, opus) = talking();
        let (before, ms_max) = (recorded(&listening), EndpointConfig::default().max_utterance_ms);
        let ended = (0..2 * ms_max / TICK_MS).any(|n| {
            for again in 0..TICK_MS / FRAME_MS {
                let timestamp_ms = 10_000 + n * TICK_MS + again * FRAME_MS;
                assert!(listening.push(&packet(n % 50, timestamp_ms, &opus)).is_empty());
            }
            listening.tick().iter().any(|mark| matches!(mark, Mark::End { .. }))
        });
        assert!(ended, "whoever brings nothing new has fallen silent");
        assert_eq!(recorded(&listening), before, "and nothing of it is kept");
    }

    #[test]
    fn an_utterance_ends_in_time_however_slowly_its_sound_comes() {
        let (mut listening, opus) = talking();
        let ticks = (EndpointConfig::default().max_utterance_ms + OVERTIME_MS) / TICK_MS;
        let ended = (0..2 * ticks).position(|n| {
            // a frame where five should come
            assert!(listening.push(&packet(50 + n, (50 + n) * FRAME_MS, &opus)).is_empty());
            listening.tick().iter().any(|mark| matches!(mark, Mark::End { .. }))
        });
        assert_eq!(ended, Some(ticks as usize - 1));
    }
}
