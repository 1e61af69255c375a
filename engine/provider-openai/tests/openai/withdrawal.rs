//! Nothing leaves after a revocation.

use core::pin::pin;

use futures::StreamExt;
use sayso_policy::{Labelled, Refused};
use sayso_provider::conformance::{Bench, Refusal};
use sayso_provider::{Error, Exchange, Request, Responder, Sight, Transcriber, Viewer};
use sayso_types::{Picture, PictureFormat};

use crate::bench::{QUESTION, endpoint, endpoint_at, responder, transcriber, viewer};
use crate::fake_openai::{FakeOpenAi, Log, Plan, events};
use crate::tls::private_service;

/// Two minutes: far more than the buffers between the provider and the service hold.
const FRAMES: usize = 6000;
const UTTERANCE_BYTES: usize = FRAMES * 640;
/// Where the service stops to read.
const PAUSE_AFTER: usize = 200_000;

/// What stands around the audio: the head of the request and the form.
const AROUND_BYTES_MAX: usize = 2048;

fn held_up() -> FakeOpenAi {
    let fake = FakeOpenAi::start();
    fake.plan(Plan { pause_after: Some(PAUSE_AFTER), ..Plan::silence() });
    fake
}

fn paused(log: &Log) -> bool {
    log.bytes.len() >= PAUSE_AFTER
}

#[tokio::test]
async fn an_upload_stops_at_the_revocation() {
    let (fake, bench) = (held_up(), Bench::for_transcriber());
    let transcriber = transcriber(endpoint(&fake));
    let (permit, revoker) = bench.permit();
    let mut call = pin!(transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), FRAMES)));
    tokio::select! {
        done = &mut call => panic!("answered before the service read everything: {done:?}"),
        log = fake.wait_until(paused) => assert_eq!(log.requests.len(), 0),
    }

    let passed = revoker.revoke();
    assert!((passed.bytes as usize) < UTTERANCE_BYTES, "the upload was held up by the service");

    fake.read_on.notify_one();
    assert_eq!(call.await, Err(Error::Refused(Refused::Revoked)));
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!((log.requests.len(), log.resets), (0, 1), "reset before the body was complete");
    assert!(log.bytes.len() <= passed.bytes as usize + AROUND_BYTES_MAX, "{} of {passed:?}", log.bytes.len());
}

/// A body of one piece passes the permit whole, and then waits in buffers for a service that does not read.
#[tokio::test]
async fn what_was_passed_and_not_written_stays() {
    let (fake, bench) = (held_up(), Bench::for_responder());
    let responder = responder(endpoint(&fake));
    let (permit, revoker) = bench.permit();
    let request = Request { text: "x".repeat(UTTERANCE_BYTES), ..Request::default() };
    let mut call = pin!(responder.respond(bench.call(&permit), Labelled::new(bench.label(), request)));
    tokio::select! {
        _ = &mut call => panic!("answered before the service read everything"),
        _ = fake.wait_until(paused) => (),
    }

    assert!(revoker.revoke().bytes as usize > UTTERANCE_BYTES, "the request passed whole");

    fake.read_on.notify_one();
    assert_eq!(call.await.err(), Some(Error::Refused(Refused::Revoked)));
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!((log.requests.len(), log.resets), (0, 1), "reset before the body was complete");
}

#[tokio::test]
async fn a_picture_stops_at_the_revocation() {
    let fake = FakeOpenAi::start();
    fake.plan(Plan { pause_after: Some(PAUSE_AFTER), ..Plan::silence() });
    let bench = Bench::for_viewer();
    let viewer = viewer(endpoint(&fake));
    let (permit, revoker) = bench.permit();
    let mut bytes = vec![0xff, 0xd8, 0xff];
    bytes.resize(Picture::BYTES_MAX, 7);
    let picture = Picture::new(PictureFormat::Jpeg, bytes.into()).unwrap();
    let sight = Labelled::new(bench.label(), Sight { picture, question: QUESTION.to_owned() });
    let mut call = pin!(viewer.view(bench.call(&permit), sight));
    tokio::select! {
        done = &mut call => panic!("answered before the service read everything: {done:?}"),
        _ = fake.wait_until(paused) => (),
    }
    revoker.revoke();
    let written = fake.log().bytes.len();

    fake.read_on.notify_one();
    assert_eq!(call.await, Err(Error::Refused(Refused::Revoked)));
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!((log.requests.len(), log.resets), (0, 1), "reset before the picture was complete");
    assert!(log.bytes.len() < Picture::BYTES_MAX, "{} after {written}", log.bytes.len());
}

