//! The voice: phonemes against the reference, sound against the recogniser.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};
use sayso_models::{Model, ModelsDir};
use sayso_policy::{Labelled, Refused};
use sayso_provider::conformance::{self, Bench};
use sayso_provider::{Call, Error, Synthesizer, Transcriber};
use sayso_provider_local::{G2p, InferencePool, Voice, VoiceSynthesizer, WhisperTranscriber};
use sayso_types::{ManualClock, Pcm, SampleRate};

/// Sentences and their phonemes, a tab between them. All but the last paragraph are what the reference
/// implementation in the `hibari-tts` package gives as well; in the last, ours is better or as good.
const PHONEMES: &str = include_str!("phonemes.tsv");

/// 20 ms at 16 kHz.
const FRAME_SAMPLES: usize = 320;

/// The models, which are fetched when they are not there yet.
fn models(models: &[Model]) -> ModelsDir {
    let dir = ModelsDir::from_env().unwrap();
    dir.fetch(models, &mut ()).unwrap();
    dir
}

fn voice_files() -> PathBuf {
    models(&[Model::Hibari]).path(Model::Hibari).unwrap()
}

fn pool(queued_max: usize) -> Arc<InferencePool> {
    Arc::new(InferencePool::new(1, queued_max, Arc::new(ManualClock::new())).unwrap())
}

fn synthesizer() -> VoiceSynthesizer {
    VoiceSynthesizer::load(&models(&[Model::Hibari]), pool(4)).unwrap()
}

#[test]
fn phonemes_are_those_of_the_reference() {
    let g2p = G2p::load(&voice_files()).unwrap();
    for line in PHONEMES.lines().filter(|line| !line.is_empty()) {
        let (text, phonemes) = line.split_once('\t').unwrap();
        assert_eq!(g2p.phonemes(text).unwrap(), phonemes, "{text}");
    }
}

#[test]
fn any_text_has_phonemes_or_none() {
    use proptest::prelude::*;
    let g2p = G2p::load(&voice_files()).unwrap();
    for text in ["", "😀 🎉", "你好，世界", "\u{0}\u{feff}", "日本語", "--- *** ///"] {
        assert!(g2p.phonemes(text).unwrap().chars().all(|c| !c.is_alphanumeric()), "{text}");
    }
    proptest!(ProptestConfig::with_cases(64), |(text in "(\\PC|[a-z'.,0-9 $%:/-]){0,60}")| {
        let phonemes = g2p.phonemes(&text).unwrap();
        prop_assert_eq!(phonemes.trim(), &phonemes);
    });
}

#[test]
fn speech_is_the_same_each_time_and_as_long_and_loud_as_the_reference() {
    let voice = Voice::load(&voice_files()).unwrap();
    // samples and root mean square that the reference implementation gives
    for (text, samples, rms) in [
        ("Hello there. Good morning, how are you today?", 88_800, 0.0459),
        ("The quick brown fox jumps over the lazy dog.", 73_800, 0.0438),
        ("Zxqvian Bloopernaut visited Kowloon.", 75_000, 0.0432),
    ] {
        let speech = voice.speak(text, 1.0).unwrap();
        assert_eq!((speech.rate, speech.samples.len()), (SampleRate::HZ_24K, samples), "{text}");
        let loudness = root_mean_square(&speech);
        assert!((loudness / rms - 1.0).abs() < 0.05, "{text}: {loudness} against {rms}");
        assert!(voice.speak(text, 1.0).unwrap() == speech, "{text}");
    }
}

#[test]
fn speed_changes_the_length() {
    let voice = Voice::load(&voice_files()).unwrap();
    let ms = |speed| voice.speak("The quick brown fox jumps over the lazy dog.", speed).unwrap().ms();
    let (slow, own, fast) = (ms(0.5), ms(1.0), ms(2.0));
    assert!(slow > own * 3 / 2 && own > fast * 3 / 2, "{slow} {own} {fast}");
    for speed in [0.0, 0.49, 2.01, f32::NAN] {
        assert!(voice.speak("Hello.", speed).is_err(), "{speed}");
    }
}

#[test]
fn what_cannot_be_spoken_is_empty_and_what_is_too_long_is_refused() {
    let voice = Voice::load(&voice_files()).unwrap();
    for text in ["", " \n ", "😀", "你好。再见！", "—"] {
        assert!(voice.speak(text, 1.0).unwrap().samples.is_empty(), "{text}");
    }
    let error = voice.speak(&"a".repeat(10_001), 1.0).unwrap_err();
    assert_eq!(error.to_string(), "the text has 10001 characters; the voice takes at most 10000, split it");
    let one_sentence = "and then we walked along the river, ".repeat(40);
    assert!(voice.speak(&one_sentence, 1.0).unwrap().ms() > 60_000);
    let one_word = "ba".repeat(600);
    assert!(voice.speak(&one_word, 1.0).unwrap().ms() > 0);
}

