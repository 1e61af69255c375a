//! A profile that is read again while a device talks.

use std::net::SocketAddr;

use sayso_audit::Event;
use sayso_tests::{Installation, Node, Process, free_tcp_address, recordings};
use sayso_types::{ProcessorKind, Purpose};
use serde_json::Value;

use crate::{pages, sayso};

/// What `sayso.toml` calls the profile.
pub(crate) const PROFILE: &str = "profile.toml";

/// Waits for a line of the node's log with this message, and gives the revision that it names.
pub(crate) async fn until_logged(node: &mut Node, message: &str) -> u64 {
    let rev = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["fields"].as_object().filter(|fields| fields["message"] == message)?.get("rev")?.as_u64()
    };
    node.process.line(message, rev).await
}

pub(crate) fn set_rev(profile: &mut toml::Table, rev: i64) {
    profile["profile"].as_table_mut().unwrap().insert("rev".to_owned(), rev.into());
}

fn suspend(profile: &mut toml::Table, processor: &str) {
    let processors = profile["processor"].as_array_mut().unwrap();
    let found =
        processors.iter_mut().filter_map(toml::Value::as_table_mut).find(|p| p["id"].as_str() == Some(processor));
    found.unwrap().insert("state".to_owned(), "suspended".into());
}

/// What the node's metrics say of the file that it was last given: whether it refused it.
async fn policy_refused(metrics: SocketAddr) -> Option<String> {
    let (_, metrics) = pages::read(metrics, "/metrics").await;
    metrics.lines().find_map(|line| line.strip_prefix("sayso_policy_refused ")).map(str::to_owned)
}

#[tokio::test]
async fn a_revision_holds_for_those_who_talk_and_a_broken_one_for_nobody() {
    let installation = Installation::new(&sayso()).await;
    let (mut serve, metrics) = (installation.serve(), free_tcp_address());
    serve.env("SAYSO_TELEMETRY__METRICS_LISTEN", metrics.to_string());
    let mut node = Node::ready(Process::start(serve)).await;
    let operator = installation.operator(&node).await;
    assert!(operator.policy_is_accepted().await);
    assert_ne!(policy_refused(metrics).await.as_deref(), Some("1"));
    let mut device = installation.first_device(&node).await;

    // a broken one first: the revision in force stays, and the node says so
    installation.edit(PROFILE, |profile| set_rev(profile, 0));
    node.process.reload();
    assert_eq!(until_logged(&mut node, "the profile is refused; the revision in force stays").await, 1);
    operator.until_policy(false).await;
    assert_eq!(policy_refused(metrics).await.as_deref(), Some("1"));

    // nor is one taken that nobody has signed
    installation.edit_unsigned(PROFILE, |profile| set_rev(profile, 2));
    node.process.reload();
    let again = format!("`sayso policy sign {}`", installation.file(PROFILE));
    node.process.line("the command that signs it", |line| line.contains(&again).then_some(())).await;
    operator.until_policy(false).await;
    assert_eq!(policy_refused(metrics).await.as_deref(), Some("1"));

    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.begin(&recordings::sound(recordings::LONG)).await;
    let opened = |event: &Event| matches!(event, Event::SegmentOpened { cell, .. } if cell.kind == ProcessorKind::Asr && cell.purpose == Purpose::VOICE_INTERACTION);
    operator.until_leaf("an utterance on its way", |leaf| opened(&leaf.fact.event)).await;

    // in mid-utterance the recogniser is suspended: it gets no more
    installation.edit(PROFILE, |profile| {
        set_rev(profile, 2);
        suspend(profile, "whisper-local");
    });
    node.process.reload();
    assert_eq!(until_logged(&mut node, "the profile was read again").await, 2);
    operator.until_policy(true).await;
    assert_eq!(policy_refused(metrics).await.as_deref(), Some("0"));
    let effective = |event: &Event| matches!(event, Event::PolicyEffective { .. });
    operator.until_leaf("revision 2", |leaf| leaf.fact.profile_rev == 2 && effective(&leaf.fact.event)).await;
    let closed = |event: &Event| matches!(event, Event::SegmentClosed { cell, reason, .. } if cell.kind == ProcessorKind::Asr && reason.as_str() == "policy");
    operator.until_leaf("the end of its segment", |leaf| closed(&leaf.fact.event)).await;
    assert!(operator.verify_log().await.is_clean());
    assert!(node.terminate().await.status.success());
}
