//! [`Utterance`]: something like speech, as a device sends it.

use std::f32::consts::TAU;

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use sayso_audio::{Encoder, EncoderConfig, FRAME_MS, RATE};
use sayso_types::TurnId;
use sayso_wire::AudioPacket;

/// Where a vowel is strong: the frequency in hertz, and how strong.
const FORMANTS: [(f32, f32); 3] = [(700.0, 1.0), (1_200.0, 0.5), (2_600.0, 0.25)];
/// Harmonics of the voice's pitch: up to 3 kHz.
const HARMONICS: u8 = 24;
/// Syllables a second, as people speak.
const SYLLABLES_HZ: f32 = 4.0;

/// Speech-like sound without a pause that would end an utterance: 16 kHz mono, 20 ms a packet.
#[derive(Clone, Debug)]
pub(crate) struct Utterance(Vec<Bytes>);

impl Utterance {
    /// An utterance of `ms` by the voice that `seed` gives.
    pub(crate) fn new(seed: u64, ms: u32) -> Result<Self> {
        let mut encoder = Encoder::new(RATE, FRAME_MS, &EncoderConfig::default())?;
        let sound = voice(seed, ms);
        let frames = sound.chunks_exact(encoder.frame_samples());
        let packets = frames.map(|frame| Ok(Bytes::copy_from_slice(encoder.encode(frame)?)));
        Ok(Self(packets.collect::<Result<_>>()?))
    }

    /// Its Opus packets.
    pub(crate) fn packets(&self) -> &[Bytes] {
        &self.0
    }

    /// The `sequence`-th packet of `turn`; after the last comes the first.
    pub(crate) fn packet(&self, turn: TurnId, sequence: u32) -> AudioPacket {
        let opus = self.0[sequence as usize % self.0.len()].clone();
        AudioPacket { turn, sequence, timestamp_ms: sequence * FRAME_MS, opus }
    }

    /// The `sequence`-th packet of `turn` as a datagram.
    pub(crate) fn datagram(&self, turn: TurnId, sequence: u32) -> Result<Bytes> {
        let mut datagram = BytesMut::new();
        self.packet(turn, sequence).encode_datagram(&mut datagram)?;
        Ok(datagram.freeze())
    }
}

/// A vowel: harmonics of a wavering pitch, stronger at the formants, in syllables.
fn voice(seed: u64, ms: u32) -> Vec<i16> {
    let mut random = fastrand::Rng::with_seed(seed);
    let pitch_hz = 100.0 + 100.0 * random.f32();
    let mut phase = 0.0;
    let mut sample = |i: usize| {
        let t = i as f32 / RATE.0 as f32;
        let pitch = pitch_hz * (1.0 + 0.05 * (TAU * 5.0 * t).sin());
        phase = (phase + TAU * pitch / RATE.0 as f32) % TAU;
        let harmonic = |n: f32| {
            let weight = |&(at, gain): &(f32, f32)| gain / (1.0 + ((n * pitch - at) / 150.0).powi(2));
            (n * phase).sin() * FORMANTS.iter().map(weight).sum::<f32>()
        };
        let syllable = 0.6 - 0.4 * (TAU * SYLLABLES_HZ * t).cos();
        let breath = 0.05 * (random.f32() - 0.5);
        (((1..=HARMONICS).map(|n| harmonic(f32::from(n))).sum::<f32>() + breath) * syllable * 5_000.0) as i16
    };
    (0..RATE.samples_in_ms(ms)).map(&mut sample).collect()
}

#[cfg(test)]
mod tests {
    use sayso_audio::{EndpointConfig, Event, Mode, Packet, Uplink};

    use super::*;

    #[test]
    fn the_engine_hears_one_utterance_whole() {
        for seed in 0..20 {
            let utterance = Utterance::new(seed, 5_000).unwrap();
            let mut uplink = Uplink::new(EndpointConfig::default(), Mode::Automatic).unwrap();
            let (mut started, mut ended, mut frames) = (0, 0, 0);
            let mut sink = |event: Event<'_>| match event {
                Event::SpeechStart => started += 1,
                Event::Frame(_) => frames += 1,
                Event::SpeechEnd { .. } => ended += 1,
            };
            for sequence in 0..500 {
                let packet = utterance.packet(TurnId(1), sequence);
                let AudioPacket { sequence, timestamp_ms, ref opus, .. } = packet;
                uplink.push(Packet { sequence, timestamp_ms, opus }, &mut sink).unwrap();
            }
            uplink.finish(&mut sink).unwrap();
            assert_eq!((started, ended, frames), (1, 1, 500), "seed {seed}");
        }
    }

    #[test]
    fn a_seed_gives_a_voice() {
        let opus = |seed| Utterance::new(seed, 200).unwrap().0;
        assert_eq!(opus(1), opus(1));
        assert_ne!(opus(1), opus(2));
    }
}