#[test]
fn missing_and_truncated_files_are_named() {
    let files = voice_files();
    let needed = [
        "vocab.json",
        "lexicon_us_gold.json.gz",
        "lexicon_us_silver.json.gz",
        "tagger.json.gz",
        "oov.json",
        "oov.onnx",
        "hibari.onnx",
    ];
    let copy = tempfile::tempdir().unwrap();
    for name in needed {
        let error = Voice::load(copy.path()).unwrap_err();
        assert!(
            matches!(&error, sayso_provider_local::Error::Unreadable { path, .. } if path.ends_with(name)),
            "{error}"
        );
        let bytes = fs::read(files.join(name)).unwrap();
        fs::write(copy.path().join(name), &bytes[..bytes.len() / 2]).unwrap();
        let error = Voice::load(copy.path()).unwrap_err();
        assert!(matches!(&error, sayso_provider_local::Error::Damaged { path, .. } if path.ends_with(name)), "{error}");
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    Voice::load(copy.path()).unwrap();
}

#[tokio::test]
async fn it_keeps_the_contract_of_synthesizers() {
    conformance::synthesizer::all(Arc::new(synthesizer())).await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let pool = pool(4);
    let voice = VoiceSynthesizer::load(&models(&[Model::Hibari]), Arc::clone(&pool)).unwrap();
    let (release, held) = std::sync::mpsc::sync_channel::<()>(0);
    let _occupied = pool.run("test", move |_| held.recv()).unwrap();
    conformance::synthesizer::ends_at_its_limit(Arc::new(voice), Duration::from_millis(1)).await;
    drop(release);
}

#[tokio::test]
async fn sentences_come_one_by_one_and_stop_at_a_withdrawal() {
    let bench = Bench::for_synthesizer();
    let (permit, revoker) = bench.permit();
    let text = Labelled::new(bench.label(), "One. 😀 Two. Three.".to_owned());
    let mut speech = synthesizer().synthesize(bench.call(&permit), text).await.unwrap();
    for _ in 0..2 {
        assert!(speech.next().await.unwrap().unwrap().ms() > 100);
    }
    revoker.revoke();
    assert_eq!(speech.next().await, Some(Err(Error::Refused(Refused::Revoked))));
    assert_eq!(speech.next().await, None);
}

#[tokio::test]
async fn the_recogniser_understands_the_voice() {
    let models = models(&[Model::Hibari, Model::WhisperBase]);
    let voice = VoiceSynthesizer::load(&models, pool(4)).unwrap();
    let whisper = WhisperTranscriber::load(&models, pool(4)).unwrap();
    for (text, understood) in [
        ("The quick brown fox jumps over the lazy dog.", "the quick brown fox jumps over the lazy dog"),
        ("Your keys are in the drawer.", "your keys are in the drawer"),
        ("Nice to meet you, Anna. What can I do for you?", "nice to meet you anna what can i do for you"),
        (
            "May I listen to what you say, and answer you? Please say yes or no.",
            "may i listen to what you say and answer you please say yes or no",
        ),
        ("All right, I have stopped listening.", "all right i have stopped listening"),
        ("Today is Saturday, November 21st.", "today is saturday november 21st"),
        ("Twelve times seven is eighty four.", "12 times 7 is 84"),
    ] {
        let heard = transcribed(&whisper, &spoken(&voice, text).await).await;
        assert_eq!(plain(&heard), understood);
    }
}

async fn spoken(voice: &VoiceSynthesizer, text: &str) -> Pcm {
    let bench = Bench::for_synthesizer();
    let (permit, _revoker) = bench.permit();
    let text = Labelled::new(bench.label(), text.to_owned());
    let speech = voice.synthesize(bench.call(&permit), text).await.unwrap();
    let samples = speech.flat_map(|part| stream::iter(part.unwrap().samples)).collect().await;
    Pcm::new(Voice::RATE, samples)
}

async fn transcribed(whisper: &WhisperTranscriber, speech: &Pcm) -> String {
    let bench = Bench::for_transcriber();
    let (permit, _revoker) = bench.permit();
    let call = Call { language: "en".to_owned(), ..bench.call(&permit) };
    let frames: Vec<_> =
        at_16k(speech).chunks(FRAME_SAMPLES).map(|frame| Labelled::new(bench.label(), frame.to_vec())).collect();
    whisper.transcribe(call, Box::pin(stream::iter(frames))).await.unwrap().text.into_inner()
}

fn at_16k(speech: &Pcm) -> Vec<i16> {
    let samples: Vec<f32> = speech.samples.iter().map(|&sample| f32::from(sample)).collect();
    let mut resampler = Fft::<f32>::new(24_000, 16_000, 1200, 1, FixedSync::Both).unwrap();
    let input = InterleavedSlice::new(&samples, 1, samples.len()).unwrap();
    let output = resampler.process_all(&input, samples.len(), None).unwrap();
    output.take_data().into_iter().map(|sample| sample as i16).collect()
}

fn root_mean_square(speech: &Pcm) -> f64 {
    let squares: f64 = speech.samples.iter().map(|&sample| (f64::from(sample) / 32_768.0).powi(2)).sum();
    (squares / speech.samples.len() as f64).sqrt()
}

/// Lower-case words without marks.
fn plain(text: &str) -> String {
    let text: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
