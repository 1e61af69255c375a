//! Connections serve one call after the other.

use core::time::Duration;
use std::sync::Arc;

use sayso_provider_openai::{OpenAiTranscriber, SpeechFormat};
use sayso_types::ManualClock;

use crate::bench::{ask, endpoint, hear, responder, speak, synthesizer, transcriber};
use crate::fake_openai::{FakeOpenAi, HEARD, Plan};

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let fake = FakeOpenAi::start();
    let transcriber = transcriber(endpoint(&fake));
    let responder = responder(endpoint(&fake));
    let synthesizer = synthesizer(endpoint(&fake), SpeechFormat::Pcm);
    for _ in 0..3 {
        hear(&transcriber).await.unwrap();
        ask(&responder).await.unwrap();
        speak(&synthesizer).await.unwrap();
    }
    let log = fake.log();
    assert_eq!((log.requests.len(), log.accepted, log.ended), (9, 3, 0), "one connection for each provider");
}

#[tokio::test]
async fn calls_at_the_same_time_have_their_own_connections() {
    let fake = FakeOpenAi::start();
    let transcriber = transcriber(endpoint(&fake));
    let (one, two) = tokio::join!(hear(&transcriber), hear(&transcriber));
    assert_eq!((one.unwrap(), two.unwrap()), (HEARD.to_owned(), HEARD.to_owned()));
    assert_eq!(fake.log().accepted, 2);
}

#[tokio::test]
async fn connections_that_were_closed_while_idle_are_replaced() {
    let fake = FakeOpenAi::start();
    let transcriber = transcriber(endpoint(&fake));
    // more than a call may make attempts
    for _ in 0..4 {
        fake.plan(Plan::status("200 OK", "", "{\"text\": \"one\"}").then_close_when_told());
    }
    let call = || hear(&transcriber);
    let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
    assert_eq!([a, b, c, d].map(Result::unwrap), ["one"; 4]);
    assert_eq!(fake.log().ended, 0, "all four are kept");
    fake.hang_up();
    fake.wait_until(|log| log.ended == 4).await;
    assert_eq!(call().await.unwrap(), HEARD);
    let log = fake.log();
    assert_eq!((log.requests.len(), log.accepted), (5, 5));
}

#[tokio::test]
async fn a_connection_that_the_service_wants_to_close_is_not_kept() {
    let fake = FakeOpenAi::start();
    let transcriber = transcriber(endpoint(&fake));
    fake.plan(Plan::status("200 OK", "connection: close\r\n", "{\"text\": \"one\"}"));
    assert_eq!(hear(&transcriber).await.unwrap(), "one");
    assert_eq!(hear(&transcriber).await.unwrap(), HEARD);
    assert_eq!(fake.log().accepted, 2);
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_not_used() {
    let fake = FakeOpenAi::start();
    let clock = ManualClock::new();
    let transcriber = OpenAiTranscriber::new(endpoint(&fake), Arc::new(clock.clone()));
    for (pause, accepted) in [(0, 1), (29, 1), (30, 2)] {
        clock.advance(Duration::from_secs(pause));
        hear(&transcriber).await.unwrap();
        assert_eq!(fake.log().accepted, accepted, "after {pause} s");
    }
}

#[tokio::test]
async fn an_idle_connection_belongs_to_nobody_and_ends_cleanly() {
    let fake = FakeOpenAi::start();
    let transcriber = transcriber(endpoint(&fake));
    hear(&transcriber).await.unwrap();
    drop(transcriber);
    let log = fake.wait_until(|log| log.ended == 1).await;
    assert_eq!(log.resets, 0);
}
