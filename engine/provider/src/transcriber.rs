//! Speech recognition.

use core::fmt;
use core::pin::Pin;

use async_trait::async_trait;
use futures::Stream;
use sayso_policy::Labelled;
use sayso_types::Redacted;

use crate::{Call, Error};

/// A piece of an utterance: mono samples at 16 kHz, 10 to 60 ms.
pub type Frame = Labelled<Vec<i16>>;

/// The frames of one utterance, in order, in front of the gate. It ends when the utterance does.
pub type AudioStream = Pin<Box<dyn Stream<Item = Frame> + Send>>;

/// What was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The words; empty when there was no speech.
    pub text: Redacted<String>,
    /// BCP 47 language that was recognised; empty when unknown.
    pub language: String,
}

/// Turns one utterance into text.
///
/// An implementation takes each frame from `audio` when it is ready to pass it on, and not before: what is not
/// taken waits in front of the gate, where a withdrawal destroys it.
#[async_trait]
pub trait Transcriber: Send + Sync + fmt::Debug {
    /// Recognises the utterance that `audio` delivers. The limit of the call counts from the end of `audio`.
    ///
    /// # Errors
    /// As [`Error`] says; in particular [`Error::Refused`] as soon as the gate refuses a frame.
    async fn transcribe(&self, call: Call, audio: AudioStream) -> Result<Transcript, Error>;

    /// Whether frames should flow while the person still speaks (`true`), or be held in front of the gate until the
    /// utterance is complete and its length known (`false`, for services that need the length first).
    fn streams(&self) -> bool {
        true
    }
}
