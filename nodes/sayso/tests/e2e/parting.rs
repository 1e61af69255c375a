//! A person takes back a part: what goes to one receiver, or their voice. It gets nothing any more and the rest of the session
//! goes on, until they give it again.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sayso_audit::Event;
use sayso_device::DeviceEvent;
use sayso_tests::{Finished, Installation, Node, TENANT, recordings};
use sayso_types::Category;
use sayso_wire::ToDevice;
use serde_json::Value;

use crate::provider_down::{answer, answer_by_service};
use crate::reload::PROFILE;
use crate::sayso;

/// Runs `sayso consent` for the first person.
async fn consent(installation: &Installation, node: &Node, command: &str, args: &[&str]) -> Finished {
    let (certs, at) = (installation.file("admin"), node.admin.to_string());
    let call = ["consent", command, "--admin", &at, "--certs", &certs, "--tenant", TENANT];
    sayso().run(call.into_iter().chain(args.iter().copied())).await
}

/// Takes back what `args` say; it is OK.
async fn withdraw(installation: &Installation, node: &Node, args: &[&str]) {
    let taken = consent(installation, node, "withdraw", &[args, &["--json"]].concat()).await.success();
    assert_eq!(serde_json::from_str::<Value>(&taken.stdout).unwrap()["state"], "ok");
}

/// Agrees to the conversation, giving what `args` say again.
async fn give(installation: &Installation, node: &Node, args: &[&str]) {
    let text = installation.file(PROFILE);
    let given = ["--purpose", "voice_interaction", "--notice", &text, "--evidence", &text];
    let _ = consent(installation, node, "give", &[&given, args].concat()).await.success();
}

#[tokio::test]
async fn a_receiver_that_was_taken_back_gets_nothing_and_another_answers() {
    let installation = Installation::new(&sayso()).await;
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    answer_by_service(&installation, service.local_addr().unwrap());
    installation.edit("profile.toml", |profile| {
        let processors = profile["processor"].as_array_mut().unwrap();
        let rules = processors.iter_mut().find(|processor| processor["id"].as_str() == Some("rules-local")).unwrap();
        // the service is nearer, so that it is asked first
        (rules["state"], rules["region"], rules["region_class"]) = ("active".into(), "CN".into(), "domestic".into());
    });
    let asked = Arc::new(AtomicUsize::new(0));
    thread::spawn({
        let asked = Arc::clone(&asked);
        move || {
            for stream in service.incoming().map_while(Result::ok) {
                asked.fetch_add(1, Ordering::SeqCst);
                answer(&stream);
            }
        }
    });
    let node = installation.start().await;
    let operator = installation.operator(&node).await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("What is twelve times seven?", "back").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    withdraw(&installation, &node, &["--category", "transcript", "--processor", "service"]).await;
    device.hears("What is twelve times seven?", "84").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "not a byte more");
    let unknown = consent(&installation, &node, "withdraw", &["--processor", "nobody"]).await;
    unknown.failure(&["has the processor nobody"]);

    give(&installation, &node, &[]).await;
    device.hears("What is twelve times seven?", "84").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a yes gives nothing back by itself");
    give(&installation, &node, &["--again", "*/transcript/service/*/*"]).await;
    device.hears("What is twelve times seven?", "back").await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

/// Whether a voice went anywhere.
fn hears(event: &Event) -> bool {
    matches!(event, Event::SegmentOpened { cell, .. } if cell.category == Category::VOICE_AUDIO)
}

#[tokio::test]
async fn who_takes_their_voice_back_in_mid_word_is_heard_no_more_and_answered_in_writing() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let operator = installation.operator(&node).await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.begin(&recordings::sound(recordings::LONG)).await;
    operator.until_leaf("an utterance on its way to the recogniser", |leaf| hears(&leaf.fact.event)).await;

    withdraw(&installation, &node, &["--category", "voice_audio"]).await;
    device
        .until("to be told that nobody may listen", |event| match event {
            DeviceEvent::Node(ToDevice::Error { code, .. }) => (code == "not_allowed").then_some(()),
            _ => None,
        })
        .await;
    device.hears("What is twelve times seven?", "84").await;
    let leaves = operator.leaves().await;
    let effective = leaves.iter().position(|leaf| matches!(leaf.fact.event, Event::WithdrawEffective { .. }));
    assert!(!leaves[effective.unwrap()..].iter().any(|leaf| hears(&leaf.fact.event)));

    give(&installation, &node, &["--again", "*/voice_audio/*/*/*"]).await;
    device.listens_unasked().await;
    device.device.say(&recordings::sound(recordings::SHORT)).await.unwrap();
    device
        .until("what was said to be understood", |event| match event {
            DeviceEvent::Node(ToDevice::Transcript { .. }) => Some(()),
            _ => None,
        })
        .await;
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}
