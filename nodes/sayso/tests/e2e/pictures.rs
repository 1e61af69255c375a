//! Pictures, from a device to a service that looks at them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sayso_audit::Event;
use sayso_tests::Installation;
use sayso_types::{Category, Picture, PictureFormat};
use sayso_wire::ConsentStatus;
use serde_json::Value;
use toml::toml;

use crate::sayso;

/// What the service sees in every picture.
const SEEN: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"A blue cup.\"},\"finish_reason\":\"stop\"}]}\n\n\
    data: [DONE]\n\n";

/// What begins like a JPEG file, of several parts.
fn jpeg() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.extend((0..50_000_u32).map(|i| i as u8));
    bytes
}

#[tokio::test]
async fn a_picture_is_answered_aloud_and_stops_with_the_consent_to_pictures() {
    let installation = Installation::new(&sayso()).await;
    let (addr, asked) = service();
    look_by_service(&installation, addr);
    let node = installation.start().await;
    let admin = installation.operator(&node).await;

    // at first contact the question comes first; the picture is shown again once it is answered
    let file = installation.file("cup.jpg");
    fs::write(&file, jpeg()).unwrap();
    let (server, certs) = (node.gateway.to_string(), installation.file("device"));
    let picture = format!("{file}=Which colour is it?");
    let args = ["device", "--server", &server, "--certs", &certs, "--consent", "agree", "--json"];
    let talked = sayso().run(args.iter().chain(&["--picture", &picture])).await.success();
    let events: Vec<Value> = talked.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answer = events.iter().rfind(|event| event["event"] == "answer").unwrap();
    assert_eq!(answer["text"], "A blue cup.", "{}", talked.stdout);

    let body = asked.recv().unwrap();
    let content = &body["messages"][0]["content"];
    assert_eq!(content[0]["text"], "Which colour is it?");
    let url = content[1]["image_url"]["url"].as_str().unwrap();
    assert_eq!(BASE64_STANDARD.decode(url.strip_prefix("data:image/jpeg;base64,").unwrap()).unwrap(), jpeg());
    assert!(asked.try_recv().is_err(), "it was sent once, after the answer to the question");

    // the camera is taken away in the device's settings
    let mut device = installation.first_device(&node).await;
    device.listens_unasked().await;
    device.device.permission_changed("camera".parse().unwrap(), false).unwrap();
    device.until_consent(ConsentStatus::Withdrawn).await;
    let shown = Picture::new(PictureFormat::Jpeg, jpeg().into()).unwrap();
    device.device.show(&shown, "").unwrap();
    assert_eq!(device.until_error().await, "picture_not_allowed");
    device.hears("What is twelve times seven?", "84").await;
    assert!(asked.try_recv().is_err(), "nothing more reached the service");
    let looked = |event: &Event| matches!(event, Event::SegmentOpened { cell, .. } if cell.category == Category::IMAGE);
    assert_eq!(admin.leaves().await.iter().filter(|leaf| looked(&leaf.fact.event)).count(), 1);
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

/// Lets people agree to pictures, which the service at `addr` looks at.
fn look_by_service(installation: &Installation, addr: SocketAddr) {
    installation.edit("profile.toml", |profile| {
        let vision = toml! {
            id = "vision"
            dpv = "RequestedServiceProvision"
            basis = "Consent"
            title = { en = "Looking at pictures", zh = "看图片" }
        };
        profile["purpose"].as_array_mut().unwrap().push(vision.into());
        let service = toml! {
            id = "looker"
            kind = "vision"
            party = "operator"
            region = "home"
            region_class = "local"
            accepts = ["image"]
            purposes = ["vision"]
            state = "active"
            trains_on_data = false
            declared_retention = "PT0S"
        };
        profile["processor"].as_array_mut().unwrap().push(service.into());
        let image = toml! {
            title = { en = "Pictures", zh = "图片" }
            dpv = ["pd:Picture"]
            sensitivity = "high"
            purposes = ["vision"]
            necessity = "Required_for:vision"
            at_rest = "forbidden"
            capability = ["camera"]
            retention = { trigger = "turn.end", after = "PT0S", action = "zeroise" }
        };
        profile["category"].as_table_mut().unwrap().insert("image".to_owned(), image.into());
        profile["asks"]["spoken"].as_array_mut().unwrap().push("vision".into());
    });
    installation.edit("sayso.toml", |config| {
        let mut service = toml! {
            id = "looker"
            stage = "vision"
            model = "any"
        };
        service.insert("base-url".to_owned(), format!("http://{addr}/v1").into());
        config.insert("openai".to_owned(), toml::Value::Array(vec![service.into()]));
    });
}

/// A service that looks at pictures, and what it is asked.
fn service() -> (SocketAddr, Receiver<Value>) {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = service.local_addr().unwrap();
    let (asked, asks) = sync_channel(16);
    thread::spawn(move || service.incoming().map_while(Result::ok).for_each(|stream| answer(&stream, &asked)));
    (addr, asks)
}

fn answer(mut stream: &TcpStream, asked: &SyncSender<Value>) {
    let mut request = BufReader::new(stream);
    let mut len = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            len = length.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; len];
    request.read_exact(&mut body).unwrap();
    asked.send(serde_json::from_slice(&body).unwrap()).unwrap();
    stream.write_all(SEEN.as_bytes()).unwrap();
}
