//! What a person says, as packets.

use core::f32::consts::TAU;

use bytes::Bytes;
use sayso_audio::{Aggressiveness, Encoder, EncoderConfig, EndpointConfig, Event, Mode, Packet, Uplink};
use sayso_types::SampleRate;
use sayso_wire::AudioFormat;
use sha2::{Digest, Sha256};

/// How utterances are found: at their end nobody waits for long.
pub(crate) const ENDPOINT: EndpointConfig = EndpointConfig {
    pre_roll_ms: 300,
    min_speech_ms: 120,
    hangover_ms: 300,
    max_utterance_ms: 15_000,
    aggressiveness: Aggressiveness::Aggressive,
};

/// Quiet before a voice, and after it: longer than the hang-over and what the detector itself hangs over.
const BEFORE_MS: u32 = 60;
const AFTER_MS: u32 = 720;

/// A short utterance between two silences. It fits into the ring at once.
pub(crate) fn utterance(format: AudioFormat) -> Vec<Bytes> {
    packets(format, BEFORE_MS, 420, AFTER_MS)
}

/// A voice that goes on for `ms`.
pub(crate) fn voice(ms: u32) -> Vec<Bytes> {
    packets(AudioFormat::MONO_16K, 0, ms, 0)
}

pub(crate) fn silence(ms: u32) -> Vec<Bytes> {
    packets(AudioFormat::MONO_16K, 0, 0, ms)
}

fn packets(format: AudioFormat, before_ms: u32, voice_ms: u32, after_ms: u32) -> Vec<Bytes> {
    let rate = format.sample_rate();
    let mut pcm = vec![0; rate.samples_in_ms(before_ms)];
    pcm.extend(vowels(rate, voice_ms));
    pcm.resize(pcm.len() + rate.samples_in_ms(after_ms), 0);
    let mut encoder = Encoder::new(rate, format.frame_ms(), &EncoderConfig::default()).unwrap();
    let frame = encoder.frame_samples();
    pcm.chunks_exact(frame).map(|frame| Bytes::copy_from_slice(encoder.encode(frame).unwrap())).collect()
}

/// Harmonics of a wavering pitch, stronger at three formants, in syllables of a quarter second: a voice to any detector.
fn vowels(rate: SampleRate, ms: u32) -> Vec<i16> {
    const FORMANTS: [(f32, f32); 3] = [(700.0, 1.0), (1_200.0, 0.5), (2_600.0, 0.25)];
    let mut phase = 0.0;
    let mut sample = |i: usize| {
        let t = i as f32 / rate.0 as f32;
        let pitch = 130.0 * (1.0 + 0.05 * (TAU * 5.0 * t).sin());
        phase = (phase + TAU * pitch / rate.0 as f32) % TAU;
        let harmonic = |n: f32| {
            let weight = |&(at, gain): &(f32, f32)| gain / (1.0 + ((n * pitch - at) / 150.0).powi(2));
            (n * phase).sin() * FORMANTS.iter().map(weight).sum::<f32>()
        };
        let syllable = 0.55 - 0.45 * (TAU * 4.0 * t).cos();
        ((1..24).map(|n| harmonic(n as f32)).sum::<f32>() * syllable * 5_000.0) as i16
    };
    (0..rate.samples_in_ms(ms)).map(&mut sample).collect()
}

/// SHA-256 over the samples of the utterance that is in `packets`, as anybody would decode them.
pub(crate) fn fingerprint(packets: &[Bytes]) -> [u8; 32] {
    let mut uplink = Uplink::new(ENDPOINT, Mode::Automatic).unwrap();
    let (mut hash, mut ended) = (Sha256::new(), false);
    for (sequence, opus) in (0..).zip(packets) {
        let packet = Packet { sequence, timestamp_ms: sequence * 20, opus };
        let hear = |event: Event<'_>| match event {
            Event::Frame(frame) => frame.iter().for_each(|sample| hash.update(sample.to_le_bytes())),
            Event::SpeechStart => {}
            Event::SpeechEnd { .. } => ended = true,
        };
        uplink.push(packet, hear).unwrap();
    }
    assert!(ended, "the utterance is followed by enough quiet");
    hash.finalize().into()
}