/// The consent to what goes along is over when the service has been reached, and has heard nothing yet.
#[tokio::test]
async fn a_question_stays_when_the_consent_to_what_goes_along_has_run_out_meanwhile() {
    let (authority, fake) = private_service();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let url = format!("https://localhost:{}/v1", fake.address.port());
    let responder = responder(endpoint_at(&url).with_ca_file(file.path()).unwrap());
    let (bench, kept) = (Bench::for_responder(), Bench::for_history());
    let ((own, revoker), (other, others)) = (bench.permit(), kept.permit());
    let request = Request { text: QUESTION.to_owned(), ..Request::default() };
    let mut request = Labelled::new(bench.label(), request);
    let earlier = vec![Exchange { said: "good night".to_owned(), heard: "sleep well".to_owned() }];
    request.take_along(Labelled::new(kept.label(), earlier), |request, earlier| request.earlier = earlier);
    let mut call = pin!(responder.respond(bench.call(&own.clone().with(&[other])), request));
    tokio::select! {
        biased;
        // as long as it has not answered to the beginning of a connection nothing can be sent
        _ = fake.wait_until(|log| log.accepted == 1) => (),
        _ = &mut call => panic!("answered before anything was asked"),
    }

    kept.run_out();
    assert_eq!(call.await.err(), Some(Error::Refused(Refused::Expired)));
    let log = fake.wait_until(|log| log.ended == log.accepted).await;
    assert_eq!((log.bytes.len(), log.requests.len()), (0, 0), "not a byte left");
    assert!(own.is_open(), "what is said now could still be sent");
    assert_eq!((revoker.revoke().bytes, others.revoke().bytes), (0, 0), "what did not leave is not counted");
}

/// W5: the connection breaks in mid-utterance, consent is withdrawn, and the service is there again.
#[tokio::test]
async fn w5_what_was_begun_on_a_broken_connection_is_never_sent_again() {
    let (fake, bench) = (FakeOpenAi::start(), Bench::for_transcriber());
    let transcriber = transcriber(endpoint(&fake));
    let (permit, revoker) = bench.permit();
    fake.plan(Plan { cut_after: Some(PAUSE_AFTER), ..Plan::silence() });
    let broken = transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), FRAMES)).await;
    assert!(matches!(broken, Err(Error::Incomplete(_))), "{broken:?}");
    let before = fake.wait_until(|log| log.ended == 1).await;
    assert!(before.bytes.len() >= PAUSE_AFTER && before.requests.is_empty());

    revoker.revoke();
    let again = transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), FRAMES)).await;
    assert_eq!(again, Err(Error::Refused(Refused::Revoked)));
    // somebody else is served, over a connection of their own
    let (other, _revoker) = bench.permit();
    transcriber.transcribe(bench.call(&other), bench.utterance(bench.label(), 2)).await.unwrap();
    let after = fake.log();
    assert_eq!((after.accepted, after.requests.len()), (2, 1), "nothing was sent again");
    let replayed = after.bytes.len() - before.bytes.len() - after.requests[0].head.len() - after.requests[0].body.len();
    assert_eq!(replayed, 0);
}

#[tokio::test]
async fn dropping_a_call_resets_its_upload() {
    let (fake, bench) = (held_up(), Bench::for_transcriber());
    let transcriber = transcriber(endpoint(&fake));
    let (permit, revoker) = bench.permit();
    tokio::select! {
        done = transcriber.transcribe(bench.call(&permit), bench.utterance(bench.label(), FRAMES)) => {
            panic!("answered before the service read everything: {done:?}");
        }
        _ = fake.wait_until(paused) => (),
    }
    fake.read_on.notify_one();
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!((log.requests.len(), log.resets), (0, 1), "reset before the body was complete");
    assert!(log.bytes.len() <= revoker.revoke().bytes as usize + AROUND_BYTES_MAX);
}

#[tokio::test]
async fn dropping_an_answer_ends_its_connection() {
    let (fake, bench) = (FakeOpenAi::start(), Bench::for_responder());
    let responder = responder(endpoint(&fake));
    let (permit, _revoker) = bench.permit();
    let mut unfinished = Plan::chunks("text/event-stream", [events(&["One. "]).as_bytes()]);
    unfinished.send.pop();
    unfinished.send[1].truncate(120);
    fake.plan(unfinished);
    let request = Labelled::new(bench.label(), Request::default());
    let mut answer = responder.respond(bench.call(&permit), request).await.unwrap();
    assert!(matches!(answer.next().await, Some(Ok(_))));
    drop(answer);
    fake.wait_until(|log| log.resets == 1).await;
}

#[tokio::test]
async fn what_a_permit_does_not_cover_is_not_sent() {
    let (fake, bench) = (FakeOpenAi::start(), Bench::for_responder());
    let responder = responder(endpoint(&fake));
    for Refusal { permit, revoker: _kept, label, reason } in bench.refusals() {
        let request = Request { text: QUESTION.to_owned(), ..Request::default() };
        let refused = responder.respond(bench.call(&permit), Labelled::new(label, request)).await.err();
        assert_eq!(refused, Some(Error::Refused(reason)));
    }
    let log = fake.wait_until(|log| log.accepted == log.ended).await;
    assert!(log.requests.is_empty() && !log.contains(QUESTION));
    assert_eq!(log.accepted, 4, "a permit that is closed does not even make a connection");
}
