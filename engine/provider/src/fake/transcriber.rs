//! [`FakeTranscriber`].

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use sayso_types::{Clock, Redacted};

use super::manner::broken_off;
use super::script::Script;
use super::{Desk, Manner};
use crate::limit::Limit;
use crate::{AudioStream, Call, Error, Transcriber, Transcript};

/// What it says it heard when told to answer nonsense: control characters and something that looks like markup.
const NONSENSE: &str = "\u{0}\u{1b}[2J\u{fffd}<|endoftext|>\u{202e}";

/// Counts the audio that it is handed and answers from a script. See [`Manner`] for its moods.
#[derive(Debug)]
pub struct FakeTranscriber {
    desk: Desk,
    script: Script<String>,
    streams: bool,
}

impl FakeTranscriber {
    /// One that hears nothing in any utterance; `clock` says when audio comes in.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { desk: Desk::new(clock), script: Script::new(), streams: true }
    }

    /// Hears `text` in the next utterance that is not scripted yet; the last text of a script stays.
    #[must_use]
    pub fn hearing(self, text: &str) -> Self {
        self.script.push(text.to_owned());
        self
    }

    /// Wants to be given utterances that are complete.
    #[must_use]
    pub fn wanting_whole_utterances(self) -> Self {
        Self { streams: false, ..self }
    }

    /// Where to see what came in and to say how to behave.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }
}

#[async_trait]
impl Transcriber for FakeTranscriber {
    async fn transcribe(&self, call: Call, mut audio: AudioStream) -> Result<Transcript, Error> {
        let (manner, _attending) = self.desk.attend();
        manner.admit()?;
        let mut heard_something = false;
        while let Some(frame) = audio.next().await {
            heard_something |= self.desk.receive(&call.permit, frame, |samples| !samples.is_empty())?;
        }
        Limit::start(call.timeout)
            .bound(async {
                manner.think().await;
                if !heard_something {
                    return Ok(Transcript::default());
                }
                let text = match manner {
                    Manner::HalfAnswer => return Err(broken_off()),
                    Manner::Nonsense => NONSENSE.to_owned(),
                    _ => self.script.next().unwrap_or_default(),
                };
                Ok(Transcript { text: Redacted::new(text), language: call.language })
            })
            .await
    }

    fn streams(&self) -> bool {
        self.streams
    }
}
