//! A service that recognises while somebody speaks.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use sayso_device::DeviceEvent;
use sayso_tests::{Installation, Process, recordings};
use sayso_wire::ToDevice;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, accept};
use toml::toml;

use crate::sayso;

/// What the service hears in every utterance.
const HEARS: &str = "How old are you?";
/// Utterances that wait for the test to look at them: it looks at one.
const UTTERANCES_MAX: usize = 16;

#[tokio::test]
async fn speech_goes_to_a_service_while_it_is_spoken() {
    let installation = Installation::new(&sayso()).await;
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    recognise_by_service(&installation, service.local_addr().unwrap());
    let (heard, utterances) = sync_channel(UTTERANCES_MAX);
    thread::spawn(move || service.incoming().map_while(Result::ok).for_each(|stream| recognise(stream, &heard)));
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    device.begin(&recordings::sound(recordings::SHORT)).await;
    let heard = device.until("what was heard", |event| match event {
        DeviceEvent::Node(ToDevice::Transcript { text, .. }) => Some(text.reveal().clone()),
        _ => None,
    });
    assert_eq!(heard.await, HEARS);
    let seconds = utterances.recv().unwrap() / 48_000;
    assert!((1..10).contains(&seconds), "{seconds} s of sound at 24 kHz came to the service");
}

#[tokio::test]
async fn what_is_no_recogniser_is_not_asked_to_stream() {
    let installation = Installation::new(&sayso()).await;
    recognise_by_service(&installation, "127.0.0.1:1".parse().unwrap());
    installation.edit("sayso.toml", |config| config["openai"][0]["stage"] = "llm".into());
    Process::start(installation.serve()).finished().await.failure(&[
        "openai service service",
        "realtime",
        "leave it out",
    ]);
}

/// Has a service at `addr` recognise what people say in conversation. Their yes or no stays with the node.
fn recognise_by_service(installation: &Installation, addr: SocketAddr) {
    installation.edit("profile.toml", |profile| {
        let processors = profile["processor"].as_array_mut().unwrap();
        let local = processors.iter_mut().find(|one| one["id"].as_str() == Some("whisper-local")).unwrap();
        let mut service = local.clone();
        let purposes = |purpose: &str| toml::Value::Array(vec![purpose.into()]);
        local["purposes"] = purposes("consent_answer");
        (service["id"], service["purposes"]) = ("service".into(), purposes("voice_interaction"));
        processors.push(service);
    });
    installation.edit("sayso.toml", |config| {
        let mut service = toml! {
            id = "service"
            stage = "asr"
            model = "any"
            realtime = true
        };
        service.insert("base-url".to_owned(), format!("http://{addr}/v1").into());
        config.insert("openai".to_owned(), toml::Value::Array(vec![service.into()]));
    });
}

/// Recognises an utterance as [`HEARS`], and tells how many bytes of sound it had.
fn recognise(stream: TcpStream, heard: &SyncSender<usize>) {
    let Ok(mut socket) = accept(stream) else { return };
    let mut base64 = 0;
    while let Ok(message) = socket.read() {
        let Message::Text(text) = message else { continue };
        let event: Value = serde_json::from_str(&text).unwrap();
        base64 += event["audio"].as_str().map_or(0, str::len);
        if event["type"] == "input_audio_buffer.commit" {
            let kind = "conversation.item.input_audio_transcription.completed";
            let completed = json!({ "type": kind, "transcript": HEARS });
            heard.send(base64 / 4 * 3).unwrap();
            if socket.send(Message::text(completed.to_string())).is_err() {
                return;
            }
        }
    }
}
