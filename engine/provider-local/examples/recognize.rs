//! Recognises WAV files (16 kHz, mono, 16 bit) and prints, for each, how long it lasts, how long that took, and the text.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use sayso_models::ModelsDir;
use sayso_policy::Labelled;
use sayso_provider::Transcriber;
use sayso_provider::conformance::Bench;
use sayso_provider_local::{InferencePool, WhisperTranscriber};
use sayso_types::{ManualClock, Pcm, SampleRate};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "it measures")]
#[expect(clippy::print_stdout, reason = "it is a command")]
async fn main() -> Result<(), Box<dyn Error>> {
    let pool = InferencePool::new(1, 1, Arc::new(ManualClock::new()))?;
    let loading = Instant::now();
    let whisper = WhisperTranscriber::load(&ModelsDir::from_env()?, Arc::new(pool))?;
    println!("loaded in {:?}", loading.elapsed());
    for path in env::args().skip(1) {
        let samples = hound::WavReader::open(&path)?.into_samples().collect::<Result<Vec<i16>, _>>()?;
        let seconds = f64::from(Pcm::new(SampleRate::HZ_16K, samples.clone()).ms()) / 1000.0;
        let bench = Bench::for_transcriber();
        let (permit, _revoker) = bench.permit();
        let frames: Vec<_> = samples.chunks(320).map(|frame| Labelled::new(bench.label(), frame.to_vec())).collect();
        let begun = Instant::now();
        let transcript = whisper.transcribe(bench.call(&permit), Box::pin(futures::stream::iter(frames))).await?;
        let took = begun.elapsed().as_secs_f64();
        println!("{seconds:6.2} s in {took:5.2} s, factor {:.2}: {}", took / seconds, transcript.text.reveal());
    }
    Ok(())
}
