//! Withdrawal through the admin API, in the middle of an utterance.

use std::fs;
use std::path::Path;

use sayso_audit::{Checkpoint, Event, Export, Leaf, Place, Reference, Signer};
use sayso_device::DeviceEvent;
use sayso_proto::consent::v1::WithdrawalState;
use sayso_tests::{Admin, Installation, Node, TestDevice, recordings};
use sayso_types::{Category, Purpose};
use sayso_wire::{ConsentStatus, ToDevice};
use serde_json::{Value, json};

use crate::reload::PROFILE;
use crate::sayso;

/// Whether speech went to a recogniser for a conversation.
fn hears(event: &Event) -> bool {
    matches!(event, Event::SegmentOpened { cell, .. }
        if cell.purpose == Purpose::VOICE_INTERACTION && cell.category == Category::VOICE_AUDIO)
}

/// The first device of a node, whose owner has agreed and is in the middle of an utterance that a recogniser hears.
async fn mid_utterance(installation: &Installation, node: &Node, admin: &Admin) -> TestDevice {
    let mut device = installation.first_device(node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.begin(&recordings::sound(recordings::LONG)).await;
    admin.until_leaf("an utterance on its way to the recogniser", |leaf| hears(&leaf.fact.event)).await;
    device
}

#[tokio::test]
async fn nothing_is_heard_once_it_is_ok() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let admin = installation.operator(&node).await;
    let mut device = mid_utterance(&installation, &node, &admin).await;

    let withdrawn = admin.withdraw("speaker-1").await;
    assert_eq!(withdrawn.state(), WithdrawalState::Ok, "{withdrawn:?}");
    device.until_consent(ConsentStatus::Withdrawn).await;

    // the rest of the utterance, and a new one, fall on deaf ears; then the device asks again what it may do
    device.device.say(&recordings::sound(recordings::SHORT)).await.unwrap();
    device.device.say_text("What is twelve times seven?").unwrap();
    device
        .until("the consent question", |event| match event {
            DeviceEvent::Node(ToDevice::Transcript { .. }) => panic!("it was understood: {event:?}"),
            DeviceEvent::Node(ToDevice::ConsentPrompt { .. }) => Some(()),
            _ => None,
        })
        .await;
    let leaves = admin.leaves().await;
    let effective = leaves.iter().position(|leaf| matches!(leaf.fact.event, Event::WithdrawEffective { .. }));
    let effective = effective.expect("the log says when the withdrawal took effect");
    assert!(!leaves[effective..].iter().any(|leaf| hears(&leaf.fact.event)));
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn stop_listening_is_confirmed_aloud() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let (server, certs) = (node.gateway.to_string(), installation.file("device"));
    let args = ["device", "--server", &server, "--certs", &certs, "--consent", "agree", "--json"];
    let texts = ["--text", "what time is it", "--text", "stop listening"];
    let talked = sayso().run(args.iter().chain(&texts)).await.success();

    let events: Vec<Value> = talked.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = |name: &str| events.iter().rfind(|event| event["event"] == name);
    assert_eq!(last("consent").unwrap()["status"], "withdrawn", "{}", talked.stdout);
    assert_eq!(last("answer").unwrap()["text"], "Done. I have stopped listening.");
    assert_eq!(last("error"), None);
}

/// Writes the log of `leaves` into `dir`, signed by `signer`.
fn export(dir: &Path, leaves: &[Leaf], signer: &Signer) {
    let mut export = Export::new();
    let mut files = Vec::new();
    for leaf in leaves {
        files.extend(export.append(&leaf.encode()).unwrap());
    }
    files.extend(export.partial());
    for file in files {
        let path = dir.join(file.tile.to_string());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.bytes).unwrap();
    }
    fs::write(dir.join("checkpoint"), Checkpoint::sign(export.size(), export.root(), signer)).unwrap();
}

/// W8 of the design: whoever has the log's own key adds a segment after the withdrawal, and signs a tree that is right. An auditor
/// who has the files, the public key and the profile finds that and nothing else.
#[tokio::test]
async fn a_late_segment_signed_with_the_logs_own_key_is_found_offline() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let admin = installation.operator(&node).await;
    let device = mid_utterance(&installation, &node, &admin).await;
    assert_eq!(admin.withdraw("speaker-1").await.state(), WithdrawalState::Ok);
    drop(device);
    let said = |leaves: &[Leaf]| leaves.iter().any(|leaf| matches!(leaf.fact.event, Event::WithdrawEffective { .. }));
    let mut leaves = admin.leaves().await;
    assert!(said(&leaves));

    let seed = fs::read_to_string(installation.path("log.key")).unwrap();
    let seed: [u8; 32] = hex::decode(seed.trim()).unwrap().try_into().unwrap();
    let public = fs::read_to_string(installation.path("log.pub")).unwrap();
    let signer = Signer::new(public.split('+').next().unwrap(), &seed).unwrap();
    assert_eq!(signer.verifier().to_string(), public.trim(), "it is the log's own key");
    let verify = async |name: &str, leaves: &[Leaf]| {
        export(&installation.path(name), leaves, &signer);
        let [log, trust, profile] = [name, "log.pub", PROFILE].map(|file| installation.file(file));
        let said = sayso().run(["verify", &log, "--trust", &trust, "--profile", &profile, "--json"]).await;
        let verdict: Value = serde_json::from_str(&said.stdout).unwrap();
        let findings = verdict["findings"].as_array().unwrap().iter();
        let broken = findings.filter(|finding| finding["severity"] == "violation");
        (said.status.code(), broken.map(|found| json!([found["leaf"], found["rule"]])).collect::<Vec<_>>())
    };
    assert_eq!(verify("honest", &leaves).await, (Some(0), vec![]));

    let (late, last) = (leaves.len() as u64, *leaves.last().map(|leaf| &leaf.place).unwrap());
    let effective =
        leaves.iter().find(|leaf| matches!(leaf.fact.event, Event::WithdrawEffective { .. })).unwrap().fact.clone();
    let opened = leaves.iter().find(|leaf| hears(&leaf.fact.event)).unwrap().fact.clone();
    let is_its_end = |leaf: &&Leaf| {
        let ids = (&opened.event, &leaf.fact.event);
        matches!(ids, (Event::SegmentOpened { segment: a, .. }, Event::SegmentClosed { segment: b, .. }) if a == b)
    };
    let closed = leaves.iter().find(is_its_end).unwrap().fact.clone();
    let mut clock = last.clock;
    for (sequence, mut fact) in (late..).zip([opened, closed]) {
        if let Event::SegmentOpened { segment, .. } | Event::SegmentClosed { segment, .. } = &mut fact.event {
            *segment = Reference([9; 16]);
        }
        (fact.cv, fact.epoch) = (effective.cv, effective.epoch);
        clock = clock.next(last.wall);
        leaves.push(fact.at(Place { sequence, clock, ..last }));
    }
    let found = vec![json!([late, "segment_after_withdrawal"]), json!([late, "denied_by_profile"])];
    assert_eq!(verify("forged", &leaves).await, (Some(1), found));
}
