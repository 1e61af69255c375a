//! [`Sound`]: an utterance as the service takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use sayso_audio::Resampler;
use sayso_types::SampleRate;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use zeroize::{Zeroize, Zeroizing};

/// The rate that services take: "Only a 24kHz sample rate is supported" (OpenAI, "Client events", `session.update`).
pub(super) const WIRE_RATE: SampleRate = SampleRate(24_000);

/// Makes events of an utterance, frame by frame.
pub(super) struct Sound {
    resampler: Resampler,
}

impl Sound {
    pub(super) fn new() -> Self {
        let resampler = Resampler::new(SampleRate::HZ_16K, WIRE_RATE).expect("both rates are such that it takes");
        Self { resampler }
    }

    /// The event that `samples` complete, if they complete one. The samples are wiped.
    pub(super) fn push(&mut self, mut samples: Vec<i16>) -> Option<Utf8Bytes> {
        let mut resampled = Zeroizing::new(Vec::new());
        self.resampler.push(&samples, &mut resampled);
        samples.zeroize();
        event(&resampled)
    }

    /// The event with what the resampler still holds, if it holds anything.
    pub(super) fn flush(&mut self) -> Option<Utf8Bytes> {
        let mut resampled = Zeroizing::new(Vec::new());
        self.resampler.flush(&mut resampled);
        event(&resampled)
    }
}

/// The event that appends `samples`. It is wiped when the last hand on it is gone.
fn event(samples: &[i16]) -> Option<Utf8Bytes> {
    if samples.is_empty() {
        return None;
    }
    let bytes = Zeroizing::new(samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>());
    let audio = Zeroizing::new(BASE64_STANDARD.encode(&*bytes));
    let event = format!(r#"{{"type":"input_audio_buffer.append","audio":"{}"}}"#, *audio);
    let event = Bytes::from_owner(Zeroizing::new(event.into_bytes()));
    Some(event.try_into().expect("JSON is UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(event: Option<Utf8Bytes>) -> usize {
        let Some(event) = event else { return 0 };
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        assert_eq!(event["type"], "input_audio_buffer.append");
        BASE64_STANDARD.decode(event["audio"].as_str().unwrap()).unwrap().len() / 2
    }

    #[test]
    fn an_utterance_is_as_long_as_it_was() {
        let mut sound = Sound::new();
        let pushed: usize = (0..10).map(|_| samples(sound.push(vec![1_000; 320]))).sum();
        assert_eq!(pushed + samples(sound.flush()), 10 * 480);
    }

    #[test]
    fn samples_that_complete_nothing_make_no_event() {
        let mut sound = Sound::new();
        assert_eq!(sound.push(vec![0; 160]), None);
        assert_eq!(Sound::new().flush(), None);
    }
}
