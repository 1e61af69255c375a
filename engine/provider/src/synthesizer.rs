//! Speech synthesis.

use core::fmt;
use core::pin::Pin;

use async_trait::async_trait;
use futures::Stream;
use sayso_policy::Labelled;
use sayso_types::Pcm;

use crate::{Call, Error};

/// A piece of speech, in order; any length, one rate throughout a stream.
pub type Speech = Pcm;

/// Speech as it comes. It ends with `None` when it is complete; an error ends it as well.
pub type SpeechStream = Pin<Box<dyn Stream<Item = Result<Speech, Error>> + Send>>;

/// Turns text into speech.
#[async_trait]
pub trait Synthesizer: Send + Sync + fmt::Debug {
    /// Speaks `text`, a sentence or a few. The limit of the call counts from here to the end of the stream.
    ///
    /// # Errors
    /// As [`Error`] says, here or as the last item of the stream.
    async fn synthesize(&self, call: Call, text: Labelled<String>) -> Result<SpeechStream, Error>;
}
