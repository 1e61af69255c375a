//! Recognition over a WebSocket, while somebody speaks.

use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;

use sayso_policy::Refused;
use sayso_provider::conformance::{self, Bench};
use sayso_provider::{Error, Transcriber};
use sayso_provider_openai::OpenAiRealtimeTranscriber;
use serde_json::json;

use crate::bench::endpoint_at;
use crate::fake_openai::HEARD;
use crate::fake_realtime::{FakeRealtime, Script};

/// A minute: far more than the buffers between the provider and the service hold.
const FRAMES: usize = 3000;
/// What the service receives of a frame of 640 bytes at 16 kHz.
const FRAME_BYTES: usize = 960;
/// Where the service stops to read.
const PAUSE_AFTER: usize = 100_000;

fn transcriber(fake: &FakeRealtime) -> OpenAiRealtimeTranscriber {
    OpenAiRealtimeTranscriber::new(endpoint_at(&format!("http://{}/v1", fake.address)))
}

async fn hear(transcriber: &OpenAiRealtimeTranscriber) -> Result<String, Error> {
    let bench = Bench::for_transcriber();
    let (permit, _revoker) = bench.permit();
    let heard = transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), 5)).await?;
    Ok(heard.text.into_inner())
}

#[tokio::test]
async fn the_realtime_transcriber_conforms() {
    let fake = FakeRealtime::start(Script::default());
    conformance::transcriber::all(Arc::new(transcriber(&fake))).await;
}

#[tokio::test]
async fn an_utterance_is_a_session_of_its_own() {
    let fake = FakeRealtime::start(Script::default());
    assert_eq!(hear(&transcriber(&fake)).await.unwrap(), HEARD);
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!(log.requests, [("/v1/realtime?intent=transcription".to_owned(), "Bearer sk-test".to_owned())]);
    let input = json!({
        "format": { "type": "audio/pcm", "rate": 24_000 },
        "transcription": { "model": "model-1", "language": "en" },
        "turn_detection": null,
    });
    assert_eq!(log.sessions, [json!({ "type": "transcription", "audio": { "input": input } })]);
    assert_eq!((log.sound, log.commits), (5 * FRAME_BYTES, 1));
}

#[tokio::test]
async fn sound_stops_at_the_revocation() {
    let (fake, bench) =
        (FakeRealtime::start(Script { pause_after: PAUSE_AFTER, ..Script::default() }), Bench::for_transcriber());
    let transcriber = transcriber(&fake);
    let (permit, revoker) = bench.permit();
    let mut call = pin!(transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), FRAMES)));
    tokio::select! {
        done = &mut call => panic!("answered before the service read everything: {done:?}"),
        _ = fake.wait_until(|log| log.sound >= PAUSE_AFTER) => (),
    }
    let passed = revoker.revoke();
    assert!((passed.bytes as usize) < FRAMES * 640, "the upload was held up by the service");

    fake.read_on.notify_one();
    assert_eq!(call.await, Err(Error::Refused(Refused::Revoked)));
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!(log.commits, 0, "cut before the end of the utterance was told");
    assert!(log.sound <= passed.bytes as usize / 640 * FRAME_BYTES, "{} of {passed:?}", log.sound);
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let fake = FakeRealtime::start(Script { says: Vec::new(), ..Script::default() });
    conformance::transcriber::ends_at_its_limit(Arc::new(transcriber(&fake)), Duration::from_millis(50)).await;
    fake.wait_until(|log| log.ended == 1).await;
}

#[tokio::test]
async fn what_the_service_refuses_is_told_as_what_it_is() {
    let says = |event| Script { says: vec![event], ..Script::default() };
    let error = json!({ "type": "error", "error": { "code": "invalid_value", "message": "where is my umbrella" } });
    for (script, expected) in [
        (Script { refuses: Some(401), ..Script::default() }, Error::Unauthorized),
        (Script { refuses: Some(404), ..Script::default() }, Error::Rejected("HTTP 404".to_owned())),
        (says(error), Error::Rejected("invalid_value".to_owned())),
        (says(json!("x")), Error::Malformed("not the JSON of an event".to_owned())),
    ] {
        let fake = FakeRealtime::start(script);
        assert_eq!(hear(&transcriber(&fake)).await, Err(expected));
        assert_eq!(fake.log().accepted, 1, "what was refused is not tried again");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unreachable() {
    let gone = FakeRealtime::start(Script::default());
    let transcriber = transcriber(&gone);
    drop(gone);
    assert!(matches!(hear(&transcriber).await, Err(Error::Unreachable(_))));
}
