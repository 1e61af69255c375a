//! A service that cannot be reached: the person is told so, and is answered as soon as it is back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use sayso_tests::Installation;
use toml::toml;

use crate::sayso;

/// One event of a streamed chat completion, and its end.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"I am back.\"},\"finish_reason\":\"stop\"}]}\n\n\
    data: [DONE]\n\n";

#[tokio::test]
async fn a_device_is_told_and_its_session_goes_on() {
    let installation = Installation::new(&sayso()).await;
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    answer_by_service(&installation, addr);
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    device.device.say_text("Are you there?").unwrap();
    assert_eq!(device.until_error().await, "unreachable");
    assert!(device.until_sentence("could not answer").await.played_ms > 0, "it is said aloud too");

    let service = TcpListener::bind(addr).unwrap();
    thread::spawn(move || service.incoming().map_while(Result::ok).for_each(|stream| answer(&stream)));
    device.hears("Are you there?", "back").await;
}

/// Has a chat service at `addr` answer in the place of the rules in the node.
pub(crate) fn answer_by_service(installation: &Installation, addr: SocketAddr) {
    installation.edit("profile.toml", |profile| {
        let processors = profile["processor"].as_array_mut().unwrap();
        let rules = processors.iter_mut().find(|processor| processor["id"].as_str() == Some("rules-local")).unwrap();
        let mut service = rules.clone();
        rules["state"] = "suspended".into();
        service["id"] = "service".into();
        processors.push(service);
    });
    installation.edit("sayso.toml", |config| {
        let mut service = toml! {
            id = "service"
            stage = "llm"
            model = "any"
        };
        service.insert("base-url".to_owned(), format!("http://{addr}/v1").into());
        config.insert("openai".to_owned(), toml::Value::Array(vec![service.into()]));
    });
}

/// Reads a request and answers it.
pub(crate) fn answer(mut stream: &TcpStream) {
    let mut request = BufReader::new(stream);
    let mut body = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            body = length.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    request.read_exact(&mut vec![0; body]).unwrap();
    stream.write_all(ANSWER.as_bytes()).unwrap();
}
