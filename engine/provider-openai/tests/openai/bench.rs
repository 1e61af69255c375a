//! Providers that are pointed at a [`FakeOpenAi`], and what they are asked.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use sayso_policy::Labelled;
use sayso_provider::conformance::Bench;
use sayso_provider::{Error, Reply, Request, Responder, Synthesizer, Transcriber};
use sayso_provider_openai::{
    ApiKey, Endpoint, OpenAiResponder, OpenAiSynthesizer, OpenAiTranscriber, OpenAiViewer, SpeechFormat,
};
use sayso_types::ManualClock;

use crate::fake_openai::FakeOpenAi;

/// What nobody but the service may be told.
pub(crate) const QUESTION: &str = "where did I put the blue umbrella";

/// Where `fake` is, with a path in front and a key.
pub(crate) fn endpoint(fake: &FakeOpenAi) -> Endpoint {
    endpoint_at(&format!("http://{}/openai/v1", fake.address))
}

pub(crate) fn endpoint_at(url: &str) -> Endpoint {
    let key = ApiKey::new("sk-test".to_owned()).unwrap();
    Endpoint::new(url.parse().unwrap(), "model-1").unwrap().with_api_key(key)
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new())
}

pub(crate) fn transcriber(endpoint: Endpoint) -> OpenAiTranscriber {
    OpenAiTranscriber::new(endpoint, clock())
}

pub(crate) fn responder(endpoint: Endpoint) -> OpenAiResponder {
    OpenAiResponder::new(endpoint, clock())
}

pub(crate) fn synthesizer(endpoint: Endpoint, format: SpeechFormat) -> OpenAiSynthesizer {
    OpenAiSynthesizer::new(endpoint, "alloy", format, clock()).unwrap()
}

pub(crate) fn viewer(endpoint: Endpoint) -> OpenAiViewer {
    OpenAiViewer::new(endpoint, clock())
}

/// Has two frames recognised.
pub(crate) async fn hear(transcriber: &OpenAiTranscriber) -> Result<String, Error> {
    let bench = Bench::for_transcriber();
    let (permit, _revoker) = bench.permit();
    let heard = transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), 2)).await?;
    Ok(heard.text.into_inner())
}

/// Asks [`QUESTION`].
pub(crate) async fn ask(responder: &OpenAiResponder) -> Result<Vec<String>, Error> {
    let bench = Bench::for_responder();
    let (permit, _revoker) = bench.permit();
    let request = Request { text: QUESTION.to_owned(), ..Request::default() };
    let parts = responder.respond(bench.call(&permit), Labelled::new(bench.label(), request)).await?;
    let text = parts.map_ok(|part| match part {
        Reply::Text(text) => text,
        Reply::Act(_) => panic!("an action that nobody answered"),
    });
    text.try_collect().await
}

/// Has a word spoken, and tells at which rate.
pub(crate) async fn speak(synthesizer: &OpenAiSynthesizer) -> Result<(u32, Vec<i16>), Error> {
    let bench = Bench::for_synthesizer();
    let (permit, _revoker) = bench.permit();
    let text = Labelled::new(bench.label(), "hello".to_owned());
    let mut pieces = synthesizer.synthesize(bench.call(&permit), text).await?;
    let (mut rate, mut samples) = (0, Vec::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        rate = piece.rate.0;
        samples.extend(piece.samples);
    }
    Ok((rate, samples))
}
