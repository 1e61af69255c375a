//! [`WhisperTranscriber`]: speech recognition with Whisper base, in this process.
//!
//! ```text
//! frames ─ permit.pass ▸ utterance (wiped when let go of) ─ end ▸ pool ▸ Whisper ─ permit.guard ▸ transcript
//! ```

mod interrupt;
mod speech;
mod utterance;
mod whisper;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::StreamExt;
use metrics::{Counter, counter};
use sayso_models::{Model, ModelsDir};
use sayso_provider::{AudioStream, Call, Limit, Transcriber, Transcript};
use zeroize::Zeroize;

use self::utterance::Utterance;
use self::whisper::Whisper;
use crate::pool::Cancelled;
use crate::{Error, InferencePool};

/// Longest utterance, in milliseconds: two windows of Whisper, and more than a person says in one breath.
const UTTERANCE_MS_MAX: u32 = 60_000;
/// Whisper makes nothing of less than this, in milliseconds; the shortest word takes twice as long.
const UTTERANCE_MS_MIN: u32 = 100;
/// An utterance without a frame louder than this (root mean square, -60 dB of full scale) is silence, of which Whisper
/// would make words.
const SILENCE_RMS: f64 = 32.768;

/// Recognises speech with Whisper base. Audio is held in memory until the utterance ends, recognised on the inference
/// pool, and wiped.
///
/// Metric: `sayso_provider_local_received_bytes_total`.
#[derive(Debug)]
pub struct WhisperTranscriber {
    whisper: Arc<Whisper>,
    pool: Arc<InferencePool>,
    received_bytes: AtomicU64,
    received: Counter,
}

impl WhisperTranscriber {
    /// Loads Whisper base from `models`, after the check that its file is what it must be. Blocks for about a tenth of
    /// a second.
    ///
    /// # Errors
    /// [`Error::Model`] when the model is missing or damaged, [`Error::Cpu`] when this machine cannot run it,
    /// [`Error::Damaged`] when whisper.cpp does not take it.
    pub fn load(models: &ModelsDir, pool: Arc<InferencePool>) -> Result<Self, Error> {
        require_cpu()?;
        let path = models.path(Model::WhisperBase)?;
        let whisper = Whisper::load(&path).map_err(|error| Error::damaged(&path, error))?;
        Ok(Self {
            whisper: Arc::new(whisper),
            pool,
            received_bytes: AtomicU64::new(0),
            received: counter!("sayso_provider_local_received_bytes_total"),
        })
    }

    /// Bytes of audio that arrived here since it was loaded, counted on this side of the gate and apart from the
    /// gate's own count.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::SeqCst)
    }

    fn receive(&self, mut frame: Vec<i16>, utterance: &mut Utterance) -> Result<(), sayso_provider::Error> {
        let bytes = size_of_val(frame.as_slice()) as u64;
        self.received_bytes.fetch_add(bytes, Ordering::SeqCst);
        self.received.increment(bytes);
        if utterance.ms() >= UTTERANCE_MS_MAX {
            frame.zeroize();
            let seconds = UTTERANCE_MS_MAX / 1000;
            return Err(sayso_provider::Error::TooLarge(format!("an utterance of more than {seconds} s")));
        }
        utterance.push(frame);
        Ok(())
    }

    async fn recognize(
        &self,
        call: &Call,
        language: Option<&'static str>,
        utterance: Utterance,
    ) -> Result<Transcript, sayso_provider::Error> {
        let (whisper, permit) = (Arc::clone(&self.whisper), call.permit.clone());
        let inference = move |cancelled: &Cancelled| {
            let samples = utterance.to_float();
            drop(utterance);
            let cancelled = cancelled.clone();
            whisper.recognize(&samples, language, move || cancelled.is_cancelled() || !permit.is_open())
        };
        let running = call.permit.guard(|| self.pool.run("recognition", inference))??;
        Limit::start(call.timeout).bound(async { running.await? }).await
    }
}

#[async_trait]
impl Transcriber for WhisperTranscriber {
    async fn transcribe(&self, call: Call, mut audio: AudioStream) -> Result<Transcript, sayso_provider::Error> {
        let language = Whisper::language(&call.language)?;
        let mut utterance = Utterance::default();
        while let Some(frame) = audio.next().await {
            call.permit.pass(frame, |frame| self.receive(frame, &mut utterance))??;
        }
        let result = if utterance.ms() < UTTERANCE_MS_MIN || utterance.is_quieter_than(SILENCE_RMS) {
            Ok(Transcript { language: language.unwrap_or_default().to_owned(), ..Transcript::default() })
        } else {
            self.recognize(&call, language, utterance).await
        };
        // what was heard before a withdrawal is not told after it; an inference that stopped for it says why
        call.permit.guard(|| ())?;
        result
    }
}

/// What `.cargo/config.toml` has whisper.cpp built for: without it the first inference would end the process.
fn require_cpu() -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    for (name, is_there) in [
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("F16C", is_x86_feature_detected!("f16c")),
        ("BMI2", is_x86_feature_detected!("bmi2")),
    ] {
        if !is_there {
            return Err(Error::Cpu(name));
        }
    }
    Ok(())
}
