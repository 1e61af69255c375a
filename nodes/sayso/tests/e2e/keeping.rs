//! What a node keeps of conversations, and what becomes of it.

use std::fs;

use sayso_audit::{Event, LineageEvent};
use sayso_device::DeviceEvent;
use sayso_tests::{Installation, TENANT, recordings};
use sayso_types::Category;
use sayso_wire::{ConsentStatus, ToDevice};
use serde_json::Value;
use toml::toml;

use crate::sayso;

#[tokio::test]
async fn a_conversation_goes_on_where_it_was_and_its_sound_is_kept_apart() {
    let installation = Installation::new(&sayso()).await;
    keep(&installation, &["history", "improve_voice"]);
    let node = installation.start().await;
    let admin = installation.operator(&node).await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("What is twelve times seven?", "84").await;
    device.until_listening().await;
    admin.until_leaf("an exchange on the shelf", |leaf| is_kept(&leaf.fact.event, Category::CHAT_HISTORY)).await;
    device.device.say(&recordings::sound(recordings::SHORT)).await.unwrap();
    admin.until_leaf("a recording on the shelf", |leaf| is_kept(&leaf.fact.event, Category::CONVERSATION_AUDIO)).await;
    device.until_played().await;
    drop(device);
    // whoever it is of can have it: it is a file that plays
    let certs = installation.person("tess", Some(TENANT)).await;
    let (at, file) = (node.admin.to_string(), installation.file("said.opus"));
    let person = ["--admin", &at, "--certs", &certs, "--tenant", TENANT, "--device-id", "speaker-1"];
    let kept = async |args: &[&str]| sayso().run([&["kept"], args, &person].concat()).await.success().stdout;
    let listed: Value =
        serde_json::from_str(&kept(&["list", "--category", "conversation_audio", "--json"]).await).unwrap();
    let _ = kept(&["get", listed[0]["item"].as_str().unwrap(), "--out", &file]).await;
    let recording = fs::read(&file).unwrap();
    assert!(recording.starts_with(b"OggS") && recording[28..].starts_with(b"OpusHead"), "{} bytes", recording.len());

    // another conversation of the same person
    let mut device = installation.first_device(&node).await;
    device.listens_unasked().await;
    device.device.say_text("Say that again.").unwrap();
    device
        .until("an answer to what was said before", |event| match event {
            DeviceEvent::Node(ToDevice::Sentence { text, .. }) => {
                assert!(!text.reveal().contains("not said anything"), "it knows what was said before");
                Some(())
            }
            _ => None,
        })
        .await;
    device.until_played().await;

    // what was agreed to for it is taken back
    device.device.withdraw_consent(Some("history".parse().unwrap())).unwrap();
    device.until_consent(ConsentStatus::Withdrawn).await;
    drop(device);
    let mut device = installation.first_device(&node).await;
    device.listens_unasked().await;
    device.hears("Say that again.", "not said anything").await;
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn answers_draw_on_documents_until_they_are_deleted() {
    let installation = Installation::new(&sayso()).await;
    keep(&installation, &["knowledge"]);
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    let (at, certs, file) = (node.admin.to_string(), installation.file("admin"), installation.file("house.txt"));
    let person = ["--admin", &at, "--certs", &certs, "--tenant", TENANT, "--device-id", "speaker-1"];
    let kept = async |args: &[&str]| sayso().run([&["kept"], args, &person].concat()).await.success().stdout;
    fs::write(&file, "The umbrella is in the cellar.\n\nBread is bought on Mondays.").unwrap();
    let put = ["put", "knowledge_base", &file, "--purpose", "knowledge", "--media-type", "text/plain", "--json"];
    let put: Value = serde_json::from_str(&kept(&put).await).unwrap();
    device.hears("Where did I put the umbrella?", "cellar").await;
    let _ = kept(&["delete", put["item"].as_str().unwrap()]).await;
    device.until_listening().await;
    device.hears("Where did I put the umbrella?", "I heard").await;
}

pub(crate) fn is_kept(event: &Event, category: Category) -> bool {
    matches!(event, Event::Lineage(LineageEvent::Written { cell, .. }) if cell.category == category)
}

/// Lets people agree to have kept what is for these purposes.
pub(crate) fn keep(installation: &Installation, purposes: &[&str]) {
    installation.edit("profile.toml", |profile| {
        for purpose in purposes {
            let mut rule = toml! {
                dpv = "RequestedServiceProvision"
                basis = "Consent"
                title = { en = "Keeping it", zh = "保存" }
            };
            rule.insert("id".to_owned(), (*purpose).into());
            profile["purpose"].as_array_mut().unwrap().push(rule.into());
            profile["asks"]["spoken"].as_array_mut().unwrap().push((*purpose).into());
        }
        let rows =
            [("chat_history", "history"), ("conversation_audio", "improve_voice"), ("knowledge_base", "knowledge")];
        let rows = rows.into_iter().filter(|(_, purpose)| purposes.contains(purpose));
        let (accepted, served): (Vec<&str>, Vec<&str>) = rows.unzip();
        let mut shelf = toml! {
            id = "shelf"
            kind = "database"
            party = "operator"
            region = "home"
            region_class = "local"
            state = "active"
            trains_on_data = false
            declared_retention = "P1Y"
            deletion_api = true
        };
        let processors = profile["processor"].as_array_mut().unwrap();
        let dialogue = processors.iter_mut().find(|one| one["id"].as_str() == Some("rules-local")).unwrap();
        // the dialogue is told what was said, not how
        let told = accepted.iter().zip(&served).filter(|(category, _)| **category != "conversation_audio");
        for (category, purpose) in told {
            dialogue["accepts"].as_array_mut().unwrap().push((*category).into());
            dialogue["purposes"].as_array_mut().unwrap().push((*purpose).into());
        }
        shelf.insert("accepts".to_owned(), accepted.into());
        shelf.insert("purposes".to_owned(), served.into());
        processors.push(shelf.into());
        let history = toml! {
            title = { en = "Conversations", zh = "聊天记录" }
            dpv = ["pd:Communication"]
            attrs = ["text", "time", "context"]
            sensitivity = "high"
            purposes = ["history"]
            necessity = "Optional"
            at_rest = "allowed"
            derived_from = ["transcript", "reply_text"]
            retention = { trigger = "withdraw", after = "PT0S", action = "erase" }
        };
        let sound = toml! {
            title = { en = "Recordings", zh = "录音" }
            dpv = ["pd:VoiceCommunicationRecording"]
            sensitivity = "high"
            subject = "speaker"
            purposes = ["improve_voice"]
            necessity = "Optional"
            at_rest = "allowed"
            derived_from = ["voice_audio"]
            retention = { trigger = "withdraw", after = "PT0S", action = "erase" }
        };
        let documents = toml! {
            title = { en = "Documents", zh = "文档" }
            dpv = ["sayso:KnowledgeBase"]
            sensitivity = "high"
            purposes = ["knowledge"]
            necessity = "Required_for:knowledge"
            at_rest = "allowed"
            retention = { trigger = "withdraw", after = "PT0S", action = "erase" }
        };
        let categories = profile["category"].as_table_mut().unwrap();
        let rules = [("chat_history", "history", history), ("conversation_audio", "improve_voice", sound)];
        for (category, purpose, rule) in rules.into_iter().chain([("knowledge_base", "knowledge", documents)]) {
            // a category whose purpose the profile does not have is an error
            if purposes.contains(&purpose) {
                categories.insert(category.to_owned(), rule.into());
            }
        }
    });
}
