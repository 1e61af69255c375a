//! [`Whisper`]: whisper.cpp with one model, shared by all inferences. Everything here blocks.

use core::fmt;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use sayso_provider::{Error, Transcript};
use sayso_types::Redacted;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError, WhisperState, get_lang_id,
    get_lang_str, install_logging_hooks,
};

use super::{interrupt, speech};

/// Samples a second.
const SAMPLES_A_SECOND: f32 = 16_000.0;
/// Positions of the encoder a second.
const POSITIONS_A_SECOND: f32 = 50.0;
/// Positions of the full 30 s window.
const POSITIONS_MAX: i32 = 1500;
/// Below this Whisper begins to repeat itself (measured).
const POSITIONS_MIN: i32 = 192;
/// The window is a multiple of this, which suits the matrix kernels.
const POSITIONS_STEP: i32 = 64;
/// Silence that the window has beyond the utterance, seconds: without it last words get lost (measured).
const MARGIN_SECONDS: f32 = 0.8;
/// Most tokens: twice what the fastest speech has a second, and some for a short utterance. A model that repeats itself
/// would go on to the end of its context.
const TOKENS_A_SECOND: f32 = 20.0;
const TOKENS_MIN: f32 = 16.0;
/// What is tried first when the language is not known.
const LIKELY_LANGUAGE: &str = "en";
/// Inferences run side by side, each on one thread: two on two cores do more than one on both.
const THREADS: i32 = 1;

/// A Whisper model.
pub(super) struct Whisper {
    context: WhisperContext,
    /// One a language that was ever asked for, of the hundred there are: `whisper-rs` never frees the language and the
    /// abort callback of parameters, so each is made once and cloned.
    parameters: Mutex<HashMap<&'static str, FullParams<'static, 'static>>>,
}

impl Whisper {
    /// Loads the ggml file at `path`, whose contents were verified: whisper.cpp trusts them.
    pub(super) fn load(path: &Path) -> Result<Self, WhisperError> {
        // without a log backend the hooks swallow everything: at its debug level whisper.cpp logs what it recognises
        install_logging_hooks();
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default())?;
        Ok(Self { context, parameters: Mutex::default() })
    }

    /// Whisper's code of the BCP 47 `language`, by its first part; `None` for the empty one, "unknown".
    pub(super) fn language(language: &str) -> Result<Option<&'static str>, Error> {
        let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        if primary.is_empty() {
            return Ok(None);
        }
        // whisper.cpp also takes names ("english") and whisper-rs no zero bytes: both are not BCP 47 codes
        let is_code = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
        let code = is_code.then(|| get_lang_id(&primary).and_then(get_lang_str)).flatten();
        code.map(Some).ok_or_else(|| Error::Rejected(format!("Whisper does not know the language {primary:?}")))
    }

    /// Recognises `samples`, 16 kHz between -1 and 1, not empty. It detects the language when none is given, and stops
    /// between two steps of inference (encoding, a token) once `stop` answers `true`.
    pub(super) fn recognize(
        &self,
        samples: &[f32],
        language: Option<&'static str>,
        stop: impl Fn() -> bool + 'static,
    ) -> Result<Transcript, Error> {
        let mut state = self.context.create_state().map_err(failed)?;
        interrupt::when(stop, || {
            let first = language.unwrap_or(LIKELY_LANGUAGE);
            state.full(self.parameters(first, samples), samples).map_err(failed)?;
            if language.is_none() && !interrupt::is_requested() {
                // here and not before, because now the state has the window of this utterance: Whisper's own detection
                // encodes the full 30 s
                let (detected, _) = state.lang_detect(0, THREADS as usize).map_err(failed)?;
                if let Some(detected) = get_lang_str(detected).filter(|detected| *detected != first) {
                    state.full(self.parameters(detected, samples), samples).map_err(failed)?;
                }
            }
            transcript(&state)
        })
    }

    fn parameters(&self, language: &'static str, samples: &[f32]) -> FullParams<'static, 'static> {
        let mut known = self.parameters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parameters = known.entry(language).or_insert_with(|| parameters(language)).clone();
        let seconds = samples.len() as f32 / SAMPLES_A_SECOND;
        parameters.set_audio_ctx(positions(seconds));
        parameters.set_max_tokens((TOKENS_MIN + seconds * TOKENS_A_SECOND) as i32);
        parameters
    }
}

