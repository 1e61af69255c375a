//! Services that choose HTTP/2.

use core::pin::pin;
use std::sync::Arc;

use sayso_policy::Refused;
use sayso_provider::conformance::{self, Bench};
use sayso_provider::{Error, Transcriber};
use sayso_provider_openai::OpenAiTranscriber;
use tokio::sync::Notify;

use crate::bench::{endpoint_at, hear, transcriber};
use crate::fake_http2::FakeHttp2;
use crate::fake_openai::HEARD;
use crate::tls::private_tls;

/// Two minutes: far more than what HTTP/2 lets be sent ahead of what is read.
const FRAMES: usize = 6000;
/// Where the service stops to read.
const PAUSE_AFTER: usize = 200_000;

/// A service, what lets it read on once it has stopped after `pause_after` bytes, and a transcriber that talks to it.
async fn service(pause_after: usize) -> (FakeHttp2, Arc<Notify>, OpenAiTranscriber) {
    let (authority, acceptor) = private_tls(b"h2");
    let read_on = Arc::new(Notify::new());
    let fake = FakeHttp2::start(acceptor, pause_after, Arc::clone(&read_on)).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let endpoint = endpoint_at(&format!("https://localhost:{}/v1", fake.address.port()));
    let transcriber = transcriber(endpoint.with_ca_file(file.path()).unwrap());
    (fake, read_on, transcriber)
}

#[tokio::test]
async fn the_transcriber_conforms_over_http2() {
    let (_fake, _read_on, transcriber) = service(usize::MAX).await;
    conformance::transcriber::all(Arc::new(transcriber)).await;
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_call() {
    let (fake, _read_on, transcriber) = service(usize::MAX).await;
    for _ in 0..3 {
        assert_eq!(hear(&transcriber).await.unwrap(), HEARD);
    }
    let log = fake.log();
    assert_eq!((log.accepted, log.requests.len()), (1, 3));
    let port = fake.address.port();
    assert_eq!(log.requests[0].0, format!("https://localhost:{port}/v1/audio/transcriptions"));
}

#[tokio::test]
async fn an_upload_over_http2_stops_at_the_revocation() {
    let ((fake, read_on, transcriber), bench) = (service(PAUSE_AFTER).await, Bench::for_transcriber());
    let (permit, revoker) = bench.permit();
    let mut call = pin!(transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), FRAMES)));
    tokio::select! {
        done = &mut call => panic!("answered before the service read everything: {done:?}"),
        _ = fake.wait_until(|log| log.body >= PAUSE_AFTER) => (),
    }
    let passed = revoker.revoke();
    assert!((passed.bytes as usize) < FRAMES * 640, "the upload was held up by the service");

    read_on.notify_one();
    assert_eq!(call.await, Err(Error::Refused(Refused::Revoked)));
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert!(log.requests.iter().all(|(_, bytes)| *bytes < FRAMES * 640), "cut before the body was complete");

    // whoever still agrees is served, over another connection
    assert_eq!(hear(&transcriber).await.unwrap(), HEARD);
    assert_eq!(fake.log().accepted, 2);
}
