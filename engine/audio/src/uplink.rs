//! [`Uplink`]: from the device's packets to utterances.

mod ear;
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
///
/// ```
/// use sayso_audio::{EndpointConfig, Event, Mode, Packet, Uplink};
///
/// let mut uplink = Uplink::new(EndpointConfig::default(), Mode::Automatic)?;
/// let silence = Packet { sequence: 0, timestamp_ms: 0, opus: &[9 << 3] };
/// uplink.push(silence, |event| match event {
///     Event::SpeechStart => println!("stop the answer, open the recogniser"),
///     Event::Frame(frame) => println!("hand {} samples on", frame.len()),
///     Event::SpeechEnd { reason, ms, .. } => println!("{ms} ms, ended by {reason:?}"),
/// })?;
/// assert!(!uplink.is_talking());
/// # Ok::<(), sayso_audio::Error>(())
/// ```
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
        self.jitter.push(packet, |arrival| {
            let played = voice.play(arrival, &mut sink);
            outcome = outcome.and(played);
        });
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
        let jitter = self.jitter.stats();
        let empty = UplinkStats { jitter, ..UplinkStats::default() };
        let stats = self.voice.as_ref().map_or(empty, |voice| voice.stats(jitter));
        UplinkStats { undecodable: stats.undecodable + self.refused, ..stats }
    }

    fn drain(&mut self, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Error> {
        let mut outcome = Ok(());
        if let Some(voice) = &mut self.voice {
            self.jitter.flush(|arrival| {
                let played = voice.play(arrival, sink);
                outcome = outcome.and(played);
            });
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sound::{level, voice};
    use crate::{Encoder, EncoderConfig, EndReason, FRAME_MS, JitterStats, RATE};

    /// Packets of `frame_ms`, from a voice between two silences of half a second and a whole.
    fn packets(voice_ms: u32, frame_ms: u32) -> Vec<Vec<u8>> {
        let mut pcm = vec![0; RATE.samples_in_ms(480)];
        pcm.extend(voice(RATE, voice_ms));
        pcm.resize(pcm.len() + RATE.samples_in_ms(960), 0);
        let mut encoder = Encoder::new(RATE, frame_ms, &EncoderConfig::default()).unwrap();
        pcm.chunks_exact(encoder.frame_samples()).map(|f| encoder.encode(f).unwrap().to_vec()).collect()
    }

    /// What a test saw: the frames, and each start or end with the number of frames before it.
    #[derive(Debug, Default)]
    struct Seen {
        frames: Vec<crate::Frame>,
        started: Vec<usize>,
        ended: Vec<(EndReason, usize)>,
    }

    impl Seen {
        fn sink(&mut self) -> impl FnMut(Event<'_>) {
            |event| match event {
                Event::SpeechStart => self.started.push(self.frames.len()),
                Event::Frame(frame) => self.frames.push(*frame),
                Event::SpeechEnd { reason, ms, voiced_ms } => {
                    let begun = *self.started.last().unwrap();
                    assert_eq!(ms, (self.frames.len() - begun) as u32 * FRAME_MS);
                    assert!(voiced_ms <= ms);
                    self.ended.push((reason, self.frames.len()));
                }
            }
        }
    }

    fn uplink(mode: Mode) -> Uplink {
        Uplink::new(EndpointConfig::default(), mode).unwrap()
    }

    fn packet(n: usize, frame_ms: u32, opus: &[u8]) -> Packet<'_> {
        Packet { sequence: n as u32, timestamp_ms: n as u32 * frame_ms, opus }
    }

    #[test]
    fn an_utterance_is_found_with_its_pre_roll_whatever_the_frame_length() {
        for frame_ms in [10, 20, 40, 60] {
            let (mut uplink, mut seen) = (uplink(Mode::Automatic), Seen::default());
            for (n, opus) in packets(1_200, frame_ms).iter().enumerate() {
                uplink.push(packet(n, frame_ms, opus), seen.sink()).unwrap();
            }
            assert_eq!(seen.started, [0]);
            assert!(matches!(seen.ended[..], [(EndReason::Silence, _)]), "{frame_ms} ms: {:?}", seen.ended);
            // 300 ms before, 1200 ms of voice, 600 ms hang-over, and what the detector itself hangs over
            let ms = seen.frames.len() as u32 * FRAME_MS;
            assert!((1_900..=2_400).contains(&ms), "{frame_ms} ms: {ms} ms");
            assert!(level(&seen.frames[0]) < 100.0, "it begins with the quiet before the voice");
            assert!(!uplink.is_talking());
        }
    }

    #[test]
    fn manual_takes_everything_and_ends_when_told() {
        let (mut uplink, mut seen) = (uplink(Mode::Manual), Seen::default());
        let packets = packets(600, 60);
        for (n, opus) in packets.iter().enumerate() {
            uplink.push(packet(n, 60, opus), seen.sink()).unwrap();
        }
        assert!(uplink.is_talking());
        uplink.finish(seen.sink()).unwrap();
        assert_eq!(seen.ended, [(EndReason::Finished, packets.len() * 3)]);
        uplink.push(packet(packets.len(), 60, &packets[0]), seen.sink()).unwrap();
        assert_eq!((seen.started.len(), seen.frames.len()), (1, packets.len() * 3));
    }

    #[test]
    fn a_device_that_never_ends_is_cut_at_the_longest() {
        let (mut uplink, mut seen) = (uplink(Mode::Manual), Seen::default());
        let packets = packets(600, 60);
        for n in 0..400 {
            uplink.push(packet(n, 60, &packets[n % packets.len()]), seen.sink()).unwrap();
        }
        assert_eq!(seen.ended, [(EndReason::TooLong, 750)]);
        assert_eq!(uplink.stats().utterances_too_long, 1);
    }

    #[test]
    fn lost_late_and_doubled_packets_leave_the_sound_as_long_as_it_was() {
        let (mut uplink, mut seen) = (uplink(Mode::Manual), Seen::default());
        let packets = packets(600, 20);
        let mut order: Vec<usize> = (0..packets.len()).filter(|n| n % 10 != 5).collect();
        order.swap(20, 21);
        order.extend([5, packets.len() - 1]);
        for n in order {
            uplink.push(packet(n, 20, &packets[n]), seen.sink()).unwrap();
        }
        uplink.finish(seen.sink()).unwrap();
        let lost = packets.len() / 10;
        assert_eq!(seen.frames.len(), packets.len());
        let received = (packets.len() - lost) as u64;
        let expected = JitterStats { received, lost: lost as u64, late: 1, duplicate: 1, reordered: 1 };
        assert_eq!(uplink.stats().jitter, expected);
    }

    #[test]
    fn a_device_that_sends_nothing_in_silence_is_heard_as_silent() {
        let packets = packets(1_200, 20);
        let spoken = &packets[..(480 + 1_200) / 20];
        let (mut uplink, mut seen) = (uplink(Mode::Automatic), Seen::default());
        for (n, opus) in spoken.iter().enumerate() {
            uplink.push(packet(n, 20, opus), seen.sink()).unwrap();
        }
        // the next in number, 1.5 s later by its timestamp
        let next = Packet { timestamp_ms: 480 + 1_200 + 1_500, ..packet(spoken.len(), 20, &packets[0]) };
        uplink.push(next, seen.sink()).unwrap();
        assert!(matches!(seen.ended[..], [(EndReason::Silence, _)]));
        assert_eq!(uplink.stats().frames, (480 + 1_200 + 1_500) / 20 + 1);

        // an hour is a broken clock: two seconds of it are heard
        let far = Packet { timestamp_ms: 3_600_000, ..packet(spoken.len() + 1, 20, &packets[0]) };
        let before = uplink.stats().frames;
        uplink.push(far, seen.sink()).unwrap();
        assert_eq!((uplink.stats().frames - before, uplink.stats().gaps_cut), (101, 1));
    }

    #[test]
    fn an_utterance_ends_although_packets_stop_coming() {
        for frame_ms in [20, 60] {
            let packets = packets(1_200, frame_ms);
            let (mut uplink, mut seen) = (uplink(Mode::Automatic), Seen::default());
            uplink.elapse(1_000, seen.sink()).unwrap();
            for (n, opus) in packets.iter().enumerate().take((480 + 1_200) / frame_ms as usize) {
                uplink.push(packet(n, frame_ms, opus), seen.sink()).unwrap();
            }
            assert!(uplink.is_talking());
            let before = uplink.stats().frames;
            for _ in 0..60 {
                uplink.elapse(25, seen.sink()).unwrap();
            }
            assert!(matches!(seen.ended[..], [(EndReason::Silence, _)]));
            assert_eq!(uplink.stats().frames - before, 1_500 / u64::from(FRAME_MS));
        }
    }

    #[test]
    fn what_is_not_opus_is_named_and_the_turn_goes_on() {
        let (mut uplink, mut seen) = (uplink(Mode::Manual), Seen::default());
        let packets = packets(600, 20);
        let large = vec![0; PACKET_BYTES_MAX + 1];
        for (n, opus) in packets.iter().enumerate() {
            let outcome = match n {
                10 => (uplink.push(packet(n, 20, &[]), seen.sink()), Err(Error::EmptyPacket)),
                11 => (
                    uplink.push(packet(n, 20, &large), seen.sink()),
                    Err(Error::PacketTooLarge { bytes: large.len(), max: PACKET_BYTES_MAX }),
                ),
                _ => (uplink.push(packet(n, 20, opus), seen.sink()), Ok(())),
            };
            assert_eq!(outcome.0, outcome.1);
        }
        uplink.finish(seen.sink()).unwrap();
        assert_eq!(seen.frames.len(), packets.len());
        assert_eq!(uplink.stats().undecodable, 2);
    }

    #[test]
    fn nothing_is_made_before_there_is_sound() {
        let mut uplink = uplink(Mode::Automatic);
        uplink.finish(|_| ()).unwrap();
        assert!(uplink.voice.is_none());
        let config = EndpointConfig { hangover_ms: 0, ..EndpointConfig::default() };
        assert!(matches!(Uplink::new(config, Mode::Manual), Err(Error::Setting { name: "hangover-ms", .. })));
    }

    #[test]
    fn it_moves_between_threads() {
        fn send<T: Send>() {}
        send::<Uplink>();
        send::<crate::Downlink>();
    }

    proptest! {
        #[test]
        fn no_packets_break_it(
            packets in prop::collection::vec(
                (any::<u32>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..80)),
                0..40,
            ),
        ) {
            let mut uplink = uplink(Mode::Automatic);
            let mut talking = false;
            let mut sink = |event: Event<'_>| match event {
                Event::SpeechStart => {
                    assert!(!talking);
                    talking = true;
                }
                Event::Frame(_) => assert!(talking),
                Event::SpeechEnd { .. } => {
                    assert!(talking);
                    talking = false;
                }
            };
            for (sequence, timestamp_ms, opus) in &packets {
                // most numbers are near each other, as a device's are
                let sequence = if sequence % 4 == 0 { *sequence } else { sequence % 16 };
                let _undecodable = uplink.push(Packet { sequence, timestamp_ms: *timestamp_ms, opus }, &mut sink);
            }
            let _undecodable = uplink.finish(&mut sink);
            prop_assert!(!talking);
        }
    }
}
