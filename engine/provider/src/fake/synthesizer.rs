//! [`FakeSynthesizer`].

use core::f64::consts::TAU;
use std::sync::Arc;

use async_trait::async_trait;
use sayso_policy::Labelled;
use sayso_types::{Clock, Pcm, SampleRate};

use super::{Desk, Manner};
use crate::limit::Limit;
use crate::{Call, Error, SpeechStream, Synthesizer};

/// Its rate: that of the engine's own voice.
const RATE: SampleRate = SampleRate::HZ_24K;
/// A piece is one Opus frame long.
const PIECE_MS: u32 = 20;
/// The tone, in hertz. A whole number of its periods fits into a piece, so that pieces join without a click.
const TONE_HZ: f64 = 400.0;
/// Loud enough for voice activity detection, far from clipping.
const AMPLITUDE: f64 = 8_000.0;

/// Speaks a 400 Hz tone at 24 kHz for as long as a person would take to say the text. See [`Manner`] for its moods.
#[derive(Debug)]
pub struct FakeSynthesizer {
    desk: Desk,
    piece: Vec<i16>,
}

impl FakeSynthesizer {
    /// How long it takes over a character of text: fifteen a second, which is how fast English is spoken.
    pub const MS_A_CHARACTER: u32 = 66;

    /// One without delay; `clock` says when texts come in.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let sample = |i| (AMPLITUDE * (TAU * TONE_HZ * i as f64 / f64::from(RATE.0)).sin()) as i16;
        let piece = (0..RATE.samples_in_ms(PIECE_MS)).map(sample).collect();
        Self { desk: Desk::new(clock), piece }
    }

    /// Where to see what came in and to say how to behave.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    fn speak(&self, characters: usize) -> Vec<Pcm> {
        let total = RATE.samples_in_ms(Self::MS_A_CHARACTER) * characters;
        let mut pieces = vec![Pcm::new(RATE, self.piece.clone()); total / self.piece.len()];
        let rest = total % self.piece.len();
        if rest > 0 {
            pieces.push(Pcm::new(RATE, self.piece[..rest].to_vec()));
        }
        pieces
    }
}

/// Breaks the rules of a stream of speech: an empty piece, and a rate that changes on the way.
fn nonsense() -> Vec<Pcm> {
    vec![Pcm::new(RATE, Vec::new()), Pcm::new(RATE, vec![i16::MAX; 7]), Pcm::new(SampleRate(11_025), vec![i16::MIN; 3])]
}

#[async_trait]
impl Synthesizer for FakeSynthesizer {
    async fn synthesize(&self, call: Call, text: Labelled<String>) -> Result<SpeechStream, Error> {
        let (manner, attending) = self.desk.attend();
        manner.admit()?;
        let characters = self.desk.receive(&call.permit, text, |text| text.chars().count())?;
        let pieces = if manner == Manner::Nonsense { nonsense() } else { self.speak(characters) };
        Ok(Box::pin(Limit::start(call.timeout).stream(Box::pin(manner.give(pieces, attending)))))
    }
}
