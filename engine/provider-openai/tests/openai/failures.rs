//! A service that is down, slow, breaks off, answers nonsense or says no: a typed error that tells nothing personal.

use core::time::Duration;
use std::sync::Arc;

use sayso_provider::{Error, conformance};
use sayso_provider_openai::SpeechFormat;
use tokio::net::TcpListener;

use crate::bench::{QUESTION, ask, endpoint, endpoint_at, hear, responder, speak, synthesizer, transcriber};
use crate::fake_openai::{ANSWER, FakeOpenAi, Plan, events};

/// Long enough for a request to arrive, short enough to wait for.
const LIMIT: Duration = Duration::from_millis(200);
const EVENTS: &str = "text/event-stream";

#[tokio::test]
async fn one_that_is_down_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = hear(&transcriber(endpoint_at(&format!("http://{address}/v1")))).await.unwrap_err();
    let Error::Unreachable(text) = error else { panic!("{error:?}") };
    assert!(text.contains("127.0.0.1"), "{text}");
}

#[tokio::test]
async fn one_that_is_silent_is_given_up() {
    let fake = FakeOpenAi::start();
    for _ in 0..3 {
        fake.plan(Plan::silence());
    }
    conformance::transcriber::ends_at_its_limit(Arc::new(transcriber(endpoint(&fake))), LIMIT).await;
    conformance::responder::ends_at_its_limit(Arc::new(responder(endpoint(&fake))), LIMIT).await;
    let synthesizer = Arc::new(synthesizer(endpoint(&fake), SpeechFormat::Pcm));
    conformance::synthesizer::ends_at_its_limit(synthesizer, LIMIT).await;
    fake.wait_until(|log| log.ended == 3).await;
}

#[tokio::test]
async fn one_that_falls_silent_in_its_answer_is_given_up() {
    let fake = FakeOpenAi::start();
    let mut answer = Plan::chunks(EVENTS, [events(&ANSWER).as_bytes()]);
    answer.send.pop();
    answer.send[1].truncate(200);
    fake.plan(answer);
    conformance::responder::ends_at_its_limit(Arc::new(responder(endpoint(&fake))), LIMIT).await;
}

#[tokio::test]
async fn statuses_are_told_and_bodies_are_not() {
    let fake = FakeOpenAi::start();
    let transcriber = transcriber(endpoint(&fake));
    let busy = Error::Busy { retry_after: Some(Duration::from_secs(7)) };
    for (status, headers, expected) in [
        ("401 Unauthorized", "", Error::Unauthorized),
        ("429 Too Many Requests", "retry-after: 7\r\n", busy),
        ("400 Bad Request", "", Error::Rejected("HTTP 400".to_owned())),
        ("500 Internal Server Error", "", Error::Failed("HTTP 500".to_owned())),
    ] {
        fake.plan(Plan::status(status, headers, &format!("{{\"error\": \"{QUESTION}\"}}")));
        assert_eq!(hear(&transcriber).await, Err(expected));
    }
    assert_eq!(fake.log().requests.len(), 4, "what arrived once is not sent again");
}

#[tokio::test]
async fn half_an_answer_is_incomplete() {
    let fake = FakeOpenAi::start();
    let incomplete = |done: Result<(), Error>| assert!(matches!(done, Err(Error::Incomplete(_))), "{done:?}");

    fake.plan(Plan::raw("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"text\": \"hal").then_close());
    incomplete(hear(&transcriber(endpoint(&fake))).await.map(drop));
    fake.plan(Plan::raw("HTTP/1.1 200 O").then_close());
    incomplete(hear(&transcriber(endpoint(&fake))).await.map(drop));
    fake.plan(Plan::raw("").then_close());
    incomplete(hear(&transcriber(endpoint(&fake))).await.map(drop));

    let stream = events(&ANSWER);
    let without_end = stream.strip_suffix("data: [DONE]\n\n").unwrap();
    fake.plan(Plan::chunks(EVENTS, [without_end.as_bytes()]));
    incomplete(ask(&responder(endpoint(&fake))).await.map(drop));
    fake.plan(Plan::chunks(EVENTS, [&without_end.as_bytes()[..80]]).cut_short());
    incomplete(ask(&responder(endpoint(&fake))).await.map(drop));
    fake.plan(Plan::chunks(EVENTS, [b"data: [DONE]\n\n".as_slice()]));
    incomplete(ask(&responder(endpoint(&fake))).await.map(drop));

    fake.plan(Plan::chunks("audio/pcm", [b"abc".as_slice()]));
    incomplete(speak(&synthesizer(endpoint(&fake), SpeechFormat::Pcm)).await.map(drop));
    fake.plan(Plan::chunks("audio/pcm", [b"abcd".as_slice()]).cut_short());
    incomplete(speak(&synthesizer(endpoint(&fake), SpeechFormat::Pcm)).await.map(drop));
}

#[tokio::test]
async fn nonsense_is_malformed() {
    let fake = FakeOpenAi::start();
    let malformed = |done: Result<(), Error>| assert!(matches!(done, Err(Error::Malformed(_))), "{done:?}");

    fake.plan(Plan::raw("220 smtp.example.com ESMTP\r\n\r\n"));
    malformed(hear(&transcriber(endpoint(&fake))).await.map(drop));
    for body in ["<html>", "{}", "{\"text\": 7}", "\u{0}"] {
        fake.plan(Plan::status("200 OK", "", body));
        malformed(hear(&transcriber(endpoint(&fake))).await.map(drop));
    }
    let endless = "x".repeat(300 * 1024);
    fake.plan(Plan::status("200 OK", "", &endless));
    malformed(hear(&transcriber(endpoint(&fake))).await.map(drop));

    fake.plan(Plan::status("200 OK", "content-type: application/json\r\n", "{\"choices\": []}"));
    malformed(ask(&responder(endpoint(&fake))).await.map(drop));
    for stream in ["data: nonsense\n\n", "data: {\"choices\": 1}\n\n", &endless] {
        fake.plan(Plan::chunks(EVENTS, [stream.as_bytes()]));
        malformed(ask(&responder(endpoint(&fake))).await.map(drop));
    }

    fake.plan(Plan::chunks("audio/mpeg", [b"ID3\x04".as_slice()]));
    malformed(speak(&synthesizer(endpoint(&fake), SpeechFormat::Pcm)).await.map(drop));
    fake.plan(Plan::chunks("audio/wav", [b"ID3\x04".as_slice()]));
    malformed(speak(&synthesizer(endpoint(&fake), SpeechFormat::Wav)).await.map(drop));
}

#[tokio::test]
async fn an_answer_that_the_service_ends_early_is_told_after_its_text() {
    let fake = FakeOpenAi::start();
    let stream = |reason: &str| {
        let last = format!("{{\"choices\":[{{\"delta\":{{\"content\":\"One\"}},\"finish_reason\":\"{reason}\"}}]}}");
        format!("data: {last}\n\ndata: [DONE]\n\n")
    };
    for reason in ["length", "content_filter"] {
        fake.plan(Plan::chunks(EVENTS, [stream(reason).as_bytes()]));
        let error = ask(&responder(endpoint(&fake))).await.unwrap_err();
        let expected = if reason == "length" { "incomplete" } else { "rejected" };
        assert_eq!(error.code(), expected);
    }
    fake.plan(Plan::chunks(EVENTS, [b"data: {\"error\": {\"message\": \"overloaded\"}}\n\n".as_slice()]));
    assert_eq!(ask(&responder(endpoint(&fake))).await.unwrap_err().code(), "failed");
}
