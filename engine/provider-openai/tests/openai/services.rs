//! Requests as a service expects them, and answers as it gives them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sayso_provider::{Sight, conformance};
use sayso_provider_openai::SpeechFormat;
use serde_json::{Value, json};

use crate::bench::{QUESTION, ask, endpoint, hear, responder, speak, synthesizer, transcriber, viewer};
use crate::fake_openai::{ANSWER, FakeOpenAi, HEARD, Plan, events, speech};

#[tokio::test]
async fn the_transcriber_conforms() {
    let fake = FakeOpenAi::start();
    conformance::transcriber::all(Arc::new(transcriber(endpoint(&fake)))).await;
}

#[tokio::test]
async fn the_responder_conforms() {
    let fake = FakeOpenAi::start();
    let responder = Arc::new(responder(endpoint(&fake)));
    conformance::responder::all(responder.clone()).await;
    assert_eq!(conformance::responder::answers(responder).await, ANSWER.concat());
}

#[tokio::test]
async fn the_synthesizer_conforms() {
    let fake = FakeOpenAi::start();
    let synthesizer = Arc::new(synthesizer(endpoint(&fake), SpeechFormat::Pcm));
    conformance::synthesizer::all(synthesizer.clone()).await;
    assert_eq!(conformance::synthesizer::speaks(synthesizer).await.samples, speech());
}

#[tokio::test]
async fn the_viewer_conforms() {
    let fake = FakeOpenAi::start();
    let viewer = Arc::new(viewer(endpoint(&fake)));
    conformance::viewer::all(viewer.clone()).await;
    assert_eq!(conformance::viewer::answers(viewer).await, ANSWER.concat());
}

#[tokio::test]
async fn a_picture_is_sent_as_a_data_url_in_json() {
    let fake = FakeOpenAi::start();
    conformance::viewer::answers(Arc::new(viewer(endpoint(&fake)))).await;
    let [request] = &fake.log().requests[..] else { panic!("one request") };
    assert!(request.head.starts_with("POST /openai/v1/chat/completions HTTP/1.1\r\n"), "{}", request.head);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let Sight { picture, question } = conformance::viewer::sight();
    let [asked, shown] = &body["messages"][0]["content"].as_array().unwrap()[..] else { panic!("two parts") };
    assert_eq!(*asked, json!({"type": "text", "text": question}));
    let url = format!("data:image/jpeg;base64,{}", STANDARD.encode(picture.bytes()));
    assert_eq!(*shown, json!({"type": "image_url", "image_url": {"url": url}}));
}

#[tokio::test]
async fn an_utterance_is_uploaded_as_a_wav_file_in_a_form() {
    let fake = FakeOpenAi::start();
    assert_eq!(hear(&transcriber(endpoint(&fake))).await.unwrap(), HEARD);

    let [request] = &fake.log().requests[..] else { panic!("one request") };
    assert!(request.head.starts_with("POST /openai/v1/audio/transcriptions HTTP/1.1\r\n"), "{}", request.head);
    assert!(request.head.contains(&format!("\r\nhost: {}\r\n", fake.address)));
    assert!(request.head.contains("\r\nauthorization: Bearer sk-test\r\n"));
    let boundary = request.head.split("multipart/form-data; boundary=").nth(1).unwrap().lines().next().unwrap();
    let body = String::from_utf8_lossy(&request.body);
    for field in ["name=\"model\"\r\n\r\nmodel-1\r\n", "name=\"language\"\r\n\r\nen\r\n", "filename=\"utterance.wav\""]
    {
        assert!(body.contains(field), "{field}");
    }
    let start = request.body.windows(4).position(|window| window == b"RIFF").unwrap();
    let file = &request.body[start..];
    assert_eq!(file[40..44], 1280_u32.to_le_bytes(), "two frames of 640 bytes");
    assert_eq!(&file[44 + 1280..], format!("\r\n--{boundary}--\r\n").as_bytes());
}

#[tokio::test]
async fn a_question_is_asked_in_json_and_answered_in_events() {
    let fake = FakeOpenAi::start();
    assert_eq!(ask(&responder(endpoint(&fake))).await.unwrap(), ANSWER);
    let request = &fake.log().requests[0];
    assert!(request.head.starts_with("POST /openai/v1/chat/completions HTTP/1.1\r\n"), "{}", request.head);
    let expected = json!({"model": "model-1", "messages": [{"role": "user", "content": QUESTION}], "stream": true});
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_the_same_answer() {
    let fake = FakeOpenAi::start();
    let responder = responder(endpoint(&fake));
    let stream = events(&ANSWER);
    for cut in 0..=stream.len() {
        let (head, tail) = stream.as_bytes().split_at(cut);
        fake.plan(Plan::chunks("text/event-stream", [head, tail]));
        assert_eq!(ask(&responder).await.unwrap(), ANSWER, "cut at {cut}");
    }
    assert_eq!(fake.log().accepted, 1, "every answer was read to its end");
}

#[tokio::test]
async fn speech_comes_bare_or_as_a_file() {
    let fake = FakeOpenAi::start();
    let spoken = speak(&synthesizer(endpoint(&fake), SpeechFormat::Pcm)).await.unwrap();
    assert_eq!(spoken, (24_000, speech()));

    let file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x22\x56\0\0\x44\xac\0\0\x02\0\x10\0data\xff\xff\xff\xff\x01\0\xff\xff";
    fake.plan(Plan::chunks("audio/wav", file.chunks(3)));
    let spoken = speak(&synthesizer(endpoint(&fake), SpeechFormat::Wav)).await.unwrap();
    assert_eq!(spoken, (22_050, vec![1, -1]));

    let orders: Vec<Value> = fake.log().requests.iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect();
    let order = |format| json!({"model": "model-1", "input": "hello", "voice": "alloy", "response_format": format});
    assert_eq!(orders, [order("pcm"), order("wav")]);
}
