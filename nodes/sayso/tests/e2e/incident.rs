//! An incident, from its report to its end, and the switch that stops it.

use sayso_audit::Event;
use sayso_tests::{Installation, TENANT, recordings};
use sayso_types::{Category, Purpose};
use serde_json::Value;

use crate::sayso;

/// What the people concerned are told.
const NOTICE: &str = r#"
[en]
spoken = "Somebody read along."
situation = "The recogniser kept what it heard."
impact = "Somebody may know what you said."
measures = "It is turned off."
self_protection = "Do not repeat code words."
contact = "the shop"

[zh]
spoken = "有人读取了您的对话。"
situation = "语音识别服务保留了它听到的内容。"
impact = "他人可能知道您说过的话。"
measures = "该服务已停用。"
self_protection = "请勿重复使用口令。"
contact = "商店"
"#;

/// Whether speech went to a recogniser for a conversation.
fn hears(event: &Event) -> bool {
    matches!(event, Event::SegmentOpened { cell, .. }
        if cell.purpose == Purpose::VOICE_INTERACTION && cell.category == Category::VOICE_AUDIO)
}

#[tokio::test]
async fn a_processor_is_turned_off_for_an_incident_that_is_dealt_with_to_its_end() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;

    device.begin(&recordings::sound(recordings::LONG)).await;
    let admin = installation.operator(&node).await;
    admin.until_leaf("an utterance on its way to the recogniser", |leaf| hears(&leaf.fact.event)).await;

    let certs = installation.file("admin");
    let run = async |at: &str, command: &[&str], args: &[&str]| {
        let node = ["--admin", at, "--certs", &certs];
        sayso().run(command.iter().chain(&node).chain(args).copied()).await
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let at = node.admin.to_string();
    let opened = run(&at, &["incident", "open"], &["--report", "the recogniser keeps what it hears", "--json"]).await;
    let id = json(&opened.success().stdout)["incident"].as_str().unwrap().to_owned();
    let off = ["processor", "whisper-local", "--reason", "leak", "--incident", &id];
    let said = run(&at, &["switch", "off"], &off).await.success().stdout;
    assert!(said.starts_with("processor whisper-local is off since") && said.contains(&id), "{said}");
    let ended =
        |event: &Event| matches!(event, Event::SegmentClosed { reason, .. } if reason.as_str() == "switched_off");
    admin.until_leaf("the end of that utterance", |leaf| ended(&leaf.fact.event)).await;
    let leaves = admin.leaves().await;
    let off = leaves.iter().position(|leaf| leaf.fact.event.name() == "processor.suspended").unwrap();
    assert!(!leaves[off..].iter().any(|leaf| hears(&leaf.fact.event)), "nothing is heard any more");
    let volumes = json(&run(&at, &["switch", "volumes"], &["--json"]).await.success().stdout);
    let heard = volumes.as_array().unwrap().iter().find(|to| to["processor"] == "whisper-local").unwrap();
    assert!(heard["bytes"].as_u64() > Some(0) && heard["calls"].as_u64() > Some(0), "{volumes}");
    assert_eq!((&heard["over"], &heard["left"]), (&0.into(), &Value::Null), "this policy declares nothing");
    let said = run(&at, &["switch", "volumes"], &[]).await.success().stdout;
    assert!(said.contains(&format!("whisper-local voice_audio: {} bytes in", heard["bytes"])), "{said}");
    let nobody = run(&at, &["switch", "off"], &["processor", "nobody", "--reason", "leak"]).await;
    nobody.failure(&["name", "the policy has no processor or category of that name"]);
    node.kill().await;

    let node = installation.start().await;
    let at = node.admin.to_string();
    let switches = json(&run(&at, &["switch", "list"], &["--json"]).await.success().stdout);
    assert_eq!((&switches[0]["name"], &switches[0]["position"]), (&"whisper-local".into(), &"off".into()));
    run(&at, &["incident", "close"], &[&id]).await.failure(&["assess it first"]);
    let span = ["--from", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z"];
    let scope = [&[id.as_str(), "--processor", "voice-local"][..], &span].concat();
    let assessed = run(&at, &["incident", "assess"], &scope).await.success().stdout;
    assert!(assessed.contains("people: 1") && assessed.contains("switch:"), "{assessed}");
    let affected = json(&run(&at, &["incident", "affected"], &[&id, "--json"]).await.success().stdout);
    assert_eq!((&affected["total"], &affected["people"][0]["tenant"]), (&1.into(), &TENANT.into()));
    let file = installation.file("notice.toml");
    std::fs::write(&file, NOTICE).unwrap();
    let lacking = ["--people", &installation.file("lacking.toml")];
    std::fs::write(lacking[1], NOTICE.replace("contact = \"the shop\"", "")).unwrap();
    run(&at, &["incident", "notify"], &[&[id.as_str()][..], &lacking].concat()).await.failure(&["lacks en.contact"]);
    let told = run(&at, &["incident", "notify"], &[&id, "--people", &file, "--json"]).await.success().stdout;
    let notice = json(&told)["notice"].as_str().unwrap().to_owned();
    let status = async || json(&run(&at, &["notice", "status"], &[&notice, "--json"]).await.success().stdout);
    while status().await["people"] != 1 {}
    let mut device = installation.first_device(&node).await;
    device.device.listen_start(sayso_wire::ListenMode::Realtime).unwrap();
    device.until_sentence("Somebody read along.").await;
    while status().await["tallies"]
        != serde_json::json!([{ "standing": "delivered", "channel": "device", "people": 1 }])
    {}
    for (step, state) in [("contain", "contained:"), ("close", "handled")] {
        let told = run(&at, &["incident", step], &[&id]).await.success().stdout;
        assert!(told.contains(state) && !told.contains("not yet\n"), "{told}");
    }
    let on = run(&at, &["switch", "on"], &["processor", "whisper-local", "--reason", "over"]).await.success().stdout;
    assert!(on.starts_with("processor whisper-local is on since"), "{on}");
    let admin = installation.operator(&node).await;
    let told: Vec<_> = admin.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    for name in ["incident.opened", "incident.assessed", "incident.contained", "incident.closed", "processor.activated"]
    {
        assert!(told.contains(&name), "{name} is on record: {told:?}");
    }
    let report = admin.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn what_finds_speech_is_turned_off_and_nothing_is_listened_to_until_it_is_on_again() {
    let installation = Installation::new(&sayso()).await;
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.begin(&recordings::sound(recordings::LONG)).await;

    let (admin, certs, at) = (installation.operator(&node).await, installation.file("admin"), node.admin.to_string());
    let switch = async |to: &str| {
        let call = ["switch", to, "--admin", &at, "--certs", &certs, "processor", "vad-local", "--reason", "leak"];
        sayso().run(call).await.success().stdout
    };
    let said = switch("off").await;
    assert!(said.starts_with("processor vad-local is off since"), "{said}");
    let ended = |event: &Event| {
        matches!(event, Event::SegmentClosed { processor, reason, .. }
            if processor.as_str() == "vad-local" && reason.as_str() == "switched_off")
    };
    admin.until_leaf("the end of listening", |leaf| ended(&leaf.fact.event)).await;
    assert_eq!(device.until_error().await, "not_allowed");
    let leaves = admin.leaves().await;
    let off = leaves.iter().position(|leaf| leaf.fact.event.name() == "processor.suspended").unwrap();
    assert!(!leaves[off..].iter().any(|leaf| hears(&leaf.fact.event)), "nothing is listened to");

    switch("on").await;
    device.listens_unasked().await;
    device.begin(&recordings::sound(recordings::LONG)).await;
    assert!(admin.verify_log().await.is_clean());
}
