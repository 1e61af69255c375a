//! The fakes keep the contract that they stand in for, and do what they are told.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use sayso_policy::Labelled;
use sayso_provider::conformance::{self, Bench};
use sayso_provider::fake::{FakeResponder, FakeSynthesizer, FakeTranscriber, FakeViewer, Manner};
use sayso_provider::{Action, Error, Reply, Request, Responder, Synthesizer, Transcriber};
use sayso_types::{Clock, ManualClock};

const LIMIT: Duration = Duration::from_secs(5);

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new())
}

fn say(text: &str) -> Reply {
    Reply::Text(text.to_owned())
}

#[tokio::test]
async fn the_transcriber_conforms_and_stops_receiving_when_consent_is_withdrawn() {
    let fake = Arc::new(FakeTranscriber::new(clock()).hearing("hello"));
    conformance::transcriber::all(fake.clone()).await;
    assert_eq!(fake.desk().received().running, 0);

    let before = fake.desk().received();
    let passed = conformance::transcriber::takes_nothing_after_a_revocation(fake.clone()).await;
    let after = fake.desk().received();
    assert_eq!((after.bytes - before.bytes, after.pieces - before.pieces), (passed.bytes, passed.pieces));
}

#[tokio::test]
async fn a_transcriber_of_whole_utterances_says_so() {
    assert!(FakeTranscriber::new(clock()).streams());
    assert!(!FakeTranscriber::new(clock()).wanting_whole_utterances().streams());
}

#[tokio::test]
async fn the_responder_conforms_and_keeps_the_order_of_its_script() {
    let fake = Arc::new(FakeResponder::new(clock()).answering([say("one "), say("two "), say("three")]));
    conformance::responder::all(fake.clone()).await;
    assert_eq!(conformance::responder::answers(fake.clone()).await, "one two three");
    assert_eq!(fake.desk().received().running, 0);
}

#[tokio::test]
async fn the_synthesizer_conforms_and_speaks_longer_texts_longer() {
    let fake = Arc::new(FakeSynthesizer::new(clock()));
    conformance::synthesizer::all(fake.clone()).await;
    assert_eq!(conformance::synthesizer::speaks(fake.clone()).await.ms(), 21 * FakeSynthesizer::MS_A_CHARACTER);
    assert_eq!(fake.desk().received().running, 0);
}

#[tokio::test]
async fn the_viewer_conforms_and_sees_what_its_script_says() {
    let fake = Arc::new(FakeViewer::new(clock()).seeing("A red cup."));
    conformance::viewer::all(fake.clone()).await;
    assert_eq!(conformance::viewer::answers(fake.clone()).await, "A red cup.");
    assert_eq!(fake.desk().received().running, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_to_one_that_hangs_ends_at_its_limit() {
    let (asr, llm, tts) = (FakeTranscriber::new(clock()), FakeResponder::new(clock()), FakeSynthesizer::new(clock()));
    let vision = FakeViewer::new(clock());
    for desk in [asr.desk(), llm.desk(), tts.desk(), vision.desk()] {
        desk.behave(Manner::Hang);
    }
    conformance::transcriber::ends_at_its_limit(Arc::new(asr), LIMIT).await;
    conformance::responder::ends_at_its_limit(Arc::new(llm), LIMIT).await;
    conformance::synthesizer::ends_at_its_limit(Arc::new(tts), LIMIT).await;
    conformance::viewer::ends_at_its_limit(Arc::new(vision), LIMIT).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_answers_in_the_end() {
    let fake = FakeTranscriber::new(clock()).hearing("hello");
    fake.desk().behave(Manner::Slow(LIMIT));
    conformance::transcriber::takes_every_frame_once(Arc::new(fake)).await;
}

#[tokio::test]
async fn what_came_in_is_told_by_amount_time_and_label() {
    let (clock, bench) = (clock(), Bench::for_transcriber());
    clock.advance(Duration::from_secs(9));
    let fake = FakeTranscriber::new(clock.clone());
    let (permit, _revoker) = bench.permit();
    fake.transcribe(bench.call(&permit), bench.utterance(bench.label(), 3)).await.unwrap();
    let received = fake.desk().wait_until(|r| r.pieces == 3).await;
    assert_eq!((received.calls, received.bytes, received.last_at), (1, 3 * 640, Some(clock.now())));
    assert_eq!(received.labels, [bench.label()]);
}

#[tokio::test]
async fn scripts_are_told_in_order_and_the_last_line_stays() {
    let bench = Bench::for_transcriber();
    let fake = FakeTranscriber::new(clock()).hearing("yes").hearing("hello");
    let mut heard = Vec::new();
    for frames in [2, 0, 2, 2] {
        let (permit, _revoker) = bench.permit();
        let transcript = fake.transcribe(bench.call(&permit), bench.utterance(bench.label(), frames)).await.unwrap();
        heard.push(transcript.text.into_inner());
    }
    assert_eq!(heard, ["yes", "", "hello", "hello"]);
}

#[tokio::test]
async fn a_half_answer_is_its_first_half_and_an_error() {
    let bench = Bench::for_responder();
    let act = Reply::Act(Action::Stop);
    let fake = FakeResponder::new(clock()).answering([say("one "), say("two "), say("three"), act]);
    fake.desk().behave(Manner::HalfAnswer);
    let (permit, _revoker) = bench.permit();
    let request = Labelled::new(bench.label(), Request::default());
    let parts: Vec<_> = fake.respond(bench.call(&permit), request).await.unwrap().collect().await;
    let [Ok(one), Ok(two), Err(Error::Incomplete(_))] = parts.as_slice() else {
        panic!("{} parts", parts.len());
    };
    assert!(*one == say("one ") && *two == say("two "));
}

#[tokio::test]
async fn one_that_fails_takes_nothing() {
    let bench = Bench::for_synthesizer();
    let fake = FakeSynthesizer::new(clock());
    fake.desk().behave(Manner::Fail(Error::Unauthorized));
    let (permit, revoker) = bench.permit();
    let text = Labelled::new(bench.label(), "hello".to_owned());
    assert_eq!(fake.synthesize(bench.call(&permit), text).await.err(), Some(Error::Unauthorized));
    assert_eq!(revoker.revoke().bytes, 0);
    assert_eq!(fake.desk().received().pieces, 0);
}

#[tokio::test]
async fn nonsense_is_not_what_the_script_says() {
    let bench = Bench::for_transcriber();
    let fake = FakeTranscriber::new(clock()).hearing("hello");
    fake.desk().behave(Manner::Nonsense);
    let (permit, _revoker) = bench.permit();
    let heard = fake.transcribe(bench.call(&permit), bench.utterance(bench.label(), 2)).await.unwrap();
    assert!(heard.text.reveal().contains('\u{1b}'));
}
