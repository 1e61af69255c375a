//! [`VoiceSynthesizer`]: the voice as a provider.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use sayso_models::{Model, ModelsDir};
use sayso_policy::{Labelled, Permit};
use sayso_provider::{Call, Limit, Speech, SpeechStream, Synthesizer};
use zeroize::Zeroizing;

use super::Voice;
use crate::{Error, InferencePool};

/// Speaks with the hibari voice on the inference pool. Each sentence is handed on as soon as it is spoken, while the
/// next one has not begun: what nobody waits for is never made.
#[derive(Clone, Debug)]
pub struct VoiceSynthesizer {
    voice: Arc<Voice>,
    pool: Arc<InferencePool>,
    speed: f32,
}

impl VoiceSynthesizer {
    /// Loads the hibari voice from `models`, after the check that its files are what they must be. Blocks for about
    /// half a second.
    ///
    /// # Errors
    /// [`Error::Model`] when the model is missing or damaged, or as [`Voice::load`] says.
    pub fn load(models: &ModelsDir, pool: Arc<InferencePool>) -> Result<Self, Error> {
        let voice = Voice::load(&models.path(Model::Hibari)?)?;
        Ok(Self { voice: Arc::new(voice), pool, speed: 1.0 })
    }

    /// The same voice at `speed`; 1 is its own pace, 2 twice as fast.
    ///
    /// # Errors
    /// [`Error::Speed`] at which it cannot be understood.
    pub fn with_speed(self, speed: f32) -> Result<Self, Error> {
        Voice::check_speed(speed)?;
        Ok(Self { speed, ..self })
    }

    /// Speaks the first of `sentences` that has something to speak, and takes it out with those before it.
    async fn next(
        &self,
        permit: &Permit,
        sentences: &mut VecDeque<Zeroizing<String>>,
    ) -> Result<Option<Speech>, sayso_provider::Error> {
        while let Some(sentence) = sentences.pop_front() {
            let (voice, speed) = (Arc::clone(&self.voice), self.speed);
            let speak = move |_: &_| voice.speak_sentence(&sentence, speed);
            let speech = permit.guard(|| self.pool.run("synthesis", speak))??.await??;
            // what was spoken before a withdrawal is not handed on after it
            permit.guard(|| ())?;
            if !speech.samples.is_empty() {
                return Ok(Some(speech));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Synthesizer for VoiceSynthesizer {
    async fn synthesize(&self, call: Call, text: Labelled<String>) -> Result<SpeechStream, sayso_provider::Error> {
        let limit = Limit::start(call.timeout);
        let text = call.permit.pass(text, Zeroizing::new)?;
        let sentences: VecDeque<_> =
            Voice::sentences(&text)?.into_iter().map(|sentence| Zeroizing::new(sentence.to_owned())).collect();
        let state = (self.clone(), call.permit, sentences);
        let speech = stream::try_unfold(state, |(voice, permit, mut sentences)| async move {
            let speech = voice.next(&permit, &mut sentences).await?;
            Ok(speech.map(|speech| (speech, (voice, permit, sentences))))
        });
        Ok(limit.stream(Box::pin(speech)).boxed())
    }
}