impl fmt::Debug for Whisper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whisper").finish_non_exhaustive()
    }
}

/// Greedy, one pass, one segment, nothing carried over from another utterance. Time stamps stay on, though nobody reads
/// them: without them Whisper repeats itself on short utterances (measured).
fn parameters(language: &'static str) -> FullParams<'static, 'static> {
    let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    parameters.set_n_threads(THREADS);
    parameters.set_language(Some(language));
    parameters.set_no_context(true);
    parameters.set_single_segment(true);
    // no second attempt at a higher temperature: it doubles the time and seldom helps
    parameters.set_temperature_inc(0.0);
    parameters.set_print_special(false);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    // whisper-rs 0.16 calls back through a `Box<dyn FnMut() -> bool>`, whatever it is given: it must be given one
    parameters.set_abort_callback_safe::<_, Box<dyn FnMut() -> bool>>(
        Box::new(interrupt::is_requested) as Box<dyn FnMut() -> bool>
    );
    parameters
}

/// The encoder window for an utterance of so many seconds: the cost of encoding grows with it.
fn positions(seconds: f32) -> i32 {
    let steps = ((seconds + MARGIN_SECONDS) * POSITIONS_A_SECOND / POSITIONS_STEP as f32).ceil() as i32;
    (steps * POSITIONS_STEP).clamp(POSITIONS_MIN, POSITIONS_MAX)
}

fn transcript(state: &WhisperState) -> Result<Transcript, Error> {
    let mut text = String::new();
    for segment in state.as_iter() {
        text.push_str(&segment.to_str_lossy().map_err(failed)?);
    }
    let language = get_lang_str(state.full_lang_id_from_state()).unwrap_or_default();
    Ok(Transcript { text: Redacted::new(speech::only(&text)), language: language.to_owned() })
}

/// The errors of whisper-rs are a code and a name: nothing personal.
fn failed(error: WhisperError) -> Error {
    Error::Failed(format!("whisper.cpp: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use sayso_models::{Model, ModelsDir};

    use super::*;

    fn whisper() -> Whisper {
        let models = ModelsDir::from_env().unwrap();
        models.fetch(&[Model::WhisperBase], &mut ()).unwrap();
        Whisper::load(&models.path(Model::WhisperBase).unwrap()).unwrap()
    }

    /// Recognises a second of a buzz, which is not to stop before it was asked `steps` times. The result, and how often
    /// it was asked.
    fn recognize(whisper: &Whisper, steps: u32) -> (Result<Transcript, Error>, u32) {
        let buzz: Vec<f32> = (0..16_000).map(|i| (i % 160) as f32 / 320.0 - 0.25).collect();
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let result = whisper.recognize(&buzz, Some("en"), move || count.fetch_add(1, Ordering::Relaxed) >= steps);
        (result, asked.load(Ordering::Relaxed))
    }

    #[test]
    fn an_inference_stops_at_the_step_at_which_it_is_told() {
        let whisper = whisper();
        let (whole, steps) = recognize(&whisper, u32::MAX);
        whole.unwrap();
        assert!(steps >= 3, "it is asked after encoding and after each token, not {steps} times");
        for stop in [0, 1] {
            let (stopped, asked) = recognize(&whisper, stop);
            assert!(matches!(stopped, Err(Error::Failed(_))), "{stopped:?}");
            assert_eq!(asked, stop + 1);
        }
        recognize(&whisper, u32::MAX).0.unwrap();
    }

    #[test]
    fn the_window_follows_the_utterance_between_its_bounds() {
        assert_eq!(positions(0.0), 192);
        assert_eq!(positions(1.0), 192);
        assert_eq!(positions(7.0), 448, "7.8 s are 390 positions");
        assert_eq!(positions(29.5), 1500);
        assert_eq!(positions(300.0), 1500);
    }

    #[test]
    fn languages_are_known_by_their_first_part() {
        assert_eq!(Whisper::language("en-US"), Ok(Some("en")));
        assert_eq!(Whisper::language("zh"), Ok(Some("zh")));
        assert_eq!(Whisper::language("zh_Hans_CN"), Ok(Some("zh")));
        assert_eq!(Whisper::language(""), Ok(None));
        for unknown in ["tlh", "english", "e\0", "?"] {
            assert!(matches!(Whisper::language(unknown), Err(Error::Rejected(_))), "{unknown:?}");
        }
    }
}
